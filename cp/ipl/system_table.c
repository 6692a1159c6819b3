/* Which systems there are to IPL by name. In: the modules CP's loader gave. Out: a table that only grows. */
#include <string.h>

#include "cp/directory/load.h"
#include "cp/ipl/linux.h"
#include "cp/ipl/multiboot.h"
#include "cp/ipl/system.h"
#include "cp/ipl/tree.h"

static struct system table[SYSTEMS];
static unsigned systems;

_Static_assert((int)SYSTEMS < (int)MULTIBOOT_MODULES && (int)SYSTEMS < (int)TREE_MODULES, "a CP is given all");

static const char initrd_suffix[] = ".INITRD";

static char upper(char c) { return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c; }

static bool same_letters(const char *text, const char *upper_case, size_t length)
{
    size_t i = 0;
    while (i < length && upper(text[i]) == upper_case[i])
        i++;
    return i == length;
}

static bool is_initrd(const char *text)
{
    size_t word = strcspn(text, " "), suffix = sizeof initrd_suffix - 1;
    return word > suffix && same_letters(text + word - suffix, initrd_suffix, suffix);
}

void system_name(const char *text, char name[9])
{
    size_t word = strcspn(text, " ") - (is_initrd(text) ? sizeof initrd_suffix - 1 : 0);
    memset(name, 0, 9);
    for (size_t i = 0; i < 8 && i < word; i++)
        name[i] = upper(text[i]);
}

static struct system *find(const char *name)
{
    for (unsigned i = 0; i < systems; i++)
        if (*name && !strcmp(table[i].name, name))
            return &table[i];
    return NULL;
}

/* NULL: so it is. */
static const char *attach(const char *name, const struct system *initrd)
{
    struct system *system = find(name);
    if (!system || !linux_is((struct ipl_bytes){.data = system->image}, system->bytes))
        return "it is an initrd, and no Linux kernel of that name came before it";
    if (system->initrd)
        return "there is an initrd for it";
    system->initrd = initrd;
    return NULL;
}

static const char *judge(const char *name, const char *text, const struct system *next)
{
    if (!directory_name_valid(name, strnlen(name, 9)))
        return "its name cannot be typed";
    if (systems == SYSTEMS)
        return "CP keeps no more";
    if (is_initrd(text))
        return attach(name, next);
    return find(name) ? "there is one of that name" : NULL;
}

const char *system_register(const char *text, const void *image, size_t bytes)
{
    struct system *s = &table[systems];
    char name[9];
    system_name(text, name);
    const char *why = judge(name, text, s);
    if (why)
        return why;
    size_t word = strcspn(text, " ");
    *s = (struct system){.text = text, .arguments = text + word + (text[word] == ' '), .image = image, .bytes = bytes};
    if (!is_initrd(text))
        memcpy(s->name, name, sizeof s->name);
    systems++;
    return NULL;
}

const struct system *system_find(const char *name) { return find(name); }

const struct system *system_at(unsigned index) { return index < systems ? &table[index] : NULL; }
