/* The tables of the "MultiProcessor Specification" 1.4, by which kernels older than ACPI find their local APIC, and
 * where interrupts come in. Processors: the one there is. Buses: PCI is 0, ISA 1. */
#include <string.h>

#include "cp/device/ioapic.h"
#include "cp/device/lapic.h"
#include "cp/device/machine.h"
#include "cp/ipl/firmware.h"

enum entry_kind { PROCESSOR, BUS, IOAPIC, INTERRUPT, LOCAL_INTERRUPT };
enum interrupt_kind { INT, NMI, SMI, EXTINT };
enum { BUS_PCI, BUS_ISA, IOAPIC_ID = 0 /* what its register says */, ALL_APICS = 0xFF, REVISION_1_4 = 4,
       USABLE_BSP = 3, USABLE = 1 };
enum { ISA_IRQS = 16, CASCADE = 2, INTA = 0 };

struct pointer {
    char signature[4];
    uint32_t table;
    uint8_t paragraphs, revision, checksum, feature[5]; /* feature 0: there is a table, and no IMCR */
} __attribute__((packed));

struct header {
    char signature[4];
    uint16_t bytes;
    uint8_t revision, checksum;
    char oem[8], product[12];
    uint32_t oem_table;
    uint16_t oem_bytes, entries;
    uint32_t lapic;
    uint32_t reserved;
} __attribute__((packed));

struct processor_entry {
    uint8_t kind, apic_id, apic_version, flags;
    uint32_t signature, features, reserved[2];
} __attribute__((packed));

struct bus_entry {
    uint8_t kind, id;
    char name[6];
} __attribute__((packed));

struct ioapic_entry {
    uint8_t kind, id, version, flags;
    uint32_t address;
} __attribute__((packed));

struct interrupt_entry {
    uint8_t kind, type;
    uint16_t flags; /* 0: polarity and trigger are the bus's */
    uint8_t bus, irq, apic, pin;
} __attribute__((packed));
_Static_assert(sizeof(struct pointer) == 16 && sizeof(struct header) == 44 && sizeof(struct processor_entry) == 20,
               "MultiProcessor Specification");

struct writer {
    uint8_t *to;
    size_t used, size;
    unsigned entries;
};

static void put(struct writer *w, const void *entry, size_t bytes)
{
    if (w->size - w->used < bytes)
        return;
    memcpy(w->to + w->used, entry, bytes);
    w->used += bytes;
    w->entries++;
}

static void put_interrupt(struct writer *w, enum entry_kind kind, enum interrupt_kind type, uint8_t bus, uint8_t irq,
                          uint8_t apic, uint8_t pin)
{
    put(w, &(struct interrupt_entry){kind, type, 0, bus, irq, apic, pin}, sizeof(struct interrupt_entry));
}

static void put_isa(struct writer *w)
{
    for (uint8_t irq = 0; irq < ISA_IRQS; irq++)
        if (irq != CASCADE)
            put_interrupt(w, INTERRUPT, INT, BUS_ISA, irq, IOAPIC_ID,
                          irq == MACHINE_TIMER_IRQ ? MACHINE_TIMER_PIN : irq);
}

static void put_pci(struct writer *w)
{
    for (uint8_t slot = 0; slot < PCI_SLOTS; slot++)
        put_interrupt(w, INTERRUPT, INT, BUS_PCI, (uint8_t)(slot << 2 | INTA), IOAPIC_ID,
                      PCI_GSI_BASE + slot % PCI_GSIS);
}

static void put_entries(struct writer *w, const struct firmware_facts *f)
{
    put(w, &(struct processor_entry){PROCESSOR, 0, LAPIC_VERSION & 0xFF, USABLE_BSP, f->signature, f->features, {0}},
        sizeof(struct processor_entry));
    put(w, &(struct bus_entry){BUS, BUS_PCI, {'P', 'C', 'I', ' ', ' ', ' '}}, sizeof(struct bus_entry));
    put(w, &(struct bus_entry){BUS, BUS_ISA, {'I', 'S', 'A', ' ', ' ', ' '}}, sizeof(struct bus_entry));
    put(w, &(struct ioapic_entry){IOAPIC, IOAPIC_ID, IOAPIC_VERSION, USABLE, IOAPIC_BASE}, sizeof(struct ioapic_entry));
    put_isa(w);
    put_pci(w);
    put_interrupt(w, LOCAL_INTERRUPT, EXTINT, BUS_ISA, 0, ALL_APICS, 0);
    put_interrupt(w, LOCAL_INTERRUPT, NMI, BUS_ISA, 0, ALL_APICS, 1);
}

size_t firmware_mp(uint8_t *to, size_t size, uint32_t at, const struct firmware_facts *f)
{
    struct pointer pointer = {{'_', 'M', 'P', '_'}, at + sizeof pointer, 1, REVISION_1_4, 0, {0}};
    struct header header = {.signature = {'P', 'C', 'M', 'P'}, .revision = REVISION_1_4, .lapic = LAPIC_DEFAULT_BASE};
    size_t before = sizeof pointer + sizeof header;
    struct writer w = {.to = to, .used = before, .size = size};

    if (size < before)
        return 0;
    memcpy(header.oem, "VM/N    ", sizeof header.oem);
    memcpy(header.product, "VIRTUAL     ", sizeof header.product);
    put_entries(&w, f);
    header.bytes = (uint16_t)(w.used - sizeof pointer);
    header.entries = (uint16_t)w.entries;
    memcpy(to + sizeof pointer, &header, sizeof header);
    header.checksum = (uint8_t)-firmware_sum(to + sizeof pointer, header.bytes);
    memcpy(to + sizeof pointer, &header, sizeof header);
    pointer.checksum = (uint8_t)-firmware_sum(&pointer, sizeof pointer);
    memcpy(to, &pointer, sizeof pointer);
    return w.used;
}
