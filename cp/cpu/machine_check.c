/* Owns the machine-check registers of the processor and what is done when a #MC reaches CP itself.
 * SDM "Machine-Check Initialization", "Machine-Check Exception Handler"; APM "Machine Check Architecture". */
#include "cp/vcpu/machine_check.h"

#include "cp/cpu/cpu.h"
#include "cp/cpu/ops.h"
#include "cp/panic.h"
#include "cp/vcpu/edge.h"

enum { CPUID_1_EDX_MCE = 1 << 7, CPUID_1_EDX_MCA = 1 << 14 };
enum { MSR_MCG_CAP = 0x179, MSR_MCG_STATUS, MSR_MCG_CTL, MSR_MC0_CTL = 0x400, MC_CTL = 0, MC_STATUS, MC_ADDRESS,
       MC_REGISTERS = 4 };
enum { CAP_COUNT = 0xFF, CAP_HAS_CTL = 1 << 8, CAP_RECOVERS = 1 << 24 };
#define CR4_MCE (1ull << 6)

static unsigned banks; /* of the processor, as many as CP looks at */
static bool architecture, recovers;

static uint32_t bank_msr(unsigned bank, unsigned which)
{
    return MSR_MC0_CTL + MC_REGISTERS * bank + which;
}

unsigned cpu_machine_check_banks(void)
{
    return banks;
}

bool cpu_machine_check_under_way(void)
{
    return architecture && op_rdmsr(MSR_MCG_STATUS) & MACHINE_CHECK_UNDER_WAY;
}

void cpu_machine_check_take(struct machine_check *check)
{
    check->global = architecture ? op_rdmsr(MSR_MCG_STATUS) : 0;
    check->recovers = recovers;
    check->banks = 0;
    for (unsigned i = 0; i < banks; i++) {
        uint64_t status = op_rdmsr(bank_msr(i, MC_STATUS));
        if (!(status & MACHINE_CHECK_VALID))
            continue;
        uint64_t address = status & MACHINE_CHECK_HAS_ADDRESS ? op_rdmsr(bank_msr(i, MC_ADDRESS)) : 0;
        check->bank[check->banks++] = (struct machine_check_bank){i, status, address};
        op_wrmsr(bank_msr(i, MC_STATUS), 0);
    }
    if (check->global)
        op_wrmsr(MSR_MCG_STATUS, 0);
}

void cpu_machine_check_end(const struct machine_check *check)
{
    char text[120];

    machine_check_text(check, text, sizeof text);
    panic("machine check: %s", text);
}

void cpu_machine_check_trap(void)
{
    static struct machine_check check; /* another cannot come before this one's MCIP is cleared */

    cpu_machine_check_take(&check);
    if (!machine_check_in_cp(&check))
        cpu_machine_check_end(&check);
    cpu_events.pending = true;
}

static void banks_start(void)
{
    static struct machine_check left;
    uint64_t cap = op_rdmsr(MSR_MCG_CAP);

    architecture = true;
    recovers = cap & CAP_RECOVERS;
    banks = cap & CAP_COUNT;
    if (banks > MACHINE_CHECK_BANKS)
        banks = MACHINE_CHECK_BANKS;
    cpu_machine_check_take(&left);
    if (left.banks)
        machine_check_note(&left);
    if (cap & CAP_HAS_CTL)
        op_wrmsr(MSR_MCG_CTL, ~0ull);
    for (unsigned i = 0; i < banks; i++)
        op_wrmsr(bank_msr(i, MC_CTL), ~0ull);
}

void cpu_machine_check_start(void)
{
    uint32_t offered = op_cpuid(1, 0).edx;

    if (!(offered & CPUID_1_EDX_MCE))
        return;
    if (offered & CPUID_1_EDX_MCA)
        banks_start();
    op_write_cr4(op_read_cr4() | CR4_MCE);
}
