/* A VMCB of any contents, any controls and any code behind it. What must hold: a translation depends on nothing but the
 * VMCB and the bytes it was given, and on those only where it says it wants them; what it reports is of VMX's
 * vocabulary; an instruction is as long as it says; what CP needs is intercepted whatever the controls say; and what a
 * field write does not declare to concern the intercepts does not. */
#include <stdlib.h>
#include <string.h>

#include "cp/svm/touch.h"
#include "cp/svm/violation.h"
#include "cp/vcpu/cpuid.h"
#include "cp/vcpu/linear.h"
#include "cp/vcpu/nested.h"
#include "vmcs-shadow/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { VECTOR_UD = 6, STORAGE = 256 << 10, CODE_AT = 0x3000,
       TYPES_KNOWN = 1 << 0 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 };
enum { QUALIFICATION_LINEAR = 1 << 7, QUALIFICATION_FINAL = 1 << 8 };

struct input {
    const uint8_t *at, *end;
};

static struct vmcb vmcb;
static struct svm_state state;
static struct svm_code code;
static struct svm_maps maps = {.io = 0x1000, .msr_some = 0x4000, .msr_all = 0x6000, .bitmap = 0x8000};

static void require(bool holds)
{
    if (!holds)
        abort();
}

static uint64_t take(struct input *in, unsigned bytes)
{
    uint64_t value = 0;

    while (bytes-- && in->at < in->end)
        value = value << 8 | *in->at++;
    return value;
}

/* ---- fields ------------------------------------------------------------------------------------------------------ */

/* Who cast a shadow nobody wrote down, and whether it holds a trap back, is told by what else there is. */
static bool depends(unsigned read, unsigned written)
{
    bool told = read == VMCS_INDEX_GUEST_INTERRUPTIBILITY || read == VMCS_INDEX_GUEST_PENDING_DEBUG_EXCEPTIONS;

    return read == written || (told && (written == VMCS_INDEX_GUEST_RFLAGS || written == VMCS_INDEX_GUEST_DEBUGCTL ||
                                        written == VMCS_INDEX_GUEST_INTERRUPTIBILITY));
}

/* What is read is what was written, as far as the field can hold it, and no other field has changed. */
static void field_write(enum vmcs_index index, uint64_t value)
{
    uint64_t before[VMCS_FIELDS];

    for (unsigned i = 0; i < VMCS_FIELDS; i++)
        before[i] = svm_field_read(&state, i);
    svm_field_write(&state, index, value);
    uint64_t kept = svm_field_read(&state, index);
    svm_field_write(&state, index, kept);
    require(svm_field_read(&state, index) == kept);
    for (unsigned i = 0; i < VMCS_FIELDS; i++)
        require(depends(i, index) || svm_field_read(&state, i) == before[i]);
    require(vmcb.cpl <= 3 && !(vmcb.cr4 & 1 << 13));
}

static void intercepts_bound(void)
{
    const uint32_t always =
        VMCB_INTR | VMCB_NMI | VMCB_INIT | VMCB_CPUID | VMCB_INVD | VMCB_INVLPGA | VMCB_IO | VMCB_MSR | VMCB_SHUTDOWN;
    const uint32_t always2 = VMCB_SVM_INSTRUCTIONS | VMCB_XSETBV | VMCB_WBINVD;
    const uint32_t vectors = 1u << VECTOR_UD | 1u << 13 | 1u << 17 | 1u << 1;

    require((vmcb.intercepts & always) == always && (vmcb.intercepts2 & always2) == always2);
    require((vmcb.exceptions & vectors) == vectors && (vmcb.exceptions | ~state.image.exception_bitmap) == ~0u);
    require((vmcb.cr_writes & 1) || (vmcb.intercepts & VMCB_CR0_SELECTIVE));
    require((vmcb.cr_writes & 1 << 4) && (vmcb.dr_writes | ~maps.debug_writes) == ~0);
    require(vmcb.nested_paging == 1 && vmcb.io_map == maps.io && (vmcb.virtual_interrupt & VMCB_V_INTR_MASKING));
    require(vmcb.msr_map == maps.msr_all || (vmcb.msr_map == maps.msr_some && state.image.msr_bitmap == maps.bitmap));
    require(vmcb.nested_cr3 == (state.image.ept_pointer & 0x000FFFFFFFFFF000ull) && !state.controls_stale);
    /* the guest may look at what it is not to see only if it exits */
    require(svm_cr0_seen(&state) == vmcb.cr0 || (vmcb.cr_reads & 1));
    require(svm_cr4_seen(&state) == vmcb.cr4 || (vmcb.cr_reads & 1 << 4));
}

static void controls(struct input *in)
{
    maps.debug_writes = take(in, 1) & 1 ? 0xFFFF : 0;
    for (unsigned n = take(in, 1) & 15; n--;) {
        unsigned index = take(in, 1) % VMCS_FIELDS;

        svm_control_apply(&state, &maps);
        intercepts_bound();
        field_write(index, take(in, 8));
        if (state.controls_stale)
            continue;
        struct vmcb as_it_is = vmcb;
        svm_control_apply(&state, &maps);
        require(!memcmp(&as_it_is, &vmcb, sizeof vmcb));
    }
    svm_control_apply(&state, &maps);
    intercepts_bound();
}

/* ---- exits ------------------------------------------------------------------------------------------------------- */

static void report_bound(const struct exit *exit)
{
    require(exit->reason < EXIT_REASONS && strcmp(exit_reason_name(exit->reason), "RESERVED") != 0);
    require(exit->instruction_length < INSTRUCTION_MAX_BYTES + 4);
}

static void raised_bound(const struct exit *exit, bool software)
{
    unsigned vector = exit->interruption_info & 0xFF, type = exit->interruption_info >> 8 & 7;
    bool error = vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;

    require(exit->reason == EXIT_EXCEPTION_NMI && exit->interruption_info >> 31);
    if (software) {
        require(type >= 4 && exit->instruction_length && exit->instruction_length <= code.count);
        return;
    }
    require(vector < 32 && (type == 3 || type == 6));
    require(!!(exit->interruption_info & 1 << 11) == error && (error || !exit->interruption_error));
}

static void access_bound(const struct svm_access *a)
{
    struct svm_access again;

    require(a->length >= 2 && a->length <= code.count && a->number < 16 && a->reg < 16 && a->kind <= SVM_ACCESS_INVLPG);
    require(!a->memory || a->operand.length == a->length);
    require(svm_access_decode(code.bytes, a->length, code.mode, &again) && again.length == a->length);
    require(!svm_access_decode(code.bytes, a->length - 1u, code.mode, &again));
}

/* With other bytes where there are none, and with none at all where none were asked for, it is the same exit. */
static void same_exit(const struct exit *exit, enum svm_verdict verdict, unsigned software)
{
    struct svm_code other = code;
    struct svm_access ignored;
    struct exit seen;

    for (size_t i = code.count; i < sizeof other.bytes; i++)
        other.bytes[i] = (uint8_t)~code.bytes[i];
    if (!svm_exit_wants_code(&vmcb))
        memset(&other, 0xCC, sizeof other.bytes), other.count = 0;
    require(svm_exit_translate(&state, &other, &seen, &ignored) == verdict);
    svm_exit_vectoring(&vmcb, &other, software, &seen);
    require(!memcmp(&seen, exit, sizeof seen));
}

static void vectoring_bound(const struct exit *before, const struct exit *exit, unsigned software)
{
    if (!(vmcb.exit_interrupt_info & VMCB_EVENT_VALID)) {
        require(!memcmp(before, exit, sizeof *exit));
        return;
    }
    require(exit->idt_vectoring_info >> 31 && exit->reason == before->reason);
    require(exit->rip == before->rip || exit->rip == before->rip - software);
    require(exit->guest_physical == before->guest_physical && exit->qualification == before->qualification);
    unsigned type = exit->idt_vectoring_info >> 8 & 7;
    require(type != 2 || (exit->idt_vectoring_info & 0xFF) == 2);
}

static void exits(unsigned software)
{
    struct svm_access access = {0};
    struct exit exit, before;

    memset(&exit, 0, sizeof exit);
    enum svm_verdict verdict = svm_exit_translate(&state, &code, &exit, &access);
    require(exit.rip == vmcb.rip);
    if (verdict == SVM_REPORT)
        report_bound(&exit);
    else if (verdict == SVM_EXCEPTION || verdict == SVM_SOFTWARE)
        raised_bound(&exit, verdict == SVM_SOFTWARE);
    else if (verdict == SVM_SEEN)
        access_bound(&access);
    before = exit;
    svm_exit_vectoring(&vmcb, &code, software, &exit);
    vectoring_bound(&before, &exit, software);
    same_exit(&exit, verdict, software);
}

static void instructions(void)
{
    struct svm_access a;
    struct exit exit = {.rip = vmcb.rip}, again = exit;

    if (svm_access_decode(code.bytes, code.count, code.mode, &a))
        access_bound(&a);
    if (!svm_system_instruction(code.bytes, code.count, code.mode, &exit))
        return;
    require(exit.instruction_length >= 3 && exit.instruction_length <= code.count);
    require(svm_system_instruction(code.bytes, exit.instruction_length, code.mode, &again));
    require(!memcmp(&exit, &again, sizeof exit));
    require(!svm_system_instruction(code.bytes, exit.instruction_length - 1, code.mode, &again));
}

/* ---- what an instruction touches --------------------------------------------------------------------------------- */

static struct vm vm;
static struct vmcs fields;

uint64_t vcpu_read_any(struct vcpu *vcpu, enum vmcs_field field)
{
    return (void)vcpu, vmcs_field_read(&fields, field, true);
}
void vcpu_write_any(struct vcpu *vcpu, enum vmcs_field field, uint64_t value)
{
    (void)vcpu, vmcs_field_write(&fields, field, value, true);
}

bool nested_translate(struct vcpu *vcpu, uint64_t *at, bool write) { return (void)vcpu, (void)at, (void)write, true; }
unsigned cpuid_physical_bits(void) { return 39; }

static uint64_t gpr(void *context, unsigned reg)
{
    require(reg < GPRS);
    return ((struct vm *)context)->vcpu.gpr[reg];
}
static uint64_t base(void *context, enum segment segment)
{
    (void)context;
    require(segment <= SEGMENT_GS);
    return segment >= SEGMENT_FS || code.mode != DECODE_64 ? segment * 0x1000u : 0;
}
static const struct execute_seams seams = {.context = &vm, .read_gpr = gpr, .segment_base = base};

/* Page tables of the fuzzer's bytes: four levels in the first sixteen KiB, the rest of the 256 mapped as they say. */
static void storage_fill(struct input *in)
{
    for (unsigned n = take(in, 1) & 31; n--;) {
        uint64_t entry = (take(in, 2) << 12 & (STORAGE - 1)) | take(in, 1), at = take(in, 2) << 3 & 0x3FFF;

        guest_write(&vm.storage, gpa(at), &entry, 8);
    }
}

static void violation(struct input *in)
{
    struct exit *exit = &vm.vcpu.exit, before;
    uint32_t error;
    gpa_t at;

    guest_storage_init(&vm.storage, STORAGE, 0);
    vm.vcpu.vm = &vm;
    memset(&fields, 0, sizeof fields);
    fields.guest_cr0 = 1ull << 31 | 1;
    fields.guest_cr4 = 1 << 5;
    fields.guest_efer = code.mode == DECODE_64 ? 0x500 : 0;
    fields.guest_cr3 = take(in, 1) << 12 & 0x3000;
    storage_fill(in);
    for (unsigned i = 0; i < GPRS; i++)
        vm.vcpu.gpr[i] = take(in, 3);
    *exit = (struct exit){.reason = EXIT_EPT_VIOLATION, .rip = CODE_AT, .qualification = take(in, 1) & 7,
                          .guest_physical = take(in, 3) & (STORAGE - 1),
                          .idt_vectoring_info = take(in, 1) & 1 ? 1u << 31 | 14 : 0};
    before = *exit;
    bool table = take(in, 1) & 1;
    svm_violation_complete(&vm.vcpu, &seams, &code, table);
    require(exit->reason == before.reason && exit->guest_physical == before.guest_physical && exit->rip == before.rip);
    require((exit->qualification & ~(uint64_t)(QUALIFICATION_LINEAR | QUALIFICATION_FINAL | 3)) ==
            (before.qualification & ~3ull));
    require(!(exit->qualification & QUALIFICATION_FINAL) || (exit->qualification & QUALIFICATION_LINEAR));
    require(exit->qualification & QUALIFICATION_LINEAR || exit->guest_linear == before.guest_linear);
    if ((exit->qualification & QUALIFICATION_FINAL) && !linear_translate(&vm.vcpu, exit->guest_linear, 0, &at, &error))
        require(at.a == exit->guest_physical); /* proven, not guessed */
    guest_storage_free(&vm.storage);
    require(!vm.storage.account.frames);
}

static void touches(void)
{
    struct svm_touches t;

    svm_touches_find(&code, &seams, CODE_AT, &t);
    require(t.count <= SVM_TOUCHES && t.count >= 3); /* the stack at least */
}

/* ---- maps and events --------------------------------------------------------------------------------------------- */

static void msr_map(struct input *in)
{
    uint8_t map[8192], bitmap[4096];

    memset(bitmap, (int)take(in, 1), sizeof bitmap);
    for (unsigned i = 0; i < 8; i++)
        bitmap[take(in, 2) & 4095] = (uint8_t)take(in, 1);
    svm_msr_map_build(map, bitmap);
    for (unsigned i = 0; i < 16; i++) {
        uint32_t msr = (take(in, 1) & 1 ? 0xC0000000u : 0) | (take(in, 2) & 0x3FFF);
        uint32_t place = msr & 0x1FFF;
        for (unsigned write = 0; write < 2; write++) {
            bool exits_by_map = map[(msr >> 31 ? 2048 : 0) + place / 4] >> (place % 4 * 2 + write) & 1;
            require((msr & 0x3FFFFFFF) < 0x2000 ? svm_msr_exits(bitmap, msr, write) == exits_by_map
                                                : svm_msr_exits(bitmap, msr, write));
        }
    }
}

static void injection(struct input *in)
{
    uint32_t info = (uint32_t)take(in, 4), error = (uint32_t)take(in, 4);
    uint64_t event = svm_event_injection(info, error);
    unsigned type = event >> 8 & 7;

    require((event & VMCB_EVENT_VALID) == (info & 1u << 31) && (event & 0xFF) == (info & 0xFF) && event >> 32 == error);
    require(type == VMCB_EVENT_EXTERNAL || (type >= VMCB_EVENT_NMI && type <= VMCB_EVENT_SOFTWARE));
    require(!(event & 0x7FFFF000)); /* reserved */
    require(svm_event_is_software(info) == ((info >> 8 & 7) >= 4));
}

static void begin(struct input *in)
{
    static const enum decode_mode modes[] = {DECODE_16, DECODE_32, DECODE_64};
    uint8_t number = (uint8_t)take(in, 1), shape = (uint8_t)take(in, 1);

    memset(&vmcb, 0, sizeof vmcb);
    memset(&state, 0, sizeof state);
    memset(&code, 0, sizeof code);
    state.vmcb = &vmcb;
    code.mode = modes[shape % 3];
    code.count = shape / 3 % (INSTRUCTION_MAX_BYTES + 1);
    for (size_t i = 0; i < INSTRUCTION_MAX_BYTES; i++)
        code.bytes[i] = (uint8_t)take(in, 1);
    vmcb.exit_code = number == 0xFF ? SVM_EXIT_NPF : number;
    vmcb.exit_info1 = take(in, 8);
    vmcb.exit_info2 = take(in, 8);
    vmcb.exit_interrupt_info = take(in, 8);
    vmcb.rip = take(in, 8);
    vmcb.next_rip = shape & 0x80 ? vmcb.rip + (take(in, 1) & 15) : 0;
    vmcb.efer = take(in, 2);
    vmcb.cr0 = take(in, 4);
    vmcb.rflags = take(in, 4);
    vmcb.cs.rights = (uint16_t)take(in, 2);
    vmcb.cpl = take(in, 1) & 3;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, data + size};
    static bool ready;

    if (!ready)
        frame_add(hpa((uint64_t)(uintptr_t)aligned_alloc(4096, 4 << 20)), 4 << 20);
    ready = true;
    begin(&in);
    unsigned software = take(&in, 1) & 15;
    state.image.secondary_controls = (uint32_t)take(&in, 4);
    exits(software);
    instructions();
    touches();
    injection(&in);
    uint8_t parts = (uint8_t)take(&in, 1); /* the slow ones not always */
    if (parts & 1)
        controls(&in);
    if (parts & 2)
        violation(&in);
    if (parts >> 5 == 7)
        msr_map(&in);
    return 0;
}
