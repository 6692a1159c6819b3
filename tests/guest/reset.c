/* Question: is the processor after a reset as after power-up? Checks what it finds, waits for a byte, leaves every
 * register that a reset must clear otherwise, and is reset: `b` by the board, `i` by an INIT to itself; `q` ends.
 * What IPL or the loader set is not looked at. SDM "Processor State After Reset". */
#include "tests/guest/runtime/runtime.h"

enum { SOON = 1 << 30, MSR_X2APIC_ICR = 0x830, INIT_SELF = 5 << 8 | 1 << 14, APIC_ICR = 0xFEE00300 };
enum { CR4_OSFXSR = 1 << 9, CR4_OSXSAVE = 1 << 18, OFFERS_XSAVE = 1 << 26, OFFERS_TSC_AUX = 1 << 27 };

static const struct {
    const char *name;
    uint32_t number;
    uint64_t reset, other;
} msrs[] = {
    {"IA32_SYSENTER_CS", 0x174, 0, 8},
    {"IA32_SYSENTER_ESP", 0x175, 0, 0x1000},
    {"IA32_SYSENTER_EIP", 0x176, 0, 0x2000},
    {"IA32_DEBUGCTL", 0x1D9, 0, 2},
    {"IA32_PAT", 0x277, 0x0007040600070406, 0x0606060606060606},
    {"IA32_STAR", 0xC0000081, 0, 0x0018000800000000},
    {"IA32_LSTAR", 0xC0000082, 0, 0x3000},
    {"IA32_CSTAR", 0xC0000083, 0, 0x4000},
    {"IA32_FMASK", 0xC0000084, 0, 0x200},
    {"IA32_KERNEL_GS_BASE", 0xC0000102, 0, 0x5000},
};
#define EACH_MSR(i) for (unsigned i = 0; i < sizeof msrs / sizeof *msrs; i++)

static _Alignas(16) uint8_t fpu[512];

static bool offers_xsave(void) { return cpuid(1, 0).ecx & OFFERS_XSAVE; }
static bool offers_tsc_aux(void) { return cpuid(0x80000001, 0).edx & OFFERS_TSC_AUX; }

static uint64_t read_xcr0(void)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static void check_fpu(void)
{
    uint64_t vector = 0;

    write_cr4(read_cr4() | CR4_OSFXSR);
    __asm__ volatile("fxsave %0" : "=m"(fpu));
    guest_check_equal(*(uint16_t *)fpu, 0x40, "x87 control word");
    guest_check_equal(*(uint32_t *)(fpu + 24), 0x1F80, "MXCSR");
    for (unsigned i = 0; i < 16 * 16; i++)
        vector |= fpu[160 + i];
    guest_check_equal(vector, 0, "XMM0 to XMM15");
}

static void check(void)
{
    guest_check(rdtsc() < SOON * 16ull, "the TSC began anew");
    guest_check_equal(read_dr0() | read_dr1() | read_dr2() | read_dr3(), 0, "DR0 to DR3");
    guest_check_equal(read_dr6(), 0xFFFF0FF0, "DR6");
    guest_check_equal(read_dr7(), 0x400, "DR7");
    guest_check_equal(read_cr2(), 0, "CR2");
    EACH_MSR(i)
        guest_check_equal(rdmsr(msrs[i].number), msrs[i].reset, msrs[i].name);
    if (offers_tsc_aux())
        guest_check_equal(rdmsr(0xC0000103), 0, "IA32_TSC_AUX");
    check_fpu();
    if (!offers_xsave())
        return;
    write_cr4(read_cr4() | CR4_OSXSAVE);
    guest_check_equal(read_xcr0(), 1, "XCR0");
}

static void leave_otherwise(void)
{
    static const uint32_t mxcsr = 0x1FA0;

    write_dr0(0x1111), write_dr1(0x2222), write_dr2(0x3333), write_dr3(0x4444);
    write_dr6(0xFFFF4FF1), write_dr7(0x700);
    write_cr2(0x5555);
    EACH_MSR(i)
        wrmsr(msrs[i].number, msrs[i].other);
    if (offers_tsc_aux())
        wrmsr(0xC0000103, 7);
    wrmsr(0x10, 1ull << 50);
    __asm__ volatile("fninit\n ldmxcsr %0\n pcmpeqd %%xmm0, %%xmm0\n movdqa %%xmm0, %%xmm15" : : "m"(mxcsr));
    if (offers_xsave())
        __asm__ volatile("xsetbv" : : "c"(0), "a"(cpuid(0xD, 0).eax & 7), "d"(0));
}

int guest_main(void)
{
    check();
    guest_print(guest_failures ? "not as after power-up\n" : "as after power-up\n");
    int how = guest_get();
    if (how == 'q')
        return (int)guest_failures;
    leave_otherwise();
    if (how == 'i')
        mmio_write(APIC_ICR, INIT_SELF);
    outb(0xCF9, 6);
    for (;;)
        ;
}
