#include "tests/unit/fake/erofs_image.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK = 4096, META = 1, META_BLOCKS = 4, DATA = META + META_BLOCKS, MANY = 300 };
enum { REGULAR = 0100644, DIRECTORY = 040755, LINK = 0120777 };
/* inodes, in slots of 32 bytes from the beginning of block META */
enum { ROOT = 36, HELLO = 44, BIG = 50, PLAIN = 60, LINK_INODE = 64, DIR = 70, INNER = 80, MANY_INODE = 84 };

static uint8_t *image;
static unsigned next_block;

static void put(uint8_t *p, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        p[i] = (uint8_t)(value >> 8 * i);
}

uint8_t erofs_image_byte(uint64_t n) { return (uint8_t)(n * 7 % 251); }

/* A compact inode; with `inlined` its end lies behind it. */
static void make(unsigned number, unsigned mode, const uint8_t *data, size_t size, int inlined)
{
    uint8_t *p = image + META * BLOCK + number * 32;
    size_t whole = inlined ? size / BLOCK : (size + BLOCK - 1) / BLOCK;
    size_t there = whole * BLOCK < size ? whole * BLOCK : size;
    put(p, inlined ? 2 << 1 : 0, 2);
    put(p + 4, mode, 2);
    put(p + 6, 1, 2);
    put(p + 8, size, 4);
    put(p + 16, next_block, 4);
    put(p + 20, number, 4);
    memcpy(image + next_block * BLOCK, data, there);
    if (inlined) {
        assert((size_t)(p + 32 - image) % BLOCK + (size - there) <= BLOCK);
        memcpy(p + 32, data + there, size - there);
    }
    next_block += (unsigned)whole;
}

struct name {
    unsigned inode;
    const char *name;
    unsigned type;
};

/* The block of a directory that holds these names; its length. */
static size_t lay_names(uint8_t *to, const struct name *names, size_t count)
{
    size_t at = count * 12;
    for (size_t i = 0; i < count; i++) {
        put(to + i * 12, names[i].inode, 8);
        put(to + i * 12 + 8, at, 2);
        to[i * 12 + 10] = (uint8_t)names[i].type;
        memcpy(to + at, names[i].name, strlen(names[i].name));
        at += strlen(names[i].name);
    }
    return at;
}

static void make_many(void)
{
    static uint8_t blocks[2 * BLOCK];
    static char text[MANY][8];
    static struct name names[MANY + 2] = {{MANY_INODE, ".", 2}, {ROOT, "..", 2}};
    memset(blocks, 0, sizeof blocks);
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(text[i], sizeof text[i], "n%03u", i);
        names[i + 2] = (struct name){HELLO, text[i], 1};
    }
    lay_names(blocks, names, 200);
    size_t rest = lay_names(blocks + BLOCK, names + 200, MANY + 2 - 200);
    make(MANY_INODE, DIRECTORY, blocks, BLOCK + rest, 0);
}

void erofs_image_make(uint8_t to[EROFS_IMAGE_BLOCKS * 4096])
{
    static uint8_t data[4 * BLOCK];
    const struct name root[] = {{ROOT, ".", 2},          {ROOT, "..", 2},     {BIG, "big", 1},
                                {DIR, "dir", 2},         {HELLO, "hello", 1}, {LINK_INODE, "link", 7},
                                {MANY_INODE, "many", 2}, {PLAIN, "plain", 1}};
    const struct name dir[] = {{DIR, ".", 2}, {ROOT, "..", 2}, {INNER, "inner", 1}};
    image = to;
    memset(image, 0, EROFS_IMAGE_BLOCKS * BLOCK);
    next_block = DATA;
    uint8_t *super = image + 1024;
    put(super, 0xe0f5e1e2, 4);
    super[12] = 12;
    put(super + 14, ROOT, 2);
    put(super + 24, 1700000000, 8);
    put(super + 36, EROFS_IMAGE_BLOCKS, 4);
    put(super + 40, META, 4);
    make(HELLO, REGULAR, (const uint8_t *)"hello, world\n", 13, 1);
    make(INNER, REGULAR, (const uint8_t *)"inner\n", 6, 1);
    make(LINK_INODE, LINK, (const uint8_t *)"dir/inner", 9, 1);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = erofs_image_byte(i);
    make(BIG, REGULAR, data, 3 * BLOCK + 100, 1);
    make(PLAIN, 0100755, data, 2 * BLOCK + 50, 0);
    memset(data, 0, BLOCK);
    size_t bytes = lay_names(data, root, sizeof root / sizeof *root);
    make(ROOT, DIRECTORY, data, bytes, 1);
    memset(data, 0, BLOCK);
    bytes = lay_names(data, dir, sizeof dir / sizeof *dir);
    make(DIR, DIRECTORY, data, bytes, 1);
    make_many();
    assert(next_block <= EROFS_IMAGE_BLOCKS);
}
