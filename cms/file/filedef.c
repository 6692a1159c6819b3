/* FILEDEF: which file is the tape in a drive. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/console/output.h"
#include "cms/file/tape_unit.h"
#include "lib/format.h"

static const struct file_option no_options[] = {{NULL, 0, 0, false}};

enum { DDNAME_MAX = 5 };

static void ddname_of(const struct tape_unit *unit, char name[DDNAME_MAX])
{
    char whole[TAPE_UNIT_NAME_MAX];
    cms_tape_unit_name(unit, whole);
    memcpy(name, whole, DDNAME_MAX - 1);
    name[DDNAME_MAX - 1] = 0;
}

static int show_all(void)
{
    char name[DDNAME_MAX];
    struct tape_unit *unit;
    bool any = false;
    for (int i = 0; (unit = cms_tape_unit_at(i)); i++) {
        const char mode[3] = {unit->id.letter, unit->id.number, 0};
        if (!unit->defined)
            continue;
        ddname_of(unit, name);
        cms_text("%-8s DISK     %-8s %-8s %s", name, unit->id.name, unit->id.type, mode);
        any = true;
    }
    return any ? 0 : cms_message("FLD", MESSAGE_NO_FILEDEF);
}

/* Another tape stands at its load point. */
static void clear(struct tape_unit *unit)
{
    *unit = (struct tape_unit){0};
}

static int clear_all(void)
{
    struct tape_unit *unit;
    for (int i = 0; (unit = cms_tape_unit_at(i)); i++)
        clear(unit);
    return 0;
}

static int define(const struct arguments *a, struct tape_unit *unit)
{
    struct file_id id;
    if (a->count == 3)
        return cms_message("FLD", MESSAGE_NO_FILETYPE);
    if (a->count > 5)
        return cms_message("FLD", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[5]));
    int rc = cms_file_id_read("FLD", a->operand + 2, a->count - 2, 'A', false, &id);
    if (!rc && (id.letter == '*' || cms_file_is_pattern(&id))) {
        char text[FILE_ID_MAX];
        cms_file_id_text(&id, text);
        rc = cms_message("FLD", MESSAGE_INVALID_CHARACTER, text);
    }
    if (!rc)
        *unit = (struct tape_unit){.defined = true, .id = id};
    return rc;
}

int cms_file_filedef(const struct arguments *a)
{
    struct file_options options;
    const struct word *device = &a->operand[1];
    int rc = cms_file_options("FLD", a, no_options, &options);
    if (rc)
        return rc;
    if (!a->count)
        return show_all();
    if (a->count == 1)
        return cms_message("FLD", MESSAGE_PARAMETER_MISSING, cms_typed(&a->operand[0]));
    bool clears = a->count == 2 && cms_word_is(device, "CLEAR", 5);
    if (clears && !strcmp(a->operand[0].text, "*"))
        return clear_all();
    struct tape_unit *unit = cms_tape_unit(&a->operand[0]);
    if (!unit)
        return cms_message("FLD", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[0]));
    if (clears) {
        clear(unit);
        return 0;
    }
    if (!cms_word_is(device, "DISK", 4))
        return cms_message("FLD", MESSAGE_INVALID_FILEDEF_DEVICE, cms_typed(device));
    return define(a, unit);
}
