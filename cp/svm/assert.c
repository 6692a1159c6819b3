/* Owns the table of assertions on VMCBs. In: a state and CP's maps. Out: the row that is broken. */
#include "cp/svm/assert.h"

#include <stddef.h>

#include "vmcs-shadow/control.h"

enum { FRAME_OFFSET = 4095, EXCEPTIONS = 1 << 1 | 1 << 6 | 1 << 13 | 1 << 17 /* #DB #UD #GP #AC */ };
#define CR4_VMXE (1ull << 13)
#define EFER_LME (1ull << 8)
#define EFER_LMA (1ull << 10)
#define NESTED_CR3 0x000FFFFFFFFFF000ull

#define HOLDS(name, condition) \
    static bool name(const struct svm_state *s, const struct svm_maps *maps) \
    { \
        const struct vmcb *v = s->vmcb; \
        const struct vmcs *image = &s->image; \
        (void)v, (void)image, (void)maps; \
        return condition; \
    }
#define HAS(bits, all) (((bits) & (all)) == (all))

HOLDS(exceptions, HAS(v->exceptions, EXCEPTIONS) && HAS(v->exceptions, image->exception_bitmap))
HOLDS(interrupts, HAS(v->intercepts, (uint32_t)VMCB_INTR | VMCB_NMI | VMCB_INIT | VMCB_SHUTDOWN))
HOLDS(instructions, HAS(v->intercepts, (uint32_t)VMCB_CPUID | VMCB_INVD | VMCB_INVLPGA | VMCB_IO | VMCB_MSR))
HOLDS(instructions2, HAS(v->intercepts2, (uint32_t)VMCB_SVM_INSTRUCTIONS | VMCB_XSETBV | VMCB_WBINVD | VMCB_ICEBP))
HOLDS(halts, !(image->processor_controls & CPU_HLT_EXITING) || v->intercepts & VMCB_HLT)
HOLDS(masking, v->virtual_interrupt & VMCB_V_INTR_MASKING)
HOLDS(ports, v->io_map == maps->io && maps->io)
HOLDS(msrs, v->msr_map && (v->msr_map == maps->msr_all ||
                           (v->msr_map == maps->msr_some && image->msr_bitmap == maps->bitmap &&
                            image->processor_controls & CPU_MSR_BITMAPS)))
HOLDS(paging, v->nested_paging == 1)
HOLDS(root, v->nested_cr3 && v->nested_cr3 == (image->ept_pointer & NESTED_CR3) && !(v->nested_cr3 & FRAME_OFFSET))
HOLDS(cr4_write, v->cr_writes & 1 << 4)
HOLDS(cr0_write, v->cr_writes & 1 || v->intercepts & VMCB_CR0_SELECTIVE)
HOLDS(tpr_write, !(image->processor_controls & (CPU_CR8_LOAD_EXITING | CPU_TPR_SHADOW)) || v->cr_writes & 1 << 8)
HOLDS(tpr_read, !(image->processor_controls & (CPU_CR8_STORE_EXITING | CPU_TPR_SHADOW)) || v->cr_reads & 1 << 8)
HOLDS(efer, v->efer & SVM_EFER_SVME && (!(v->efer & EFER_LME) || v->efer & EFER_LMA))
HOLDS(cr4, !(v->cr4 & CR4_VMXE))
HOLDS(caching, !v->clean)

static const struct {
    const char *rule;
    bool (*holds)(const struct svm_state *, const struct svm_maps *);
} table[] = {
    {"exceptions that CP takes, or VMX's controls, exit", exceptions},
    {"interrupts, NMIs, INIT and shutdown exit", interrupts},
    {"CPUID, INVD, INVLPGA, ports and MSRs exit", instructions},
    {"SVM's instructions, XSETBV, WBINVD and INT1 exit", instructions2},
    {"HLT exits where it is asked for", halts},
    {"CP's interrupt flag decides", masking},
    {"the map of ports is CP's", ports},
    {"the map of MSRs is CP's: all, or those of CP's own bitmap", msrs},
    {"paging is nested", paging},
    {"the nested root is the EPT pointer's", root},
    {"writes to CR4 exit", cr4_write},
    {"writes to CR0 exit", cr0_write},
    {"writes to CR8 exit where CP has the TPR", tpr_write},
    {"reads of CR8 exit where CP has the TPR", tpr_read},
    {"IA32_EFER has SVME, and LME with LMA only", efer},
    {"CR4 is without VMXE", cr4},
    {"nothing is taken for unchanged", caching},
};
enum { ASSERTIONS = sizeof table / sizeof *table };

unsigned svm_assert(const struct svm_state *s, const struct svm_maps *maps)
{
    for (unsigned i = 0; i < ASSERTIONS; i++)
        if (!table[i].holds(s, maps))
            return i + 1;
    return 0;
}

const char *svm_assertion(unsigned number)
{
    return number && number <= ASSERTIONS ? table[number - 1].rule : NULL;
}
