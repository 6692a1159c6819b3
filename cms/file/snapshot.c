/* SNAPSHOT: CP's command, and what of it needs to know files: to roll a disk back but for some of them.
 *
 * CP gives a copy of the snapshot to write (EDIT). The files that stay are put there as they are now; then the disk
 * becomes that copy, at once. Till then nothing has changed, whatever fails. */
#include <stdarg.h>
#include <string.h>

#include "cms/command/builtin.h"
#include "cms/command/disk_name.h"
#include "cms/command/messages.h"
#include "cms/console/output.h"
#include "cms/file/file.h"
#include "cms/kernel/cp.h"
#include "cms/kernel/heap.h"
#include "lib/format.h"

enum { FIRST_DEVICE = 0xF00, DEVICES = 16, CP_IN_USE = 110, RESPONSE_MAX = 512, WHICH_MAX = 10 };

struct rollback {
    uint16_t vdev, edited;
    char letter, parent; /* as which it is accessed; 0: it is not */
    bool read_only;
    const struct word *which;
    const struct word *keep; /* pairs of name and type */
    int keeps;
    struct mode *now, *then; /* the disk, and the copy */
    unsigned kept;
};

/* ---- CP's part --------------------------------------------------------------------------------------------------- */

/* Shown is what it says only if it fails, and not with the code that is expected. */
__attribute__((format(printf, 2, 3))) static int cp(int expected, const char *format, ...)
{
    char line[CMS_CP_COMMAND_MAX + 1], response[RESPONSE_MAX];
    struct cms_cp_answer answer;
    va_list args;
    va_start(args, format);
    size_t length = format_text_v(line, sizeof line, format, args);
    va_end(args);
    if (!cms_cp_command(line, length, response, sizeof response, &answer))
        return cms_cp_line(line); /* which tells why */
    while (answer.length && response[answer.length - 1] == '\n')
        answer.length--;
    if (answer.return_code && answer.return_code != expected)
        cms_line(response, answer.length);
    return answer.return_code;
}

static int link_edited(struct rollback *r)
{
    int rc = CP_IN_USE;
    for (unsigned i = 0; rc == CP_IN_USE && i < DEVICES; i++) {
        r->edited = (uint16_t)(FIRST_DEVICE + i);
        rc = cp(i < DEVICES - 1 ? CP_IN_USE : 0, "SNAPSHOT LINK %03X %.*s AS %03X EDIT", r->vdev,
                (int)r->which->raw_length, r->which->raw, r->edited);
    }
    return rc;
}

static int roll_back(const struct rollback *r)
{
    char line[64];
    format_text(line, sizeof line, "SNAPSHOT ROLLBACK %03X %.*s", r->vdev, r->keep ? 6 : (int)r->which->raw_length,
                r->keep ? "EDITED" : r->which->raw);
    return cms_cp_line(line);
}

/* ---- the files that stay ----------------------------------------------------------------------------------------- */

static int failed(const struct mode *mode, const struct edf_file_facts *f, enum edf_status status)
{
    char text[FILE_ID_MAX];
    struct file_found found = {.mode = (struct mode *)(uintptr_t)mode, .facts = *f};
    cms_file_found_text(&found, text);
    return cms_file_failed("SNP", status, mode, text);
}

static int erase_old(struct rollback *r, const char *name, const char *type)
{
    struct edf_file_facts f;
    for (uint32_t at = 0; edf_next(r->then->disk, &at, name, type, &f) == EDF_OK; at = 0) {
        enum edf_status status = cms_halted() ? EDF_OK : edf_erase(r->then->disk, f.name, f.type);
        if (cms_halted())
            return COMMAND_HALTED;
        if (status != EDF_OK)
            return failed(r->then, &f, status);
    }
    return 0;
}

static enum edf_status copy_records(struct edf_reader *from, struct edf_writer *to, uint8_t *record)
{
    uint32_t length;
    enum edf_status status;
    while ((status = edf_read(from, record, EDF_LRECL_MAX, &length)) == EDF_OK && !cms_halted())
        if ((status = edf_write(to, record, length)) != EDF_OK)
            return status;
    return status == EDF_END ? EDF_OK : status;
}

static int copy_file(struct rollback *r, const struct edf_file_facts *f, uint8_t *record)
{
    struct edf_reader *from = NULL;
    struct edf_writer *to = NULL;
    struct mode *at = r->now;
    enum edf_status status = edf_open(r->now->disk, f->name, f->type, &from);
    if (status == EDF_OK) {
        at = r->then;
        status = edf_create(r->then->disk, f->name, f->type, f->mode_number, f->recfm, f->lrecl, EDF_REPLACE, &to);
    }
    if (status == EDF_OK)
        status = copy_records(from, to, record);
    if (from)
        edf_close(from);
    if (status != EDF_OK || cms_halted()) {
        edf_abort(to);
        return status == EDF_OK ? COMMAND_HALTED : failed(at, f, status);
    }
    edf_writer_date(to, &f->date);
    status = edf_commit(to);
    r->kept++;
    return status == EDF_OK ? 0 : failed(at, f, status);
}

static int keep_pattern(struct rollback *r, const char *name, const char *type, uint8_t *record)
{
    struct edf_file_facts f;
    int rc = erase_old(r, name, type);
    for (uint32_t at = 0; !rc && edf_next(r->now->disk, &at, name, type, &f) == EDF_OK;)
        rc = cms_halted() ? COMMAND_HALTED : copy_file(r, &f, record);
    return rc;
}

static int keep_files(struct rollback *r, uint8_t *record)
{
    int rc = 0;
    for (int i = 0; !rc && i + 1 < r->keeps; i += 2)
        rc = keep_pattern(r, r->keep[i].text, r->keep[i + 1].text, record);
    return rc;
}

static char free_letter(void)
{
    char letter = 'Z';
    while (letter > 'A' && cms_mode_find(letter))
        letter--;
    return letter > 'A' ? letter : 0;
}

static int edit(struct rollback *r, uint8_t *record)
{
    struct mode_problem problem;
    char letter = free_letter();
    int rc = letter ? link_edited(r) : cms_message("SNP", MESSAGE_SNAPSHOT_LETTERS);
    if (rc)
        return rc;
    if (!cms_mode_access(r->edited, letter, letter, false, &problem)) {
        rc = cms_access_failed("SNP", letter, r->edited, &problem);
    } else {
        r->then = cms_mode_find(letter);
        r->now = cms_mode_of_device(r->vdev);
        rc = keep_files(r, record);
        cms_mode_release(letter);
    }
    if (rc)
        cp(0, "DETACH %03X", r->edited);
    return rc;
}

/* ---- the disk goes, and comes back ------------------------------------------------------------------------------- */

/* Nobody may have it while it becomes what it was. */
static int change(struct rollback *r)
{
    for (struct mode *m; (m = cms_mode_of_device(r->vdev)); cms_mode_release(m->letter))
        if (!r->letter)
            r->letter = m->letter, r->parent = m->parent, r->read_only = m->read_only;
    int rc = cp(40, "DETACH %03X", r->vdev);
    bool had = rc == 0;
    if (!rc || rc == 40)
        rc = roll_back(r);
    if (r->keep)
        cp(0, "DETACH %03X", r->edited);
    int back = had ? cp(0, "LINK * %03X AS %03X MR", r->vdev, r->vdev) : 0;
    if (!back && r->letter)
        back = cms_access_disk(r->vdev, r->letter, r->parent, r->read_only && r->parent != r->letter);
    return rc ? rc : back;
}

static int read_operands(const struct arguments *a, struct rollback *r)
{
    if (a->count < 3)
        return cms_message("SNP", MESSAGE_NO_DEVICE);
    if (!cms_device_number(&a->operand[1], &r->vdev))
        return cms_message("SNP", MESSAGE_INVALID_DEVICE, cms_typed(&a->operand[1]));
    if (a->count > 3 || a->operand[2].raw_length > WHICH_MAX)
        return cms_message("SNP", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[a->count > 3 ? 3 : 2]));
    r->which = &a->operand[2];
    if (!a->has_options || !a->option_count)
        return 0;
    if (!cms_word_is(&a->option[0], "KEEP", 1))
        return cms_message("SNP", MESSAGE_INVALID_OPTION, cms_typed(&a->option[0]));
    r->keep = &a->option[1];
    r->keeps = a->option_count - 1;
    return r->keeps % 2 || !r->keeps ? cms_message("SNP", MESSAGE_NO_FILETYPE) : 0;
}

int cms_file_snapshot(const struct arguments *a)
{
    struct rollback r = {0};
    if (!a->count || !cms_word_is(&a->operand[0], "ROLLBACK", 4))
        return cms_cp_line(a->line);
    int rc = read_operands(a, &r);
    if (rc)
        return rc;
    if (!cms_cp_present())
        return cms_message("SNP", MESSAGE_NO_CP);
    if (r.keep && !cms_mode_of_device(r.vdev))
        return cms_message("SNP", MESSAGE_SNAPSHOT_NOT_ACCESSED, r.vdev);
    uint8_t *record = r.keep ? cms_heap_allocate(EDF_LRECL_MAX) : NULL;
    if (r.keep)
        rc = record ? edit(&r, record) : cms_message("SNP", MESSAGE_VIRTUAL_STORAGE);
    cms_heap_free(record);
    if (!rc)
        rc = change(&r);
    if (!rc && r.keep)
        cms_message("SNP", MESSAGE_SNAPSHOT_KEPT, r.kept);
    return rc;
}
