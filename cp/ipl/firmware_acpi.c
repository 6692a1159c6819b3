/* "ACPI Specification" 6.4, "ACPI Software Programming Model"; SPCR and DBG2 are Microsoft's ("Serial Port Console
 * Redirection Table", "Debug Port Table 2"). Revisions are the oldest that say all that there is: FADT 3, MADT 3. */
#include <string.h>

#include "cp/device/ioapic.h"
#include "cp/device/lapic.h"
#include "cp/device/machine.h"
#include "cp/device/power.h"
#include "cp/ipl/dsdt.h"
#include "cp/ipl/firmware.h"

enum { SCI = 9 /* never asserted: no event ever comes */, RESET_VALUE = 6, CMOS_CENTURY = 0x32 };
enum { BAUD_115200 = 7, VT_UTF8 = 2, FULL_16550 = 0, SERIAL_PORT = 0x8000, NO_PCI = 0xFFFF };

struct header {
    char signature[4];
    uint32_t bytes;
    uint8_t revision, checksum;
    char oem[6], oem_table[8];
    uint32_t oem_revision;
    char creator[4];
    uint32_t creator_revision;
} __attribute__((packed));

struct rsdp {
    char signature[8];
    uint8_t checksum;
    char oem[6];
    uint8_t revision;
    uint32_t rsdt, bytes;
    uint64_t xsdt;
    uint8_t extended_checksum, reserved[3];
} __attribute__((packed));
enum { RSDP_1_0 = 20 /* what the first checksum is of */ };
_Static_assert(sizeof(struct rsdp) == FIRMWARE_RSDP_BYTES, "Root System Description Pointer");

/* "Generic Address Structure" */
struct address {
    uint8_t space, bits, offset, access;
    uint64_t at;
} __attribute__((packed));
enum { PORTS = 1, BYTES = 1, WORDS = 2, DWORDS = 3 };

struct fadt {
    struct header header;
    uint32_t facs, dsdt;
    uint8_t reserved1, profile;
    uint16_t sci;
    uint32_t smi_command;
    uint8_t acpi_enable, acpi_disable, s4bios, pstate;
    uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control, pm_timer, gpe0, gpe1;
    uint8_t pm1_event_bytes, pm1_control_bytes, pm2_control_bytes, pm_timer_bytes, gpe0_bytes, gpe1_bytes, gpe1_base,
        cstate;
    uint16_t c2_latency, c3_latency, flush_size, flush_stride;
    uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
    uint16_t boot_architecture;
    uint8_t reserved2;
    uint32_t flags;
    struct address reset;
    uint8_t reset_value;
    uint16_t arm;
    uint8_t minor;
    uint64_t x_facs, x_dsdt;
    struct address x_pm1a_event, x_pm1b_event, x_pm1a_control, x_pm1b_control, x_pm2_control, x_pm_timer, x_gpe0,
        x_gpe1;
} __attribute__((packed));
_Static_assert(sizeof(struct fadt) == 244, "Fixed ACPI Description Table");
enum { LEGACY_DEVICES = 1 << 0, HAS_8042 = 1 << 1 };
enum { WBINVD = 1 << 0, PROC_C1 = 1 << 2, NO_POWER_BUTTON = 1 << 4, NO_SLEEP_BUTTON = 1 << 5, NO_RTC_WAKE = 1 << 6,
       TIMER_32_BITS = 1 << 8, RESET_REGISTER = 1 << 10, NO_LATENCY_C2 = 101, NO_LATENCY_C3 = 1001 };

struct facs {
    char signature[4];
    uint32_t bytes, hardware, vector, lock, flags;
    uint64_t x_vector;
    uint8_t version, reserved[31];
} __attribute__((packed));
enum { FACS_ALIGNMENT = 64 };
_Static_assert(sizeof(struct facs) == 64, "Firmware ACPI Control Structure");

enum madt_kind { MADT_LAPIC, MADT_IOAPIC, MADT_OVERRIDE, MADT_LAPIC_NMI = 4 };
enum { ENABLED = 1, PCAT_COMPATIBLE = 1, ALL_PROCESSORS = 0xFF, ISA = 0, BUS_SENSE = 0, LEVEL_HIGH = 0xD, LINT1 = 1 };
struct madt {
    struct header header;
    uint32_t lapic_at, flags;
    struct {
        uint8_t kind, bytes, processor, id;
        uint32_t flags;
    } __attribute__((packed)) lapic;
    struct {
        uint8_t kind, bytes, id, reserved;
        uint32_t at, gsi_base;
    } __attribute__((packed)) ioapic;
    struct {
        uint8_t kind, bytes, bus, irq;
        uint32_t gsi;
        uint16_t sense;
    } __attribute__((packed)) override[2];
    struct {
        uint8_t kind, bytes, processor;
        uint16_t sense;
        uint8_t lint;
    } __attribute__((packed)) nmi;
} __attribute__((packed));

/* \UART, which the DSDT asks for. AML: NameOp, the name's segment, ByteConst. */
struct ssdt {
    struct header header;
    uint8_t name_op;
    char name[4];
    uint8_t byte_prefix, uarts;
} __attribute__((packed));

struct spcr {
    struct header header;
    uint8_t interface, reserved1[3];
    struct address base;
    uint8_t interrupt_kind, irq;
    uint32_t gsi;
    uint8_t baud, parity, stop_bits, flow, terminal, language;
    uint16_t pci_device, pci_vendor;
    uint8_t pci_bus, pci_slot, pci_function;
    uint32_t pci_flags;
    uint8_t pci_segment;
    uint32_t reserved2;
} __attribute__((packed));
_Static_assert(sizeof(struct spcr) == 80, "Serial Port Console Redirection Table");
enum { BY_8259 = 1 << 0, BY_IOAPIC = 1 << 1, ONE_STOP_BIT = 1 };

#define CONSOLE_NAME "\\_SB.PCI0.ISA.COM1"
struct dbg2 {
    struct header header;
    uint32_t devices_at, devices;
    struct dbg2_device {
        uint8_t revision;
        uint16_t bytes;
        uint8_t registers;
        uint16_t name_bytes, name_at, oem_bytes, oem_at, kind, subkind, reserved, base_at, size_at;
        struct address base;
        uint32_t size;
        char name[sizeof CONSOLE_NAME];
    } __attribute__((packed)) device;
} __attribute__((packed));

struct writer {
    uint8_t *to;
    size_t used, size;
    uint32_t at;
    bool full; /* something found no room; then there is no ACPI */
};

static uint32_t put(struct writer *w, const void *data, size_t bytes, size_t alignment)
{
    size_t begin = (w->used + alignment - 1) & ~(alignment - 1);
    if (begin > w->size || w->size - begin < bytes) {
        w->full = true;
        return 0;
    }
    memcpy(w->to + begin, data, bytes);
    w->used = begin + bytes;
    return w->at + (uint32_t)begin;
}

/* Its address. `table` begins with a struct header, which is filled in. */
static uint32_t put_table(struct writer *w, const char *signature, uint8_t revision, void *table, size_t bytes)
{
    struct header *header = table;
    *header = (struct header){.bytes = (uint32_t)bytes, .revision = revision, .oem_revision = 1, .creator_revision = 1};
    memcpy(header->signature, signature, sizeof header->signature);
    memcpy(header->oem, "VMN   ", sizeof header->oem);
    memcpy(header->oem_table, "MACHINE ", sizeof header->oem_table);
    memcpy(header->creator, "VMN ", sizeof header->creator);
    header->checksum = (uint8_t)-firmware_sum(table, bytes);
    return put(w, table, bytes, 8);
}
#define PUT_TABLE(signature, revision, table) put_table(w, signature, revision, &(table), sizeof(table))

static struct address port(uint16_t at, uint8_t bytes, uint8_t access)
{
    return (struct address){PORTS, (uint8_t)(8 * bytes), 0, access, at};
}

static uint32_t put_fadt(struct writer *w)
{
    struct facs facs = {.signature = {'F', 'A', 'C', 'S'}, .bytes = sizeof facs, .version = 1};
    uint32_t facs_at = put(w, &facs, sizeof facs, FACS_ALIGNMENT);
    uint32_t dsdt_at = put(w, acpi_dsdt, acpi_dsdt_bytes, 8);
    struct fadt fadt = {
        .facs = facs_at, .x_facs = facs_at, .dsdt = dsdt_at, .x_dsdt = dsdt_at, .sci = SCI,
        .pm1a_event = POWER_PM1_EVENT, .pm1_event_bytes = 4, .x_pm1a_event = port(POWER_PM1_EVENT, 4, WORDS),
        .pm1a_control = POWER_PM1_CONTROL, .pm1_control_bytes = 2, .x_pm1a_control = port(POWER_PM1_CONTROL, 2, WORDS),
        .pm_timer = POWER_PM_TIMER, .pm_timer_bytes = 4, .x_pm_timer = port(POWER_PM_TIMER, 4, DWORDS),
        .c2_latency = NO_LATENCY_C2, .c3_latency = NO_LATENCY_C3, .century = CMOS_CENTURY,
        .boot_architecture = LEGACY_DEVICES | HAS_8042,
        .flags = WBINVD | PROC_C1 | NO_POWER_BUTTON | NO_SLEEP_BUTTON | NO_RTC_WAKE | TIMER_32_BITS | RESET_REGISTER,
        .reset = port(POWER_RESET_CONTROL, 1, BYTES), .reset_value = RESET_VALUE};
    return PUT_TABLE("FACP", 3, fadt);
}

static uint32_t put_madt(struct writer *w)
{
    struct madt madt = {
        .lapic_at = LAPIC_DEFAULT_BASE, .flags = PCAT_COMPATIBLE,
        .lapic = {MADT_LAPIC, sizeof madt.lapic, 0, 0, ENABLED},
        .ioapic = {MADT_IOAPIC, sizeof madt.ioapic, 0, 0, IOAPIC_BASE, 0},
        .override = {{MADT_OVERRIDE, sizeof *madt.override, ISA, MACHINE_TIMER_IRQ, MACHINE_TIMER_PIN, BUS_SENSE},
                     {MADT_OVERRIDE, sizeof *madt.override, ISA, SCI, SCI, LEVEL_HIGH}},
        .nmi = {MADT_LAPIC_NMI, sizeof madt.nmi, ALL_PROCESSORS, BUS_SENSE, LINT1}};
    return PUT_TABLE("APIC", 3, madt);
}

static uint32_t put_ssdt(struct writer *w, unsigned uarts)
{
    enum { NAME_OP = 0x08, BYTE_PREFIX = 0x0A };
    struct ssdt ssdt = {.name_op = NAME_OP, .name = {'U', 'A', 'R', 'T'}, .byte_prefix = BYTE_PREFIX,
                        .uarts = (uint8_t)uarts};
    return PUT_TABLE("SSDT", 2, ssdt);
}

static uint32_t put_spcr(struct writer *w)
{
    struct spcr spcr = {
        .interface = FULL_16550, .base = port(machine_uarts[0].port, 1, BYTES), .interrupt_kind = BY_8259 | BY_IOAPIC,
        .irq = machine_uarts[0].irq, .gsi = machine_uarts[0].irq, .baud = BAUD_115200, .stop_bits = ONE_STOP_BIT,
        .terminal = VT_UTF8, .pci_device = NO_PCI, .pci_vendor = NO_PCI};
    return PUT_TABLE("SPCR", 2, spcr);
}

static uint32_t put_dbg2(struct writer *w)
{
    struct dbg2 dbg2 = {
        .devices_at = offsetof(struct dbg2, device), .devices = 1,
        .device = {.bytes = sizeof dbg2.device, .registers = 1, .name_bytes = sizeof dbg2.device.name,
                   .name_at = offsetof(struct dbg2_device, name), .kind = SERIAL_PORT, .subkind = FULL_16550,
                   .base_at = offsetof(struct dbg2_device, base), .size_at = offsetof(struct dbg2_device, size),
                   .base = port(machine_uarts[0].port, 1, BYTES), .size = 8, .name = CONSOLE_NAME}};
    return PUT_TABLE("DBG2", 0, dbg2);
}

enum { TABLES = 5 };

bool firmware_acpi(uint8_t *to, size_t size, uint32_t at, const struct firmware_facts *f,
                   uint8_t pointer[FIRMWARE_RSDP_BYTES])
{
    struct writer writer = {.to = to, .size = size, .at = at}, *w = &writer;
    uint32_t table[TABLES] = {put_fadt(w), put_madt(w), put_ssdt(w, f->machine->uarts), put_spcr(w), put_dbg2(w)};
    struct {
        struct header header;
        uint32_t table[TABLES];
    } __attribute__((packed)) rsdt;
    struct {
        struct header header;
        uint64_t table[TABLES];
    } __attribute__((packed)) xsdt;
    struct rsdp rsdp = {.signature = {'R', 'S', 'D', ' ', 'P', 'T', 'R', ' '}, .oem = {'V', 'M', 'N', ' ', ' ', ' '},
                        .revision = 2, .bytes = sizeof rsdp};

    for (unsigned i = 0; i < TABLES; i++)
        rsdt.table[i] = table[i], xsdt.table[i] = table[i];
    rsdp.rsdt = PUT_TABLE("RSDT", 1, rsdt);
    rsdp.xsdt = PUT_TABLE("XSDT", 1, xsdt);
    rsdp.checksum = (uint8_t)-firmware_sum(&rsdp, RSDP_1_0);
    rsdp.extended_checksum = (uint8_t)-firmware_sum(&rsdp, sizeof rsdp);
    if (w->full)
        memset(&rsdp, 0, sizeof rsdp);
    memcpy(pointer, &rsdp, sizeof rsdp);
    return !w->full;
}
