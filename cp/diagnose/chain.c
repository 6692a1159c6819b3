/* In: the machine that asks, and the text of the CP below. Out: lines with a level each, counted from the real machine,
 * which is level 0. What came from below is cut to whole lines of printable characters: nothing of it is believed. */
#include "cp/diagnose/chain.h"

#include <string.h>

#include "cp/diagnose.h"
#include "cp/diagnose/below.h"
#include "cp/message/level.h"
#include "lib/format.h"

static bool is_clean(const char *text, unsigned length)
{
    for (unsigned i = 0; i < length; i++)
        if ((text[i] < ' ' && text[i] != '\n') || text[i] > '~')
            return false;
    return true;
}

static unsigned count_lines(const char *text, unsigned length)
{
    unsigned lines = 0;
    for (unsigned i = 0; i < length; i++)
        lines += text[i] == '\n';
    return lines;
}

/* Where nobody below tells, this CP is the last who knows: one line for what it runs on. */
static unsigned below(char *text, unsigned size)
{
    unsigned length = cp_below_chain(text, size);
    if (length && length <= size && is_clean(text, length)) {
        while (length && text[length - 1] != '\n')
            length--;
        if (length)
            return length;
    }
    return format_text(text, size, "LEVEL 0: %s, %s\n", cp_machine_name(), cp_virtualization());
}

unsigned chain_text(const struct vm *vm, char *text, unsigned size)
{
    static char lower[DIAGNOSE_CHAIN_MAX]; /* one call at a time */
    char own[CHAIN_LINE];
    unsigned length = below(lower, sizeof lower);
    unsigned first = format_text(own, sizeof own, "LEVEL %u: %-8s AT %s, %s %s, NESTED %s\n",
                                 count_lines(lower, length), vm->config.userid, CP_NODE, CP_PRODUCT, CP_VERSION,
                                 nest_mode_names[vm->config.nesting].upper);
    if (first > size)
        first = size;
    memcpy(text, own, first);
    if (length > size - first)
        length = size - first;
    memcpy(text + first, lower, length);
    return first + length;
}
