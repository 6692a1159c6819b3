#include "cp/boot/discover.h"

#include <stddef.h>

#include "cp/boot/tree_pc.h"
#include "cp/cpu/ops.h"
#include "cp/cpu/port.h"
#include "cp/driver/clock.h"
#include "cp/driver/virtio_console.h"
#include "cp/storage/frame.h"

enum { MULTIBOOT_MAGIC = 0x2BADB002, TREE_BYTES = 16384, FREE_PIECES = 16, TAKEN = 2 };
enum { UART_SCRATCH = 7, SCRATCH_TRY = 0x5A, ATA_STATUS = 7, ATA_FLOATING = 0xFF };
enum { MSR_APIC_BASE = 0x1B, CPUID_1_EDX_APIC = 1 << 9, IOAPIC_DEFAULT = 0xFEC00000, IOAPIC_VERSION = 1,
       PCI_CONFIG = 0xCF8 };
enum { SLEEP_ENABLE = 0x2000, RESET_PORT = 0xCF9, RESET_NOW = 6, BOCHS_POWER = 0xB004, PIIX_POWER = 0x604 };
#define MAPPED_AT_BOOT (4ull << 30)
#define GIB (1ull << 30)
#define APIC_ADDRESS 0x000FFFFFFFFFF000ull
#define PAGE_1G_WRITABLE 0x83ull

extern char cp_image_start[], cp_image_end[];
extern uint64_t boot_pdpt[512];

static uint8_t tree[TREE_BYTES] __attribute__((aligned(8)));

static const void *physical(uint64_t address, uint64_t bytes)
{
    return address + bytes <= MAPPED_AT_BOOT && address + bytes >= address ? (const void *)(uintptr_t)address : NULL;
}

static bool uart_answers(uint16_t port)
{
    port_out8((uint16_t)(port + UART_SCRATCH), SCRATCH_TRY);
    return port_in8((uint16_t)(port + UART_SCRATCH)) == SCRATCH_TRY;
}

static void uarts_find(struct pc_facts *pc)
{
    static const struct tree_uart usual[] = {{0x3F8, 4}, {0x2F8, 3}, {0x3E8, 4}, {0x2E8, 3}};

    for (unsigned i = 0; i < sizeof usual / sizeof *usual; i++)
        if (uart_answers(usual[i].port))
            pc->uart[pc->uarts++] = usual[i];
}

static void ata_find(struct pc_facts *pc)
{
    static const struct tree_ata usual[] = {{0x1F0, 0x3F6, 14}, {0x170, 0x376, 15}};

    for (unsigned i = 0; i < sizeof usual / sizeof *usual; i++)
        if (port_in8((uint16_t)(usual[i].command + ATA_STATUS)) != ATA_FLOATING)
            pc->ata[pc->atas++] = usual[i];
}

static bool pci_answers(void)
{
    port_out32(PCI_CONFIG, 0x80000000u);
    return port_in32(PCI_CONFIG) == 0x80000000u;
}

static void consoles_find(struct pc_facts *pc)
{
    struct pci_address at;

    while (pc->consoles < TREE_CONSOLES &&
           pci_find(VIRTIO_CONSOLE_ID, VIRTIO_CONSOLE_ID_TRANSITIONAL, pc->consoles, &at))
        pc->console[pc->consoles++] = (struct tree_pci){at.bus, at.slot, at.function};
}

static uint64_t ioapic_find(void)
{
    volatile uint32_t *io = (volatile uint32_t *)(uintptr_t)IOAPIC_DEFAULT;

    io[0] = IOAPIC_VERSION;
    uint32_t version = io[4];
    return version != 0xFFFFFFFFu && version ? IOAPIC_DEFAULT : 0;
}

/* A PC tells little of itself: what answers at the usual places is there. */
static void probe(struct pc_facts *pc)
{
    struct cpuid_result features = op_cpuid(1, 0);

    pc->tsc_hz = clock_measure_tsc();
    pc->apic_id = features.ebx >> 24;
    if (features.edx & CPUID_1_EDX_APIC)
        pc->lapic = op_rdmsr(MSR_APIC_BASE) & APIC_ADDRESS;
    pc->ioapic = ioapic_find();
    pc->pci = pci_answers();
    if (pc->pci)
        consoles_find(pc);
    pc->poweroff = (struct tree_register){BOCHS_POWER, 2, SLEEP_ENABLE};
    pc->reboot = (struct tree_register){RESET_PORT, 1, RESET_NOW};
    uarts_find(pc);
    ata_find(pc);
}

bool discover(uint32_t magic, uint64_t information, struct machine_facts *facts, struct tree_fault *fault)
{
    const struct pc_facts pc = {.multiboot = (uint32_t)information, .physical = physical, .probe = probe};

    if (magic != MULTIBOOT_MAGIC) {
        *fault = (struct tree_fault){"/", "not loaded by a multiboot 1 loader"};
        return false;
    }
    size_t bytes = tree_pc_build(tree, sizeof tree, &pc, fault);
    return bytes && machine_facts_read(tree, bytes, facts, fault);
}

/* One to one, as far as the CPU's 1 GiB pages go; without them what was mapped at boot must do. */
static uint64_t map_up_to(uint64_t end)
{
    bool gigabyte_pages = op_cpuid(0x80000001, 0).edx >> 26 & 1;

    if (!gigabyte_pages)
        return MAPPED_AT_BOOT;
    for (uint64_t at = MAPPED_AT_BOOT; at < end && at < 512 * GIB; at += GIB)
        boot_pdpt[at / GIB] = at | PAGE_1G_WRITABLE;
    return 512 * GIB;
}

/* The first MiB is left alone: firmware's data, and small enough not to be missed. */
void discover_storage(const struct machine_facts *facts)
{
    const uint64_t image = (uint64_t)cp_image_start, image_end = (uint64_t)cp_image_end;
    const struct tree_range taken[TAKEN] = {{0, 1 << 20}, {image, image_end - image}};

    for (unsigned i = 0; i < facts->memories; i++) {
        struct tree_range piece[FREE_PIECES];
        uint64_t mapped = map_up_to(facts->memory[i].start + facts->memory[i].bytes);
        unsigned n = machine_facts_free(facts, &facts->memory[i], taken, TAKEN, piece, FREE_PIECES);
        for (unsigned k = 0; k < n; k++)
            if (piece[k].start + piece[k].bytes <= mapped)
                frame_add(hpa(piece[k].start), piece[k].bytes);
    }
}
