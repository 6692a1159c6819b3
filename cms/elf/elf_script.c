#include "cms/elf/elf_script.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The line between "#!" and its newline, blanks at both ends taken off; its length, 0 if there is none. An argument may
 * be cut off where the bytes that are looked at end, the interpreter may not. */
static size_t line_of(const char *text, size_t bytes, const char **line)
{
    size_t limit = bytes < ELF_SCRIPT_LINE ? bytes : ELF_SCRIPT_LINE, from = 2, to = 2;
    while (to < limit && text[to] != '\n' && text[to])
        to++;
    bool whole = to < limit || to == bytes;
    while (from < to && is_blank(text[from]))
        from++;
    if (!whole) {
        size_t at = from;
        while (at < to && !is_blank(text[at]))
            at++;
        if (at == to)
            return 0;
    }
    while (to > from && is_blank(text[to - 1]))
        to--;
    *line = text + from;
    return to - from;
}

int elf_script_judge(const void *first, size_t bytes, struct elf_script *script)
{
    const char *text = first, *line;

    if (bytes < 2 || memcmp(text, "#!", 2))
        return -ENOEXEC;
    size_t length = line_of(text, bytes, &line), name = 0, argument;
    if (!length)
        return -ENOEXEC;
    while (name < length && !is_blank(line[name]))
        name++;
    for (argument = name; argument < length && is_blank(line[argument]); argument++)
        ;
    *script = (struct elf_script){0};
    memcpy(script->interpreter, line, name);
    memcpy(script->argument, line + argument, length - argument);
    return 0;
}
