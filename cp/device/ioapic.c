/* Redirection entries (Intel 82093AA data sheet, with the later EOI register). */
#include "cp/device/ioapic.h"

#include <string.h>

#include "cp/device/lapic.h"

enum { IOREGSEL = 0x00, IOWIN = 0x10, IOEOI = 0x40 };
enum { REG_ID = 0, REG_VERSION = 1, REG_ARBITRATION = 2, REG_ENTRIES = 0x10, ID_BITS = 0x0f000000 };
enum { ENTRY_LOGICAL = 1 << 11, ENTRY_REMOTE_IRR = 1 << 14, ENTRY_LEVEL = 1 << 15, ENTRY_MASKED = 1 << 16 };
#define ENTRY_WRITABLE UINT64_C(0xff0000000001afff) /* all but delivery status and remote IRR */

/* Remote IRR is set only for an interrupt that an EOI will end: an NMI, or an interrupt that no CPU took, must not
 * block its pin for good. */
static void send(struct ioapic *ioapic, uint64_t *entry)
{
    const struct lapic_message message = {
        .vector = *entry, .delivery = *entry >> 8 & 7, .logical = *entry & ENTRY_LOGICAL,
        .level = *entry & ENTRY_LEVEL, .destination = *entry >> 56,
    };

    if (ioapic->deliver(ioapic->context, &message) && message.level && message.delivery <= LAPIC_LOWEST)
        *entry |= ENTRY_REMOTE_IRR;
}

static void serve_level(struct ioapic *ioapic, unsigned pin)
{
    uint64_t *entry = &ioapic->entry[pin];

    if ((ioapic->levels & 1u << pin) && (*entry & (ENTRY_LEVEL | ENTRY_MASKED | ENTRY_REMOTE_IRR)) == ENTRY_LEVEL)
        send(ioapic, entry);
}

void ioapic_set(struct ioapic *ioapic, unsigned pin, bool level)
{
    uint32_t bit = 1u << pin;
    bool rising = level && !(ioapic->levels & bit);

    ioapic->levels = level ? ioapic->levels | bit : ioapic->levels & ~bit;
    if (rising && !(ioapic->entry[pin] & (ENTRY_LEVEL | ENTRY_MASKED)))
        send(ioapic, &ioapic->entry[pin]);
    else
        serve_level(ioapic, pin);
}

void ioapic_eoi(struct ioapic *ioapic, unsigned vector)
{
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        uint64_t *entry = &ioapic->entry[pin];

        if ((*entry & 0xff) != vector || !(*entry & ENTRY_REMOTE_IRR))
            continue;
        *entry &= ~(uint64_t)ENTRY_REMOTE_IRR;
        serve_level(ioapic, pin);
    }
}

bool ioapic_delivers(const struct ioapic *ioapic, unsigned delivery)
{
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
        if (!(ioapic->entry[pin] & ENTRY_MASKED) && (ioapic->entry[pin] >> 8 & 7) == delivery)
            return true;
    return false;
}

static uint32_t register_read(const struct ioapic *ioapic, unsigned select)
{
    unsigned pin = (select - REG_ENTRIES) / 2;

    switch (select) {
    case REG_ID:
    case REG_ARBITRATION: return ioapic->id;
    case REG_VERSION: return IOAPIC_VERSION | (IOAPIC_PINS - 1) << 16;
    }
    if (select < REG_ENTRIES || pin >= IOAPIC_PINS)
        return 0;
    return select & 1 ? ioapic->entry[pin] >> 32 : ioapic->entry[pin];
}

/* Making an entry edge-triggered clears its remote IRR: this is how software acknowledges without the EOI register. */
static void entry_write(struct ioapic *ioapic, unsigned pin, bool high, uint32_t value)
{
    uint64_t *entry = &ioapic->entry[pin];
    uint64_t half = high ? (uint64_t)value << 32 : value;
    uint64_t changes = ENTRY_WRITABLE & (high ? ~UINT64_C(0) << 32 : UINT32_MAX);

    *entry = (*entry & ~changes) | (half & changes);
    if (!(*entry & ENTRY_LEVEL))
        *entry &= ~(uint64_t)ENTRY_REMOTE_IRR;
    serve_level(ioapic, pin);
}

static void register_write(struct ioapic *ioapic, unsigned select, uint32_t value)
{
    unsigned pin = (select - REG_ENTRIES) / 2;

    if (select == REG_ID)
        ioapic->id = value & ID_BITS;
    else if (select >= REG_ENTRIES && pin < IOAPIC_PINS)
        entry_write(ioapic, pin, select & 1, value);
}

static uint64_t mmio_read(void *device, uint64_t offset, unsigned size)
{
    struct ioapic *ioapic = device;
    uint32_t value = 0;

    (void)size; /* the bus cuts it */
    if ((offset & ~UINT64_C(3)) == IOREGSEL)
        value = ioapic->select;
    else if ((offset & ~UINT64_C(3)) == IOWIN)
        value = register_read(ioapic, ioapic->select);
    return value >> 8 * (offset & 3);
}

static void mmio_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct ioapic *ioapic = device;

    if (offset == IOREGSEL)
        ioapic->select = value;
    else if (offset == IOWIN && size >= 4)
        register_write(ioapic, ioapic->select, value);
    else if (offset == IOEOI)
        ioapic_eoi(ioapic, value & 0xff);
}

void ioapic_reset(struct ioapic *ioapic)
{
    ioapic->select = 0;
    ioapic->id = 0;
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
        ioapic->entry[pin] = ENTRY_MASKED;
}

void ioapic_init(struct ioapic *ioapic, struct bus *bus, bool (*deliver)(void *, const struct lapic_message *),
                 void *context)
{
    const struct bus_mmio page = {.first = IOAPIC_BASE, .last = IOAPIC_BASE + 0xfff, .device = ioapic,
                                  .read = mmio_read, .write = mmio_write};

    memset(ioapic, 0, sizeof *ioapic);
    ioapic->deliver = deliver;
    ioapic->context = context;
    ioapic_reset(ioapic);
    bus_claim_mmio(bus, &page);
}
