/* Owns turning VMX on: what the processor's capability MSRs allow, the controls CP runs its guests with, the MSRs a
 * guest may touch without an exit. SDM "Discovering Support for VMX", "Reserved Controls and Default Settings". */
#include <errno.h>
#include <stddef.h>

#include "cp/cpu/ops.h"
#include "cp/cpu/vmx.h"
#include "cp/cpu/vmx_ops.h"
#include "cp/storage/frame.h"
#include "cp/storage/second_level.h"
#include "cp/vcpu/backend.h"
#include "cp/vcpu/controls.h"

#define MSR_TSC_AUX 0xC0000103u
enum { MSR_FEATURE_CONTROL = 0x3A, FEATURE_LOCKED = 1, FEATURE_VMX_OUTSIDE_SMX = 4, CPUID_1_ECX_VMX = 1 << 5 };
#define CR4_VMXE (1ull << 13)
enum { EPT_LEAF_WRITE_BACK = 6 << 3, EPT_LEAF_RWX = 7, INVVPID_ALL = 2 };

struct vmx_controls vmx_controls;
void *vmx_msr_bitmap;

/* Bits CP cannot do without, and bits it takes where they are offered. */
struct control_choice {
    const char *name;
    uint32_t *chosen;
    unsigned msr, plain_msr; /* with true controls, without */
    uint32_t needed, wanted;
};

static const struct control_choice choices[] = {
    {"pin-based controls", &vmx_controls.pin, VMX_TRUE_PIN, VMX_PIN, OWN_PIN, 0},
    {"processor-based controls", &vmx_controls.cpu, VMX_TRUE_CPU, VMX_CPU, OWN_CPU, 0},
    {"secondary controls (EPT, unrestricted guest)", &vmx_controls.cpu2, VMX_CPU2, VMX_CPU2, OWN_CPU2, OWN_CPU2_WANTED},
    {"exit controls", &vmx_controls.exit, VMX_TRUE_EXIT, VMX_EXIT, OWN_EXIT, 0},
    {"entry controls", &vmx_controls.entry, VMX_TRUE_ENTRY, VMX_ENTRY, OWN_ENTRY, 0},
};

const char *vmx_controls_choose(const struct vmx_capability *capability)
{
    bool true_controls = capability->msr[VMX_BASIC] & VMX_BASIC_TRUE_CONTROLS;

    for (const struct control_choice *c = choices; c < choices + sizeof(choices) / sizeof(*choices); c++) {
        uint64_t msr = capability->msr[true_controls ? c->msr : c->plain_msr];
        if (!capability_may_set(msr, c->needed))
            return c->name;
        *c->chosen = ((c->needed | c->wanted) & (uint32_t)(msr >> 32)) | (uint32_t)msr;
    }
    uint64_t need = EPT_CAP_FOUR_LEVELS | EPT_CAP_WRITE_BACK | EPT_CAP_INVEPT | EPT_CAP_INVEPT_SINGLE;
    if ((capability->msr[VMX_EPT_VPID_CAP] & need) != need)
        return "EPT with four levels, write-back and single-context INVEPT";
    return NULL;
}

static const uint32_t free_msrs[] = {
#define FREE_MSR(NAME, number, value, home, member) number,
#include "cp/cpu/free_msrs.def"
#undef FREE_MSR
};

/* SDM "MSR-Bitmap Address": reads low, reads high, writes low, writes high; 1 is an exit. */
static void free_msr(uint8_t *bitmap, uint32_t msr)
{
    unsigned base = msr >= 0xC0000000u ? 1024 : 0, bit = msr & 0x1FFF;

    bitmap[base + bit / 8] &= (uint8_t)~(1u << (bit & 7));
    bitmap[base + 2048 + bit / 8] &= (uint8_t)~(1u << (bit & 7));
}

int vmx_msr_bitmap_create(void)
{
    uint64_t *words = vmx_msr_bitmap = frame_alloc_dirty(&frame_cp_account);
    if (!words)
        return -ENOMEM;
    for (unsigned i = 0; i < PAGE_SIZE / sizeof(*words); i++)
        words[i] = ~0ull;
    for (unsigned i = 0; i < sizeof(free_msrs) / sizeof(*free_msrs); i++)
        free_msr(vmx_msr_bitmap, free_msrs[i]);
    if (vmx_has_tsc_aux())
        free_msr(vmx_msr_bitmap, MSR_TSC_AUX);
    return 0;
}

static void capability_read(struct vmx_capability *capability)
{
    uint64_t *msr = capability->msr;

    for (unsigned i = VMX_BASIC; i <= VMX_VMCS_ENUM; i++)
        msr[i] = op_rdmsr(MSR_VMX_FIRST + i);
    bool secondary = msr[VMX_CPU] >> 63;
    if (secondary)
        msr[VMX_CPU2] = op_rdmsr(MSR_VMX_FIRST + VMX_CPU2);
    if (msr[VMX_CPU2] >> 32 & (CPU2_EPT | CPU2_VPID))
        msr[VMX_EPT_VPID_CAP] = op_rdmsr(MSR_VMX_FIRST + VMX_EPT_VPID_CAP);
    if (msr[VMX_BASIC] & VMX_BASIC_TRUE_CONTROLS)
        for (unsigned i = VMX_TRUE_PIN; i <= VMX_TRUE_ENTRY; i++)
            msr[i] = op_rdmsr(MSR_VMX_FIRST + i);
    if (msr[VMX_CPU2] >> 32 & CPU2_VM_FUNCTIONS)
        msr[VMX_VMFUNC] = op_rdmsr(MSR_VMX_FIRST + VMX_VMFUNC);
    capability_derive_fields(capability);
}

static const char *feature_enable(void)
{
    uint64_t feature = op_rdmsr(MSR_FEATURE_CONTROL);

    if (!(feature & FEATURE_LOCKED)) {
        op_wrmsr(MSR_FEATURE_CONTROL, feature | FEATURE_LOCKED | FEATURE_VMX_OUTSIDE_SMX);
        feature = op_rdmsr(MSR_FEATURE_CONTROL);
    }
    return feature & FEATURE_VMX_OUTSIDE_SMX ? NULL : "VMX (locked off in IA32_FEATURE_CONTROL by the firmware)";
}

/* What of the fields that no MSR tells of is there. */
static const char *fields_probe(struct vmx_capability *capability)
{
    struct vmx_region region;

    if (vmx_region_create(&region, &frame_cp_account, 0))
        return "storage for VMX";
    vmx_region_load(&region);
    if (!op_vmcs_has(VMCS_CR3_TARGET_0))
        capability->fields &= ~(1u << VMCS_CAPABILITY_CR3_TARGETS);
    if (!op_vmcs_has(VMCS_GUEST_SMBASE))
        capability->fields &= ~(1u << VMCS_CAPABILITY_SMM);
    vmx_region_destroy(&region, &frame_cp_account);
    return NULL;
}

const char *vmx_start(void)
{
    if (!(op_cpuid(1, 0).ecx & CPUID_1_ECX_VMX))
        return "VMX (CPUID leaf 1 ECX bit 5)";
    const char *missing = feature_enable();
    if (missing)
        return missing;
    capability_read(&cpu_this.vmx);
    missing = vmx_controls_choose(&cpu_this.vmx);
    if (missing)
        return missing;
    const uint64_t *msr = cpu_this.vmx.msr;
    op_write_cr0((op_read_cr0() | msr[VMX_CR0_FIXED0]) & msr[VMX_CR0_FIXED1]);
    op_write_cr4(((op_read_cr4() | CR4_VMXE) | msr[VMX_CR4_FIXED0]) & msr[VMX_CR4_FIXED1]);
    uint32_t *region = frame_alloc(&frame_cp_account);
    if (!region || vmx_msr_bitmap_create())
        return "storage for VMX";
    *region = (uint32_t)(msr[VMX_BASIC] & VMX_BASIC_REVISION_MASK);
    if (!op_vmxon(frame_address(region)))
        return "VMX (VMXON failed)";
    if (vmx_controls.cpu2 & CPU2_VPID && msr[VMX_EPT_VPID_CAP] & VPID_CAP_ALL)
        op_invvpid(INVVPID_ALL, (struct op_invalidation){0, 0});
    second_level_leaf_bits = EPT_LEAF_RWX | EPT_LEAF_WRITE_BACK;
    return fields_probe(&cpu_this.vmx);
}
