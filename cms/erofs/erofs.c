/* Which image there is: found on its disk, and let go when another disk is there and nobody has files of it. */
#include "cms/erofs/erofs.h"

#include <string.h>

#include "cms/erofs/image.h"
#include "cms/kernel/frame.h"
#include "cms/kernel/heap.h"

enum { SECTORS = EROFS_BLOCK / DISK_SECTOR };

static struct image *images; /* the current one first */
static const char *problem;
static bool cached; /* the frames know of this room */

static bool give_up(struct frame_cache *c)
{
    (void)c;
    struct image *i = images;
    while (i && !image_give_up(i))
        i = i->next;
    return i;
}

void erofs_reset(void)
{
    images = NULL;
    problem = NULL;
    cached = false;
}

const char *erofs_problem(void) { return problem; }

void image_drop(struct image *i)
{
    struct image **at = &images;
    if (i->nodes || i->current)
        return;
    while (*at != i)
        at = &(*at)->next;
    *at = i->next;
    image_free_blocks(i);
    cms_heap_free(i);
}

static const char *read_super(struct disk *disk, struct erofs_super *super)
{
    uint8_t sectors[EROFS_SUPER_AT + DISK_SECTOR];
    if (disk->sectors < SECTORS)
        return "the disk is too small";
    if (cms_disk_read(disk, 0, sectors, sizeof sectors / DISK_SECTOR))
        return "the disk cannot be read";
    return erofs_judge_super(sectors + EROFS_SUPER_AT, disk->sectors / SECTORS, super);
}

static struct image *open_image(struct disk *disk)
{
    static struct frame_cache cache = {.give_up = give_up};
    struct erofs_super super;
    problem = read_super(disk, &super);
    struct image *i = problem ? NULL : cms_heap_allocate_system(sizeof *i);
    if (!i) {
        problem = problem ? problem : "there is no storage";
        return NULL;
    }
    if (!cached)
        cms_frame_cache_add(&cache);
    cached = true;
    memset(i, 0, sizeof *i);
    i->super = super;
    i->system = (struct node_system){.device = 30, .read_only = true, .image = true};
    i->disk = disk;
    i->generation = disk->generation;
    i->current = true;
    i->next = images;
    images = i;
    return i;
}

struct node *erofs_top(void)
{
    struct node *top;
    struct image *i = images && images->current ? images : NULL;
    if (i && !image_is_there(i)) {
        i->current = false;
        image_drop(i);
        i = NULL;
    }
    struct disk *disk = i ? NULL : cms_disk_find(EROFS_DISK);
    if (!i && !disk)
        problem = NULL;
    if (!i && disk)
        i = open_image(disk);
    if (!i)
        return NULL;
    if (image_node(i, i->super.root, &top)) {
        problem = "its root cannot be read";
        return NULL;
    }
    if (node_is(top, ABI_S_IFDIR))
        return top;
    node_let_go(top);
    problem = "its root is no directory";
    return NULL;
}
