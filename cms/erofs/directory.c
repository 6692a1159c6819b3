/* Names in directories of the image. */
#include <errno.h>
#include <string.h>

#include "cms/erofs/image.h"
#include "cms/kernel/frame.h"

/* A listing's `at`: block of the directory and entry in it. */
enum { ENTRIES_BITS = 12 };

/* Entry `index` of the directory's piece at `offset`; `frame` keeps what it points at, and is the caller's where the
 * result is 1. */
static int entry_of(struct ero_node *d, uint64_t offset, unsigned index, struct erofs_entry *e, void **frame)
{
    const char *at;
    size_t bytes;
    int status = ero_piece(d, offset, frame, &at, &bytes);
    if (status || !bytes)
        return status ? status : -ENOENT;
    status = erofs_entry((const uint8_t *)at, bytes, index, e);
    if (status != 1)
        cms_frame_give(*frame);
    return status < 0 ? -EIO : status;
}

static int order(const char *a, size_t a_length, const char *b, size_t b_length)
{
    int first = memcmp(a, b, a_length < b_length ? a_length : b_length);
    return first ? first : (a_length > b_length) - (a_length < b_length);
}

/* As find_in_block, of what the block holds. */
static int search(const uint8_t *block, size_t bytes, const char *name, size_t length, uint64_t *inode)
{
    int low = 0, high = erofs_entries(block, bytes);
    if (high < 0)
        return -EIO;
    while (low < high) {
        struct erofs_entry e;
        int middle = low + (high - low) / 2;
        if (erofs_entry(block, bytes, (unsigned)middle, &e) != 1)
            return -EIO;
        int where = order(name, length, e.name, e.length);
        if (!where) {
            *inode = e.inode;
            return 0;
        }
        if (where < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return -ENOENT;
}

static int find_in_block(struct ero_node *d, uint64_t offset, const char *name, size_t length, uint64_t *inode)
{
    const char *at;
    size_t bytes;
    void *frame;
    int found = ero_piece(d, offset, &frame, &at, &bytes);
    if (found || !bytes)
        return found ? found : -ENOENT;
    found = search((const uint8_t *)at, bytes, name, length, inode);
    cms_frame_give(frame);
    return found;
}

static int find(struct ero_node *d, const char *name, uint64_t *inode)
{
    size_t length = strlen(name);
    int status = -ENOENT;
    for (uint64_t offset = 0; status == -ENOENT && offset < d->inode.size; offset += EROFS_BLOCK)
        status = find_in_block(d, offset, name, length, inode);
    return status;
}

int ero_lookup(struct node *n, const char *name, struct node **child)
{
    uint64_t inode;
    int status = find(ero_of(n), name, &inode);
    return status ? status : image_node(ero_of(n)->image, inode, child);
}

struct node *ero_parent(struct node *n)
{
    uint64_t inode;
    struct node *up;
    struct ero_node *d = ero_of(n);
    if (n->number == d->image->super.root || find(d, "..", &inode) || image_node(d->image, inode, &up))
        return NULL;
    if (node_is(up, ABI_S_IFDIR))
        return up;
    node_let_go(up);
    return NULL;
}

static bool is_dots(const struct erofs_entry *e)
{
    return e->length <= 2 && e->name[0] == '.' && e->name[e->length - 1] == '.';
}

int ero_entry(struct node *n, struct listing *l, struct vfs_entry *out)
{
    struct ero_node *d = ero_of(n);
    struct erofs_entry e;
    for (;;) {
        void *frame;
        uint64_t block = l->at >> ENTRIES_BITS;
        unsigned index = l->at & ((1u << ENTRIES_BITS) - 1);
        if (block * EROFS_BLOCK >= d->inode.size)
            return 0;
        int found = entry_of(d, block * EROFS_BLOCK, index, &e, &frame);
        if (found < 0)
            return found;
        l->at = found ? l->at + 1 : (block + 1) << ENTRIES_BITS;
        if (!found)
            continue;
        bool dots = is_dots(&e);
        if (!dots) {
            *out = (struct vfs_entry){.number = e.inode, .type = e.type};
            memcpy(out->name, e.name, e.length);
        }
        cms_frame_give(frame);
        if (!dots)
            return 1;
    }
}
