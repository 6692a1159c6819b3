/* See foreign.h. */
#include "tests/unit/fake/foreign.h"
#include <stdio.h>
#include <string.h>

struct writing {
    struct minidisk *disk;
    uint32_t block_size, next; /* the next free block */
};

static void put(uint8_t *p, uint32_t value)
{
    for (int i = 3; i >= 0; i--, value >>= 8)
        p[i] = (uint8_t)value;
}

static void name(uint8_t *p, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        p[i] = edf_ebcdic_from_ascii(*text ? (uint8_t)*text++ : ' ');
}

static uint8_t *block(const struct writing *w, uint32_t number)
{
    return w->disk->bytes + (size_t)(number - 1) * w->block_size;
}

static void entry(uint8_t *p, uint32_t lrecl, uint32_t origin, uint32_t blocks, uint32_t records, uint8_t levels)
{
    static const uint8_t date[6] = {0x19, 0x12, 0x31, 0x23, 0x59, 0x59};
    p[0x1e] = 0xc6;
    p[0x1f] = 0x08;
    put(p + 0x20, lrecl);
    put(p + 0x28, origin);
    put(p + 0x2c, blocks);
    put(p + 0x30, records);
    p[0x34] = levels;
    p[0x35] = 4;
    memcpy(p + 0x36, date, sizeof date);
}

/* `count` data blocks, behind a pointer block unless it is one. */
static uint32_t tree(struct writing *w, uint32_t count, int first_byte)
{
    uint32_t top = count > 1 ? w->next++ : 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t data = w->next++;
        if (top)
            put(block(w, top) + 4 * i, data);
        memset(block(w, data), first_byte + (int)i, w->block_size);
        if (!top)
            return data;
    }
    return top;
}

static void file(struct writing *w, uint8_t *p, uint32_t number, uint32_t count)
{
    char text[12];
    snprintf(text, sizeof text, "F%u", number);
    name(p, text, 8);
    name(p + 8, "FILE", 8);
    name(p + 0x18, "A1", 2);
    entry(p, count ? w->block_size : 0, count ? tree(w, count, (int)number) : 0, count, count, count > 1);
}

static void label(const struct writing *w, uint32_t blocks)
{
    uint8_t *p = w->disk->bytes + 512;
    name(p, "CMS1OTHER ", 10);
    p[0x0b] = 2;
    put(p + 0x0c, w->block_size);
    put(p + 0x10, 4);
    put(p + 0x1c, blocks);
    put(p + 0x20, w->next - 1);
    put(p + 0x24, 64);
    put(p + 0x28, w->block_size / 64);
}

bool foreign_open(struct minidisk *disk, const struct foreign *made)
{
    uint32_t size = made->block_size, directory = (made->files + 2 + size / 64 - 1) / (size / 64);
    uint32_t each = made->each + (made->each > 1), before = 6 + (directory > 1 ? directory : 0);
    struct writing w = {disk, size, 7};
    if (directory > size / 4 || before + (made->files - 1) * each >= made->blocks)
        return false;
    uint32_t left = made->blocks - before - (made->files - 1) * each; /* the map is one block */
    if (left == 2 || left - 1 > size / 4)
        return false;
    minidisk_open(disk, (uint64_t)made->blocks * (size / EDF_SECTOR));
    uint8_t entries[64 * 1024];
    memset(entries, 0, sizeof entries);
    uint32_t pointers = directory > 1 ? w.next++ : 4, rest = w.next;
    w.next += directory - 1;
    for (uint32_t i = 0; i < made->files; i++)
        file(&w, entries + 64 * (i + 2), i, i + 1 < made->files ? made->each : left > 1 ? left - 1 : 1);
    put(entries, 1);
    name(entries + 8, "DIRECTOR", 8);
    entry(entries, 64, pointers, 1, made->files + 2, directory > 1); /* its block count is 1 for ever */
    put(entries + 64, 2);
    name(entries + 72, "ALLOCMAP", 8);
    entry(entries + 64, size, 6, 1, 1, 0);
    for (uint32_t i = 0; i < directory; i++) {
        memcpy(block(&w, i ? rest + i - 1 : 4), entries + (size_t)i * size, size);
        if (directory > 1)
            put(block(&w, pointers) + 4 * i, i ? rest + i - 1 : 4);
    }
    for (uint32_t bit = 0; bit < w.next - 1; bit++)
        block(&w, 6)[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
    label(&w, made->blocks);
    return true;
}
