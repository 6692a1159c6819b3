/* An image's blocks: read in runs, kept in frames. */
#include <errno.h>
#include <string.h>

#include "cms/erofs/image.h"
#include "cms/kernel/frame.h"
#include "cms/kernel/heap.h"

enum { IN_TABLE = FRAME_SIZE / sizeof(void *), RUN = 16, SECTORS = EROFS_BLOCK / DISK_SECTOR };

bool image_is_there(const struct image *i) { return i->disk->device && i->disk->generation == i->generation; }

static void *look(const struct image *i, uint64_t block)
{
    void **table = i->tables ? i->tables[block / IN_TABLE] : NULL;
    return table ? table[block % IN_TABLE] : NULL;
}

static bool make_tables(struct image *i)
{
    if (i->tables)
        return true;
    i->table_count = (size_t)(i->super.blocks / IN_TABLE + 1);
    i->tables = cms_heap_allocate_system(i->table_count * sizeof *i->tables);
    if (i->tables)
        memset(i->tables, 0, i->table_count * sizeof *i->tables);
    return i->tables;
}

/* Keeps a frame as a block's; false: there is no storage for the table, and the frame is the caller's alone. */
static bool keep(struct image *i, uint64_t block, void *frame)
{
    if (!make_tables(i))
        return false;
    void ***table = &i->tables[block / IN_TABLE];
    if (!*table) {
        void *fresh = cms_frame_take();
        if (!fresh)
            return false;
        memset(fresh, 0, FRAME_SIZE);
        cms_frame_keep(fresh);
        *table = fresh;
    }
    cms_frame_share(frame);
    cms_frame_keep(frame);
    (*table)[block % IN_TABLE] = frame;
    return true;
}

static int read_one(struct image *i, uint64_t block, void **frame)
{
    *frame = cms_frame_take();
    if (!*frame)
        return -ENOMEM;
    int status = cms_disk_read(i->disk, block * SECTORS, *frame, SECTORS);
    if (status) {
        cms_frame_give(*frame);
        return -EIO;
    }
    keep(i, block, *frame);
    return 0;
}

/* Puts what was read in one piece into frames; those that no longer fit are left out. */
static void spread(struct image *i, uint64_t block, const char *from, uint64_t count)
{
    for (uint64_t n = 0; n < count; n++) {
        void *frame = look(i, block + n) ? NULL : cms_frame_take();
        if (!frame)
            continue;
        memcpy(frame, from + n * EROFS_BLOCK, EROFS_BLOCK);
        keep(i, block + n, frame);
        cms_frame_give(frame);
    }
}

static void read_run(struct image *i, uint64_t block, uint64_t run)
{
    uint64_t count = 1;
    while (count < run && count < RUN && block + count < i->super.blocks && !look(i, block + count))
        count++;
    char *piece = count > 1 && cms_frames_left() > 2 * RUN ? cms_heap_allocate((size_t)count * EROFS_BLOCK) : NULL;
    if (piece && !cms_disk_read(i->disk, block * SECTORS, piece, (uint32_t)count * SECTORS))
        spread(i, block, piece, count);
    cms_heap_free(piece);
}

int image_block(struct image *i, uint64_t block, uint64_t run, void **frame)
{
    if (block >= i->super.blocks)
        return -EIO;
    *frame = look(i, block);
    if (!*frame && !image_is_there(i))
        return -EIO;
    if (!*frame && run > 1) {
        read_run(i, block, run);
        *frame = look(i, block);
    }
    if (!*frame)
        return read_one(i, block, frame);
    cms_frame_share(*frame);
    return 0;
}

int image_bytes(struct image *i, uint64_t at, void *to, size_t bytes)
{
    char *out = to;
    while (bytes) {
        void *frame;
        size_t offset = at % EROFS_BLOCK, part = EROFS_BLOCK - offset < bytes ? EROFS_BLOCK - offset : bytes;
        int status = image_block(i, at / EROFS_BLOCK, 1, &frame);
        if (status)
            return status;
        memcpy(out, (char *)frame + offset, part);
        cms_frame_give(frame);
        out += part;
        at += part;
        bytes -= part;
    }
    return 0;
}

/* One round over the blocks, at most. The tables stay: one of them is a five-hundredth of what it is for. */
bool image_give_up(struct image *i)
{
    size_t all = i->tables ? i->table_count * IN_TABLE : 0;
    for (size_t n = 0; n < all; n++) {
        size_t at = i->rover;
        void **table = i->tables[at / IN_TABLE];
        if (!table) {
            i->rover = (at / IN_TABLE + 1) * IN_TABLE % all;
            n += IN_TABLE - 1;
            continue;
        }
        i->rover = (at + 1) % all;
        void *frame = table[at % IN_TABLE];
        if (!frame || cms_frame_users(frame) > 1)
            continue;
        table[at % IN_TABLE] = NULL;
        cms_frame_give_kept(frame);
        return true;
    }
    return false;
}

void image_free_blocks(struct image *i)
{
    for (size_t t = 0; i->tables && t < i->table_count; t++) {
        void **table = i->tables[t];
        for (size_t n = 0; table && n < IN_TABLE; n++)
            if (table[n])
                cms_frame_give_kept(table[n]);
        if (table)
            cms_frame_give_kept(table);
    }
    cms_heap_free(i->tables);
    i->tables = NULL;
}
