/* COPYFILE: files to files, with their format changed on the way if the options say so. Each output file is one commit,
 * so an old one stands until its replacement is complete; several inputs may go into one output. */
#include "cms/file/copyfile.h"

#include <string.h>

#include "cms/command/messages.h"
#include "cms/kernel/heap.h"

/* ---- the output file --------------------------------------------------------------------------------------------- */

static void close_overlaid(struct copy *c)
{
    if (c->overlaid)
        edf_close(c->overlaid);
    c->overlaid = NULL;
}

static int end_output(struct copy *c)
{
    if (!c->writer)
        return 0;
    int rc = c->overlaid ? cms_copy_overlaid(c) : 0;
    close_overlaid(c);
    if (rc)
        return rc;
    if (c->offered && !c->copied)
        return cms_message("CPY", MESSAGE_NONE_COPIED, c->to_text);
    enum edf_status status = edf_commit(c->writer);
    c->writer = NULL;
    return status ? cms_file_failed("CPY", status, c->to_mode, c->to_text) : 0;
}

static enum edf_status open_output(struct copy *c, const struct file_found *found)
{
    struct edf_disk *disk = c->to_mode->disk;
    struct edf_file_facts facts;
    c->to_exists = edf_find(disk, c->to.name, c->to.type, &facts) == EDF_OK;
    bool overlay = copy_option(c, COPY_OVLY), added = c->to_exists && (overlay || copy_option(c, COPY_APPEND));
    c->to_recfm = added ? facts.recfm : c->recfm ? c->recfm : found->facts.recfm;
    c->to_lrecl = added && facts.lrecl ? facts.lrecl : c->lrecl ? c->lrecl : found->facts.lrecl;
    if (added && !overlay)
        return edf_append(disk, c->to.name, c->to.type, &c->writer); /* LRECL is 0 if there are no records at all */
    c->to_lrecl = c->to_lrecl ? c->to_lrecl : FILE_LRECL_DEFAULT;
    if (copy_option(c, COPY_PACK))
        c->to_recfm = 'F', c->to_lrecl = PACK_LRECL;
    enum edf_status status = !overlay ? EDF_OK : edf_open(disk, c->to.name, c->to.type, &c->overlaid);
    if (status)
        return status;
    if (overlay && !c->output.number)
        c->to.number = facts.mode_number;
    enum edf_replace replace = overlay || copy_option(c, COPY_REPLACE) ? EDF_REPLACE : EDF_NEW;
    return edf_create(disk, c->to.name, c->to.type, c->to.number, c->to_recfm, c->to_lrecl, replace, &c->writer);
}

static bool same_output(const struct copy *c, const struct file_id *to)
{
    return c->writer && !strcmp(c->to.name, to->name) && !strcmp(c->to.type, to->type) && c->to.letter == to->letter;
}

/* A packed file is one file's. */
static int join_output(const struct copy *c)
{
    enum copy_option alone = copy_option(c, COPY_PACK) ? COPY_PACK : COPY_UNPACK;
    return copy_option(c, alone) ? cms_message("CPY", MESSAGE_PACK_ALONE, cms_file_copyfile_options[alone].name) : 0;
}

static int start_output(struct copy *c, const struct file_found *found)
{
    struct file_id to;
    if (c->writer && copy_option(c, COPY_SINGLE))
        return join_output(c);
    int rc = cms_file_output("CPY", &c->output, found, &to);
    if (rc || same_output(c, &to))
        return rc ? rc : join_output(c);
    rc = end_output(c);
    if (!rc)
        rc = cms_file_mode_check("CPY", &to, true);
    if (rc)
        return rc;
    c->to = to;
    c->to_mode = cms_mode_find(to.letter);
    c->copied = c->offered = 0;
    cms_file_id_text(&to, c->to_text);
    enum edf_status status = open_output(c, found);
    if (status == EDF_EXISTS)
        return cms_message("CPY", MESSAGE_FILE_EXISTS_REPLACE, c->to_text);
    if (status)
        return cms_file_failed("CPY", status, c->to_mode, c->to_text);
    if (copy_option(c, COPY_OLDDATE))
        edf_writer_date(c->writer, &found->facts.date);
    return 0;
}

/* ---- the input files --------------------------------------------------------------------------------------------- */

static void tell(const struct copy *c, const struct file_found *found)
{
    char text[FILE_ID_MAX];
    const char *how = copy_option(c, COPY_APPEND) ? "append" : copy_option(c, COPY_OVLY) ? "overlay" : "to";
    cms_file_found_text(found, text);
    if (copy_option(c, COPY_TYPE))
        cms_message("CPY", MESSAGE_COPIED, text, how, c->to_text, c->to_exists ? "old file" : "new file");
}

static int copy_records(struct copy *c, const struct file_found *found, struct edf_reader *reader)
{
    if (copy_option(c, COPY_PACK))
        return cms_copy_packed(c, found, reader);
    return copy_option(c, COPY_UNPACK) ? cms_copy_unpacked(c, found) : cms_copy_records(c, found, reader);
}

/* To the output that is open, or if `starts` to that which the file's name gives. */
static int copy_one(struct copy *c, const struct file_found *found, bool starts)
{
    struct edf_reader *reader;
    struct file_found meant = *found;
    char text[FILE_ID_MAX];
    cms_file_found_text(found, text);
    enum edf_status status = edf_open(found->mode->disk, found->facts.name, found->facts.type, &reader);
    if (status)
        return cms_file_failed("CPY", status, found->mode, text);
    int rc = copy_option(c, COPY_UNPACK) ? cms_copy_unpack_begin(c, &meant, reader) : 0;
    if (!rc)
        rc = starts ? start_output(c, &meant) : join_output(c);
    if (!rc)
        tell(c, found);
    if (!rc)
        rc = copy_records(c, found, reader);
    edf_close(reader);
    return rc;
}

/* = in the output's name: an output for each file that the first fileid means, all the others' files in each. */
static bool has_many_outputs(const struct copy *c)
{
    return !copy_option(c, COPY_SINGLE) && (strchr(c->output.name, '=') || strchr(c->output.type, '='));
}

static int copy_matching(struct copy *c, const struct file_id *id, int input);

/* The inputs behind the first, whose = stand for what `first` has there. */
static int copy_others(struct copy *c, const struct file_found *first)
{
    int rc = 0;
    for (int i = 1; !rc && i < c->input_count; i++) {
        struct file_id id;
        rc = cms_file_output("CPY", &c->inputs[i], first, &id);
        id.number = c->inputs[i].number;
        if (!rc)
            rc = copy_matching(c, &id, i);
    }
    return rc;
}

/* All files that an input's fileid means, or the first in search order if it is no pattern. */
static int copy_matching(struct copy *c, const struct file_id *id, int input)
{
    struct file_search search = {.id = *id};
    struct file_found found;
    char text[FILE_ID_MAX];
    uint32_t count = 0;
    bool many = has_many_outputs(c), one = !cms_file_is_pattern(id);
    int rc = cms_file_mode_check("CPY", id, false);
    for (; !rc && !(one && count) && cms_file_next(&search, &found); count++) {
        if (!input && !count)
            c->first = found;
        rc = copy_one(c, &found, !many || !input);
        if (!rc && many && !input)
            rc = copy_others(c, &found);
    }
    cms_file_id_text(id, text);
    return rc || count ? rc : cms_message("CPY", MESSAGE_FILE_NOT_FOUND, text);
}

static int copy_all(struct copy *c)
{
    int rc = copy_matching(c, &c->inputs[0], 0);
    if (!rc && !has_many_outputs(c))
        rc = copy_others(c, &c->first);
    return rc ? rc : end_output(c);
}

static bool get_buffers(struct copy *c)
{
    bool builds = copy_option(c, COPY_SPECS) || copy_option(c, COPY_OVLY);
    c->record = cms_heap_allocate(EDF_LRECL_MAX);
    c->built = builds ? cms_heap_allocate(EDF_LRECL_MAX) : NULL;
    return c->record && (c->built || !builds);
}

int cms_file_copyfile(const struct arguments *a)
{
    struct copy *c = cms_heap_allocate(sizeof *c);
    if (!c)
        return cms_message("CPY", MESSAGE_VIRTUAL_STORAGE);
    memset(c, 0, sizeof *c);
    int rc = cms_copy_read(a, c);
    if (!rc && !get_buffers(c))
        rc = cms_message("CPY", MESSAGE_VIRTUAL_STORAGE);
    if (!rc)
        rc = copy_all(c);
    close_overlaid(c);
    edf_abort(c->writer);
    cms_heap_free(c->built);
    cms_heap_free(c->record);
    cms_heap_free(c);
    return rc;
}
