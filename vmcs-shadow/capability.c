/* What VMX CP offers a guest.  In: the capability MSRs of the machine CP runs on.  Out: those the guest reads.
 * Of the controls controls.def says which; EPT's and VPID's capabilities are here. */
#include "vmcs-shadow/capability.h"

/* SDM "Reserved Controls and Default Settings": bits that read as must-be-1 where there are no TRUE capability MSRs */
#define PIN_DEFAULT1 0x00000016u
#define CPU_DEFAULT1 0x0401E172u
#define EXIT_DEFAULT1 0x00036DFFu
#define ENTRY_DEFAULT1 0x000011FFu

/* Nested EPT is composed in software, so page sizes do not depend on hardware.  How a leaf may be protected does,
 * and so do the A/D bits: with them the processor's own walks count as writes. */
#define EPT_CAP_FROM_HARDWARE (EPT_CAP_EXECUTE_ONLY | EPT_CAP_ACCESSED_DIRTY)
#define EPT_CAP_COMPOSED                                                                                           \
    (EPT_CAP_FOUR_LEVELS | EPT_CAP_UNCACHEABLE | EPT_CAP_WRITE_BACK | EPT_CAP_2M_PAGES | EPT_CAP_1G_PAGES |         \
     EPT_CAP_INVEPT | EPT_CAP_INVEPT_SINGLE | EPT_CAP_INVEPT_ALL)
#define VPID_CAP_EMULATED \
    (VPID_CAP_INVVPID | VPID_CAP_ADDRESS | VPID_CAP_SINGLE | VPID_CAP_ALL | VPID_CAP_SINGLE_BUT_GLOBALS)

#define MAY(low_and_high) ((uint64_t)(uint32_t)(low_and_high) << 32)

/* Controls both sides know; what must be 1 stays so, or the guest could ask for what hardware refuses. */
static uint64_t offer_control(uint64_t hardware, uint32_t supported, uint32_t default1)
{
    uint32_t must = (uint32_t)hardware;
    uint32_t may = (uint32_t)(hardware >> 32) & (supported | default1);
    return MAY(may | must) | must;
}

static void offer_controls(struct vmx_capability *offered, const struct vmx_capability *hardware)
{
    static const struct {
        uint8_t plain, true_msr;
        uint32_t supported, default1;
    } controls[] = {
        {VMX_PIN, VMX_TRUE_PIN, PIN_OFFERED, PIN_DEFAULT1},
        {VMX_CPU, VMX_TRUE_CPU, CPU_OFFERED, CPU_DEFAULT1},
        {VMX_EXIT, VMX_TRUE_EXIT, EXIT_OFFERED, EXIT_DEFAULT1},
        {VMX_ENTRY, VMX_TRUE_ENTRY, ENTRY_OFFERED, ENTRY_DEFAULT1},
    };
    bool has_true = hardware->msr[VMX_BASIC] & VMX_BASIC_TRUE_CONTROLS;
    for (unsigned i = 0; i < sizeof(controls) / sizeof(controls[0]); i++) {
        uint64_t source = hardware->msr[has_true ? controls[i].true_msr : controls[i].plain];
        uint64_t value = offer_control(source, controls[i].supported, controls[i].default1);
        offered->msr[controls[i].true_msr] = value;
        offered->msr[controls[i].plain] = value | controls[i].default1 | MAY(controls[i].default1);
    }
}

/* Whoever composes nested EPT sets its dirty flags, and writes the page-modification log too, whatever hardware has. */
static bool offers_log(uint32_t may, const struct vmx_capability *hardware)
{
    return may & CPU2_EPT && hardware->msr[VMX_EPT_VPID_CAP] & EPT_CAP_ACCESSED_DIRTY;
}

/* Secondary controls, and of them only those whose other half is there. */
static void offer_secondary(struct vmx_capability *offered, const struct vmx_capability *hardware, bool shadowing)
{
    if (!capability_may_set(offered->msr[VMX_TRUE_CPU], CPU_SECONDARY_CONTROLS))
        return;
    uint32_t supported = CPU2_OFFERED;
    if (!shadowing || !(hardware->msr[VMX_MISC] & VMX_MISC_VMWRITE_ANY))
        supported &= ~(uint32_t)CPU2_VMCS_SHADOWING;
    uint32_t may = (uint32_t)(hardware->msr[VMX_CPU2] >> 32) & supported;
    if (!(may & CPU2_EPT))
        may &= ~(uint32_t)(CPU2_UNRESTRICTED_GUEST | CPU2_VM_FUNCTIONS);
    may = offers_log(may, hardware) ? may | CPU2_PML : may & ~(uint32_t)CPU2_PML;
    offered->msr[VMX_CPU2] = MAY(may);
    if (may & CPU2_EPT)
        offered->msr[VMX_EPT_VPID_CAP] |= EPT_CAP_COMPOSED |
                                          (hardware->msr[VMX_EPT_VPID_CAP] & EPT_CAP_FROM_HARDWARE);
    if (may & CPU2_VPID)
        offered->msr[VMX_EPT_VPID_CAP] |= VPID_CAP_EMULATED;
    if (may & CPU2_VM_FUNCTIONS)
        offered->msr[VMX_VMFUNC] = VM_FUNCTION_EPTP_SWITCHING;
}

static uint64_t offer_misc(const struct vmx_capability *offered, uint64_t hardware)
{
    uint64_t targets = hardware >> 16 & 0x1FF;
    uint64_t misc = hardware & (VMX_MISC_TIMER_RATE | VMX_MISC_SAVES_LONG_MODE | VMX_MISC_ACTIVITY_HLT |
                                VMX_MISC_ZERO_LENGTH_INJECTION);
    if (capability_may_set(offered->msr[VMX_CPU2], CPU2_VMCS_SHADOWING))
        misc |= VMX_MISC_VMWRITE_ANY;
    misc |= VMX_MISC_ACTIVITY_WAIT_FOR_SIPI; /* no hardware is entered for it: nest_load() */
    return misc | VMX_MISC_CR3_TARGETS(targets < 4 ? targets : 4);
}

static uint64_t highest_field(uint32_t fields)
{
    unsigned highest = 0;
    for (unsigned i = 0; i < VMCS_FIELDS; i++) {
        unsigned number = vmcs_field_rows[i].encoding & 0x3FEu;
        if ((fields >> vmcs_field_rows[i].capability & 1) && number > highest)
            highest = number;
    }
    return highest;
}

void capability_offer(struct vmx_capability *offered, const struct vmx_capability *hardware, bool shadowing)
{
    *offered = (struct vmx_capability){.fields = 0};
    offer_controls(offered, hardware);
    offer_secondary(offered, hardware, shadowing);
    offered->msr[VMX_MISC] = offer_misc(offered, hardware->msr[VMX_MISC]);
    for (unsigned i = VMX_CR0_FIXED0; i <= VMX_CR4_FIXED1; i++)
        offered->msr[i] = hardware->msr[i];
    offered->msr[VMX_BASIC] = capability_revision() | VMX_BASIC_REGION_SIZE(4096) | VMX_BASIC_WRITE_BACK |
                              VMX_BASIC_TRUE_CONTROLS | (hardware->msr[VMX_BASIC] & VMX_BASIC_INS_OUTS);
    capability_derive_fields(offered);
    offered->msr[VMX_VMCS_ENUM] = highest_field(offered->fields);
}

/* FNV-1a over the table: the image of a vmcs12 in guest memory means nothing to a CP with another table. */
uint32_t capability_revision(void)
{
    uint32_t hash = 2166136261u;
    for (unsigned i = 0; i < VMCS_FIELDS; i++) {
        hash = (hash ^ vmcs_field_rows[i].encoding) * 16777619u;
        hash = (hash ^ vmcs_field_rows[i].offset) * 16777619u;
    }
    return hash & 0x7FFFFFFFu;
}

void capability_derive_fields(struct vmx_capability *capability)
{
    static const struct {
        uint8_t capability, msr;
        uint32_t bit; /* any of these may be 1 */
    } rules[] = {
        {VMCS_CAPABILITY_MSR_BITMAPS, VMX_CPU, CPU_MSR_BITMAPS},
        {VMCS_CAPABILITY_TPR_SHADOW, VMX_CPU, CPU_TPR_SHADOW},
        {VMCS_CAPABILITY_SECONDARY_CONTROLS, VMX_CPU, CPU_SECONDARY_CONTROLS},
        {VMCS_CAPABILITY_TERTIARY_CONTROLS, VMX_CPU, CPU_TERTIARY_CONTROLS},
        {VMCS_CAPABILITY_PREEMPTION_TIMER, VMX_PIN, PIN_PREEMPTION_TIMER},
        {VMCS_CAPABILITY_POSTED_INTERRUPTS, VMX_PIN, PIN_POSTED_INTERRUPTS},
        {VMCS_CAPABILITY_EPT, VMX_CPU2, CPU2_EPT},
        {VMCS_CAPABILITY_VPID, VMX_CPU2, CPU2_VPID},
        {VMCS_CAPABILITY_PAUSE_LOOP_EXITING, VMX_CPU2, CPU2_PAUSE_LOOP_EXITING},
        {VMCS_CAPABILITY_VM_FUNCTIONS, VMX_CPU2, CPU2_VM_FUNCTIONS},
        {VMCS_CAPABILITY_VMCS_SHADOWING, VMX_CPU2, CPU2_VMCS_SHADOWING},
        {VMCS_CAPABILITY_XSAVES, VMX_CPU2, CPU2_XSAVES},
        {VMCS_CAPABILITY_TSC_SCALING, VMX_CPU2, CPU2_TSC_SCALING},
        {VMCS_CAPABILITY_APIC_ACCESSES, VMX_CPU2, CPU2_APIC_ACCESSES},
        {VMCS_CAPABILITY_VIRTUAL_INTERRUPT_DELIVERY, VMX_CPU2, CPU2_VIRTUAL_INTERRUPT_DELIVERY},
        {VMCS_CAPABILITY_ENCLS_EXITING, VMX_CPU2, CPU2_ENCLS_EXITING},
        {VMCS_CAPABILITY_PML, VMX_CPU2, CPU2_PML},
        {VMCS_CAPABILITY_VIRTUALIZATION_EXCEPTION, VMX_CPU2, CPU2_VIRTUALIZATION_EXCEPTION},
        {VMCS_CAPABILITY_SUB_PAGE_PERMISSIONS, VMX_CPU2, CPU2_SUB_PAGE_PERMISSIONS},
        {VMCS_CAPABILITY_PAT, VMX_ENTRY, ENTRY_LOAD_PAT},
        {VMCS_CAPABILITY_EFER, VMX_ENTRY, ENTRY_LOAD_EFER},
        {VMCS_CAPABILITY_PERF_GLOBAL_CTRL, VMX_ENTRY, ENTRY_LOAD_PERF_GLOBAL_CTRL},
        {VMCS_CAPABILITY_BNDCFGS, VMX_ENTRY, ENTRY_LOAD_BNDCFGS},
        {VMCS_CAPABILITY_RTIT_CTL, VMX_ENTRY, ENTRY_LOAD_RTIT_CTL},
        {VMCS_CAPABILITY_PKRS, VMX_ENTRY, ENTRY_LOAD_PKRS},
        {VMCS_CAPABILITY_CET, VMX_ENTRY, ENTRY_LOAD_CET},
        {VMCS_CAPABILITY_PAT, VMX_EXIT, EXIT_SAVE_PAT},
        {VMCS_CAPABILITY_EFER, VMX_EXIT, EXIT_SAVE_EFER},
    };
    uint32_t fields = 1u << VMCS_CAPABILITY_ALWAYS | 1u << VMCS_CAPABILITY_CR3_TARGETS | 1u << VMCS_CAPABILITY_SMM;
    for (unsigned i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if ((uint32_t)(capability->msr[rules[i].msr] >> 32) & rules[i].bit)
            fields |= 1u << rules[i].capability;
    if (capability->msr[VMX_VMFUNC] & VM_FUNCTION_EPTP_SWITCHING)
        fields |= 1u << VMCS_CAPABILITY_EPTP_SWITCHING;
    capability->fields = fields;
}
