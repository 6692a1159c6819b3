/* The next directory. In: bytes. Out: the directory in force, on the volume and in storage. */
#include "cp/directory/next.h"

#include <string.h>

#include "cp/directory/rows.h"
#include "cp/directory/volume.h"
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
        if (!image[i] && !(image[i] = frame_alloc_run(&directory_account, IMAGE_PAGES)))
            return false;
    if (!directory_next.rows) {
        struct directory_rows *rows = frame_alloc_run(&directory_account, ROW_PAGES);
        if (!rows)
            return false;
        directory_next = (struct directory)DIRECTORY_IN(*rows);
    }
    return true;
}

void next_forget(void) { rows_give_back(&directory_next); }

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

static unsigned naming; /* how many there were, this one too */
static unsigned marked, named, expected, free_row;

void next_name_begin(void)
{
    marked = named = expected = free_row = 0;
    naming++;
}

/* Most stand in the order in which they stood. */
static const struct user *find_before(const char *id)
{
    const struct user *user = expected < directory.users ? directory_user(&directory, expected) : NULL;
    if (user && !strcmp(user->id, id)) {
        expected++;
        return user;
    }
    return directory_find(&directory, id);
}

/* What is kept of nobody in force, nor of anybody named before; NULL: this row is not it. */
static struct user_kept *try_row(void)
{
    struct user_kept *kept = kept_row(free_row++);
    if (kept->named == naming)
        return NULL;
    *kept = (struct user_kept){.named = naming};
    return kept;
}

/* Of who is in force first: what is kept of them is nobody else's. Then of the next ones. */
static void name_one(void)
{
    if (marked < directory.users) {
        directory_user(&directory, marked++)->kept->named = naming;
        return;
    }
    struct user *user = directory_user(&directory_next, named);
    const struct user *before = find_before(user->id);
    user->kept = before ? before->kept : try_row();
    named += user->kept != NULL;
}

bool next_name_on(bool (*over)(void))
{
    while (marked < directory.users || named < directory_next.users) {
        name_one();
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
