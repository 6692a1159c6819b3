/* See minidisk.h. */
#include "tests/unit/fake/minidisk.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool fails(struct minidisk *disk)
{
    disk->calls++;
    return disk->fail_at && (disk->calls == disk->fail_at || (disk->fail_on && disk->calls > disk->fail_at));
}

static void note(struct minidisk *disk, struct minidisk_write write, const void *data)
{
    if (!disk->recording)
        return;
    disk->log = realloc(disk->log, (disk->logged + 1) * sizeof *disk->log);
    if (!write.flush) {
        write.data = malloc((size_t)write.count * EDF_SECTOR);
        memcpy(write.data, data, (size_t)write.count * EDF_SECTOR);
    }
    disk->log[disk->logged++] = write;
}

static int disk_read(void *ctx, uint64_t sector, void *buffer, uint32_t count)
{
    struct minidisk *disk = ctx;
    disk->reads++;
    assert(sector + count <= disk->device.sectors);
    if (fails(disk))
        return -EIO;
    memcpy(buffer, disk->bytes + sector * EDF_SECTOR, (size_t)count * EDF_SECTOR);
    return 0;
}

static int disk_write(void *ctx, uint64_t sector, const void *buffer, uint32_t count)
{
    struct minidisk *disk = ctx;
    disk->writes++;
    assert(sector + count <= disk->device.sectors);
    assert(!disk->device.read_only);
    bool failed = fails(disk);
    if (!failed || disk->fail_late) {
        memcpy(disk->bytes + sector * EDF_SECTOR, buffer, (size_t)count * EDF_SECTOR);
        note(disk, (struct minidisk_write){.sector = sector, .count = count}, buffer);
    }
    return failed ? -EIO : 0;
}

static int disk_flush(void *ctx)
{
    struct minidisk *disk = ctx;
    disk->flushes++;
    if (fails(disk))
        return -EIO;
    note(disk, (struct minidisk_write){.flush = true}, NULL);
    return 0;
}

static void *host_get(void *ctx, size_t size)
{
    struct minidisk *disk = ctx;
    if (++disk->requests == disk->refuse_at)
        return NULL;
    void *memory = malloc(size ? size : 1);
    if (memory) {
        memset(memory, 0xa5, size);
        disk->in_use += size;
    }
    return memory;
}

static void host_put(void *ctx, void *memory, size_t size)
{
    struct minidisk *disk = ctx;
    assert(disk->in_use >= size);
    disk->in_use -= size;
    memset(memory, 0x5a, size);
    free(memory);
}

static void host_now(void *ctx, struct edf_date *date)
{
    *date = ((struct minidisk *)ctx)->date;
}

void minidisk_open(struct minidisk *disk, uint64_t sectors)
{
    *disk = (struct minidisk){.size = sectors * EDF_SECTOR, .date = {2026, 11, 21, 14, 5, 31}};
    disk->bytes = calloc(sectors, EDF_SECTOR);
    disk->device = (struct edf_device){disk, sectors, false, disk_read, disk_write, disk_flush};
    disk->host = (struct edf_host){disk, host_get, host_put, host_now};
}

void minidisk_record(struct minidisk *disk, bool on)
{
    for (unsigned i = 0; on && i < disk->logged; i++)
        free(disk->log[i].data);
    if (on) {
        free(disk->log);
        disk->log = NULL;
        disk->logged = 0;
    }
    disk->recording = on;
}

void minidisk_reset(struct minidisk *disk)
{
    disk->calls = disk->fail_at = disk->reads = disk->writes = disk->flushes = 0;
    disk->requests = disk->refuse_at = 0;
    disk->fail_on = disk->fail_late = false;
}

void minidisk_close(struct minidisk *disk)
{
    assert(disk->in_use == 0);
    minidisk_record(disk, true);
    free(disk->bytes);
}
