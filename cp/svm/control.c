/* Owns what the VMCB intercepts: CP's or a merged VMCS's controls in, intercepts out. Ports exit all, whatever the
 * controls say: who wants them is found out afterwards. APM "Intercept Operation". */
#include <string.h>

#include "cp/svm/capability.h"
#include "cp/svm/state.h"

enum { VECTOR_DB = 1, VECTOR_UD = 6, VECTOR_GP = 13, VECTOR_PF = 14, VECTOR_AC = 17, BLOCKED_NMI = 8 };
enum { BREAKPOINTS = 1 << 3 | 1 << 4, CR0_MP_AND_TS = 0xA, EVENT_TYPE_SOFTWARE = 4, EVENT_TYPE_PRIVILEGED = 5,
       EVENT_TYPE_SOFTWARE_EXCEPTION = 6 };
enum { MSRS = 0x2000, BITMAP_WRITES = 2048, BITMAP_HIGH = 1024, MAP_BYTES = 8192, MAP_HIGH = 2048 };
#define MSR_HIGH 0xC0000000u
#define ADDRESS 0x000FFFFFFFFFF000ull
#define DR7_GD (1ull << 13)

struct rule {
    uint32_t control, intercept;
};

#define PRIMARY \
    RULE(CPU_HLT_EXITING, VMCB_HLT) RULE(CPU_INVLPG_EXITING, VMCB_INVLPG) RULE(CPU_RDPMC_EXITING, VMCB_RDPMC) \
    RULE(CPU_RDTSC_EXITING, VMCB_RDTSC) RULE(CPU_PAUSE_EXITING, VMCB_PAUSE) \
    RULE(CPU_INTERRUPT_WINDOW_EXITING, VMCB_VINTR)
#define PRIMARY2 \
    RULE(CPU_RDTSC_EXITING, VMCB_RDTSCP) RULE(CPU_MONITOR_EXITING, VMCB_MONITOR) RULE(CPU_MWAIT_EXITING, VMCB_MWAIT)
#define SECONDARY RULE(CPU2_DESCRIPTOR_TABLE_EXITING, VMCB_DESCRIPTOR_TABLES)

#define RULE(control, intercept) {control, intercept},
static const struct rule primary[] = {PRIMARY}, primary2[] = {PRIMARY2}, secondary[] = {SECONDARY};
#undef RULE

/* Each control that this backend says it has is in a rule above, or here: */
#define RULE(control, intercept) | (uint32_t)(control)
#define BY_REGISTERS \
    (CPU_CR3_LOAD_EXITING | CPU_CR3_STORE_EXITING | CPU_CR8_LOAD_EXITING | CPU_CR8_STORE_EXITING | CPU_TPR_SHADOW | \
     CPU_MOV_DR_EXITING)                                                      /* registers_apply(), debug_apply() */
#define BY_MAPS (CPU_UNCONDITIONAL_IO_EXITING | CPU_IO_BITMAPS | CPU_MSR_BITMAPS) /* all ports exit; an MSR map */
#define BY_FIELDS (CPU_TSC_OFFSETTING | CPU_SECONDARY_CONTROLS)               /* the VMCB's offset; the word itself */
#define BY_BACKEND CPU_NMI_WINDOW_EXITING                                     /* steps until NMIs may come */
_Static_assert(SVM_CPU_CONTROLS == (0u PRIMARY PRIMARY2 | BY_REGISTERS | BY_MAPS | BY_FIELDS | BY_BACKEND),
               "a processor-based control that SVM does not carry out, or does and does not say so");
#define ALWAYS2 CPU2_WBINVD_EXITING                                           /* exits, and is asked for after that */
#define BY_PAGING (CPU2_EPT | CPU2_UNRESTRICTED_GUEST | CPU2_VPID)            /* nested paging, any mode, ASIDs */
#define BY_EXISTING (CPU2_RDTSCP | CPU2_INVPCID)                              /* else an intercept, and #UD */
#define BY_UNDEFINED (CPU2_VM_FUNCTIONS | CPU2_VMCS_SHADOWING) /* VMX's instructions are undefined here */
_Static_assert(SVM_CPU2_CONTROLS == (0u SECONDARY | ALWAYS2 | BY_PAGING | BY_EXISTING | BY_UNDEFINED),
               "a secondary control that SVM does not carry out, or does and does not say so");
#undef RULE

static uint32_t ruled(const struct rule *rule, unsigned count, uint32_t controls)
{
    uint32_t intercepts = 0;

    for (unsigned i = 0; i < count; i++)
        if (controls & rule[i].control)
            intercepts |= rule[i].intercept;
    return intercepts;
}

#define RULED(rules, controls) ruled(rules, sizeof(rules) / sizeof(*(rules)), controls)

/* VMX instructions are undefined here, and CR4.VMXE is a reserved bit; #AC and #DB could recur
 * for ever within one instruction. */
static uint32_t exceptions(const struct vmcs *image)
{
    uint32_t bits = image->exception_bitmap | 1u << VECTOR_UD | 1u << VECTOR_GP | 1u << VECTOR_AC | 1u << VECTOR_DB;

    if (image->page_fault_mask || image->page_fault_match)
        bits |= 1u << VECTOR_PF;
    return bits;
}

/* General detection is CP's too where the loading of debug registers is. */
static void debug_apply(struct svm_state *s, const struct svm_maps *maps)
{
    bool all = s->image.processor_controls & CPU_MOV_DR_EXITING;
    bool detect = maps->debug_writes && (s->vmcb->dr7 & DR7_GD);

    s->vmcb->dr_reads = all || detect ? 0xFFFF : 0;
    s->vmcb->dr_writes = all || detect ? 0xFFFF : maps->debug_writes;
}

static void registers_apply(struct svm_state *s)
{
    const struct vmcs *image = &s->image;
    uint32_t controls = image->processor_controls;
    bool cr0_hidden = svm_cr0_seen(s) != s->vmcb->cr0;
    /* the selective intercept looks for changes of the real CR0, and lets two bits of it pass */
    bool selective = !cr0_hidden && !(image->cr0_mask & CR0_MP_AND_TS);

    s->vmcb->cr_writes = (uint16_t)((selective ? 0 : 1) | 1 << 4 | !!(controls & CPU_CR3_LOAD_EXITING) << 3 |
                                    !!(controls & (CPU_CR8_LOAD_EXITING | CPU_TPR_SHADOW)) << 8);
    s->vmcb->cr_reads = (uint16_t)(cr0_hidden | (svm_cr4_seen(s) != s->vmcb->cr4) << 4 |
                                   !!(controls & CPU_CR3_STORE_EXITING) << 3 |
                                   !!(controls & (CPU_CR8_STORE_EXITING | CPU_TPR_SHADOW)) << 8);
    if (selective)
        s->vmcb->intercepts |= VMCB_CR0_SELECTIVE;
}

void svm_control_apply(struct svm_state *s, const struct svm_maps *maps)
{
    const struct vmcs *image = &s->image;
    struct vmcb *vmcb = s->vmcb;
    uint32_t controls = image->processor_controls;

    vmcb->exceptions = exceptions(image);
    vmcb->intercepts = VMCB_INTR | VMCB_NMI | VMCB_INIT | VMCB_CPUID | VMCB_INVD | VMCB_INVLPGA | VMCB_IO | VMCB_MSR |
                       VMCB_SHUTDOWN | RULED(primary, controls) | RULED(secondary, image->secondary_controls);
    if ((image->guest_interruptibility & BLOCKED_NMI) && !s->returning)
        vmcb->intercepts |= VMCB_IRET;
    if (image->exception_bitmap & BREAKPOINTS) /* QEMU knows INT3 and INTO as software interrupts only */
        vmcb->intercepts |= VMCB_INTN;
    vmcb->intercepts2 = VMCB_SVM_INSTRUCTIONS | VMCB_XSETBV | VMCB_WBINVD | VMCB_ICEBP | RULED(primary2, controls);
    if (!(image->secondary_controls & CPU2_RDTSCP)) {
        vmcb->intercepts2 |= VMCB_RDTSCP;
        vmcb->intercepts |= maps->rdtscp_as_rdtsc ? VMCB_RDTSC : 0;
    }
    bool invpcid = image->secondary_controls & CPU2_INVPCID;
    vmcb->intercepts3 = !invpcid || (controls & CPU_INVLPG_EXITING) ? VMCB_INVPCID : 0;
    registers_apply(s);
    debug_apply(s, maps);
    vmcb->virtual_interrupt = VMCB_V_INTR_MASKING;
    if (controls & CPU_INTERRUPT_WINDOW_EXITING)
        vmcb->virtual_interrupt |= VMCB_V_IRQ | VMCB_V_PRIORITY_MAX | VMCB_V_IGNORE_TPR;
    vmcb->io_map = maps->io;
    vmcb->msr_map = image->msr_bitmap == maps->bitmap && controls & CPU_MSR_BITMAPS ? maps->msr_some : maps->msr_all;
    vmcb->nested_paging = 1;
    vmcb->nested_cr3 = image->ept_pointer & ADDRESS;
    vmcb->clean = 0;
    s->controls_stale = false;
}

static bool bit_of(const uint8_t *bitmap, unsigned bit)
{
    return bitmap[bit / 8] >> bit % 8 & 1;
}

bool svm_msr_exits(const uint8_t *bitmap, uint32_t msr, bool write)
{
    const uint8_t *part = bitmap + (write ? BITMAP_WRITES : 0);

    if (msr < MSRS)
        return bit_of(part, msr);
    return msr - MSR_HIGH >= MSRS || bit_of(part + BITMAP_HIGH, msr - MSR_HIGH);
}

/* Two bits an MSR: read, write. */
void svm_msr_map_build(uint8_t *map, const uint8_t *bitmap)
{
    memset(map, 0xFF, MAP_BYTES);
    for (unsigned i = 0; i < MSRS; i++) {
        unsigned low = svm_msr_exits(bitmap, i, false) | svm_msr_exits(bitmap, i, true) << 1;
        unsigned high = svm_msr_exits(bitmap, MSR_HIGH + i, false) | svm_msr_exits(bitmap, MSR_HIGH + i, true) << 1;
        map[i / 4] = (uint8_t)((map[i / 4] & ~(3u << i % 4 * 2)) | low << i % 4 * 2);
        map[MAP_HIGH + i / 4] = (uint8_t)((map[MAP_HIGH + i / 4] & ~(3u << i % 4 * 2)) | high << i % 4 * 2);
    }
}

bool svm_event_is_software(uint32_t info)
{
    return (info >> 8 & 7) >= EVENT_TYPE_SOFTWARE;
}

uint64_t svm_event_injection(uint32_t info, uint32_t error)
{
    static const uint8_t type[8] = {VMCB_EVENT_EXTERNAL,  VMCB_EVENT_EXTERNAL, VMCB_EVENT_NMI,
                                    VMCB_EVENT_EXCEPTION, VMCB_EVENT_SOFTWARE, VMCB_EVENT_EXCEPTION,
                                    VMCB_EVENT_EXCEPTION, VMCB_EVENT_EXCEPTION};

    return (info & 0xFFu) | (uint64_t)type[info >> 8 & 7] << 8 | (info & 1u << 11) | (info & 1u << 31) |
           (uint64_t)error << 32;
}
