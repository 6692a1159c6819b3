/* Owns the table of assertions on vmcs02. In: an image, CP's own VMCS, what L1 is offered, the frames a virtual VMCS
 * holds. Out: the row that is broken. Nothing of nest/merge*.c and nest/bits.h is used here, or it would be asked
 * whether it agrees with itself. */
#include "nest/assert.h"
#include "nest/chain_host.h"

#include "nest/ept.h"

#define HOLDS(name) \
    static bool name(const struct nest *nest, const struct nest_vmcs *vmcs, const struct vmcs *image, \
                     enum vmcs_index index)
#define UNUSED() ((void)nest, (void)vmcs, (void)image, (void)index)

enum { EVENT_VALID = 1u << 31, EVENT_ERROR = 1 << 11, EVENT_RESERVED = 0x7FFFF000, TYPE_SHIFT = 8, PAGE_FAULT = 1 << 14,
       CR3_TARGETS = 4 };
enum { FRAME_OFFSET = 4095, EPTP_FORM = 3 << 3 | 6, EPTP_MARKS = 1 << 6 };
#define EFER_GUESTS (1ull << 0 | 1ull << 8 | 1ull << 10 | 1ull << 11) /* SCE LME LMA NXE: never SVME */

static bool is_subset(uint64_t bits, uint64_t of) { return !(bits & ~of); }
static uint32_t may(const struct vmx_capability *c, enum vmx_msr msr) { return (uint32_t)(c->msr[msr] >> 32); }
static uint64_t address_of(const void *frame) { return (uint64_t)(uintptr_t)frame; }

static uint32_t secondary_of(const struct vmcs *v)
{
    return v->processor_controls & CPU_SECONDARY_CONTROLS ? v->secondary_controls : 0;
}

/* ---- 1 and 2: controls ------------------------------------------------------------ */

HOLDS(pin_controls)
{
    UNUSED();
    uint32_t own = nest->vmcs01.pin_controls, has = image->pin_controls;
    return is_subset(own, has) && is_subset(has, own | may(nest->offered, VMX_TRUE_PIN)) &&
           capability_allows(nest->capability->msr[VMX_TRUE_PIN], has);
}

/* What a guest may make laxer than CP's has a row of its own. */
HOLDS(processor_controls)
{
    UNUSED();
    const uint32_t apart = CPU_UNCONDITIONAL_IO_EXITING | CPU_IO_BITMAPS | CPU_MSR_BITMAPS | CPU_TPR_SHADOW |
                           CPU_CR8_LOAD_EXITING | CPU_CR8_STORE_EXITING;
    const uint32_t tpr = CPU_CR8_LOAD_EXITING | CPU_CR8_STORE_EXITING;
    uint32_t own = nest->vmcs01.processor_controls, has = image->processor_controls;
    return is_subset(own & ~apart, has) && is_subset(has, own | tpr | may(nest->offered, VMX_TRUE_CPU)) &&
           capability_allows(nest->capability->msr[VMX_TRUE_CPU], has);
}

HOLDS(ports_exit)
{
    UNUSED();
    uint32_t own = nest->vmcs01.processor_controls, has = image->processor_controls;
    if (own & CPU_UNCONDITIONAL_IO_EXITING && !(own & CPU_IO_BITMAPS))
        return has & CPU_UNCONDITIONAL_IO_EXITING && !(has & CPU_IO_BITMAPS);
    return !(own & CPU_IO_BITMAPS) || has & (CPU_IO_BITMAPS | CPU_UNCONDITIONAL_IO_EXITING);
}

/* The TPR is never the outer guest's: it is in L1's page, or its accesses exit. */
HOLDS(tpr_exits)
{
    UNUSED();
    const uint32_t both = CPU_CR8_LOAD_EXITING | CPU_CR8_STORE_EXITING;
    return image->processor_controls & CPU_TPR_SHADOW || (image->processor_controls & both) == both;
}

HOLDS(secondary_controls)
{
    UNUSED();
    /* instructions that exist, modes, tags: no intercept, so that a guest may have less of them */
    const uint32_t features = CPU2_RDTSCP | CPU2_INVPCID | CPU2_UNRESTRICTED_GUEST | CPU2_VPID | CPU2_VMCS_SHADOWING;
    uint32_t own = secondary_of(&nest->vmcs01), has = image->secondary_controls;
    return image->processor_controls & CPU_SECONDARY_CONTROLS && has & CPU2_EPT && is_subset(own & ~features, has) &&
           is_subset(has, own | CPU2_VPID | (may(nest->offered, VMX_CPU2) & ~(uint32_t)CPU2_PML)) &&
           is_subset(has, may(nest->capability, VMX_CPU2));
}

HOLDS(exit_controls)
{
    UNUSED();
    const uint32_t saved = EXIT_SAVE_DEBUG_CONTROLS | EXIT_SAVE_PAT | EXIT_SAVE_EFER;
    uint32_t own = nest->vmcs01.exit_controls, has = image->exit_controls;
    return is_subset(own, has) && is_subset(has, own | saved);
}

HOLDS(entry_controls)
{
    UNUSED();
    const uint32_t loaded = ENTRY_LOAD_DEBUG_CONTROLS | ENTRY_LOAD_PAT | ENTRY_LOAD_EFER | ENTRY_LONG_MODE;
    uint32_t own = nest->vmcs01.entry_controls, has = image->entry_controls;
    return is_subset(own & ~(uint32_t)ENTRY_LONG_MODE, has) && is_subset(has, own | loaded);
}

HOLDS(exceptions)
{
    UNUSED();
    return is_subset(nest->vmcs01.exception_bitmap, image->exception_bitmap);
}

/* If CP takes any page fault, all of them exit. */
HOLDS(page_faults)
{
    UNUSED();
    const struct vmcs *own = &nest->vmcs01;
    if (!(own->exception_bitmap & PAGE_FAULT) && !own->page_fault_mask && !own->page_fault_match)
        return true;
    return image->exception_bitmap & PAGE_FAULT && !image->page_fault_mask && !image->page_fault_match;
}

HOLDS(cr3_targets)
{
    UNUSED();
    return image->cr3_target_count <= CR3_TARGETS &&
           (!(nest->vmcs01.processor_controls & CPU_CR3_LOAD_EXITING) || !image->cr3_target_count);
}

HOLDS(cr0_mask) { UNUSED(); return is_subset(nest->vmcs01.cr0_mask, image->cr0_mask); }
HOLDS(cr4_mask) { UNUSED(); return is_subset(nest->vmcs01.cr4_mask, image->cr4_mask); }

/* ---- 3: host state, and all else that is CP's alone ---------------------------------- */

HOLDS(is_cps) { UNUSED(); return vmcs_get(image, index) == vmcs_get(&nest->vmcs01, index); }

/* ---- guest state that CP has a part in ------------------------------------------------- */

HOLDS(cr0_bits)
{
    UNUSED();
    return is_subset(nest->policy.cr0_ones, image->guest_cr0) && !(image->guest_cr0 & nest->policy.cr0_zeroes);
}

HOLDS(cr4_bits)
{
    UNUSED();
    return is_subset(nest->policy.cr4_ones, image->guest_cr4) && !(image->guest_cr4 & nest->policy.cr4_zeroes);
}

HOLDS(efer_bits) { UNUSED(); return is_subset(image->guest_efer, EFER_GUESTS); }

/* In any other state the processor would take no interrupt, CP's neither. */
HOLDS(activity)
{
    enum { HLT = 1 };
    UNUSED();
    return image->guest_activity_state <= HLT;
}

/* ---- 4: addresses ----------------------------------------------------------------------- */

static bool is_frame(const struct nest_vmcs *vmcs, enum nest_frame which, uint64_t address)
{
    return vmcs->frames[which] && address == address_of(vmcs->frames[which]);
}

HOLDS(msr_bitmap)
{
    UNUSED();
    if (!(image->processor_controls & CPU_MSR_BITMAPS))
        return !image->msr_bitmap || image->msr_bitmap == nest->vmcs01.msr_bitmap ||
               is_frame(vmcs, NEST_FRAME_MSR_BITMAP, image->msr_bitmap);
    bool own = nest->vmcs01.processor_controls & CPU_MSR_BITMAPS && image->msr_bitmap == nest->vmcs01.msr_bitmap;
    return own || is_frame(vmcs, NEST_FRAME_MSR_BITMAP, image->msr_bitmap);
}

HOLDS(io_bitmap)
{
    UNUSED();
    enum nest_frame which = index == VMCS_INDEX_IO_BITMAP_A ? NEST_FRAME_IO_A : NEST_FRAME_IO_B;
    uint64_t address = vmcs_get(image, index), own = vmcs_get(&nest->vmcs01, index);
    return is_frame(vmcs, which, address) || (address == own && (!(image->processor_controls & CPU_IO_BITMAPS) ||
                                                                 nest->vmcs01.processor_controls & CPU_IO_BITMAPS));
}

/* The region of what L2 itself made current, where that is carried out here. */
static bool is_linked_above(const struct nest *nest, const struct nest_vmcs *vmcs, uint64_t link)
{
    const struct nest_vmcs *current = vmcs->chain ? vmcs->chain->nest->current : NULL;
    return current && current->shadow_region && link == nest->hardware->region_address(current->shadow_region);
}

HOLDS(field_bitmap)
{
    UNUSED();
    enum nest_frame which = index == VMCS_INDEX_VMREAD_BITMAP ? NEST_FRAME_VMREAD : NEST_FRAME_VMWRITE;
    uint64_t address = vmcs_get(image, index);
    uint64_t linked = index == VMCS_INDEX_VMREAD_BITMAP ? vmcs->context.linked_read : vmcs->context.linked_write;
    return is_frame(vmcs, which, address) ||
           (is_linked_above(nest, vmcs, image->vmcs_link_pointer) && address == linked) ||
           (!(image->secondary_controls & CPU2_VMCS_SHADOWING) && !address);
}

/* Found anew through EPT01: it is a page of this machine's storage, and the one L1 named. */
HOLDS(virtual_apic)
{
    UNUSED();
    struct nest_translation page;
    if (!(image->processor_controls & CPU_TPR_SHADOW))
        return !image->virtual_apic_address;
    return vmcs->pinned_apic != NEST_NO_ADDRESS && vmcs->pinned_apic == vmcs->vmcs12.virtual_apic_address &&
           nest->host->translate(nest->host->context, vmcs->pinned_apic, NEST_READ, &page) &&
           image->virtual_apic_address == (page.hpa | (vmcs->pinned_apic & (page.bytes - 1) & ~(uint64_t)FRAME_OFFSET));
}

/* CP's own, or the root of an EPT02 that this L2 was given, in the one form CP uses. */
HOLDS(ept_pointer)
{
    UNUSED();
    uint64_t form = image->ept_pointer & FRAME_OFFSET & ~(uint64_t)EPTP_MARKS,
             root = image->ept_pointer & ~(uint64_t)FRAME_OFFSET;
    if (!vmcs->ept)
        return image->ept_pointer == nest->vmcs01.ept_pointer;
    for (unsigned i = 0; i < NEST_EPT_CACHE; i++)
        if (nest->ept[i] == vmcs->ept)
            return form == EPTP_FORM && root == address_of(nest->ept[i]->root);
    return false;
}

/* The region behind the active virtual VMCS that L1's link pointer names. */
HOLDS(link_pointer)
{
    UNUSED();
    const struct nest_vmcs *link = vmcs->link;
    bool shadowing = image->secondary_controls & CPU2_VMCS_SHADOWING;
    if (image->vmcs_link_pointer == NEST_NO_ADDRESS)
        return !shadowing;
    if (is_linked_above(nest, vmcs, image->vmcs_link_pointer))
        return shadowing;
    for (unsigned i = 0; i < NEST_ACTIVE; i++)
        if (link && nest->active[i] == link)
            return shadowing && link->gpa == vmcs->vmcs12.vmcs_link_pointer && link->shadow_region &&
                   image->vmcs_link_pointer == nest->hardware->region_address(link->shadow_region);
    return false;
}

HOLDS(tag)
{
    UNUSED();
    if (!(image->secondary_controls & CPU2_VPID))
        return !image->vpid || image->vpid != nest->vmcs01.vpid;
    return image->vpid >= nest->policy.vpid_first && image->vpid - nest->policy.vpid_first < nest->policy.vpid_count;
}

/* ---- 7: events are CP's queue's to give, and not by this way ------------------------------- */

HOLDS(never) { UNUSED(); return false; }

/* ---- the table ------------------------------------------------------------------------------- */

#define ROW(NAME, WITH, number, text, function) {VMCS_INDEX_##NAME, VMCS_INDEX_##WITH, number, text, function},
#define OWN(NAME, number, text) ROW(NAME, NAME, number, text, is_cps)
#define ROWS \
    ROW(PIN_CONTROLS, PIN_CONTROLS, 1, "pin-based controls: CP's, and of others what is offered", pin_controls) \
    ROW(PROCESSOR_CONTROLS, PROCESSOR_CONTROLS, 1, "processor-based controls: CP's, and of others what is offered", \
        processor_controls) \
    ROW(PROCESSOR_CONTROLS, PROCESSOR_CONTROLS, 1, "ports exit where CP has them exit", ports_exit) \
    ROW(PROCESSOR_CONTROLS, VIRTUAL_APIC_ADDRESS, 1, "the TPR is L1's page, or exits", tpr_exits) \
    ROW(SECONDARY_CONTROLS, PROCESSOR_CONTROLS, 1, \
        "secondary controls: CP's, with EPT, and of others what is offered", secondary_controls) \
    ROW(EXIT_CONTROLS, EXIT_CONTROLS, 1, "exit controls: CP's, and what is saved", exit_controls) \
    ROW(ENTRY_CONTROLS, ENTRY_CONTROLS, 1, "entry controls: CP's, and what is loaded", entry_controls) \
    ROW(EXCEPTION_BITMAP, EXCEPTION_BITMAP, 1, "exceptions that CP takes exit", exceptions) \
    ROW(EXCEPTION_BITMAP, PAGE_FAULT_MASK, 1, "page faults that CP takes exit", page_faults) \
    ROW(PAGE_FAULT_MATCH, PAGE_FAULT_MATCH, 1, "page faults that CP takes exit", page_faults) \
    ROW(CR3_TARGET_COUNT, CR3_TARGET_COUNT, 1, "CR3-target values: four at most, none where CP sees loads of CR3", \
        cr3_targets) \
    ROW(CR0_MASK, CR0_MASK, 1, "CP owns its bits of CR0", cr0_mask) \
    ROW(CR4_MASK, CR4_MASK, 1, "CP owns its bits of CR4", cr4_mask) \
    ROW(GUEST_CR0, GUEST_CR0, 1, "CP's bits of the real CR0", cr0_bits) \
    ROW(GUEST_CR4, GUEST_CR4, 1, "CP's bits of the real CR4", cr4_bits) \
    ROW(GUEST_EFER, GUEST_EFER, 2, "IA32_EFER has what a guest may have", efer_bits) \
    ROW(GUEST_ACTIVITY_STATE, GUEST_ACTIVITY_STATE, 7, "the processor is active, or halts with interrupts for CP", \
        activity) \
    OWN(VM_FUNCTION_CONTROLS, 2, "VM functions are CP's to carry out") \
    OWN(TERTIARY_CONTROLS, 2, "tertiary controls are CP's") \
    OWN(HOST_ES_SELECTOR, 3, "host ES") OWN(HOST_CS_SELECTOR, 3, "host CS") OWN(HOST_SS_SELECTOR, 3, "host SS") \
    OWN(HOST_DS_SELECTOR, 3, "host DS") OWN(HOST_FS_SELECTOR, 3, "host FS") OWN(HOST_GS_SELECTOR, 3, "host GS") \
    OWN(HOST_TR_SELECTOR, 3, "host TR") OWN(HOST_PAT, 3, "host IA32_PAT") OWN(HOST_EFER, 3, "host IA32_EFER") \
    OWN(HOST_PERF_GLOBAL_CTRL, 3, "host IA32_PERF_GLOBAL_CTRL") OWN(HOST_PKRS, 3, "host IA32_PKRS") \
    OWN(HOST_SYSENTER_CS, 3, "host IA32_SYSENTER_CS") OWN(HOST_CR0, 3, "host CR0") OWN(HOST_CR3, 3, "host CR3") \
    OWN(HOST_CR4, 3, "host CR4") \
    OWN(HOST_FS_BASE, 3, "host FS base") OWN(HOST_GS_BASE, 3, "host GS base") OWN(HOST_TR_BASE, 3, "host TR base") \
    OWN(HOST_GDTR_BASE, 3, "host GDTR base") OWN(HOST_IDTR_BASE, 3, "host IDTR base") \
    OWN(HOST_SYSENTER_ESP, 3, "host IA32_SYSENTER_ESP") \
    OWN(HOST_SYSENTER_EIP, 3, "host IA32_SYSENTER_EIP") OWN(HOST_RSP, 3, "host RSP") OWN(HOST_RIP, 3, "host RIP") \
    OWN(HOST_S_CET, 3, "host IA32_S_CET") OWN(HOST_SSP, 3, "host SSP") \
    OWN(HOST_INTERRUPT_SSP_TABLE, 3, "host SSP table") \
    ROW(MSR_BITMAP, PROCESSOR_CONTROLS, 4, "MSR bitmap: CP's, or the frame of the union", msr_bitmap) \
    ROW(IO_BITMAP_A, PROCESSOR_CONTROLS, 4, "I/O bitmap A: CP's, or the frame of the union", io_bitmap) \
    ROW(IO_BITMAP_B, PROCESSOR_CONTROLS, 4, "I/O bitmap B: CP's, or the frame of the union", io_bitmap) \
    ROW(VMREAD_BITMAP, SECONDARY_CONTROLS, 4, "VMREAD bitmap: the frame of the union", field_bitmap) \
    ROW(VMWRITE_BITMAP, SECONDARY_CONTROLS, 4, "VMWRITE bitmap: the frame of the union", field_bitmap) \
    ROW(VIRTUAL_APIC_ADDRESS, PROCESSOR_CONTROLS, 4, "virtual-APIC page: of L1's storage, and pinned", virtual_apic) \
    ROW(EPT_POINTER, EPT_POINTER, 4, "EPT pointer: CP's, or an EPT02 of this machine", ept_pointer) \
    ROW(VMCS_LINK_POINTER, SECONDARY_CONTROLS, 4, "link pointer: the region of the VMCS L1 links to", link_pointer) \
    ROW(VPID, SECONDARY_CONTROLS, 4, "VPID: one of this machine's for its guests", tag) \
    OWN(EXIT_MSR_STORE_ADDRESS, 4, "MSR-store list") OWN(EXIT_MSR_STORE_COUNT, 4, "MSR-store count") \
    OWN(EXIT_MSR_LOAD_ADDRESS, 4, "MSR-load list at exits") OWN(EXIT_MSR_LOAD_COUNT, 4, "MSR-load count at exits") \
    OWN(ENTRY_MSR_LOAD_ADDRESS, 4, "MSR-load list at entries") \
    OWN(ENTRY_MSR_LOAD_COUNT, 4, "MSR-load count at entries") \
    OWN(PML_ADDRESS, 4, "page-modification log") \
    OWN(APIC_ACCESS_ADDRESS, 4, "APIC-access page") \
    OWN(POSTED_INTERRUPT_DESCRIPTOR, 4, "posted-interrupt descriptor") \
    OWN(POSTED_INTERRUPT_VECTOR, 4, "posted-interrupt vector") \
    OWN(EPTP_LIST_ADDRESS, 4, "EPTP list") OWN(EPTP_INDEX, 4, "EPTP index") \
    OWN(SPP_TABLE_POINTER, 4, "sub-page permission table") \
    OWN(VIRTUALIZATION_EXCEPTION_ADDRESS, 4, "virtualization-exception page")
/* What CP's event queue and its timer write, an image never does. */
#define NEVER \
    ROW(ENTRY_INTERRUPTION_INFO, ENTRY_INTERRUPTION_INFO, 7, "events are the queue's to give", never) \
    ROW(ENTRY_EXCEPTION_ERROR_CODE, ENTRY_EXCEPTION_ERROR_CODE, 7, "events are the queue's to give", never) \
    ROW(ENTRY_INSTRUCTION_LENGTH, ENTRY_INSTRUCTION_LENGTH, 7, "events are the queue's to give", never) \
    ROW(PREEMPTION_TIMER, PREEMPTION_TIMER, 5, "the timer is CP's", never)

static const struct nest_assertion table[] = {ROWS NEVER};
enum { ASSERTIONS = sizeof(table) / sizeof(table[0]) };

#undef ROW
#define BIT(NAME, word) | (VMCS_INDEX_##NAME / 64 == (word) ? 1ull << VMCS_INDEX_##NAME % 64 : 0)
#define ROW(NAME, WITH, number, text, function) BIT(NAME, WORD) BIT(WITH, WORD)
const struct vmcs_set nest_assert_fields = {{
#define WORD 0
    0 ROWS NEVER,
#undef WORD
#define WORD 1
    0 ROWS NEVER,
#undef WORD
#define WORD 2
    0 ROWS NEVER,
#undef WORD
}};

/* Each address of the field table has a row of 4 here. */
#undef ROW
#define ROW(NAME, WITH, number, text, function) | ((number) == 4 ? 0 BIT(NAME, WORD) : 0)
#define FIELD(NAME, member, encoding, type, shadow, merge, derived, capability) \
    | (VMCS_TYPE_IS_ADDRESS(type) && VMCS_MERGE_##merge != VMCS_MERGE_NONE ? 0 BIT(NAME, WORD) : 0)
#define WORD 0
_Static_assert(!((0
#include "vmcs-shadow/fields.def"
                  ) & ~(0 ROWS)), "an address field that nothing is asserted of");
#undef WORD
#define WORD 1
_Static_assert(!((0
#include "vmcs-shadow/fields.def"
                  ) & ~(0 ROWS)), "an address field that nothing is asserted of");
#undef WORD
#define WORD 2
_Static_assert(!((0
#include "vmcs-shadow/fields.def"
                  ) & ~(0 ROWS)), "an address field that nothing is asserted of");
#undef WORD
#undef FIELD

unsigned nest_assertions(const struct nest_assertion **at)
{
    *at = table;
    return ASSERTIONS;
}

enum { ROW_WORDS = (ASSERTIONS + 63) / 64, FIELD_WORDS = sizeof(struct vmcs_set) / sizeof(uint64_t) };

/* The rows that are about a field, a bit each; made once, since most entries that ask have one field to ask about. */
static uint64_t about[VMCS_FIELDS][ROW_WORDS];

static void about_make(void)
{
    for (unsigned i = 0; i < ASSERTIONS; i++) {
        about[table[i].index][i / 64] |= 1ull << i % 64;
        about[table[i].with][i / 64] |= 1ull << i % 64;
    }
}

/* On the host all fields count as changed, but for those that must not be. */
static struct vmcs_set to_ask(const struct vmcs_set *changed)
{
    struct vmcs_set ask = *changed;
#ifdef VMN_HOST
    for (unsigned i = 0; i < ASSERTIONS; i++)
        if (table[i].holds != never)
            vmcs_set_add(&ask, table[i].index);
#endif
    return ask;
}

static void rows_find(const struct vmcs_set *ask, uint64_t rows[ROW_WORDS])
{
    for (unsigned word = 0; word < FIELD_WORDS; word++)
        for (uint64_t bits = ask->word[word] & nest_assert_fields.word[word]; bits; bits &= bits - 1)
            for (unsigned i = 0; i < ROW_WORDS; i++)
                rows[i] |= about[word * 64 + (unsigned)__builtin_ctzll(bits)][i];
}

const struct nest_assertion *nest_assert(const struct nest *nest, const struct nest_vmcs *vmcs,
                                         const struct vmcs *image, const struct vmcs_set *changed)
{
    const struct vmcs_set ask = to_ask(changed);
    uint64_t rows[ROW_WORDS] = {0};

    if (!about[table[0].index][0])
        about_make();
    rows_find(&ask, rows);
    for (unsigned word = 0; word < ROW_WORDS; word++)
        for (uint64_t bits = rows[word]; bits; bits &= bits - 1) {
            const struct nest_assertion *row = &table[word * 64 + (unsigned)__builtin_ctzll(bits)];
            if (!row->holds(nest, vmcs, image, row->index))
                return row;
        }
    return NULL;
}

bool nest_assert_event(uint32_t info, uint32_t error)
{
    enum { EXTERNAL, RESERVED, NMI, HARDWARE, SOFTWARE, PRIVILEGED, SOFTWARE_EXCEPTION, OTHER };
    const uint32_t with_error = 1u << 8 | 0x1Fu << 10 | 1u << 17 | 1u << 21;
    unsigned vector = info & 0xFF, type = info >> TYPE_SHIFT & 7;
    if (!(info & EVENT_VALID))
        return true;
    if (info & EVENT_RESERVED || type == RESERVED || type == OTHER || (type == NMI && vector != 2) ||
        (type == HARDWARE && vector > 31))
        return false;
    if (info & EVENT_ERROR)
        return type == HARDWARE && with_error >> vector & 1 && !(error >> 16);
    return true;
}
