/* What files begin with. */
#include <stdint.h>
#include <string.h>

#include "cms/eel/eel.h"

enum { ELF_CLASS = 4, ELF_DATA = 5, ELF_MACHINE = 18, ELF_32 = 1, ELF_64 = 2, ELF_LITTLE = 1, ELF_BIG = 2 };
enum { MACHINE_68K = 4, MACHINE_X86_64 = 62 };

struct bytes {
    const uint8_t *at;
    size_t count;
};

static bool begins(struct bytes b, const void *with, size_t n)
{
    return b.count >= n && !memcmp(b.at, with, n);
}

static bool is_elf(struct bytes b, uint8_t class, uint8_t data, uint8_t machine)
{
    return begins(b, "\177ELF", 4) && b.count > ELF_MACHINE + 1 && b.at[ELF_CLASS] == class && b.at[ELF_DATA] == data &&
           b.at[ELF_MACHINE + (data == ELF_BIG)] == machine && !b.at[ELF_MACHINE + (data != ELF_BIG)];
}

static uint32_t word(struct bytes b, size_t at)
{
    uint32_t value;
    memcpy(&value, b.at + at, sizeof value);
    return value;
}

/* Multiboot Specification, "The layout of Multiboot header". */
static bool is_multiboot(struct bytes b)
{
    enum { MAGIC = 0x1badb002, HEADER = 12 };
    for (size_t at = 0; at + HEADER <= b.count; at += 4)
        if (word(b, at) == MAGIC && !(word(b, at) + word(b, at + 4) + word(b, at + 8)))
            return true;
    return false;
}

/* "The Linux/x86 Boot Protocol": the signature of the setup header. */
static bool is_bzimage(struct bytes b)
{
    enum { BOOT_FLAG = 0x1fe, HEADER = 0x202 };
    return b.count >= HEADER + 4 && b.at[BOOT_FLAG] == 0x55 && b.at[BOOT_FLAG + 1] == 0xaa &&
           !memcmp(b.at + HEADER, "HdrS", 4);
}

static bool is_x86_64(struct bytes b) { return is_elf(b, ELF_64, ELF_LITTLE, MACHINE_X86_64); }
static bool is_68k(struct bytes b) { return is_elf(b, ELF_32, ELF_BIG, MACHINE_68K); }
static bool is_script(struct bytes b) { return begins(b, "#!", 2); }
static bool is_jpeg(struct bytes b) { return begins(b, "\xff\xd8\xff", 3); }
static bool is_png(struct bytes b) { return begins(b, "\x89PNG\r\n\x1a\n", 8); }
static bool is_gif(struct bytes b) { return begins(b, "GIF87a", 6) || begins(b, "GIF89a", 6); }

/* A kernel may be an ELF file too, and is looked for first. */
static const struct {
    const char *name;
    bool (*is)(struct bytes);
} magics[] = {
    {"MBOOT", is_multiboot}, {"BZIMAGE", is_bzimage}, {"ELF", is_x86_64}, {"ELF68K", is_68k}, {"SCRIPT", is_script},
    {"JPEG", is_jpeg},       {"PNG", is_png},         {"GIF", is_gif},
};
enum { MAGICS = sizeof magics / sizeof *magics };

const char *cms_eel_magic(const void *first, size_t bytes)
{
    for (size_t i = 0; i < MAGICS; i++)
        if (magics[i].is((struct bytes){first, bytes}))
            return magics[i].name;
    return NULL;
}

const char *cms_eel_magic_name(size_t index)
{
    return index < MAGICS ? magics[index].name : NULL;
}
