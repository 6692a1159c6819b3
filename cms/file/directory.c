/* ERASE, RENAME, STATE and STATEW: commands that look at or change the directory alone. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/console/output.h"
#include "cms/file/file.h"

enum { TYPE, NOTYPE, UPDIRT, NOUPDIRT };

static const struct file_option erase_options[] = {
    [TYPE] = {"TYPE", 1, 1, false}, [NOTYPE] = {"NOTYPE", 3, 1, false}, {NULL, 0, 0, false}};
const struct file_option *const cms_file_erase_options = erase_options;
static const struct file_option rename_options[] = {
    [TYPE] = {"TYPE", 1, 1, false},      [NOTYPE] = {"NOTYPE", 3, 1, false},    [UPDIRT] = {"UPDIRT", 2, 2, false},
    [NOUPDIRT] = {"NOUPDIRT", 4, 2, false}, {NULL, 0, 0, false}};
const struct file_option *const cms_file_rename_options = rename_options;
static const struct file_option no_options[] = {{NULL, 0, 0, false}};

static int read_one(const char *module, const struct arguments *a, char default_letter, struct file_id *id)
{
    if (a->count > 3)
        return cms_message(module, MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[3]));
    return cms_file_id_read(module, a->operand, a->count, default_letter, false, id);
}

static int not_found(const char *module, const struct file_id *id)
{
    char text[FILE_ID_MAX];
    cms_file_id_text(id, text);
    return cms_message(module, MESSAGE_FILE_NOT_FOUND, text);
}

/* ---- ERASE ------------------------------------------------------------------------------------------------------- */

static int erase_found(const struct file_found *found, bool tell)
{
    char text[FILE_ID_MAX];
    cms_file_found_text(found, text);
    enum edf_status status = edf_erase(found->mode->disk, found->facts.name, found->facts.type);
    if (status)
        return cms_file_failed("ERS", status, found->mode, text);
    if (tell)
        cms_text("%s", text);
    return 0;
}

int cms_file_erase(const struct arguments *a)
{
    struct file_search search = {.writable = true};
    struct file_options options;
    struct file_found found;
    uint32_t count = 0;
    int rc = cms_file_options("ERS", a, erase_options, &options);
    if (!rc)
        rc = read_one("ERS", a, 'A', &search.id);
    if (!rc && !strcmp(search.id.name, "*") && !strcmp(search.id.type, "*"))
        rc = cms_message("ERS", MESSAGE_ERASE_ALL, a->count > 2 ? cms_typed(&a->operand[2]) : "A");
    if (!rc)
        rc = cms_file_mode_check("ERS", &search.id, true);
    for (; !rc && cms_file_next(&search, &found); count++) {
        if (cms_halted())
            return COMMAND_HALTED;
        rc = erase_found(&found, file_option(&options, TYPE));
        cms_file_erased(&search);
    }
    return rc || count ? rc : not_found("ERS", &search.id);
}

/* ---- RENAME ------------------------------------------------------------------------------------------------------ */

static enum edf_status rename_on_disk(const struct file_found *found, const struct file_id *to)
{
    struct edf_disk *disk = found->mode->disk;
    enum edf_status status = EDF_OK;
    if (strcmp(found->facts.name, to->name) || strcmp(found->facts.type, to->type))
        status = edf_rename(disk, found->facts.name, found->facts.type, to->name, to->type);
    if (!status && to->number != found->facts.mode_number)
        status = edf_set_mode_number(disk, to->name, to->type, to->number);
    return status;
}

static int rename_found(const struct file_found *found, const struct file_id *output, bool tell)
{
    struct file_id to;
    char old[FILE_ID_MAX], new[FILE_ID_MAX];
    int rc = cms_file_output("RNM", output, found, &to);
    if (rc)
        return rc;
    to.letter = found->mode->letter;
    cms_file_found_text(found, old);
    cms_file_id_text(&to, new);
    enum edf_status status = rename_on_disk(found, &to);
    if (status)
        return cms_file_failed("RNM", status, found->mode, status == EDF_NOT_FOUND ? old : new);
    if (tell)
        cms_text("%s  %s", old, new);
    return 0;
}

static int read_two(const struct arguments *a, struct file_id *from, struct file_id *to)
{
    char change[2][2] = {{0}, {0}};
    if (a->count < 6)
        return a->count ? cms_message("RNM", MESSAGE_INCOMPLETE_FILEID) : cms_message("RNM", MESSAGE_NO_FILENAME);
    if (a->count > 6)
        return cms_message("RNM", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[6]));
    int rc = cms_file_id_read("RNM", a->operand, 3, 0, false, from);
    if (!rc)
        rc = cms_file_id_read("RNM", a->operand + 3, 3, 0, true, to);
    change[0][0] = from->letter;
    change[1][0] = to->letter;
    if (!rc && to->letter != from->letter && to->letter != '=')
        rc = cms_message("RNM", MESSAGE_MODE_CHANGE, change[0], change[1]);
    return rc;
}

int cms_file_rename(const struct arguments *a)
{
    struct file_search search = {.writable = true};
    struct file_options options;
    struct file_found found;
    struct file_id to;
    uint32_t count = 0;
    int rc = cms_file_options("RNM", a, rename_options, &options);
    if (!rc)
        rc = read_two(a, &search.id, &to);
    if (!rc)
        rc = cms_file_mode_check("RNM", &search.id, true);
    for (; !rc && cms_file_next(&search, &found); count++) {
        if (cms_halted())
            return COMMAND_HALTED;
        rc = rename_found(&found, &to, file_option(&options, TYPE));
    }
    return rc || count ? rc : not_found("RNM", &search.id);
}

/* ---- STATE ------------------------------------------------------------------------------------------------------- */

static int state(const char *module, const struct arguments *a, bool writable)
{
    struct file_search search = {.writable = writable};
    struct file_options options;
    struct file_found found;
    int rc = cms_file_options(module, a, no_options, &options);
    if (!rc)
        rc = read_one(module, a, '*', &search.id);
    if (!rc)
        rc = cms_file_mode_check(module, &search.id, writable);
    if (rc)
        return rc;
    return cms_file_next(&search, &found) ? 0 : not_found(module, &search.id);
}

int cms_file_state(const struct arguments *a)
{
    return state("STT", a, false);
}

int cms_file_statew(const struct arguments *a)
{
    return state("STT", a, true);
}
