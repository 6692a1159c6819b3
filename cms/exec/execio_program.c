/* EXECIO's side of the program: its stack, its variables, or a string in the command. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/console/console.h"
#include "cms/console/stack.h"
#include "cms/exec/execio.h"
#include "cms/kernel/heap.h"
#include "cms/kernel/variables.h"
#include "lib/format.h"

enum { NAME = EXECIO_NAME + 16, NUMBER = 16 };

bool execio_program_begin(struct execio_program *p, const struct execio *x)
{
    *p = (struct execio_program){.request = x, .record = cms_heap_allocate(EXECIO_RECORD + 1)};
    if (!p->record)
        p->rc = cms_message("EIO", MESSAGE_VIRTUAL_STORAGE);
    return p->record;
}

static bool failed(struct execio_program *p, enum cms_variable_status status, const char *name)
{
    p->rc = status == VARIABLE_NO_PROGRAM ? cms_message("EIO", MESSAGE_NO_REXX)
          : status == VARIABLE_NO_MEMORY  ? cms_message("EIO", MESSAGE_VIRTUAL_STORAGE)
                                          : cms_message("EIO", MESSAGE_NO_VARIABLE, name);
    return false;
}

static bool set(struct execio_program *p, const char *name, const char *value, size_t length)
{
    enum cms_variable_status status = cms_variable_set(name, value, length);
    return status ? failed(p, status, name) : true;
}

/* A stem's name is used with a full stop or without. */
static void element(char name[NAME], const struct execio *x, uint32_t index)
{
    format_text(name, NAME, "%s%u", x->name, index);
}

/* ---- to the program ---------------------------------------------------------------------------------------------- */

static size_t cut(const struct execio *x, const char **record, size_t length)
{
    size_t first = x->margin_first - 1 < length ? x->margin_first - 1 : length;
    size_t last = x->margin_last < length ? x->margin_last : length;
    *record += first;
    length = last > first ? last - first : 0;
    while (x->strip && length && (*record)[length - 1] == ' ')
        length--;
    return length;
}

static void copy(const struct execio *x, char *to, const char *from, size_t length)
{
    for (size_t i = 0; i < length; i++)
        to[i] = x->fold && from[i] >= 'a' && from[i] <= 'z' ? (char)(from[i] - 32) : from[i];
}

bool execio_give(struct execio_program *p, const char *record, size_t length)
{
    const struct execio *x = p->request;
    char name[NAME];
    length = cut(x, &record, length);
    copy(x, p->record, record, length);
    p->done++;
    switch (x->side) {
    case EXECIO_SKIP: return true;
    case EXECIO_VAR: return set(p, x->name, p->record, length);
    case EXECIO_STEM:
        element(name, x, p->done);
        return set(p, name, p->record, length);
    default:
        if (cms_stack_push(p->record, length, x->side == EXECIO_LIFO))
            return true;
        p->rc = cms_message("EIO", MESSAGE_VIRTUAL_STORAGE);
        return false;
    }
}

/* ---- from the program -------------------------------------------------------------------------------------------- */

static bool get(struct execio_program *p, const char *name)
{
    enum cms_variable_status status = cms_variable_get(name, p->record, EXECIO_RECORD, &p->length);
    if (status == VARIABLE_NO_PROGRAM)
        return failed(p, status, name);
    if (status == VARIABLE_UNSET) { /* as REXX has it, its value is its name */
        p->length = strlen(name);
        memcpy(p->record, name, p->length);
    }
    return true;
}

/* How many a stem says it has. */
static bool stem_has(struct execio_program *p, uint32_t *lines)
{
    char name[NAME];
    element(name, p->request, 0);
    enum cms_variable_status status = cms_variable_get(name, p->record, NUMBER, &p->length);
    if (status == VARIABLE_NO_PROGRAM)
        return failed(p, status, name);
    *lines = 0;
    p->length = status == VARIABLE_OK && p->length <= 9 ? p->length : NUMBER;
    for (size_t i = 0; i < p->length; i++) {
        if (p->length == NUMBER || p->record[i] < '0' || p->record[i] > '9') {
            p->rc = cms_message("EIO", MESSAGE_EXECIO_PLIST, "the stem's number of lines is not valid");
            return false;
        }
        *lines = *lines * 10 + (uint32_t)(p->record[i] - '0');
    }
    return true;
}

static bool take_element(struct execio_program *p)
{
    char name[NAME];
    uint32_t lines = 0;
    if (p->request->lines == EXECIO_EVERY && (!stem_has(p, &lines) || p->done >= lines))
        return false;
    element(name, p->request, p->done + 1);
    return get(p, name);
}

/* From the stack, then from the terminal; a null line ends *. */
static bool take_line(struct execio_program *p)
{
    int length = cms_stack_pull(p->record, EXECIO_RECORD);
    if (length < 0)
        length = cms_read(p->record, EXECIO_RECORD);
    if (length < 0)
        p->rc = COMMAND_HALTED;
    p->length = length < 0 ? 0 : (size_t)length;
    return length > 0 || (length == 0 && p->request->lines != EXECIO_EVERY);
}

static bool take_string(struct execio_program *p)
{
    p->length = strlen(p->request->text);
    memcpy(p->record, p->request->text, p->length);
    return p->request->lines != EXECIO_EVERY || p->done == 0;
}

bool execio_take(struct execio_program *p)
{
    const struct execio *x = p->request;
    if (p->rc || p->done == x->lines)
        return false;
    bool there = x->side == EXECIO_STRING ? take_string(p) : x->side == EXECIO_STEM ? take_element(p)
               : x->side == EXECIO_VAR   ? get(p, x->name)
                                         : take_line(p);
    if (!there)
        return false;
    p->length = p->length < EXECIO_RECORD ? p->length : EXECIO_RECORD;
    const char *from = p->record;
    p->length = cut(x, &from, p->length);
    memmove(p->record, from, p->length);
    copy(x, p->record, p->record, p->length);
    p->done++;
    return true;
}

int execio_program_end(struct execio_program *p)
{
    const struct execio *x = p->request;
    char name[NAME], number[NUMBER];
    bool reads = x->verb == EXECIO_DISKR || x->verb == EXECIO_CP || x->verb == EXECIO_CARD;
    if (reads && x->side == EXECIO_STEM && (!p->rc || p->rc == EXECIO_EOF || p->rc == EXECIO_NOT_FOUND)) {
        int rc = p->rc;
        element(name, x, 0);
        if (set(p, name, number, format_text(number, sizeof number, "%u", p->done)))
            p->rc = rc;
    }
    cms_heap_free(p->record);
    return p->rc;
}
