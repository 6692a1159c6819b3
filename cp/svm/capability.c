/* The VMX that the SVM backend can be for nest/: what a processor's capability MSRs would say of it. */
#include "cp/svm/capability.h"

#define MAY(bits) ((uint64_t)(uint32_t)(bits) << 32)
#define MUST_MAY(must, may) (MAY((must) | (may)) | (must))
enum { PIN_DEFAULT1 = 0x16, CPU_DEFAULT1 = 0x04006172, EXIT_DEFAULT1 = 0x00036DFB, ENTRY_DEFAULT1 = 0x11FB,
       LAST_FIELD_INDEX = 0x2E, REGION_BYTES = 4096, CR3_TARGETS = 4 };
#define CR0_NEEDED 0x80000021ull /* PE, NE, PG */
#define CR4_NEEDED 0x2000ull     /* VMXE */

void svm_capability_make(struct vmx_capability *c, uint64_t cr4_bits, bool rdtscp, bool invpcid)
{
    uint64_t *msr = c->msr;

    *c = (struct vmx_capability){0};
    msr[VMX_BASIC] =
        capability_revision() | VMX_BASIC_REGION_SIZE(REGION_BYTES) | VMX_BASIC_WRITE_BACK | VMX_BASIC_TRUE_CONTROLS;
    msr[VMX_TRUE_PIN] = MUST_MAY(PIN_DEFAULT1, PIN_EXTERNAL_INTERRUPT_EXITING | PIN_NMI_EXITING | PIN_VIRTUAL_NMIS |
                                                   PIN_PREEMPTION_TIMER);
    msr[VMX_TRUE_CPU] = MUST_MAY(CPU_DEFAULT1, SVM_CPU_CONTROLS);
    msr[VMX_TRUE_EXIT] = MUST_MAY(EXIT_DEFAULT1, EXIT_SAVE_DEBUG_CONTROLS | EXIT_HOST_LONG_MODE |
                                                     EXIT_ACKNOWLEDGE_INTERRUPT | EXIT_SAVE_PAT | EXIT_LOAD_PAT |
                                                     EXIT_SAVE_EFER | EXIT_LOAD_EFER | EXIT_SAVE_PREEMPTION_TIMER);
    msr[VMX_TRUE_ENTRY] =
        MUST_MAY(ENTRY_DEFAULT1, ENTRY_LOAD_DEBUG_CONTROLS | ENTRY_LONG_MODE | ENTRY_LOAD_PAT | ENTRY_LOAD_EFER);
    for (unsigned i = 0; i < 4; i++)
        msr[VMX_PIN + i] = msr[VMX_TRUE_PIN + i];
    msr[VMX_CPU2] = MAY(SVM_CPU2_CONTROLS & ~(rdtscp ? 0u : CPU2_RDTSCP) & ~(invpcid ? 0u : CPU2_INVPCID));
    msr[VMX_VMFUNC] = VM_FUNCTION_EPTP_SWITCHING;
    /* accessed and dirty flags are set in software; the walks of nested paging are writes anyway */
    msr[VMX_EPT_VPID_CAP] = EPT_CAP_FOUR_LEVELS | EPT_CAP_UNCACHEABLE | EPT_CAP_WRITE_BACK | EPT_CAP_2M_PAGES |
                            EPT_CAP_INVEPT | EPT_CAP_INVEPT_SINGLE | EPT_CAP_INVEPT_ALL | EPT_CAP_ACCESSED_DIRTY;
    /* VMREAD and VMWRITE are carried out by CP, here and where they are shadowed */
    msr[VMX_MISC] = VMX_MISC_SAVES_LONG_MODE | VMX_MISC_ACTIVITY_HLT | VMX_MISC_CR3_TARGETS(CR3_TARGETS) |
                    VMX_MISC_ZERO_LENGTH_INJECTION | VMX_MISC_VMWRITE_ANY;
    msr[VMX_CR0_FIXED0] = CR0_NEEDED;
    msr[VMX_CR0_FIXED1] = 0xFFFFFFFF;
    msr[VMX_CR4_FIXED0] = CR4_NEEDED;
    msr[VMX_CR4_FIXED1] = cr4_bits | CR4_NEEDED;
    msr[VMX_VMCS_ENUM] = LAST_FIELD_INDEX;
    capability_derive_fields(c);
}
