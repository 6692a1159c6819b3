/* Question: what do multiboot 2 and PVH tell a kernel? Every part of it is printed, sums are checked. 32-bit code
 * without the payloads' runtime, which is begun by multiboot 1. */
#include <stdint.h>

enum { UART = 0x3F8, LINE_STATUS = UART + 5, DEBUG_EXIT = 0xF4, PVH_MAGIC = 0x336EC578, MULTIBOOT2 = 0x36D76289 };

static inline void out(uint16_t port, uint8_t value) { __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port)); }
static inline uint8_t in(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static void put(char c)
{
    while (!(in(LINE_STATUS) & 0x20)) {}
    out(UART, (uint8_t)c);
}

static void text(const char *t)
{
    while (*t)
        put(*t++);
}

static void number(uint64_t value)
{
    for (int shift = 60; shift >= 0; shift -= 4)
        if (value >> shift || !shift)
            put("0123456789abcdef"[value >> shift & 15]);
}

static void line(const char *name, uint64_t a, uint64_t b, const char *c)
{
    text(name), put(' '), number(a), put(' '), number(b), put(' '), text(c), text("\r\n");
}

static uint32_t sum(const uint8_t *of, uint32_t bytes)
{
    uint32_t s = 0;
    while (bytes--)
        s += *of++;
    return s;
}

static const char *rsdp(const uint8_t *at)
{
    return sum(at, 20) & 255 ? "bad" : sum(at, 36) & 255 ? "old" : "sound";
}

struct tag {
    uint32_t type, bytes;
    union {
        char text[1];
        struct {
            uint32_t start, end;
            char text[1];
        } module;
        uint32_t word[2];
        uint8_t byte[1];
        struct {
            uint32_t entry, version;
            struct {
                uint64_t start, bytes;
                uint32_t type, zero;
            } range[16];
        } map;
    };
};

static void multiboot2(uint32_t at)
{
    uint32_t end = at + *(uint32_t *)at;
    for (at += 8; at < end;) {
        const struct tag *t = (const struct tag *)at;
        switch (t->type) {
        case 1: line("line", 0, 0, t->text); break;
        case 2: line("loader", 0, 0, t->text); break;
        case 3:
            line("module", t->module.end - t->module.start,
                 sum((uint8_t *)t->module.start, t->module.end - t->module.start), t->module.text);
            break;
        case 4: line("memory", t->word[0], t->word[1], ""); break;
        case 6:
            for (uint32_t i = 0; i < (t->bytes - 16) / t->map.entry; i++)
                line(t->map.range[i].type == 1 ? "ram" : "kept", t->map.range[i].start, t->map.range[i].bytes, "");
            break;
        case 14: line("acpi", t->bytes - 8, 0, sum(t->byte, 20) & 255 ? "bad" : "sound"); break;
        case 15: line("acpi", t->bytes - 8, 0, rsdp(t->byte)); break;
        case 21: line("base", t->word[0], 0, ""); break;
        case 0: line("end", end - at, 0, ""); return;
        }
        at += (t->bytes + 7) & ~7u;
    }
}

struct start_info {
    uint32_t magic, version, flags, modules;
    uint64_t modules_at, line, rsdp, map;
    uint32_t ranges, reserved;
};

static void pvh(const struct start_info *info)
{
    const struct {
        uint64_t at, bytes, text, reserved;
    } *module = (const void *)(uint32_t)info->modules_at;
    const struct {
        uint64_t start, bytes;
        uint32_t type, reserved;
    } *range = (const void *)(uint32_t)info->map;
    line("pvh", info->version, info->flags, (const char *)(uint32_t)info->line);
    for (uint32_t i = 0; i < info->modules; i++)
        line("module", module[i].bytes, sum((uint8_t *)(uint32_t)module[i].at, (uint32_t)module[i].bytes),
             (const char *)(uint32_t)module[i].text);
    for (uint32_t i = 0; i < info->ranges; i++)
        line(range[i].type == 1 ? "ram" : "kept", range[i].start, range[i].bytes, "");
    line("acpi", 0, 0, rsdp((const uint8_t *)(uint32_t)info->rsdp));
}

void main(uint32_t magic, uint32_t information);
void main(uint32_t magic, uint32_t information)
{
    if (magic == MULTIBOOT2)
        multiboot2(information);
    else if (*(const uint32_t *)information == PVH_MAGIC)
        pvh((const struct start_info *)information);
    else
        line("nothing", magic, information, "");
    out(DEBUG_EXIT, 7);
}
