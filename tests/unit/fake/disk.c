#include "tests/unit/fake/disk.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int check(const struct disk *disk, const struct disk_request *r)
{
    uint64_t bytes = 0;

    assert(r->done && r->segments <= DISK_MAX_SEGMENTS);
    for (unsigned i = 0; i < r->segments; i++) {
        assert(r->segment[i].bytes && r->segment[i].bytes % DISK_SECTOR_BYTES == 0);
        bytes += r->segment[i].bytes;
    }
    if (bytes != (uint64_t)r->sectors * DISK_SECTOR_BYTES)
        return -EINVAL;
    if (r->op == DISK_FLUSH)
        return bytes ? -EINVAL : 0;
    if (!r->sectors || r->sector > disk->sectors || r->sectors > disk->sectors - r->sector)
        return -EINVAL;
    return r->op == DISK_WRITE && disk->read_only ? -EROFS : 0;
}

static int submit(struct disk *disk, struct disk_request *r)
{
    struct fake_disk *d = disk->owner;
    struct disk_request **last = &d->first;
    int error = check(disk, r);

    if (error)
        return error;
    while (*last)
        last = &(*last)->next;
    r->next = NULL;
    *last = r;
    d->waiting++;
    d->segments = r->segments;
    return 0;
}

void fake_disk_init(struct fake_disk *d, uint64_t sectors, bool read_only)
{
    *d = (struct fake_disk){.disk = {.name = "fake", .sectors = sectors, .read_only = read_only, .submit = submit}};
    d->disk.owner = d;
    d->medium = calloc(sectors, DISK_SECTOR_BYTES);
    assert(d->medium);
}

void fake_disk_free(struct fake_disk *d)
{
    free(d->medium);
    d->medium = NULL;
}

static void transfer(struct fake_disk *d, const struct disk_request *r)
{
    uint8_t *p = d->medium + r->sector * DISK_SECTOR_BYTES;

    for (unsigned i = 0; i < r->segments; p += r->segment[i++].bytes) {
        if (r->op == DISK_READ)
            memcpy(r->segment[i].data, p, r->segment[i].bytes);
        else
            memcpy(p, r->segment[i].data, r->segment[i].bytes);
    }
}

void fake_disk_done_first(struct fake_disk *d)
{
    struct disk_request *r = d->first;

    assert(r);
    d->first = r->next;
    d->waiting--;
    d->reads += r->op == DISK_READ;
    d->writes += r->op == DISK_WRITE;
    d->flushes += r->op == DISK_FLUSH;
    if (!d->fail && r->op != DISK_FLUSH)
        transfer(d, r);
    disk_request_end(&d->disk, r, d->fail ? -EIO : 0);
}

void fake_disk_done_all(struct fake_disk *d)
{
    while (d->first)
        fake_disk_done_first(d);
}
