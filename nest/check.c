/* Running the rules of a VM entry: each section of check_rules.def becomes one function of straight-line tests, and
 * nest_check_entry() runs those sections whose fields changed.
 *
 * Sections that depend on memory (TPR, PDPTES) run at each entry that uses their feature.  RFLAGS and CR0 change at
 * almost every entry, but most sections that read them read one bit, so the bits are compared.
 *
 * Instructions of an entry that passes: nothing changed 40; RIP, RFLAGS and RSP 100; RIP and an event to inject 200;
 * RIP and CR0, CR3, CR4 250; a host field 300; a segment 460; a control, and so everything, 1,400. */
#include "nest/check.h"

#include <string.h>

#include "nest/check_condition.h"

/* ---- the rules as text --------------------------------------------------------- */

#define SECTION(name, title, kind, qualification) static const struct nest_check_rule name##_rules[] = {
#define RULE(FIELD, text, condition) {VMCS_##FIELD, text},
#define APPLIES_IF(condition)
#define END };
#include "nest/check_rules.def"

/* ---- the rules as code: each returns the first that is broken, or NULL ------------ */

#define SECTION(name, title, kind, qualification)                                             \
    static const struct nest_check_rule *name##_broken(const struct vmcs *v, const struct nest_check *c)  \
    {                                                                                                 \
        const struct nest_check_rule *rule = name##_rules;                                                 \
        (void)v, (void)c;
#define RULE(FIELD, text, condition) \
    if (!(condition))                \
        return rule;                 \
    rule++;
#define APPLIES_IF(condition) \
    if (!(condition))         \
        return NULL;
#define END      \
    return NULL; \
    }
#include "nest/check_rules.def"

/* ---- the sections --------------------------------------------------------------------- */

static const struct section {
    const struct nest_check_rule *(*broken)(const struct vmcs *, const struct nest_check *);
    const struct nest_check_rule *rules;
    const char *title;
    uint8_t count, kind, qualification;
} sections[NEST_CHECK_SECTIONS] = {
#define SECTION(name, title, kind, qualification) \
    {name##_broken, name##_rules, title, sizeof(name##_rules) / sizeof(*name##_rules), kind, qualification},
#define RULE(FIELD, text, condition)
#define APPLIES_IF(condition)
#define END
#include "nest/check_rules.def"
};

#define IN(section) (1u << NEST_CHECK_SECTION_##section)

enum {
    CODE_AND_DATA = IN(VIRTUAL_8086) | IN(SEGMENTS),
    INJECTION = IN(EVENT) | IN(RIP_RFLAGS) | IN(STATE) | IN(NMI),
};

/* Fields not listed are free: no rule asks about them, or only TPR or PDPTES do. */
#define FROM(first, last) [VMCS_INDEX_##first ... VMCS_INDEX_##last]
#define THE(field) [VMCS_INDEX_##field]
const uint32_t nest_check_field_sections[VMCS_FIELDS] = {
    FROM(VPID, POSTED_INTERRUPT_VECTOR) = IN(EXECUTION),
    FROM(IO_BITMAP_A, MSR_BITMAP) = IN(EXECUTION),
    FROM(EXIT_MSR_STORE_ADDRESS, EXIT_MSR_LOAD_ADDRESS) = IN(EXIT),
    THE(ENTRY_MSR_LOAD_ADDRESS) = IN(ENTRY),
    THE(PML_ADDRESS) = IN(EXECUTION),
    FROM(VIRTUAL_APIC_ADDRESS, EPT_POINTER) = IN(EXECUTION),
    FROM(EPTP_LIST_ADDRESS, VIRTUALIZATION_EXCEPTION_ADDRESS) = IN(EXECUTION),
    FROM(PIN_CONTROLS, PROCESSOR_CONTROLS) = NEST_CHECK_ALL,
    THE(CR3_TARGET_COUNT) = IN(EXECUTION),
    THE(EXIT_CONTROLS) = NEST_CHECK_ALL,
    FROM(EXIT_MSR_STORE_COUNT, EXIT_MSR_LOAD_COUNT) = IN(EXIT),
    THE(ENTRY_CONTROLS) = NEST_CHECK_ALL,
    THE(ENTRY_MSR_LOAD_COUNT) = IN(ENTRY),
    THE(ENTRY_INTERRUPTION_INFO) = INJECTION,
    FROM(ENTRY_EXCEPTION_ERROR_CODE, ENTRY_INSTRUCTION_LENGTH) = IN(EVENT),
    THE(TPR_THRESHOLD) = IN(EXECUTION),
    THE(SECONDARY_CONTROLS) = NEST_CHECK_ALL,

    FROM(HOST_ES_SELECTOR, HOST_TR_SELECTOR) = IN(HOST_SEGMENTS),
    FROM(HOST_PAT, HOST_EFER) = IN(HOST_REGISTERS),
    FROM(HOST_CR0, HOST_CR3) = IN(HOST_REGISTERS),
    THE(HOST_CR4) = IN(HOST_REGISTERS) | IN(ADDRESS_SPACE),
    FROM(HOST_FS_BASE, HOST_IDTR_BASE) = IN(HOST_SEGMENTS),
    FROM(HOST_SYSENTER_ESP, HOST_SYSENTER_EIP) = IN(HOST_REGISTERS),
    THE(HOST_RIP) = IN(ADDRESS_SPACE),

    FROM(GUEST_ES_SELECTOR, GUEST_GS_SELECTOR) = CODE_AND_DATA,
    FROM(GUEST_LDTR_SELECTOR, GUEST_TR_SELECTOR) = IN(SYSTEM_SEGMENTS),
    THE(VMCS_LINK_POINTER) = IN(LINK),
    THE(GUEST_DEBUGCTL) = IN(GUEST_REGISTERS) | IN(STATE),
    FROM(GUEST_PAT, GUEST_EFER) = IN(GUEST_REGISTERS),
    FROM(GUEST_ES_LIMIT, GUEST_GS_LIMIT) = CODE_AND_DATA,
    FROM(GUEST_LDTR_LIMIT, GUEST_TR_LIMIT) = IN(SYSTEM_SEGMENTS),
    FROM(GUEST_GDTR_LIMIT, GUEST_IDTR_LIMIT) = IN(TABLES),
    THE(GUEST_ES_ACCESS_RIGHTS) = CODE_AND_DATA,
    THE(GUEST_CS_ACCESS_RIGHTS) = CODE_AND_DATA | IN(RIP_RFLAGS),
    THE(GUEST_SS_ACCESS_RIGHTS) = CODE_AND_DATA | IN(STATE),
    FROM(GUEST_DS_ACCESS_RIGHTS, GUEST_GS_ACCESS_RIGHTS) = CODE_AND_DATA,
    FROM(GUEST_LDTR_ACCESS_RIGHTS, GUEST_TR_ACCESS_RIGHTS) = IN(SYSTEM_SEGMENTS),
    THE(GUEST_INTERRUPTIBILITY) = IN(STATE) | IN(NMI),
    THE(GUEST_ACTIVITY_STATE) = IN(STATE),
    FROM(GUEST_CR0, GUEST_CR4) = IN(GUEST_REGISTERS),
    FROM(GUEST_ES_BASE, GUEST_GS_BASE) = CODE_AND_DATA,
    FROM(GUEST_LDTR_BASE, GUEST_TR_BASE) = IN(SYSTEM_SEGMENTS),
    FROM(GUEST_GDTR_BASE, GUEST_IDTR_BASE) = IN(TABLES),
    THE(GUEST_DR7) = IN(GUEST_REGISTERS),
    FROM(GUEST_RIP, GUEST_RFLAGS) = IN(RIP_RFLAGS),
    THE(GUEST_PENDING_DEBUG_EXCEPTIONS) = IN(STATE),
    FROM(GUEST_SYSENTER_ESP, GUEST_SYSENTER_EIP) = IN(GUEST_REGISTERS),
};

/* The sections that read a bit of RFLAGS or CR0 which changed; one test says that there is none. */
static uint32_t register_sections(uint64_t rflags, uint64_t cr0)
{
    uint32_t run = 0;
    if (((rflags & (RFLAGS_VM | RFLAGS_IF | RFLAGS_TF)) | (cr0 & CR0_PE)) == 0)
        return 0;
    if (rflags & RFLAGS_VM)
        run |= CODE_AND_DATA;
    if (rflags & (RFLAGS_IF | RFLAGS_TF))
        run |= IN(STATE);
    if (cr0 & CR0_PE)
        run |= CODE_AND_DATA | IN(RIP_RFLAGS) | IN(EVENT);
    return run;
}

static uint32_t memory_sections(const struct vmcs *v)
{
    return (wants_vtpr(v) ? IN(TPR) : 0) | (pae_paging(v) ? IN(PDPTES) : 0);
}

/* Runs the sections of *run in order and takes each that passes out of it. */
static bool sections_pass(uint32_t *run, const struct nest_check *check, struct nest_failure *failure)
{
    for (; *run; *run &= *run - 1) {
        const struct section *section = &sections[__builtin_ctz(*run)];
        const struct nest_check_rule *rule = section->broken(check->vmcs12, check);
        if (!rule)
            continue;
        *failure = (struct nest_failure){.kind = section->kind, .field = rule->field, .rule = rule->text,
                                         .title = section->title, .qualification = section->qualification};
        return false;
    }
    return true;
}

bool nest_check_entry(struct nest_check_memory *memory, const struct nest_check *check, struct nest_failure *failure)
{
    const struct vmcs *v = check->vmcs12;
    memory->unchecked |=
        memory_sections(v) | register_sections(memory->rflags ^ v->guest_rflags, memory->cr0 ^ v->guest_cr0);
    memory->rflags = v->guest_rflags;
    memory->cr0 = v->guest_cr0;
    return sections_pass(&memory->unchecked, check, failure);
}

static bool part_passes(enum nest_failure_kind kind, const struct nest_check *check, struct nest_failure *failure)
{
    uint32_t run = 0;
    for (unsigned n = 0; n < NEST_CHECK_SECTIONS; n++)
        run |= (uint32_t)(sections[n].kind == kind) << n;
    return sections_pass(&run, check, failure);
}

bool nest_check_controls(const struct nest_check *check, struct nest_failure *failure)
{
    return part_passes(NEST_FAILURE_CONTROL, check, failure);
}

bool nest_check_host(const struct nest_check *check, struct nest_failure *failure)
{
    return part_passes(NEST_FAILURE_HOST, check, failure);
}

bool nest_check_guest(const struct nest_check *check, struct nest_failure *failure)
{
    return part_passes(NEST_FAILURE_GUEST, check, failure);
}

void nest_check_touch_set(struct nest_check_memory *memory, const struct vmcs_set *changed)
{
    for (unsigned i = 0; i < sizeof(changed->word) / sizeof(*changed->word); i++)
        for (uint64_t word = changed->word[i]; word; word &= word - 1)
            nest_check_touch(memory, (enum vmcs_index)(i * 64 + (unsigned)__builtin_ctzll(word)));
}

bool nest_check_wants_vtpr(const struct vmcs *vmcs12)
{
    return wants_vtpr(vmcs12);
}

bool nest_check_wants_pdptes(const struct vmcs *vmcs12)
{
    return pae_paging(vmcs12);
}

const struct nest_check_rule *nest_check_rules(enum nest_check_section section, size_t *count)
{
    *count = sections[section].count;
    return sections[section].rules;
}

/* ---- lists of MSRs ------------------------------------------------------------------------ */

enum {
    MSR_IA32_SMM_MONITOR_CTL = 0x9B,
    MSR_IA32_BIOS_UPDT_TRIG = 0x79,
    MSR_IA32_BIOS_SIGN_ID = 0x8B,
    MSR_IA32_SMBASE = 0x9E,
    MSR_X2APIC = 0x800,
    MSR_IA32_FS_BASE = 0xC0000100,
    MSR_IA32_GS_BASE = 0xC0000101,
};

static bool listable(uint32_t index, uint32_t reserved, bool x2apic)
{
    return reserved == 0 && !(x2apic && index >> 8 == MSR_X2APIC >> 8);
}

/* IA32_SMM_MONITOR_CTL can be written in SMM only, and microcode is not updated from a list. */
bool nest_check_msr_load(uint32_t index, uint32_t reserved, bool x2apic)
{
    return listable(index, reserved, x2apic) && index != MSR_IA32_FS_BASE && index != MSR_IA32_GS_BASE &&
           index != MSR_IA32_SMM_MONITOR_CTL && index != MSR_IA32_BIOS_UPDT_TRIG && index != MSR_IA32_BIOS_SIGN_ID;
}

bool nest_check_msr_store(uint32_t index, uint32_t reserved, bool x2apic)
{
    return listable(index, reserved, x2apic) && index != MSR_IA32_SMBASE;
}
