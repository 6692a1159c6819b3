/* What is in the machine's slots: minidisks and NICs, which come and go. In: device numbers. Out: PCI functions. */
#include "cp/device/machine.h"

#include <errno.h>
#include <string.h>

static struct virtio_blk *find_disk(struct machine *m, unsigned vdev)
{
    for (unsigned i = 0; i < MACHINE_DISKS && m->disk[i]; i++)
        if (m->disk[i]->disk && m->disk[i]->vdev == vdev)
            return m->disk[i];
    return NULL;
}

enum { DISKS_A_FRAME = PAGE_SIZE / sizeof(struct virtio_blk) };

/* From the place `at` on, which begins a frame. */
static struct virtio_blk *make_disks(struct machine *m, unsigned at)
{
    struct virtio_blk *made = frame_alloc(&m->storage->account);

    for (unsigned i = 0; made && i < DISKS_A_FRAME && at + i < MACHINE_DISKS; i++)
        m->disk[at + i] = &made[i];
    return made;
}

/* One whose last disk still has requests in flight is not free yet. */
static struct virtio_blk *free_disk(struct machine *m)
{
    unsigned i = 0;

    for (; i < MACHINE_DISKS && m->disk[i]; i++)
        if (!m->disk[i]->disk && !virtio_blk_in_flight(m->disk[i]))
            return m->disk[i];
    return i < MACHINE_DISKS ? make_disks(m, i) : NULL;
}

void machine_give_back(struct machine *m)
{
    for (unsigned i = 0; i < MACHINE_DISKS && m->disk[i]; i += DISKS_A_FRAME)
        frame_free(&m->storage->account, m->disk[i]);
    memset(m->disk, 0, sizeof m->disk);
    for (unsigned i = 0; i < MACHINE_NICS && m->nic[i]; i++)
        frame_free(&m->storage->account, m->nic[i]);
    memset(m->nic, 0, sizeof m->nic);
}

_Static_assert(sizeof(struct virtio_net) <= PAGE_SIZE, "a NIC is one page frame");

bool machine_attach_nics(struct machine *m)
{
    for (unsigned i = 0; i < m->config->nics; i++) {
        struct virtio_net *nic = frame_alloc(&m->storage->account);
        if (!nic)
            return false;
        m->nic[i] = nic;
        if (virtio_net_attach(nic, &m->pci, 0, m->storage, &m->config->nic[i], &m->disk_user.debt, &m->pace))
            return false;
    }
    return true;
}

struct virtio_net *machine_nic_find(const struct machine *m, unsigned vdev)
{
    for (unsigned i = 0; i < MACHINE_NICS && m->nic[i]; i++)
        if (m->nic[i]->virtio.pci.host && m->nic[i]->vdev == vdev)
            return m->nic[i];
    return NULL;
}

static void call_done(void *context, int error)
{
    struct machine *m = context;

    m->host.event(m->host.context, MACHINE_CALL_DONE, (uint32_t)-error);
}

/* No disk of any machine has had it, also before CP was started anew: a program that was saved (SAVESYS) and goes on
 * elsewhere, or later, does not come to another disk by the number of its own. */
static uint64_t next_number(void)
{
    static uint64_t last;
    uint64_t now = clock_unix_us();
    last = now > last ? now : last + 1;
    return last;
}

void machine_disks_number(struct machine *m)
{
    for (unsigned i = 0; i < MACHINE_DISKS && m->disk[i]; i++)
        m->disk[i]->number = next_number();
}

int machine_attach_disk(struct machine *m, unsigned vdev, struct disk *disk)
{
    if (!disk)
        return machine_detach_disk(m, vdev);
    if (find_disk(m, vdev))
        return -EEXIST;
    struct virtio_blk *slot = free_disk(m);
    if (!slot)
        return -ENOSPC;
    int failed = virtio_blk_attach(slot, &m->pci, 0, m->storage, vdev, disk);
    slot->more.debt = &m->disk_user.debt;
    slot->number = next_number();
    slot->call_done = call_done;
    slot->call_context = m;
    return failed;
}

bool machine_disk_facts(const struct machine *m, unsigned vdev, struct machine_disk *facts)
{
    const struct virtio_blk *slot = find_disk((struct machine *)m, vdev);

    if (slot)
        *facts = (struct machine_disk){slot->number, slot->disk->sectors, slot->disk->read_only};
    return slot;
}

int machine_disk_slot(const struct machine *m, unsigned vdev)
{
    const struct virtio_blk *disk = find_disk((struct machine *)m, vdev);

    return disk ? disk->virtio.pci.slot : -ENOENT;
}

int machine_disk_call(struct machine *m, uint64_t number, enum disk_op op, uint64_t sector, gpa_t at, uint64_t bytes)
{
    for (unsigned i = 0; i < MACHINE_DISKS && m->disk[i]; i++)
        if (m->disk[i]->disk && m->disk[i]->number == number)
            return virtio_blk_call(m->disk[i], op, sector, at, bytes);
    return -ENODEV;
}

int machine_detach_disk(struct machine *m, unsigned vdev)
{
    struct virtio_blk *slot = find_disk(m, vdev);

    if (!slot)
        return -ENOENT;
    virtio_blk_detach(slot);
    return 0;
}
