/* The next directory. In: bytes. Out: the directory in force, on the volume and in storage. */
#include "cp/directory/next.h"

#include <string.h>

#include "cp/directory/volume.h"
#include "cp/storage/frame.h"
#include "lib/crc32.h"

enum { IMAGE_PAGES = VOLUME_SLOT_BLOCKS, ROW_PAGES = (sizeof(struct directory_rows) + PAGE_MASK) / PAGE_SIZE };
_Static_assert((int)VOLUME_BLOCK == (int)PAGE_SIZE, "a slot is so many pages");

struct directory directory_next;

/* A slot as it is on the volume. The one that is not being filled is in force, or neither is: that came with the
 * volume. */
static struct volume_slot *image[2];
static unsigned filled;
static uint32_t bytes, crc;

bool next_begin(void)
{
    bytes = crc = 0;
    for (unsigned i = 0; i < 2; i++)
        if (!image[i] && !(image[i] = frame_alloc_run(&frame_cp_account, IMAGE_PAGES)))
            return false;
    if (!directory_next.user) {
        struct directory_rows *rows = frame_alloc_run(&frame_cp_account, ROW_PAGES);
        if (!rows)
            return false;
        directory_next = (struct directory)DIRECTORY_IN(*rows);
    }
    return true;
}

bool next_add(const void *more, uint32_t count)
{
    if (count > (uint32_t)VOLUME_DIRECTORY_MAX - bytes)
        return false;
    memcpy((uint8_t *)(image[filled] + 1) + bytes, more, count);
    crc = crc32_more(crc, more, count);
    bytes += count;
    return true;
}

const void *next_blob(uint32_t *count)
{
    *count = bytes;
    return image[filled] ? image[filled] + 1 : NULL;
}

/* ---- what is kept of users --------------------------------------------------------------------------------------- */

static bool taken[DIRECTORY_KEPT];
static unsigned named, expected, free_row;

void next_name_begin(void)
{
    named = expected = free_row = 0;
    memset(taken, 0, sizeof taken);
    for (unsigned i = 0; i < directory.users; i++)
        taken[directory.user[i].kept - directory_kept] = true;
}

/* Most stand in the order in which they stood. */
static const struct user *find_before(const char *id)
{
    bool there = expected < directory.users && !strcmp(directory.user[expected].id, id);
    const struct user *user = there ? &directory.user[expected] : directory_find(&directory, id);
    if (user)
        expected = (unsigned)(user - directory.user) + 1;
    return user;
}

static struct user_kept *kept_anew(void)
{
    while (taken[free_row])
        free_row++;
    taken[free_row] = true;
    memset(&directory_kept[free_row], 0, sizeof *directory_kept);
    return &directory_kept[free_row];
}

bool next_name_on(bool (*over)(void))
{
    while (named < directory_next.users) {
        struct user *user = &directory_next.user[named++];
        const struct user *before = find_before(user->id);
        user->kept = before ? before->kept : kept_anew();
        if (over())
            return false;
    }
    return true;
}

/* ---- onto the volume --------------------------------------------------------------------------------------------- */

static void (*when_done)(int status);
static struct disk_segment segment;
static struct disk_request request;

static void written(struct disk_request *r, int status)
{
    if (status || r->op == DISK_FLUSH) {
        when_done(status);
        return;
    }
    *r = (struct disk_request){.op = DISK_FLUSH, .done = written};
    status = directory_source.disk->submit(directory_source.disk, r);
    if (status)
        when_done(status);
}

int next_write(void (*done)(int status))
{
    uint32_t blocks = (sizeof **image + bytes + VOLUME_BLOCK - 1) / VOLUME_BLOCK;
    enum { SECTORS = VOLUME_BLOCK / DISK_SECTOR_BYTES };
    volume_slot_seal(image[filled], bytes, crc, directory_source.sequence + 1);
    when_done = done;
    segment = (struct disk_segment){image[filled], blocks * VOLUME_BLOCK};
    request = (struct disk_request){.op = DISK_WRITE, .sector = (uint64_t)directory_source.next_slot * SECTORS,
                                    .sectors = blocks * SECTORS, .segment = &segment, .segments = 1, .done = written};
    return directory_source.disk->submit(directory_source.disk, &request);
}

void next_take(void)
{
    struct directory before = directory;
    struct directory_source *s = &directory_source;
    directory = directory_next;
    directory_next = before;
    directory_changes++;
    s->blob = next_blob(&s->bytes);
    s->next_slot = s->next_slot == VOLUME_SLOT_A ? VOLUME_SLOT_B : VOLUME_SLOT_A;
    s->sequence++;
    filled = !filled;
    bytes = 0;
}
