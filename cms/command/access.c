/* ACCESS and RELEASE: which disk a file mode letter stands for. */
#include <string.h>

#include "cms/command/builtin.h"
#include "cms/command/disk_name.h"
#include "cms/command/messages.h"
#include "cms/kernel/cp.h"
#include "cms/kernel/mode.h"
#include "lib/format.h"

enum { DEFAULT_DEVICE = 0x191, DEVICE_DIGITS = 4 };

void cms_disk_name(char name[DISK_NAME_MAX], char letter, char parent, uint16_t vdev)
{
    if (parent == letter)
        format_text(name, DISK_NAME_MAX, "%c (%03X)", letter, vdev);
    else
        format_text(name, DISK_NAME_MAX, "%c/%c (%03X)", letter, parent, vdev);
}

bool cms_device_number(const struct word *word, uint16_t *vdev)
{
    uint32_t value;
    if (word->raw_length > DEVICE_DIGITS || !cms_hex(word, &value))
        return false;
    *vdev = (uint16_t)value;
    return true;
}

static bool is_letter(char c)
{
    return c >= 'A' && c <= 'Z';
}

bool cms_mode_letter(const struct word *word, char *letter)
{
    *letter = word->text[0];
    return word->raw_length == 1 && is_letter(*letter);
}

int cms_access_failed(const char *module, char letter, uint16_t vdev, const struct mode_problem *problem)
{
    char name[DISK_NAME_MAX], why[96];
    const char *text = problem->reason.text ? problem->reason.text : edf_status_text(problem->status);

    format_text(name, sizeof name, "%c(%03X)", letter, vdev);
    if (problem->not_attached)
        return cms_message(module, MESSAGE_NOT_ATTACHED, name);
    if (problem->status == EDF_NO_MEMORY)
        return cms_message(module, MESSAGE_VIRTUAL_STORAGE);
    format_text(why, sizeof why, problem->reason.block ? "%s (block %u)" : "%s", text, problem->reason.block);
    return cms_message(module, MESSAGE_DEVICE_ERROR, name, why);
}

/* A disk may stand under several letters as long as none of them writes. */
static void settle_other_letters(const struct mode *now)
{
    for (char letter = 'A'; letter <= 'Z'; letter++) {
        const struct mode *m = cms_mode_find(letter);
        if (!m || letter == now->letter || m->vdev != now->vdev)
            continue;
        if (m->read_only && now->read_only) {
            cms_message("ACP", MESSAGE_ALSO, now->vdev, letter);
        } else {
            cms_message("ACP", MESSAGE_RELEASED, now->vdev, letter);
            cms_mode_release(letter);
        }
    }
}

static void tell_replaced(const struct mode *old, const struct mode *now)
{
    char was[DISK_NAME_MAX];

    if (!old->disk || old->vdev == now->vdev)
        return;
    cms_disk_name(was, old->letter, old->parent, old->vdev);
    cms_message("ACP", MESSAGE_REPLACES, now->vdev, was);
}

/* Programs have files of it open, which are of no use to them behind this. */
static int tell_cut_off(const char *module, const struct mode *m)
{
    unsigned open = m ? cms_mode_open_files(m) : 0;
    return open ? cms_message(module, MESSAGE_FILES_CUT_OFF, (char[]){m->letter, 0}, open) : 0;
}

int cms_access_disk(uint16_t vdev, char letter, char parent, bool read_only)
{
    struct mode_problem problem;
    struct mode *old = cms_mode_find(letter);
    struct mode before = old ? *old : (struct mode){0};
    char name[DISK_NAME_MAX];

    unsigned open = old ? cms_mode_open_files(old) : 0;
    if (!cms_mode_access(vdev, letter, parent, read_only, &problem))
        return cms_access_failed("ACP", letter, vdev, &problem);
    if (open)
        cms_message("ACP", MESSAGE_FILES_CUT_OFF, (char[]){letter, 0}, open);
    struct mode *now = cms_mode_find(letter);
    settle_other_letters(now);
    tell_replaced(&before, now);
    if (now->read_only) {
        cms_disk_name(name, letter, parent, vdev);
        cms_message("ACP", MESSAGE_ACCESSED_READ_ONLY, name);
    }
    return 0;
}

/* fm or fm/ext */
static bool mode_operand(const struct word *w, char *letter, char *parent)
{
    *letter = *parent = w->text[0];
    if (w->raw_length == 3 && w->text[1] == '/')
        *parent = w->text[2];
    else if (w->raw_length != 1)
        return false;
    return is_letter(*letter) && is_letter(*parent);
}

static int access_options(const struct arguments *a, bool *read_only)
{
    *read_only = false;
    for (int i = 0; i < a->option_count; i++) {
        if (strcmp(a->option[i].text, "FORCERO"))
            return cms_message("ACC", MESSAGE_INVALID_OPTION, cms_typed(&a->option[i]));
        *read_only = true;
    }
    return 0;
}

int cms_access(const struct arguments *a)
{
    uint16_t vdev = DEFAULT_DEVICE;
    char letter = 'A', parent = 'A';
    bool read_only;
    int rc = access_options(a, &read_only);

    if (rc)
        return rc;
    if (a->count > 0 && !cms_device_number(&a->operand[0], &vdev))
        return cms_message("ACC", MESSAGE_INVALID_DEVICE, cms_typed(&a->operand[0]));
    if (a->count > 1 && !mode_operand(&a->operand[1], &letter, &parent))
        return cms_message("ACC", MESSAGE_INVALID_MODE, cms_typed(&a->operand[1]));
    if (a->count > 2)
        return cms_message("ACC", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[2]));
    if (parent != letter && !cms_mode_find(parent))
        return cms_message("ACC", MESSAGE_MODE_NOT_ACCESSED, (char[]){parent, 0});
    return cms_access_disk(vdev, letter, parent, read_only);
}

static int detach(uint16_t vdev)
{
    char line[16];
    format_text(line, sizeof line, "DETACH %03X", vdev);
    return cms_cp_line(line);
}

/* `word` is a file mode letter, or the number of a device accessed as any number of letters. */
int cms_release(const struct arguments *a)
{
    char letter;
    uint16_t vdev;
    bool with_detach = a->option_count && !strcmp(a->option[0].text, "DET");
    struct mode *m;

    if (a->option_count && (!with_detach || a->option_count > 1))
        return cms_message("ARE", MESSAGE_INVALID_OPTION, cms_typed(&a->option[with_detach]));
    if (!a->count)
        return cms_message("ARE", MESSAGE_NO_DEVICE);
    if (a->count > 1)
        return cms_message("ARE", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[1]));
    if (cms_mode_letter(&a->operand[0], &letter))
        m = cms_mode_find(letter);
    else if (cms_device_number(&a->operand[0], &vdev))
        m = cms_mode_of_device(vdev);
    else
        return cms_message("ARE", MESSAGE_INVALID_DEVICE, cms_typed(&a->operand[0]));
    if (!m)
        return cms_message("ARE", MESSAGE_MODE_NOT_ACCESSED, cms_typed(&a->operand[0]));
    int rc = 0;
    for (vdev = m->vdev; m; m = cms_mode_of_device(vdev)) {
        rc = tell_cut_off("ARE", m);
        cms_mode_release(m->letter);
    }
    int detached = with_detach ? detach(vdev) : 0;
    return detached ? detached : rc;
}
