#include "cms/elf/elf_stack.h"

#include <string.h>

/* Auxiliary vector entry types: getauxval(3) */
enum { AT_NULL = 0, AT_PHDR = 3, AT_PHENT = 4, AT_PHNUM = 5, AT_PAGESZ = 6, AT_BASE = 7, AT_FLAGS = 8, AT_ENTRY = 9,
       AT_UID = 11, AT_EUID = 12, AT_GID = 13, AT_EGID = 14, AT_PLATFORM = 15, AT_HWCAP = 16, AT_CLKTCK = 17,
       AT_SECURE = 23, AT_RANDOM = 25, AT_HWCAP2 = 26, AT_EXECFN = 31, AT_MINSIGSTKSZ = 51 };
enum { PAGE = 4096, AUXILIARIES = 20, WORD = 8, ALIGNMENT = 16, END = 8 };
static const char PLATFORM[] = "x86_64";

/* From the top: a word of zeroes as Linux has it, the path, the strings, the platform, the random bytes, the words. */
static size_t tail_bytes(const struct elf_stack *s)
{
    size_t bytes = END + strlen(s->path) + 1 + s->string_bytes + sizeof PLATFORM + ELF_RANDOM_BYTES;
    return (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

size_t elf_stack_bytes(const struct elf_stack *s)
{
    size_t words = 1 + s->argument_count + 1 + s->environment_count + 1 + 2 * AUXILIARIES;
    return tail_bytes(s) + (words * WORD + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

struct writer {
    char *image;
    size_t at;
};

static void put(struct writer *w, uint64_t value)
{
    memcpy(w->image + w->at, &value, sizeof value);
    w->at += sizeof value;
}

/* Pointers to `count` strings of the run; where the next begins. */
static size_t put_pointers(struct writer *w, const struct elf_stack *s, unsigned count, size_t from, uint64_t base)
{
    for (unsigned i = 0; i < count; i++) {
        put(w, base + from);
        from += strlen(s->strings + from) + 1;
    }
    put(w, 0);
    return from;
}

uint64_t elf_stack_fill(const struct elf_stack *s, uint64_t top, void *image)
{
    size_t bytes = elf_stack_bytes(s), path_bytes = strlen(s->path) + 1;
    uint64_t sp = top - bytes;
    size_t path_at = bytes - END - path_bytes, strings_at = path_at - s->string_bytes;
    size_t platform_at = strings_at - sizeof PLATFORM, random_at = platform_at - ELF_RANDOM_BYTES;
    const uint64_t auxiliary[][2] = {
        {AT_HWCAP, s->hardware}, {AT_PAGESZ, PAGE}, {AT_CLKTCK, ELF_TICKS_PER_SECOND}, {AT_PHDR, s->headers_address},
        {AT_PHENT, ELF_PROGRAM_HEADER_BYTES}, {AT_PHNUM, s->header_count}, {AT_BASE, s->interpreter_base},
        {AT_FLAGS, 0}, {AT_ENTRY, s->entry}, {AT_UID, 0}, {AT_EUID, 0}, {AT_GID, 0}, {AT_EGID, 0}, {AT_SECURE, 0},
        {AT_RANDOM, sp + random_at}, {AT_HWCAP2, s->hardware2}, {AT_EXECFN, sp + path_at},
        {AT_PLATFORM, sp + platform_at}, {AT_MINSIGSTKSZ, s->least_signal_stack}, {AT_NULL, 0},
    };
    _Static_assert(sizeof auxiliary / sizeof *auxiliary == AUXILIARIES, "elf_stack_bytes() counts them");
    struct writer w = {image, 0};

    memset(image, 0, bytes);
    put(&w, s->argument_count);
    size_t next = put_pointers(&w, s, s->argument_count, 0, sp + strings_at);
    put_pointers(&w, s, s->environment_count, next, sp + strings_at);
    for (unsigned i = 0; i < AUXILIARIES; i++) {
        put(&w, auxiliary[i][0]);
        put(&w, auxiliary[i][1]);
    }
    memcpy(w.image + path_at, s->path, path_bytes);
    memcpy(w.image + strings_at, s->strings, s->string_bytes);
    memcpy(w.image + platform_at, PLATFORM, sizeof PLATFORM);
    memcpy(w.image + random_at, s->random, ELF_RANDOM_BYTES);
    return sp;
}
