#include "cms/erofs/layout.h"

#include <string.h>

#include "cms/vfs/abi.h"

static uint32_t get16(const uint8_t *p) { return p[0] | (uint32_t)p[1] << 8; }
static uint32_t get32(const uint8_t *p) { return get16(p) | get16(p + 2) << 16; }
static uint64_t get64(const uint8_t *p) { return get32(p) | (uint64_t)get32(p + 4) << 32; }

static const uint32_t MAGIC = 0xe0f5e1e2;
enum { BLOCK_BITS = 12, SLOT = 32, ZERO_PADDING = 1 };
enum { FLAT_PLAIN = 0, FLAT_INLINE = 2 };

bool erofs_is(const uint8_t *super)
{
    return get32(super) == MAGIC;
}

const char *erofs_judge_super(const uint8_t *p, uint64_t disk_blocks, struct erofs_super *s)
{
    if (!erofs_is(p))
        return "no EROFS image";
    if (p[12] != BLOCK_BITS)
        return "its blocks are not of 4096 bytes";
    if (get32(p + 80) & ~(uint32_t)ZERO_PADDING)
        return "it uses what this reader does not know, as compression";
    *s = (struct erofs_super){.blocks = get32(p + 36),
                              .meta_block = get32(p + 40),
                              .root = get16(p + 14),
                              .built_s = (int64_t)get64(p + 24),
                              .built_ns = get32(p + 32)};
    if (s->blocks > disk_blocks)
        return "it is longer than its disk";
    if (!s->blocks || s->meta_block >= s->blocks)
        return "its inodes are beyond its end";
    return NULL;
}

uint64_t erofs_inode_at(const struct erofs_super *s, uint64_t number)
{
    uint64_t end = s->blocks * EROFS_BLOCK, base = s->meta_block * EROFS_BLOCK;
    if (number > (end - base) / SLOT)
        return 0;
    uint64_t at = base + number * SLOT;
    return at && at + EROFS_INODE_MAX <= end ? at : 0;
}

static const char *place(const struct erofs_super *s, uint64_t at, unsigned layout, uint32_t first,
                         struct erofs_inode *i)
{
    uint64_t tail = i->size % EROFS_BLOCK;
    if (layout != FLAT_PLAIN && layout != FLAT_INLINE)
        return "a file is compressed, or in chunks";
    if (i->size > s->blocks * EROFS_BLOCK)
        return "a file is longer than the image";
    i->whole = (i->size + (layout == FLAT_PLAIN ? EROFS_BLOCK - 1 : 0)) / EROFS_BLOCK;
    i->first = first;
    i->inline_at = at;
    if (i->whole && (first >= s->blocks || i->whole > s->blocks - first))
        return "a file's blocks are beyond the image's end";
    if (layout == FLAT_INLINE && tail && (at % EROFS_BLOCK + tail > EROFS_BLOCK || at + tail > s->blocks * EROFS_BLOCK))
        return "a file's end crosses a block";
    return NULL;
}

const char *erofs_judge_inode(const struct erofs_super *s, uint64_t at, const uint8_t *p, struct erofs_inode *i)
{
    uint32_t format = get16(p), attributes = get16(p + 2);
    bool extended = format & 1;
    *i = (struct erofs_inode){.mode = get16(p + 4), .changed_s = s->built_s, .changed_ns = s->built_ns};
    if (extended) {
        i->size = get64(p + 8);
        i->changed_s = (int64_t)get64(p + 32);
        i->changed_ns = get32(p + 40) < 1000000000 ? get32(p + 40) : 0;
        i->links = get32(p + 44);
    } else {
        i->size = get32(p + 8);
        i->links = get16(p + 6);
    }
    uint64_t behind = at + (extended ? 64 : 32) + (attributes ? 12 + (attributes - 1) * 4ull : 0);
    uint32_t type = i->mode & ABI_S_IFMT;
    if (type != ABI_S_IFREG && type != ABI_S_IFDIR && type != ABI_S_IFLNK) {
        i->size = 0; /* devices and the like: nothing is behind them */
        return type ? NULL : "an inode is of no type";
    }
    return place(s, behind, format >> 1 & 7, get32(p + 16), i);
}

int erofs_entries(const uint8_t *block, size_t bytes)
{
    if (bytes < EROFS_ENTRY)
        return -1;
    size_t names = get16(block + 8);
    return names < EROFS_ENTRY || names % EROFS_ENTRY || names >= bytes ? -1 : (int)(names / EROFS_ENTRY);
}

int erofs_entry(const uint8_t *block, size_t bytes, unsigned index, struct erofs_entry *e)
{
    static const uint32_t types[] = {0,       ABI_S_IFREG, ABI_S_IFDIR,  ABI_S_IFCHR,
                                     0060000, ABI_S_IFIFO, ABI_S_IFSOCK, ABI_S_IFLNK};
    int entries = erofs_entries(block, bytes);
    if (entries < 0)
        return -1;
    unsigned count = (unsigned)entries;
    if (index >= count)
        return 0;
    const uint8_t *p = block + index * EROFS_ENTRY;
    size_t names = count * EROFS_ENTRY, from = get16(p + 8);
    size_t to = index + 1 < count ? get16(p + EROFS_ENTRY + 8) : bytes;
    if (from < names || from >= to || to > bytes)
        return -1;
    *e = (struct erofs_entry){.inode = get64(p),
                              .name = (const char *)block + from,
                              .length = to - from,
                              .type = p[10] < sizeof types / sizeof *types ? types[p[10]] : 0};
    if (index + 1 == count)
        e->length = strnlen(e->name, e->length);
    if (!e->length || e->length > EROFS_NAME_MAX || memchr(e->name, 0, e->length) || memchr(e->name, '/', e->length))
        return -1;
    return 1;
}
