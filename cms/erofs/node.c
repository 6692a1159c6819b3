/* Files, directories and links of the image, and their pages. */
#include <errno.h>
#include <string.h>

#include "cms/erofs/image.h"
#include "cms/kernel/frame.h"
#include "cms/kernel/heap.h"

int ero_piece(struct ero_node *e, uint64_t offset, void **frame, const char **at, size_t *bytes)
{
    uint64_t index = offset / EROFS_BLOCK, size = e->inode.size;
    size_t within = offset % EROFS_BLOCK;
    *bytes = 0;
    if (offset >= size)
        return 0;
    bool whole = index < e->inode.whole;
    uint64_t from = whole ? (e->inode.first + index) * EROFS_BLOCK + within : e->inode.inline_at + within;
    int status = image_block(e->image, from / EROFS_BLOCK, whole ? e->inode.whole - index : 1, frame);
    if (status)
        return status;
    *at = (const char *)*frame + from % EROFS_BLOCK;
    *bytes = size - offset < EROFS_BLOCK - within ? (size_t)(size - offset) : EROFS_BLOCK - within;
    return 0;
}

static int64_t ero_read(struct node *n, struct io *io, uint64_t offset)
{
    int64_t done = 0;
    while (io->left) {
        void *frame;
        const char *at;
        size_t bytes;
        int status = ero_piece(ero_of(n), offset, &frame, &at, &bytes);
        if (status)
            return done ? done : status;
        if (!bytes)
            break;
        bytes = bytes < io->left ? bytes : io->left;
        status = io->put(io, at, bytes);
        cms_frame_give(frame);
        if (status)
            return done ? done : status;
        offset += bytes;
        done += (int64_t)bytes;
    }
    return done;
}

static int64_t ero_target(struct node *n, char *to, size_t size)
{
    struct io_buffer io;
    io_buffer_begin(&io, to, size);
    return ero_read(n, &io.io, 0);
}

static int ero_open(struct node *n, struct file *f)
{
    (void)f;
    return node_is(n, ABI_S_IFREG) ? 0 : -ENXIO;
}

static void ero_stat(struct node *n, struct vfs_stat *s)
{
    const struct erofs_inode *i = &ero_of(n)->inode;
    s->size = (int64_t)i->size;
    s->blocks = (int64_t)((i->size + 511) / 512);
    s->links = i->links;
    s->access_s = s->change_s = s->status_s = i->changed_s;
    s->access_ns = s->change_ns = s->status_ns = i->changed_ns;
}

static void ero_statfs(struct node *n, struct vfs_statfs *s)
{
    s->type = 0xe0f5e1e2;
    s->blocks = ero_of(n)->image->super.blocks;
}

/* ---- mappings -------------------------------------------------------------------------------------------------- */

static struct ero_node *of_object(struct space_object *o)
{
    return (struct ero_node *)((char *)o - offsetof(struct ero_node, object));
}

/* The inline end, in a page of its own. */
static int tail_page(struct ero_node *e, uint64_t offset, void **page)
{
    void *frame;
    const char *at;
    size_t bytes;
    if (!e->tail) {
        int status = ero_piece(e, offset, &frame, &at, &bytes);
        if (status)
            return status;
        e->tail = cms_frame_take();
        if (e->tail) {
            memcpy(e->tail, at, bytes);
            memset((char *)e->tail + bytes, 0, FRAME_SIZE - bytes);
            cms_frame_keep(e->tail);
        }
        cms_frame_give(frame);
    }
    if (!e->tail)
        return -ENOMEM;
    cms_frame_share(e->tail);
    *page = e->tail;
    return 0;
}

static int object_page(struct space_object *o, uint64_t offset, bool write, void **page)
{
    struct ero_node *e = of_object(o);
    uint64_t index = offset / EROFS_BLOCK;
    if (write)
        return -EIO;
    if (offset >= e->inode.size)
        return -ENXIO;
    if (index >= e->inode.whole)
        return tail_page(e, index * EROFS_BLOCK, page);
    return image_block(e->image, e->inode.first + index, e->inode.whole - index, page);
}

static void object_hold(struct space_object *o) { node_hold(&of_object(o)->node); }

static void object_let_go(struct space_object *o) { node_let_go(&of_object(o)->node); }

static const struct space_object_operations object_operations = {
    .page = object_page, .hold = object_hold, .let_go = object_let_go};

static int ero_map(struct node *n, struct space_object **object)
{
    node_hold(n);
    *object = &ero_of(n)->object;
    return 0;
}

/* ---- nodes ----------------------------------------------------------------------------------------------------- */

static void ero_forget(struct node *n);

static const struct node_operations operations = {
    .lookup = ero_lookup,
    .parent = ero_parent,
    .entry = ero_entry,
    .stat = ero_stat,
    .statfs = ero_statfs,
    .forget = ero_forget,
    .target = ero_target,
    .open = ero_open,
    .read = ero_read,
    .map = ero_map,
};

static void ero_forget(struct node *n)
{
    struct ero_node *e = ero_of(n), **at = &e->image->bucket[n->number % BUCKETS];
    struct image *i = e->image;
    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    if (e->tail)
        cms_frame_give_kept(e->tail);
    cms_heap_free(e);
    i->nodes--;
    image_drop(i);
}

static int make(struct image *i, uint64_t number, struct ero_node **made)
{
    uint8_t bytes[EROFS_INODE_MAX];
    struct erofs_inode inode;
    uint64_t at = erofs_inode_at(&i->super, number);
    int status = at ? image_bytes(i, at, bytes, sizeof bytes) : -EIO;
    if (status)
        return status;
    if (erofs_judge_inode(&i->super, at, bytes, &inode))
        return -EIO;
    struct ero_node *e = cms_heap_allocate_system(sizeof *e);
    if (!e)
        return -ENOMEM;
    *e = (struct ero_node){
        .node = {.operations = &operations, .system = &i->system, .number = number, .mode = inode.mode, .users = 0},
        .object = {&object_operations},
        .image = i,
        .inode = inode,
        .next = i->bucket[number % BUCKETS]};
    i->bucket[number % BUCKETS] = e;
    i->nodes++;
    *made = e;
    return 0;
}

int image_node(struct image *i, uint64_t number, struct node **n)
{
    struct ero_node *e = i->bucket[number % BUCKETS];
    while (e && e->node.number != number)
        e = e->next;
    int status = e ? 0 : make(i, number, &e);
    if (status)
        return status;
    node_hold(&e->node);
    *n = &e->node;
    return 0;
}
