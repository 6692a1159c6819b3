/* In: bytes that a terminal has had. Out: those of them that it does not answer. */
#include "cp/session/again.h"

#include <stdbool.h>
#include <string.h>

enum { ENQUIRY = 5, BELL = 7, CANCEL = 0x18, SUBSTITUTE = 0x1a, ESCAPE = 0x1b, SHAPE = 4 };

/* A control sequence without its numbers: what stands before them (one of < = > ?), between them and the last
 * character, and that. */
static const char *const asking_controls[] = {
    "c", ">c", "=c",               /* what are you? */
    "n", "?n",                     /* how are you, where is the cursor? */
    "$p", "?$p", "$w", "$u", "&u", /* is this mode on, what else is set? */
    "#|", "#R", "\"v", "+x",       /* attributes, colours, what is shown, keys */
    ">q", "x", "?u", "?S",         /* version, parameters, keyboard, graphics */
    "t", "*y", "'|",               /* the window, a sum of its characters, the mouse */
};
static const char *const asking_strings[] = {"$q", "+q"};

/* Of a string, by the ESC character that begins it. */
enum { DEVICE_CONTROL = 'P', SYSTEM_COMMAND = ']', APPLICATION = '_' };

static bool is_one_of(const char *shape, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(shape, list[i]))
            return true;
    return false;
}

static bool is_number(char c) { return (c >= '0' && c <= '9') || c == ';' || c == ':'; }

static bool is_last(char c) { return c >= '@' && c <= '~'; }

/* The shape of what begins at text; where it ends, or NULL: it is none, or not whole. */
static const char *find_shape(const char *text, const char *end, char shape[SHAPE + 1])
{
    size_t n = 0;
    for (; text < end && n < SHAPE && *text >= ' ' && *text <= '~'; text++) {
        if (!is_number(*text))
            shape[n++] = *text;
        if (is_last(*text)) {
            shape[n] = 0;
            return text + 1;
        }
    }
    return NULL;
}

/* Behind what ends the string, or NULL. */
static const char *find_end(const char *text, const char *end, const char **stop)
{
    for (; text < end && *text != CANCEL && *text != SUBSTITUTE; text++) {
        *stop = text;
        if (*text == BELL)
            return text + 1;
        if (*text == ESCAPE)
            return text + 1 < end && text[1] == '\\' ? text + 2 : NULL;
    }
    return NULL;
}

static bool string_asks(char kind, const char *text, const char *stop)
{
    char shape[SHAPE + 1];
    if (kind == DEVICE_CONTROL)
        return find_shape(text, stop, shape) &&
               is_one_of(shape, asking_strings, sizeof asking_strings / sizeof *asking_strings);
    return kind == APPLICATION || (stop > text && stop[-1] == '?');
}

/* Behind the question that begins at text; NULL: none does. */
static const char *question(const char *text, const char *end)
{
    char shape[SHAPE + 1];
    const char *behind, *stop = NULL;
    if (*text == ENQUIRY)
        return text + 1;
    if (*text != ESCAPE || end - text < 2)
        return NULL;
    switch (text[1]) {
    case 'Z': return text + 2;
    case '[':
        behind = find_shape(text + 2, end, shape);
        return behind && is_one_of(shape, asking_controls, sizeof asking_controls / sizeof *asking_controls) ? behind
                                                                                                              : NULL;
    case DEVICE_CONTROL:
    case SYSTEM_COMMAND:
    case APPLICATION:
        behind = find_end(text + 2, end, &stop);
        return behind && string_asks(text[1], text + 2, stop) ? behind : NULL;
    default: return NULL;
    }
}

size_t again_quiet(char *text, size_t length)
{
    const char *end = text + length, *behind;
    char *to = text;
    for (const char *at = text; at < end;) {
        if ((behind = question(at, end)))
            at = behind;
        else
            *to++ = *at++;
    }
    return (size_t)(to - text);
}
