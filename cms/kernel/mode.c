#include "cms/kernel/mode.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "cms/kernel/clock.h"
#include "cms/kernel/disk.h"
#include "cms/kernel/heap.h"

enum { LETTERS = 26 };

/* What an accessed disk stands on; EDF keeps its address.  It may outlive the virtual device: the generation tells when
 * that has become another. */
struct mount {
    struct disk *disk;
    uint32_t generation;
    bool forced_read_only;
    struct edf_device device;
};

static struct slot {
    struct mode mode;
    struct mount *mount;
} slots[LETTERS];

static bool is_current(const struct mount *m)
{
    return m->disk->device && m->disk->generation == m->generation;
}

static int device_read(void *context, uint64_t sector, void *buffer, uint32_t count)
{
    struct mount *m = context;
    return is_current(m) ? cms_disk_read(m->disk, sector, buffer, count) : -ENODEV;
}

static int device_write(void *context, uint64_t sector, const void *buffer, uint32_t count)
{
    struct mount *m = context;
    return is_current(m) ? cms_disk_write(m->disk, sector, buffer, count) : -ENODEV;
}

static int device_flush(void *context)
{
    struct mount *m = context;
    return is_current(m) ? cms_disk_flush(m->disk) : -ENODEV;
}

static void *host_get(void *context, size_t size)
{
    (void)context;
    return cms_heap_allocate_system(size);
}

static void host_put(void *context, void *memory, size_t size)
{
    (void)context, (void)size;
    cms_heap_free(memory);
}

static void host_now(void *context, struct edf_date *date)
{
    (void)context;
    struct clock_date d = cms_clock_split(cms_clock_now().unix_seconds);
    *date = (struct edf_date){(uint16_t)d.year, (uint8_t)d.month,  (uint8_t)d.day,
                              (uint8_t)d.hour,  (uint8_t)d.minute, (uint8_t)d.second};
}

static const struct edf_host host = {.get = host_get, .put = host_put, .now = host_now};

static struct slot *slot_of(char letter)
{
    char upper = letter >= 'a' && letter <= 'z' ? (char)(letter - 32) : letter;
    return upper >= 'A' && upper <= 'Z' ? &slots[upper - 'A'] : NULL;
}

/* A disk that lost write access since it was accessed (a damaged map, a failed write) counts as read-only. */
static const struct mode_users *users;
static bool recovering; /* what they have is not to be trusted either */

void cms_mode_set_users(const struct mode_users *u) { users = u; }
unsigned cms_mode_open_files(const struct mode *m) { return users ? users->open(m) : 0; }

bool cms_mode_is_there(const struct mode *mode)
{
    const struct slot *s = (const struct slot *)mode;
    return cms_disk_is_there(s->mount->disk) && is_current(s->mount);
}

static struct mode *refreshed(struct slot *s)
{
    struct edf_disk_facts facts;
    edf_disk_query(s->mode.disk, &facts);
    s->mode.read_only = !facts.writable;
    return &s->mode;
}

struct mode *cms_mode_find(char letter)
{
    struct slot *s = slot_of(letter);
    return s && s->mode.disk ? refreshed(s) : NULL;
}

struct mode *cms_mode_next(const struct mode *mode)
{
    for (struct slot *s = mode ? slot_of(mode->letter) + 1 : slots; s < slots + LETTERS; s++)
        if (s->mode.disk)
            return refreshed(s);
    return NULL;
}

struct mode *cms_mode_of_device(uint16_t vdev)
{
    struct mode *m = NULL;
    while ((m = cms_mode_next(m)) && m->vdev != vdev)
        ;
    return m;
}

static bool open_device(struct mount *m, uint16_t vdev, bool read_only, struct mode_problem *problem)
{
    *problem = (struct mode_problem){0};
    struct disk *disk = cms_disk_find(vdev);
    problem->not_attached = !disk;
    if (!disk)
        return false;
    *m = (struct mount){disk, disk->generation, read_only,
                        {m, disk->sectors, disk->read_only || read_only, device_read, device_write, device_flush}};
    return true;
}

static bool mount_disk(struct mount *m, uint16_t vdev, bool read_only, struct edf_disk **disk,
                       struct mode_problem *problem)
{
    if (!open_device(m, vdev, read_only, problem))
        return false;
    problem->status = edf_access(&m->device, &host, !m->device.read_only, disk, &problem->reason);
    return problem->status == EDF_OK;
}

bool cms_mode_access(uint16_t vdev, char letter, char parent, bool read_only, struct mode_problem *problem)
{
    struct slot *s = slot_of(letter);
    struct mount *m = cms_heap_allocate_system(sizeof *m);
    struct edf_disk *disk;

    if (!m) {
        *problem = (struct mode_problem){.status = EDF_NO_MEMORY};
        return false;
    }
    for (struct mode *other = NULL; users && !recovering && (other = cms_mode_next(other));)
        if (other->vdev == vdev)
            users->save(other);
    if (!mount_disk(m, vdev, read_only || parent != letter, &disk, problem)) {
        cms_heap_free(m);
        return false;
    }
    cms_mode_release(letter);
    static uint32_t accesses;
    *s = (struct slot){{letter, parent, false, vdev, ++accesses, disk}, m};
    refreshed(s);
    return true;
}

void cms_mode_release(char letter)
{
    struct slot *s = slot_of(letter);
    if (!s || !s->mode.disk)
        return;
    if (users && !recovering)
        users->save(&s->mode);
    edf_release(s->mode.disk);
    cms_heap_free(s->mount);
    *s = (struct slot){0};
}

bool cms_mode_format(uint16_t vdev, uint32_t block_size, const char *volid, struct mode_problem *problem)
{
    struct mount m;
    if (!open_device(&m, vdev, false, problem))
        return false;
    problem->status = m.device.read_only ? EDF_READ_ONLY : edf_format(&m.device, &host, block_size, volid);
    return problem->status == EDF_OK;
}

void cms_mode_recover(void)
{
    struct mode_problem problem;
    recovering = true;
    for (struct slot *s = slots; s < slots + LETTERS; s++) {
        if (!s->mode.disk)
            continue;
        struct mode m = s->mode;
        bool forced = s->mount->forced_read_only;
        cms_mode_release(m.letter);
        cms_mode_access(m.vdev, m.letter, m.parent, forced, &problem);
    }
    recovering = false;
}
