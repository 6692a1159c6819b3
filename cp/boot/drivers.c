#include "cp/boot/drivers.h"

#include <stddef.h>

#include "cp/cpu/cpu.h"
#include "cp/cpu/port.h"
#include "cp/dispatch/run.h"
#include "cp/driver/ata.h"
#include "cp/driver/virtio_blk.h"
#include "cp/storage/frame.h"

enum { PCI_PIN_FIRST = 16, PCI_PINS = 4, ISA_IRQS = 16 };

static struct line lines[TREE_UARTS];
static bool open[TREE_UARTS];
static unsigned line_count;
static struct tree_uart uarts[TREE_UARTS];
static struct ata_disk ata;
static struct virtio_blk_disk virtio;
static struct disk *system_disk;

static unsigned vector_of(unsigned gsi)
{
    return VECTOR_IRQ + gsi;
}

static void on_line(void *context)
{
    line_interrupt(context);
}

static void on_ata(void *context)
{
    ata_interrupt(context);
}

static void on_virtio(void *context)
{
    virtio_blk_interrupt(context);
}

static void ata_start(const struct tree_ata *where)
{
    if (system_disk || !ata_probe(&ata, where->command, where->control, where->irq, false))
        return;
    system_disk = &ata.disk;
    run_on_interrupt(vector_of(where->irq), on_ata, &ata);
    apic_route(where->irq, vector_of(where->irq), false);
}

/* An INTx line reaches the IOAPIC as one of four pins of its own, or as the ISA interrupt the firmware chose. */
static void virtio_start(void)
{
    void *memory = frame_alloc_run(&frame_cp_account, (VIRTIO_BLK_MEMORY_BYTES + PAGE_MASK) / PAGE_SIZE);

    if (!memory || !virtio_blk_probe(&virtio, 0, memory))
        return;
    system_disk = &virtio.disk;
    unsigned pin = PCI_PIN_FIRST + virtio.slot % PCI_PINS;
    run_on_interrupt(vector_of(pin), on_virtio, &virtio);
    apic_route(pin, vector_of(pin), true);
    if (virtio.irq == 0 || virtio.irq >= ISA_IRQS)
        return;
    run_on_interrupt(vector_of(virtio.irq), on_virtio, &virtio);
    apic_route(virtio.irq, vector_of(virtio.irq), true);
}

void drivers_start(const struct machine_facts *facts)
{
    apic_start(facts->lapic, facts->ioapic, facts->tsc_hz);
    line_count = facts->uarts;
    for (unsigned i = 0; i < line_count; i++)
        uarts[i] = facts->uart[i];
    if (facts->pci)
        virtio_start();
    for (unsigned i = 0; i < facts->atas; i++)
        ata_start(&facts->ata[i]);
}

void drivers_open(void)
{
    for (unsigned i = 0; i < line_count; i++) {
        if (!(open[i] = line_init(&lines[i], uarts[i].port, uarts[i].irq)))
            continue;
        run_on_interrupt(vector_of(uarts[i].irq), on_line, &lines[i]);
        apic_route(uarts[i].irq, vector_of(uarts[i].irq), false);
    }
}

unsigned drivers_lines(void) { return line_count; }
struct line *drivers_line(unsigned index) { return &lines[index]; }
struct disk *drivers_system_disk(void) { return system_disk; }

void drivers_drain(void)
{
    for (unsigned i = 0; i < line_count; i++)
        if (open[i])
            line_drain(&lines[i]);
}

void drivers_last_words(const char *text, unsigned length)
{
    static struct line last;

    if (!line_init(&last, line_count ? uarts[0].port : 0x3F8, line_count ? uarts[0].irq : 4))
        return;
    line_write(&last, text, length);
    line_drain(&last);
}
