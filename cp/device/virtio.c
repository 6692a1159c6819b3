/* The registers of the transport: the structures in BAR 0, the capabilities that point there, status and interrupts.
 * The rings are in virtio_queue.c. */
#include "cp/device/virtio.h"

#include <stddef.h>

enum { PCI_VENDOR = 0x1af4, PCI_DEVICE_BASE = 0x1040, PCI_REVISION = 1 };

/* BAR 0: a page for each structure */
enum region { REGION_COMMON, REGION_ISR, REGION_DEVICE, REGION_NOTIFY, REGIONS };
enum { REGION_SHIFT = 12, BAR_BYTES = REGIONS << REGION_SHIFT, NOTIFY_MULTIPLIER = 4, MSIX_BAR = 1 };

enum { CAPABILITY_VENDOR = 0x09, CAPABILITY_BYTES = 16, CAPABILITY_LONG = 20, COMMON_BYTES = 56 };
enum capability_type { TYPE_COMMON = 1, TYPE_NOTIFY, TYPE_ISR, TYPE_DEVICE, TYPE_PCI_CFG };
enum { CAP_LENGTH = 2, CAP_TYPE = 3, CAP_BAR = 4, CAP_OFFSET = 8, CAP_BYTES = 12, CAP_DATA = 16 };

enum { ISR_QUEUE = 1, ISR_CONFIG = 2 };

bool virtio_running(const struct virtio_device *d)
{
    const unsigned needed = VIRTIO_DRIVER_OK | VIRTIO_FEATURES_OK;

    return (d->status & (needed | VIRTIO_NEEDS_RESET)) == needed && !d->resetting;
}

/* ---- interrupts ------------------------------------------------------------- */

static void interrupt(struct virtio_device *d, uint8_t cause, uint16_t vector)
{
    if (pci_msix_enabled(&d->msix)) {
        pci_msix_raise(&d->msix, vector);
        return;
    }
    d->isr |= cause;
    pci_interrupt(&d->pci, true);
}

void virtio_interrupt(struct virtio_device *d, unsigned queue)
{
    interrupt(d, ISR_QUEUE, d->queue[queue].vector);
}

void virtio_break(struct virtio_device *d)
{
    if (d->status & VIRTIO_NEEDS_RESET)
        return;
    d->status |= VIRTIO_NEEDS_RESET;
    if (d->status & VIRTIO_DRIVER_OK)
        interrupt(d, ISR_CONFIG, d->config_vector);
}

void virtio_config_changed(struct virtio_device *d)
{
    d->generation++;
    if (virtio_running(d))
        interrupt(d, ISR_CONFIG, d->config_vector);
}

/* ---- reset and status ------------------------------------------------------- */

static void clear(struct virtio_device *d)
{
    d->accepted = 0;
    d->offered_select = d->accepted_select = 0;
    d->status = d->isr = 0;
    d->resetting = false;
    d->queue_select = 0;
    d->config_vector = PCI_MSIX_NONE;
    for (unsigned q = 0; q < VIRTIO_QUEUES; q++)
        d->queue[q] = (struct virtio_queue){.size = VIRTIO_QUEUE_SIZE, .vector = PCI_MSIX_NONE};
    pci_interrupt(&d->pci, false);
}

void virtio_reset_done(struct virtio_device *d)
{
    if (d->resetting)
        clear(d);
}

static void guest_reset(struct virtio_device *d)
{
    if (d->model->reset(d))
        clear(d);
    else
        d->resetting = true;
}

static void machine_reset(struct pci_function *f)
{
    struct virtio_device *d = f->owner;

    d->model->reset(d);
    clear(d);
    pci_msix_reset(&d->msix);
}

static bool features_fit(const struct virtio_device *d)
{
    return !(d->accepted & ~d->offered) && (d->accepted & VIRTIO_F_VERSION_1);
}

static void status_write(struct virtio_device *d, uint64_t value)
{
    uint8_t status = value & ~VIRTIO_NEEDS_RESET;

    if (!value) {
        guest_reset(d);
        return;
    }
    if (!(d->status & VIRTIO_FEATURES_OK) && !features_fit(d))
        status &= ~VIRTIO_FEATURES_OK;
    d->status = status | (d->status & VIRTIO_NEEDS_RESET);
}

/* ---- the common configuration structure ------------------------------------- */

/* The queue selected, if there is one; `still` if the driver may still change it. */
static struct virtio_queue *selected(struct virtio_device *d)
{
    return d->queue_select < d->model->queues ? &d->queue[d->queue_select] : NULL;
}

static struct virtio_queue *changeable(struct virtio_device *d)
{
    struct virtio_queue *q = selected(d);

    return q && !q->enabled ? q : NULL;
}

static uint64_t offered_read(struct virtio_device *d)
{
    return d->offered_select < 2 ? (uint32_t)(d->offered >> 32 * d->offered_select) : 0;
}

static uint64_t accepted_read(struct virtio_device *d)
{
    return d->accepted_select < 2 ? (uint32_t)(d->accepted >> 32 * d->accepted_select) : 0;
}

static void accepted_write(struct virtio_device *d, uint64_t value)
{
    unsigned shift = 32 * d->accepted_select;

    if (d->accepted_select < 2 && !(d->status & VIRTIO_FEATURES_OK))
        d->accepted = (d->accepted & ~(0xffffffffull << shift)) | value << shift;
}

static uint16_t vector_of(const struct virtio_device *d, uint64_t value)
{
    return value < d->msix.vectors ? value : PCI_MSIX_NONE;
}

static void size_write(struct virtio_device *d, uint64_t value)
{
    struct virtio_queue *q = changeable(d);

    if (q && value && value <= VIRTIO_QUEUE_SIZE && !(value & (value - 1)))
        q->size = value;
}

static void enable_write(struct virtio_device *d, uint64_t value)
{
    struct virtio_queue *q = changeable(d);

    if (q && value == 1)
        q->enabled = true;
}

static void queue_vector_write(struct virtio_device *d, uint64_t value)
{
    if (selected(d))
        selected(d)->vector = vector_of(d, value);
}

#define PLAIN(name, member)                                                                        \
    static uint64_t name##_read(struct virtio_device *d) { return d->member; }                    \
    static void name##_write(struct virtio_device *d, uint64_t value) { d->member = value; }
#define QUEUE_READ(name, member)                                                                   \
    static uint64_t name##_read(struct virtio_device *d) { return selected(d) ? selected(d)->member : 0; }
#define QUEUE_AREA(name, member)                                                                   \
    QUEUE_READ(name, member)                                                                       \
    static void name##_write(struct virtio_device *d, uint64_t value)                              \
    {                                                                                              \
        if (changeable(d))                                                                         \
            changeable(d)->member = value;                                                         \
    }

PLAIN(offered_select, offered_select)
PLAIN(accepted_select, accepted_select)
PLAIN(queue_select, queue_select)
QUEUE_READ(size, size)
QUEUE_READ(enable, enabled)
QUEUE_READ(queue_vector, vector)
QUEUE_AREA(descriptors, descriptors)
QUEUE_AREA(driver, driver)
QUEUE_AREA(device, device)

static uint64_t config_vector_read(struct virtio_device *d) { return d->config_vector; }
static void config_vector_write(struct virtio_device *d, uint64_t value) { d->config_vector = vector_of(d, value); }
static uint64_t queues_read(struct virtio_device *d) { return d->model->queues; }
static uint64_t status_read(struct virtio_device *d) { return d->status; }
static uint64_t generation_read(struct virtio_device *d) { return d->generation; }
static uint64_t notify_offset_read(struct virtio_device *d) { return selected(d) ? d->queue_select : 0; }

/* "Common configuration structure layout" */
static const struct field {
    uint8_t offset, bytes;
    uint64_t (*read)(struct virtio_device *);
    void (*write)(struct virtio_device *, uint64_t value);
} common[] = {
    {0, 4, offered_select_read, offered_select_write},
    {4, 4, offered_read, NULL},
    {8, 4, accepted_select_read, accepted_select_write},
    {12, 4, accepted_read, accepted_write},
    {16, 2, config_vector_read, config_vector_write},
    {18, 2, queues_read, NULL},
    {20, 1, status_read, status_write},
    {21, 1, generation_read, NULL},
    {22, 2, queue_select_read, queue_select_write},
    {24, 2, size_read, size_write},
    {26, 2, queue_vector_read, queue_vector_write},
    {28, 2, enable_read, enable_write},
    {30, 2, notify_offset_read, NULL},
    {32, 8, descriptors_read, descriptors_write},
    {40, 8, driver_read, driver_write},
    {48, 8, device_read, device_write},
};

/* The field the access lies wholly in; drivers use a field's own width, or halves of the 64-bit ones. */
static const struct field *field_at(uint64_t offset, unsigned size)
{
    for (unsigned i = 0; i < sizeof common / sizeof *common; i++)
        if (offset >= common[i].offset && offset + size <= common[i].offset + common[i].bytes)
            return &common[i];
    return NULL;
}

static uint64_t low_bytes(unsigned size)
{
    return size == 8 ? ~0ull : (1ull << 8 * size) - 1;
}

static uint64_t common_read(struct virtio_device *d, uint64_t offset, unsigned size)
{
    const struct field *f = field_at(offset, size);

    return f ? f->read(d) >> 8 * (offset - f->offset) & low_bytes(size) : 0;
}

static void common_write(struct virtio_device *d, uint64_t offset, unsigned size, uint64_t value)
{
    const struct field *f = field_at(offset, size);
    unsigned shift;

    if (!f || !f->write || d->resetting)
        return;
    shift = 8 * (offset - f->offset);
    f->write(d, (f->read(d) & ~(low_bytes(size) << shift)) | (value & low_bytes(size)) << shift);
}

/* ---- BAR 0 ------------------------------------------------------------------ */

static uint64_t isr_read(struct virtio_device *d)
{
    uint8_t isr = d->isr;

    d->isr = 0;
    pci_interrupt(&d->pci, false);
    return isr;
}

static uint64_t config_read(const struct virtio_device *d, uint64_t offset, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size && offset + i < d->model->config_bytes; i++)
        value |= (uint64_t)d->config[offset + i] << 8 * i;
    return value;
}

static uint64_t region_read(struct virtio_device *d, uint64_t at, unsigned size)
{
    uint64_t offset = at & ((1u << REGION_SHIFT) - 1);

    switch (at >> REGION_SHIFT) {
    case REGION_COMMON: return common_read(d, offset, size);
    case REGION_ISR: return offset ? 0 : isr_read(d);
    case REGION_DEVICE: return config_read(d, offset, size);
    }
    return 0;
}

static void region_write(struct virtio_device *d, uint64_t at, unsigned size, uint64_t value)
{
    uint64_t offset = at & ((1u << REGION_SHIFT) - 1);

    if (at >> REGION_SHIFT == REGION_COMMON)
        common_write(d, offset, size, value);
    else if (at >> REGION_SHIFT == REGION_NOTIFY && offset / NOTIFY_MULTIPLIER < d->model->queues && virtio_running(d))
        d->model->notify(d, offset / NOTIFY_MULTIPLIER);
}

static uint64_t bar_read(void *bar, uint64_t offset, unsigned size)
{
    return region_read(((struct pci_bar *)bar)->owner, offset, size);
}

static void bar_write(void *bar, uint64_t offset, unsigned size, uint64_t value)
{
    region_write(((struct pci_bar *)bar)->owner, offset, size, value);
}

/* ---- capabilities ----------------------------------------------------------- */

static unsigned capability_add(struct pci_function *f, enum capability_type type, enum region region, uint32_t bytes,
                               unsigned length)
{
    unsigned at = pci_capability_add(f, CAPABILITY_VENDOR, length);

    pci_config_set(f, at + CAP_LENGTH, 1, length);
    pci_config_set(f, at + CAP_TYPE, 1, type);
    pci_config_set(f, at + CAP_OFFSET, 4, region << REGION_SHIFT);
    pci_config_set(f, at + CAP_BYTES, 4, bytes);
    return at;
}

static void capabilities_add(struct virtio_device *d)
{
    struct pci_function *f = &d->pci;
    unsigned notify;

    capability_add(f, TYPE_COMMON, REGION_COMMON, COMMON_BYTES, CAPABILITY_BYTES);
    capability_add(f, TYPE_ISR, REGION_ISR, 1, CAPABILITY_BYTES);
    capability_add(f, TYPE_DEVICE, REGION_DEVICE, d->model->config_bytes, CAPABILITY_BYTES);
    notify = capability_add(f, TYPE_NOTIFY, REGION_NOTIFY, d->model->queues * NOTIFY_MULTIPLIER, CAPABILITY_LONG);
    pci_config_set(f, notify + CAP_DATA, 4, NOTIFY_MULTIPLIER);
    d->window = capability_add(f, TYPE_PCI_CFG, 0, 0, CAPABILITY_LONG);
    f->writable[d->window + CAP_BAR] = 0xff;
    for (unsigned i = CAP_OFFSET; i < CAPABILITY_LONG; i++)
        f->writable[d->window + i] = 0xff;
}

/* "PCI configuration access capability": where the window looks, if the driver set it up properly. */
static bool window_open(struct virtio_device *d, unsigned offset, unsigned size, uint32_t *at, uint32_t *bytes)
{
    unsigned data = d->window + CAP_DATA;

    *at = pci_config_get(&d->pci, d->window + CAP_OFFSET, 4);
    *bytes = pci_config_get(&d->pci, d->window + CAP_BYTES, 4);
    return offset < data + 4 && offset + size > data && !pci_config_get(&d->pci, d->window + CAP_BAR, 1) &&
           (*bytes == 1 || *bytes == 2 || *bytes == 4) && *at < BAR_BYTES && *at % *bytes == 0;
}

static void config_before_read(struct pci_function *f, unsigned offset, unsigned size)
{
    struct virtio_device *d = f->owner;
    uint32_t at, bytes;

    if (window_open(d, offset, size, &at, &bytes))
        pci_config_set(f, d->window + CAP_DATA, 4, region_read(d, at, bytes));
}

static void config_after_write(struct pci_function *f, unsigned offset, unsigned size)
{
    struct virtio_device *d = f->owner;
    uint32_t at, bytes;

    if (window_open(d, offset, size, &at, &bytes))
        region_write(d, at, bytes, pci_config_get(f, d->window + CAP_DATA, bytes));
    if (pci_msix_enabled(&d->msix))
        pci_interrupt(f, false);
    pci_msix_written(&d->msix);
}

void virtio_init(struct virtio_device *d, const struct virtio_model *model, struct guest_storage *storage,
                 uint64_t features, const void *config, bool msix)
{
    const struct pci_identity id = {.vendor = PCI_VENDOR, .device = PCI_DEVICE_BASE + model->id,
                                    .subsystem_vendor = PCI_VENDOR, .subsystem = PCI_DEVICE_BASE + model->id,
                                    .class_code = model->class_code, .revision = PCI_REVISION};

    *d = (struct virtio_device){.storage = storage, .model = model, .config = config};
    d->offered = features | VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX;
    pci_function_init(&d->pci, &id, d);
    d->pci.bar[0] = (struct pci_bar){.kind = PCI_BAR_MEMORY32, .bytes = BAR_BYTES, .owner = d, .read = bar_read,
                                     .write = bar_write};
    d->pci.config_before_read = config_before_read;
    d->pci.config_after_write = config_after_write;
    d->pci.reset = machine_reset;
    capabilities_add(d);
    if (msix)
        pci_msix_init(&d->msix, &d->pci, MSIX_BAR, model->queues + 1);
    clear(d);
}
