/* Question: does a machine have machine checks as far as a kernel asks for them? CR4.MCE is the program's, its MSRs are
 * there, with no banks where there is a hypervisor. Then waits for a byte: `q` ends; `s` shuts down at the next
 * exception; `l` has a handler for it. */
#include "tests/guest/runtime/runtime.h"

enum { CR4_MCE = 1 << 6, MACHINE_CHECK = 18, GENERAL_PROTECTION = 13, MCG_CAP = 0x179, MCG_STATUS = 0x17A,
       MC0_STATUS = 0x401, CPUID_MCE = 1 << 7, CPUID_MCA = 1 << 14 };
#define CPUID_HYPERVISOR (1u << 31)

static volatile bool came;

static void handler(struct guest_frame *frame)
{
    (void)frame;
    came = true;
}

static void check_registers(bool hypervisor)
{
    uint64_t value;

    for (unsigned i = 0; i < 4; i++) {
        uint64_t wanted = i & 1 ? 0 : CR4_MCE;
        write_cr4((read_cr4() & ~(uint64_t)CR4_MCE) | wanted);
        guest_check_equal(read_cr4() & CR4_MCE, wanted, i & 1 ? "CR4.MCE cleared" : "CR4.MCE set");
    }
    guest_check_equal(guest_try_read_msr(MCG_CAP, &value), GUEST_NO_TRAP, "IA32_MCG_CAP is read");
    if (hypervisor)
        guest_check_equal(value & 0xFF, 0, "there are no banks");
    if (hypervisor)
        guest_check_equal(guest_try_read_msr(MC0_STATUS, &value), GENERAL_PROTECTION, "and none is read");
    guest_check_equal(guest_try_write_msr(MCG_STATUS, 0), GUEST_NO_TRAP, "IA32_MCG_STATUS is cleared");
    guest_check_equal(rdmsr(MCG_STATUS), 0, "IA32_MCG_STATUS is 0");
}

static void shut_down(void)
{
    static const struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) empty = {0, 0};

    __asm__ volatile("lidt %0" : : "m"(empty));
}

int guest_main(void)
{
    struct guest_cpuid one = cpuid(1, 0);

    guest_check_equal(one.edx & (CPUID_MCE | CPUID_MCA), CPUID_MCE | CPUID_MCA, "CPUID says so");
    check_registers(one.ecx & CPUID_HYPERVISOR);
    guest_print("ready\n");
    int what = guest_get();
    if (what == 'q')
        return (int)guest_failures;
    if (what == 's')
        shut_down();
    guest_handle(MACHINE_CHECK, handler);
    guest_print("waiting\n");
    while (!came)
        __asm__ volatile("pause");
    guest_print("a machine check came\n");
    return (int)guest_failures;
}
