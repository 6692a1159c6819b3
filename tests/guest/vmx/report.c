/* How an exit and a VMX instruction's outcome are printed: only what the manual defines for it, and nothing that
 * depends on where the payload's code lies. */
#include "tests/guest/vmx/vm.h"

enum part {
    LENGTH = 1 << 0,
    INFO = 1 << 1,
    EVENT = 1 << 2,
    LINEAR = 1 << 3, /* and the guest-physical address */
    STATE = 1 << 4,  /* the guest-state failures: qualification only */
};

static const struct {
    const char *name;
    uint8_t parts;
} reasons[EXIT_REASONS] = {
    [EXIT_EXCEPTION_NMI] = {"EXCEPTION OR NMI", EVENT},
    [EXIT_EXTERNAL_INTERRUPT] = {"EXTERNAL INTERRUPT", EVENT},
    [EXIT_TRIPLE_FAULT] = {"TRIPLE FAULT", 0},
    [EXIT_INTERRUPT_WINDOW] = {"INTERRUPT WINDOW", 0},
    [EXIT_NMI_WINDOW] = {"NMI WINDOW", 0},
    [EXIT_TASK_SWITCH] = {"TASK SWITCH", LENGTH},
    [EXIT_CPUID] = {"CPUID", LENGTH},
    [EXIT_GETSEC] = {"GETSEC", LENGTH},
    [EXIT_HLT] = {"HLT", LENGTH},
    [EXIT_INVD] = {"INVD", LENGTH},
    [EXIT_INVLPG] = {"INVLPG", LENGTH},
    [EXIT_RDPMC] = {"RDPMC", LENGTH},
    [EXIT_RDTSC] = {"RDTSC", LENGTH},
    [EXIT_VMCALL] = {"VMCALL", LENGTH},
    [EXIT_VMCLEAR] = {"VMCLEAR", LENGTH | INFO},
    [EXIT_VMLAUNCH] = {"VMLAUNCH", LENGTH},
    [EXIT_VMPTRLD] = {"VMPTRLD", LENGTH | INFO},
    [EXIT_VMPTRST] = {"VMPTRST", LENGTH | INFO},
    [EXIT_VMREAD] = {"VMREAD", LENGTH | INFO},
    [EXIT_VMRESUME] = {"VMRESUME", LENGTH},
    [EXIT_VMWRITE] = {"VMWRITE", LENGTH | INFO},
    [EXIT_VMXOFF] = {"VMXOFF", LENGTH},
    [EXIT_VMXON] = {"VMXON", LENGTH | INFO},
    [EXIT_CR_ACCESS] = {"CR ACCESS", LENGTH},
    [EXIT_DR_ACCESS] = {"DR ACCESS", LENGTH},
    [EXIT_IO] = {"I/O", LENGTH},
    [EXIT_RDMSR] = {"RDMSR", LENGTH},
    [EXIT_WRMSR] = {"WRMSR", LENGTH},
    [EXIT_ENTRY_GUEST_STATE] = {"INVALID GUEST STATE", STATE},
    [EXIT_ENTRY_MSR] = {"MSR LOADING", STATE},
    [EXIT_MWAIT] = {"MWAIT", LENGTH},
    [EXIT_MTF] = {"MONITOR TRAP", 0},
    [EXIT_MONITOR] = {"MONITOR", LENGTH},
    [EXIT_PAUSE] = {"PAUSE", LENGTH},
    [EXIT_TPR] = {"TPR BELOW THRESHOLD", 0},
    [EXIT_GDTR_IDTR] = {"GDTR OR IDTR ACCESS", LENGTH | INFO},
    [EXIT_LDTR_TR] = {"LDTR OR TR ACCESS", LENGTH | INFO},
    [EXIT_EPT_VIOLATION] = {"EPT VIOLATION", LINEAR},
    [EXIT_EPT_MISCONFIG] = {"EPT MISCONFIGURATION", LINEAR},
    [EXIT_PML_FULL] = {"PML FULL", 0},
    [EXIT_INVEPT] = {"INVEPT", LENGTH | INFO},
    [EXIT_RDTSCP] = {"RDTSCP", LENGTH},
    [EXIT_PREEMPTION_TIMER] = {"PREEMPTION TIMER", 0},
    [EXIT_INVVPID] = {"INVVPID", LENGTH | INFO},
    [EXIT_WBINVD] = {"WBINVD", LENGTH},
    [EXIT_XSETBV] = {"XSETBV", LENGTH},
    [EXIT_RDRAND] = {"RDRAND", LENGTH | INFO},
    [EXIT_INVPCID] = {"INVPCID", LENGTH | INFO},
    [EXIT_VMFUNC] = {"VMFUNC", LENGTH},
    [EXIT_RDSEED] = {"RDSEED", LENGTH | INFO},
};

/* SDM "VM-Instruction Error Numbers" */
static const char *const errors[] = {
    [1] = "VMCALL in VMX root operation",
    [2] = "VMCLEAR with invalid address",
    [3] = "VMCLEAR with VMXON pointer",
    [4] = "VMLAUNCH with non-clear VMCS",
    [5] = "VMRESUME with non-launched VMCS",
    [7] = "invalid control fields",
    [8] = "invalid host-state fields",
    [9] = "VMPTRLD with invalid address",
    [10] = "VMPTRLD with VMXON pointer",
    [11] = "VMPTRLD with incorrect revision identifier",
    [12] = "unsupported VMCS component",
    [13] = "VMWRITE to read-only component",
    [15] = "VMXON in VMX root operation",
    [26] = "events blocked by MOV SS",
    [28] = "invalid operand to INVEPT/INVVPID",
};

const char *vm_reason_name(uint32_t reason)
{
    reason &= 0xFFFF;
    return reason < EXIT_REASONS && reasons[reason].name ? reasons[reason].name : "?";
}

static void print_event(const char *title, uint32_t info, uint32_t error)
{
    if (!(info >> 31))
        return;
    static const char types[8][8] = {"INTR", "type 1", "NMI", "#", "INT", "ICEBP", "soft #", "other"};
    guest_print(" %s %s%u", title, types[info >> 8 & 7], info & 0xFF);
    if (info >> 11 & 1)
        guest_print(" error %#x", error);
    if (info >> 12 & 1)
        guest_print(" unblocked NMI");
}

/* Of a register operand the manual says 0; Bochs 2.7 leaves the displacement of an earlier instruction there. */
static uint64_t qualification(const struct exit *e)
{
    unsigned basic = exit_basic(e);
    bool may_have = basic == EXIT_VMREAD || basic == EXIT_VMWRITE || basic == EXIT_LDTR_TR;
    bool register_operand = may_have && e->instruction_info & 1 << 10;
    return register_operand ? 0 : e->qualification;
}

void vm_print_exit(const char *name, const struct vm *vm)
{
    if (vm->entered != VMX_SUCCEED) {
        vm_print_result(name, vm->entered);
        return;
    }
    const struct exit *e = &vm->exit;
    unsigned basic = exit_basic(e);
    guest_print("%s: %u %s", name, basic, vm_reason_name(basic));
    unsigned parts = basic < EXIT_REASONS ? reasons[basic].parts : 0;
    if (e->reason & EXIT_ENTRY_FAILED)
        guest_print(" at entry");
    guest_print(" qualification %#llx", (unsigned long long)qualification(e));
    if (parts & LENGTH)
        guest_print(" length %u", e->instruction_length);
    if (parts & INFO)
        guest_print(" info %#x", e->instruction_info);
    if (parts & LINEAR)
        guest_print(" physical %#llx", (unsigned long long)e->guest_physical);
    if (parts & LINEAR && basic == EXIT_EPT_VIOLATION && e->qualification & 1 << 7)
        guest_print(" linear %#llx", (unsigned long long)e->guest_linear);
    if (parts & EVENT)
        print_event("event", e->interruption_info, e->interruption_error);
    if (!(parts & STATE))
        print_event("during", e->idt_vectoring_info, e->idt_vectoring_error);
    guest_print("\n");
}

void vm_print_result(const char *name, enum vmx_result result)
{
    if (result == VMX_SUCCEED) {
        guest_print("%s: ok\n", name);
    } else if (result == VMX_FAIL_INVALID) {
        guest_print("%s: VMfailInvalid\n", name);
    } else {
        uint64_t error = vm_get(VMCS_INSTRUCTION_ERROR);
        bool known = error < sizeof(errors) / sizeof(*errors) && errors[error];
        guest_print("%s: VMfailValid %llu (%s)\n", name, (unsigned long long)error, known ? errors[error] : "?");
    }
}
