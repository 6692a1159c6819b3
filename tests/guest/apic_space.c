/* Question: does the space of the interrupt controllers' registers hold the registers that are there, and nothing
 * behind or between them? MSRs 800H to BFFH are #GP where x2APIC has none; the IOAPIC has 64 indices and answers 0 to
 * the others, which end Bochs itself. SDM "x2APIC Register Address Space". */
#include "tests/guest/runtime/runtime.h"

#include <string.h>

enum { MSR_BASE = 0x1B, EN = 1 << 11, EXTD = 1 << 10, FIRST = 0x800, END = 0xC00, IOAPIC = 0xFEC00000,
       APIC = 0xFEE00000, VECTOR_GP = 13 };

static bool readable(uint32_t msr)
{
    static const struct {
        uint16_t first, last;
    } there[] = {{0x802, 0x803}, {0x808, 0x808}, {0x80A, 0x80A}, {0x80D, 0x80D},
                 {0x80F, 0x828}, {0x830, 0x830}, {0x832, 0x839}, {0x83E, 0x83E}};

    for (unsigned i = 0; i < sizeof there / sizeof *there; i++)
        if (msr >= there[i].first && msr <= there[i].last)
            return true;
    return false;
}

/* 82FH, the LVT of corrected machine checks, is there or not. */
static void x2apic(void)
{
    unsigned wrong_reads = 0, wrong_writes = 0, in_xapic = 0;
    uint64_t value;

    for (uint32_t msr = FIRST; msr < END; msr++)
        in_xapic += guest_try_read_msr(msr, &value) != VECTOR_GP;
    guest_check_equal(in_xapic, 0, "none of them in xAPIC mode");
    wrmsr(MSR_BASE, rdmsr(MSR_BASE) | EXTD);
    for (uint32_t msr = FIRST; msr < END; msr++) {
        if (msr == 0x82F)
            continue;
        bool there = guest_try_read_msr(msr, &value) == GUEST_NO_TRAP;
        if (there != readable(msr))
            guest_print("  MSR %#x is %s\n", msr, there ? "there" : "not there");
        wrong_reads += there != readable(msr);
        /* of each some bit is reserved, or it is only read */
        bool taken = guest_try_write_msr(msr, ~0ull) == GUEST_NO_TRAP;
        if (taken && msr != 0x830) /* of the ICR in Bochs no bit is */
            guest_print("  MSR %#x takes all bits\n", msr);
        wrong_writes += taken && msr != 0x830;
    }
    guest_check_equal(wrong_reads, 0, "registers that are there read, others fault");
    guest_check_equal(wrong_writes, 0, "none takes all bits");
    wrmsr(MSR_BASE, rdmsr(MSR_BASE) & ~(uint64_t)(EN | EXTD));
}

static void ioapic(void)
{
    unsigned left = 0;

    mmio_write(IOAPIC, 1);
    unsigned last = 0x10 + 2 * (mmio_read(IOAPIC + 0x10) >> 16 & 0xFF) + 1;
    for (unsigned i = last + 1; i < 0x100; i++) {
        mmio_write(IOAPIC, i);
        mmio_write(IOAPIC + 0x10, 0x5A5A5A5A);
        uint32_t found = mmio_read(IOAPIC + 0x10);
        if (found && found != ~0u)
            guest_print("  index %#x is %#x\n", i, found), left++;
    }
    guest_check_equal(left, 0, "no IOAPIC register beyond the last");
}

/* Behind the registers and between them nothing is kept. */
static void page(void)
{
    unsigned kept = 0;

    for (unsigned at = 0x400; at < 0x1000; at += 16) {
        mmio_write(APIC + at, 0x12345678);
        uint32_t found = mmio_read(APIC + at);
        kept += found != 0 && found != ~0u;
        if (found != 0 && found != ~0u)
            guest_print("  offset %#x is %#x\n", at, found);
    }
    guest_check_equal(kept, 0, "no APIC register beyond 3F0H");
}

int guest_main(void)
{
    page();
    ioapic();
    x2apic();
    guest_print("end\n");
    return (int)guest_failures;
}
