/* Merge rules of the controls.  Every intercept the outer VMCS needs stays; what the inner one wants is added; what
 * an inner one may not have was refused by the entry checks and is dropped here once more, so that no rule depends
 * on them.  The arithmetic is in nest/bits.h, with its proof. */
#include "nest/merge.h"

#define UNUSED(context) ((void)(context))

/* Each control lies in a class that its word's rule below merges, or it would be dropped in silence. */
#define MERGES(word, classes) \
    _Static_assert(word##_MERGED == (classes), "a " #word " control is in a class its rule does not merge"); \
    _Static_assert(!(word##_OFFERED & word##_MERGE_NEVER), "a " #word " control is offered, and NEVER merged"); \
    _Static_assert(!((word##_MERGE_EITHER | word##_MERGE_BOTH | word##_MERGE_INNER) & ~(uint32_t)word##_OFFERED), \
                   "a " #word " control would be taken from L1 that is not offered")
enum {
#define SET(word) word##_MERGED
#define IN_SET(offered, merge) !IN_CLASS(merge, NEVER)
#include "vmcs-shadow/control_sets.def"
};
MERGES(PIN, PIN_MERGE_EITHER | PIN_MERGE_OUTER);
MERGES(CPU, CPU_MERGE_EITHER | CPU_MERGE_OUTER | CPU_MERGE_RULE);
MERGES(CPU2, CPU2_MERGE_EITHER | CPU2_MERGE_BOTH | CPU2_MERGE_INNER | CPU2_MERGE_OUTER | CPU2_MERGE_RULE);
MERGES(EXIT, EXIT_MERGE_OUTER | EXIT_MERGE_ALWAYS);
MERGES(ENTRY, ENTRY_MERGE_OUTER | ENTRY_MERGE_ALWAYS | ENTRY_MERGE_INNER);
_Static_assert(CPU_MERGE_RULE == (CPU_UNCONDITIONAL_IO_EXITING | CPU_IO_BITMAPS | CPU_MSR_BITMAPS | CPU_TPR_SHADOW |
                                  CPU_CR8_LOAD_EXITING | CPU_CR8_STORE_EXITING),
               "a processor-based control with a rule of its own, or a rule (nest/bits.h) without its control");
_Static_assert(CPU2_MERGE_RULE == (CPU2_VPID | CPU2_VMCS_SHADOWING),
               "a secondary control with a rule of its own, or a rule without its control");

/* Bits of a control that may be 1 in hardware. */
static uint32_t may(const struct nest_merge_context *context, enum vmx_msr control)
{
    return (uint32_t)(context->hardware->msr[control] >> 32);
}

void nest_rule_pin_controls(struct vmcs *out, const struct vmcs *outer, const struct vmcs *inner,
                            const struct nest_merge_context *context)
{
    out->pin_controls =
        nest_bits_add(outer->pin_controls, inner->pin_controls, PIN_MERGE_EITHER, may(context, VMX_TRUE_PIN));
}

void nest_rule_processor_controls(struct vmcs *out, const struct vmcs *outer, const struct vmcs *inner,
                                  const struct nest_merge_context *context)
{
    uint32_t io = nest_bits_io(nest_io_mode(outer->processor_controls), nest_io_mode(inner->processor_controls));
    uint32_t cr8 = nest_bits_cr8(inner->processor_controls, context->apic_page != NEST_NO_ADDRESS);
    out->processor_controls = nest_bits_processor(outer->processor_controls, inner->processor_controls,
                                                  may(context, VMX_TRUE_CPU), io, cr8);
}

void nest_rule_secondary_controls(struct vmcs *out, const struct vmcs *outer, const struct vmcs *inner,
                                  const struct nest_merge_context *context)
{
    uint32_t wanted = nest_secondary(inner), more = context->vpid ? CPU2_VPID : 0;
    if (context->linked || ((wanted & CPU2_VMCS_SHADOWING) && context->link != NEST_NO_ADDRESS))
        more |= CPU2_VMCS_SHADOWING;
    out->secondary_controls = nest_bits_secondary(nest_secondary(outer), wanted, more, may(context, VMX_CPU2));
}

/* An exit always leads to CP, so this is CP's business; what L1 wants saved must be there to be saved. */
void nest_rule_exit_controls(struct vmcs *out, const struct vmcs *outer, const struct vmcs *inner,
                             const struct nest_merge_context *context)
{
    const uint32_t save = EXIT_MERGE_ALWAYS;
    (void)inner;
    out->exit_controls = nest_bits_add(outer->exit_controls, save, save, may(context, VMX_TRUE_EXIT));
}

/* Everything is loaded from vmcs02, whose values are the inner's or the outer guest's own by their rules. */
void nest_rule_entry_controls(struct vmcs *out, const struct vmcs *outer, const struct vmcs *inner,
                              const struct nest_merge_context *context)
{
    const uint32_t load = ENTRY_MERGE_ALWAYS;
    uint32_t controls = nest_bits_without(outer->entry_controls, ENTRY_MERGE_INNER);
    out->entry_controls = nest_bits_add(controls, load, load, may(context, VMX_TRUE_ENTRY)) |
                          (inner->entry_controls & ENTRY_MERGE_INNER);
}

enum { PAGE_FAULT = 1 << 14 };

/* Whether the outer VMCS may take some page fault: then all exit, and routing sorts them out. */
static bool outer_takes_page_faults(const struct vmcs *outer)
{
    return (outer->exception_bitmap & PAGE_FAULT) || outer->page_fault_mask || outer->page_fault_match;
}

void nest_rule_exception_bitmap(struct vmcs *out, const struct vmcs *outer, const struct vmcs *inner,
                                const struct nest_merge_context *context)
{
    UNUSED(context);
    out->exception_bitmap = nest_bits_add(outer->exception_bitmap, inner->exception_bitmap, ~0u, ~0u);
    if (outer_takes_page_faults(outer))
        out->exception_bitmap |= PAGE_FAULT;
}

void nest_rule_page_fault_mask(struct vmcs *out, const struct vmcs *outer, const struct vmcs *inner,
                               const struct nest_merge_context *context)
{
    UNUSED(context);
    out->page_fault_mask = outer_takes_page_faults(outer) ? 0 : inner->page_fault_mask;
}

void nest_rule_page_fault_match(struct vmcs *out, const struct vmcs *outer, const struct vmcs *inner,
                                const struct nest_merge_context *context)
{
    UNUSED(context);
    out->page_fault_match = outer_takes_page_faults(outer) ? 0 : inner->page_fault_match;
}

/* A target value lets MOV to CR3 pass: no business of the inner's where the outer wants to see them all. */
void nest_rule_cr3_target_count(struct vmcs *out, const struct vmcs *outer, const struct vmcs *inner,
                                const struct nest_merge_context *context)
{
    UNUSED(context);
    out->cr3_target_count = outer->processor_controls & CPU_CR3_LOAD_EXITING ? 0 : inner->cr3_target_count;
}

void nest_rule_tpr_threshold(struct vmcs *out, const struct vmcs *outer, const struct vmcs *inner,
                             const struct nest_merge_context *context)
{
    (void)outer;
    bool shadow = (inner->processor_controls & CPU_TPR_SHADOW) && context->apic_page != NEST_NO_ADDRESS;
    out->tpr_threshold = shadow ? inner->tpr_threshold : 0;
}

/* TSC as a guest reads it: (host * multiplier >> 48) + offset.  SDM "Time-Stamp Counter Offsetting and Scaling" */
enum { TSC_FRACTION = 48 };
#define TSC_ONE (1ull << TSC_FRACTION)

static bool scales(const struct vmcs *vmcs)
{
    return (vmcs->processor_controls & CPU_TSC_OFFSETTING) && (nest_secondary(vmcs) & CPU2_TSC_SCALING);
}

static uint64_t multiplier_of(const struct vmcs *vmcs)
{
    return scales(vmcs) ? vmcs->tsc_multiplier : TSC_ONE;
}

static uint64_t offset_of(const struct vmcs *vmcs)
{
    return vmcs->processor_controls & CPU_TSC_OFFSETTING ? vmcs->tsc_offset : 0;
}

/* (a * b) >> 48 of a signed and an unsigned number */
static uint64_t scale_signed(uint64_t a, uint64_t b)
{
    return (uint64_t)(((__int128)(int64_t)a * (__int128)(unsigned __int128)b) >> TSC_FRACTION);
}

void nest_rule_tsc_offset(struct vmcs *out, const struct vmcs *outer, const struct vmcs *inner,
                          const struct nest_merge_context *context)
{
    UNUSED(context);
    out->tsc_offset = scale_signed(offset_of(outer), multiplier_of(inner)) + offset_of(inner);
}

void nest_rule_tsc_multiplier(struct vmcs *out, const struct vmcs *outer, const struct vmcs *inner,
                              const struct nest_merge_context *context)
{
    UNUSED(context);
    unsigned __int128 product = (unsigned __int128)multiplier_of(outer) * multiplier_of(inner);
    out->tsc_multiplier = (uint64_t)(product >> TSC_FRACTION);
}
