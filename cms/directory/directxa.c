/* DIRECTXA: a file of source becomes CP's directory, or CP's directory a file. */
#include <string.h>

#include "cms/command/complete.h"
#include "cms/command/messages.h"
#include "cms/console/output.h"
#include "cms/directory/source.h"
#include "cms/kernel/directory.h"
#include "cms/kernel/heap.h"
#include "cms/spool/spool.h"

enum { EDIT, GET, REPLACE };
enum { LINE_MAX = 65000 };

static const struct file_option options_table[] = {
    [EDIT] = {"EDIT", 4, 1, false}, [GET] = {"GET", 3, 1, false}, [REPLACE] = {"REPLACE", 3, 0, false},
    {NULL, 0, 0, false}};

/* fn ft fm, as far as they are given: USER DIRECT A. */
static int read_id(const struct arguments *a, struct file_id *id)
{
    static const struct word usual[2] = {{.text = "USER", .raw = "USER", .raw_length = 4},
                                         {.text = "DIRECT", .raw = "DIRECT", .raw_length = 6}};
    struct word words[3];
    if (a->count > 3)
        return cms_message("DIR", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[3]));
    for (int i = 0; i < 3; i++)
        words[i] = i < a->count ? a->operand[i] : usual[i < 2 ? i : 0];
    return cms_file_id_read("DIR", words, a->count < 2 ? 2 : a->count, 'A', false, id);
}

static int tell(enum cms_directory_status status)
{
    switch (status) {
    case CMS_DIRECTORY_OK: return 0;
    case CMS_DIRECTORY_DENIED: return cms_message("DIR", MESSAGE_DIRECTORY_CLASS);
    case CMS_DIRECTORY_LONG: return cms_message("DIR", MESSAGE_DIRECTORY_LONG);
    case CMS_DIRECTORY_CROSSED: return cms_message("DIR", MESSAGE_DIRECTORY_CROSSED);
    default: return cms_message("DIR", MESSAGE_NO_DIRECTORY);
    }
}

/* ---- to CP ------------------------------------------------------------------------------------------------------- */

struct text {
    char *at;
    size_t length, room;
};

static enum edf_status add_record(struct text *t, struct edf_reader *reader, uint32_t longest)
{
    uint32_t length;
    if (t->room - t->length < longest + 1ul) {
        size_t room = 2 * t->room + longest + 1;
        char *at = t->at ? cms_heap_resize(t->at, room) : cms_heap_allocate(room);
        if (!at)
            return EDF_NO_MEMORY;
        t->at = at;
        t->room = room;
    }
    enum edf_status status = edf_read(reader, t->at + t->length, longest, &length);
    if (status)
        return status;
    t->length += length;
    t->at[t->length++] = '\n';
    return EDF_OK;
}

static int read_file(const struct file_id *id, struct text *t)
{
    struct file_found found;
    struct edf_reader *reader = NULL;
    char text[FILE_ID_MAX];
    int rc = cms_file_find("DIR", id, &found);
    if (rc)
        return rc;
    cms_file_found_text(&found, text);
    enum edf_status status = edf_open(found.mode->disk, found.facts.name, found.facts.type, &reader);
    while (!status && !(rc = cms_halted() ? COMMAND_HALTED : 0))
        status = add_record(t, reader, found.facts.lrecl);
    if (reader)
        edf_close(reader);
    return rc || status == EDF_END ? rc : cms_file_failed("DIR", status, found.mode, text);
}

static int compile(const struct text *t, uint8_t **blob)
{
    struct source_fault fault;
    size_t room = source_room(t->length);
    uint8_t *scratch = cms_heap_allocate(room);
    *blob = cms_heap_allocate(room);
    if (!scratch || !*blob)
        return cms_message("DIR", MESSAGE_DIRECTORY_LONG);
    bool good = source_compile(t->at, t->length, *blob, room, scratch, &fault);
    cms_heap_free(scratch);
    return good ? 0 : cms_message("DIR", MESSAGE_DIRECTORY_SOURCE, fault.line, fault.reason);
}

static int give(const struct file_id *id, bool only_check)
{
    struct text t = {0};
    uint8_t *blob;
    int rc = read_file(id, &t);
    if (!rc)
        rc = compile(&t, &blob);
    if (!rc)
        rc = tell(cms_directory_put(blob, source_bytes(blob)));
    return rc ? rc : cms_obey(only_check ? "CP DIRECTORY CHECK" : "CP DIRECTORY REPLACE");
}

/* ---- from CP ----------------------------------------------------------------------------------------------------- */

static int put_line(void *context, const char *line, size_t length)
{
    return cms_halted() ? COMMAND_HALTED : cms_spool_store(context, (const uint8_t *)line, length);
}

static int get(const struct file_id *id, bool replace)
{
    struct spool_target target = {.module = "DIR", .id = *id, .recfm = 'V', .lrecl = 0,
                                  .replace = replace ? EDF_REPLACE : EDF_NEW};
    void *blob;
    size_t bytes;
    int rc = cms_spool_target(&target);
    if (!rc)
        rc = tell(cms_directory_get(&blob, &bytes));
    if (rc)
        return rc;
    char *line = cms_heap_allocate(LINE_MAX);
    rc = line ? source_write(blob, put_line, &target, line, LINE_MAX) : cms_message("DIR", MESSAGE_DIRECTORY_LONG);
    if (rc == -1)
        rc = cms_message("DIR", MESSAGE_NO_DIRECTORY);
    return cms_spool_stored(&target, rc);
}

static int directxa(const struct arguments *a)
{
    struct file_options options;
    struct file_id id;
    int rc = cms_file_options("DIR", a, options_table, &options);
    if (!rc)
        rc = read_id(a, &id);
    if (!rc && file_option(&options, REPLACE) && !file_option(&options, GET))
        rc = cms_message("DIR", MESSAGE_INVALID_OPTION, "REPLACE");
    if (rc)
        return rc;
    return file_option(&options, GET) ? get(&id, file_option(&options, REPLACE))
                                      : give(&id, file_option(&options, EDIT));
}

const struct command directory_commands[] = {
    {"DIRECTXA", 8, directxa, HELP_TEXT("DIRECTXA [fn [ft [fm]]] [(EDIT|GET [REPLACE]]"),
     HELP_TEXT("Makes the directory that a file describes CP's, at once and for the next start,\n"
               "if it is good as a whole and has all who are logged on, with the minidisks that\n"
               "are in use where they are.  Without names: USER DIRECT A.  EDIT only checks it.\n"
               "GET makes a file of the directory CP has; REPLACE replaces one.  For class B.\n"),
     READS_WORDS},
    {0},
};

/* ---- Tab --------------------------------------------------------------------------------------------------------- */

static void one_file(const struct arguments *typed, struct candidates *c)
{
    cms_file_complete(typed->operand, typed->count, c);
}

static void one_option(const struct arguments *typed, struct candidates *c)
{
    (void)typed;
    for (const struct file_option *o = options_table; o->name; o++)
        candidate_offer(c, o->name);
}

const struct command_completion directory_completions[] = {{"DIRECTXA", one_file, one_option}, {0}};
