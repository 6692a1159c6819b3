#include "cp/vcpu/segment_load.h"

#include "cp/decode/descriptor.h"
#include "cp/vcpu/execute_state.h"
#include "cp/vcpu/handlers.h"
#include "cp/vcpu/linear.h"
#include "cp/vcpu/registers.h"
#include "cp/vcpu/segment.h"

#define OF_REGISTER(NAME) \
    {VMCS_GUEST_##NAME##_SELECTOR, VMCS_GUEST_##NAME##_BASE, VMCS_GUEST_##NAME##_LIMIT, \
     VMCS_GUEST_##NAME##_ACCESS_RIGHTS}
enum { LDTR = SEGMENT_GS + 1, TR };

static const struct {
    enum vmcs_field selector, base, limit, rights;
} fields[] = {OF_REGISTER(ES), OF_REGISTER(CS), OF_REGISTER(SS),   OF_REGISTER(DS),
              OF_REGISTER(FS), OF_REGISTER(GS), OF_REGISTER(LDTR), OF_REGISTER(TR)};

static void put(struct vcpu *vcpu, unsigned reg, const struct segment_value *s)
{
    vcpu_write(vcpu, fields[reg].selector, s->selector);
    vcpu_write(vcpu, fields[reg].base, s->base);
    vcpu_write(vcpu, fields[reg].limit, s->limit);
    vcpu_write(vcpu, fields[reg].rights, s->rights);
}

static bool is_real(struct vcpu *vcpu)
{
    return !(vcpu_read(vcpu, VMCS_GUEST_CR0) & CR0_PE) || (vcpu_read(vcpu, VMCS_GUEST_RFLAGS) & RFLAGS_VM);
}

static struct descriptor_mode mode_of(struct vcpu *vcpu)
{
    return (struct descriptor_mode){registers_cpl(vcpu), vcpu_read(vcpu, VMCS_GUEST_EFER) & EFER_LMA};
}

static int refused(struct vm *vm, unsigned vector, uint16_t selector)
{
    vcpu_queue_exception(&vm->vcpu, vector, true, selector & SELECTOR_NOT_NULL);
    return STATE_FAULTED;
}

/* ---- the table ---------------------------------------------------------------------------------------- */

/* Whatever the level, the processor reads and marks tables as a supervisor. */
static int translate(struct vm *vm, uint64_t linear, unsigned access, gpa_t *at)
{
    uint32_t error;
    int result = linear_translate(&vm->vcpu, linear, access | LINEAR_IMPLICIT, at, &error);

    if (result == -1) {
        vcpu_queue_page_fault(&vm->vcpu, linear, error);
        return STATE_FAULTED;
    }
    return result ? STATE_STOPPED : guest_is_ram(&vm->storage, *at) ? 0 : STATE_STOPPED;
}

static int table_read(struct vm *vm, uint64_t linear, void *to, unsigned bytes)
{
    for (unsigned done = 0, part; done < bytes; done += part) {
        uint64_t from = linear + done, left = PAGE_SIZE - (from & PAGE_MASK);
        gpa_t at;
        int error = translate(vm, from, LINEAR_READ, &at);

        part = bytes - done < left ? bytes - done : (unsigned)left;
        if (!error && guest_read(&vm->storage, at, (char *)to + done, part) != GUEST_OK)
            error = STATE_STOPPED;
        if (error)
            return error;
    }
    return 0;
}

static int mark_probe(struct vm *vm, const struct segment_value *s)
{
    gpa_t at;

    return s->mark ? translate(vm, s->mark, LINEAR_WRITE, &at) : 0;
}

static int mark(struct vm *vm, const struct segment_value *s)
{
    uint8_t type = (uint8_t)s->rights;
    gpa_t at;
    int error = s->mark ? translate(vm, s->mark, LINEAR_WRITE, &at) : 0;

    if (!error && s->mark && guest_write(&vm->storage, at, &type, sizeof type) != GUEST_OK)
        error = STATE_STOPPED;
    return error;
}

/* *place: where it is, or 0 with nothing amiss: outside its table. */
static int find(struct vm *vm, uint16_t selector, unsigned bytes, struct descriptor *d, uint64_t *place)
{
    struct vcpu *vcpu = &vm->vcpu;
    const struct descriptor_tables tables = {
        .global = vcpu_read(vcpu, VMCS_GUEST_GDTR_BASE), .local = vcpu_read(vcpu, VMCS_GUEST_LDTR_BASE),
        .global_limit = (uint32_t)vcpu_read(vcpu, VMCS_GUEST_GDTR_LIMIT),
        .local_limit = (uint32_t)vcpu_read(vcpu, VMCS_GUEST_LDTR_LIMIT),
        .has_local = !(vcpu_read(vcpu, VMCS_GUEST_LDTR_ACCESS_RIGHTS) & RIGHTS_UNUSABLE)};

    *d = (struct descriptor){0, 0};
    if (descriptor_find(&tables, selector, bytes, place))
        return table_read(vm, *place, d, bytes);
    *place = 0;
    return 0;
}

/* ---- segment registers ------------------------------------------------------------------------------- */

/* Beside the base nothing changes, but that it can be used. */
static int load_real(struct vcpu *vcpu, enum segment segment, uint16_t selector)
{
    enum { DATA = 0x93 };

    vcpu_write(vcpu, fields[segment].selector, selector);
    vcpu_write(vcpu, fields[segment].base, (uint64_t)selector << 4);
    if (vcpu_read(vcpu, fields[segment].rights) & RIGHTS_UNUSABLE)
        vcpu_write(vcpu, fields[segment].rights, DATA);
    return 0;
}

/* SS may be null in 64-bit mode at levels 0 to 2, where it keeps the level. */
static int load_null(struct vm *vm, enum segment segment, uint16_t selector)
{
    struct vcpu *vcpu = &vm->vcpu;
    unsigned level = registers_cpl(vcpu);
    struct segment_value null = {.selector = selector, .rights = RIGHTS_UNUSABLE};

    if (segment == SEGMENT_SS) {
        if (!registers_long_mode(vcpu) || level == 3 || (selector & SELECTOR_LEVEL) != level)
            return refused(vm, VECTOR_GP, 0);
        null.rights |= level << RIGHTS_LEVEL_SHIFT;
    }
    put(vcpu, segment, &null);
    return 0;
}

int state_load_segment(void *context, enum segment segment, uint16_t selector)
{
    struct vm *vm = context;
    struct vcpu *vcpu = &vm->vcpu;
    struct descriptor d;
    uint64_t place;

    if (is_real(vcpu))
        return load_real(vcpu, segment, selector);
    if (!(selector & SELECTOR_NOT_NULL))
        return load_null(vm, segment, selector);
    int error = find(vm, selector, DESCRIPTOR_BYTES, &d, &place);
    if (error)
        return error;
    unsigned vector = place ? descriptor_refused_data(segment, selector, d, mode_of(vcpu)) : VECTOR_GP;
    if (vector)
        return refused(vm, vector, selector);
    struct segment_value s = descriptor_segment(selector, d, false);
    if (!(s.rights & RIGHTS_ACCESSED))
        s.mark = place + DESCRIPTOR_TYPE_AT;
    s.rights |= RIGHTS_ACCESSED;
    error = mark(vm, &s);
    if (!error)
        put(vcpu, segment, &s);
    return error;
}

/* ---- LDTR, TR and CR0 -------------------------------------------------------------------------------- */

static int load_table_register(struct vm *vm, bool task, uint16_t selector)
{
    bool wide = mode_of(&vm->vcpu).ia32e;
    struct segment_value null = {.selector = selector, .rights = RIGHTS_UNUSABLE};
    struct descriptor d;
    uint64_t place = 0;

    if (!task && !(selector & SELECTOR_NOT_NULL)) {
        put(&vm->vcpu, LDTR, &null);
        return 0;
    }
    if (!(selector & SELECTOR_NOT_NULL) || (selector & SELECTOR_LOCAL))
        return refused(vm, VECTOR_GP, selector);
    int error = find(vm, selector, wide ? DESCRIPTOR_WIDE : DESCRIPTOR_BYTES, &d, &place);
    if (error)
        return error;
    unsigned vector = place ? descriptor_refused_system(task, d, wide) : VECTOR_GP;
    if (vector)
        return refused(vm, vector, selector);
    struct segment_value s = descriptor_segment(selector, d, wide);
    if (task)
        s.rights |= RIGHTS_BUSY, s.mark = place + DESCRIPTOR_TYPE_AT;
    error = mark(vm, &s);
    if (!error)
        put(&vm->vcpu, task ? TR : LDTR, &s);
    return error;
}

/* L1 may have asked to see it. */
static int status_word(struct vcpu *vcpu, uint16_t word, uint64_t linear)
{
    enum { LMSW = 3 << 4, FROM_MEMORY = 1 << 6, SOURCE_SHIFT = 16 };

    vcpu->exit.reason = EXIT_CR_ACCESS;
    vcpu->exit.qualification = LMSW | FROM_MEMORY | (uint64_t)word << SOURCE_SHIFT;
    vcpu->exit.guest_linear = linear;
    return STATE_STATUS_WORD;
}

int state_load_system(void *context, const struct instruction *in, uint16_t value, uint64_t linear)
{
    struct vm *vm = context;

    if ((vcpu_read(&vm->vcpu, VMCS_GUEST_CR0) & CR0_PE) && registers_cpl(&vm->vcpu))
        return refused(vm, VECTOR_GP, 0);
    if (in->operation == OP_LMSW)
        return status_word(&vm->vcpu, value, linear);
    return load_table_register(vm, in->operation == OP_LTR, value);
}

/* ---- a look ----------------------------------------------------------------------------------------------- */

int state_look(void *context, const struct instruction *in, uint16_t selector, bool *shown, uint64_t *value)
{
    struct vm *vm = context;
    struct descriptor d;
    uint64_t place = 0;
    int error = selector & SELECTOR_NOT_NULL ? find(vm, selector, DESCRIPTOR_BYTES, &d, &place) : 0;

    *shown = !error && place &&
             descriptor_shown((enum operation)in->operation, selector, d, mode_of(&vm->vcpu), value);
    return error;
}

/* ---- CS ----------------------------------------------------------------------------------------------------- */

static void code_real(struct vcpu *vcpu, uint16_t selector, struct segment_value *code)
{
    *code = (struct segment_value){.selector = selector, .base = (uint64_t)selector << 4,
                                   .limit = (uint32_t)vcpu_read(vcpu, VMCS_GUEST_CS_LIMIT),
                                   .rights = (uint32_t)vcpu_read(vcpu, VMCS_GUEST_CS_ACCESS_RIGHTS)};
}

int state_find_code(void *context, uint16_t selector, struct segment_value *code, uint16_t *from)
{
    struct vm *vm = context;
    struct vcpu *vcpu = &vm->vcpu;
    struct descriptor d;
    uint64_t place = 0;

    *from = (uint16_t)vcpu_read(vcpu, VMCS_GUEST_CS_SELECTOR);
    if (is_real(vcpu)) {
        code_real(vcpu, selector, code);
        return 0;
    }
    int error = selector & SELECTOR_NOT_NULL ? find(vm, selector, DESCRIPTOR_BYTES, &d, &place) : 0;
    if (error)
        return error;
    unsigned vector = place ? descriptor_refused_code(selector, d, mode_of(vcpu)) : VECTOR_GP;
    if (vector)
        return vector == DESCRIPTOR_GATE ? EXECUTE_UNKNOWN : refused(vm, vector, selector);
    *code = descriptor_segment((uint16_t)((selector & ~SELECTOR_LEVEL) | registers_cpl(vcpu)), d, false);
    if (!(code->rights & RIGHTS_ACCESSED))
        code->mark = place + DESCRIPTOR_TYPE_AT;
    code->rights |= RIGHTS_ACCESSED;
    return mark_probe(vm, code);
}

bool state_may_enter(void *context, const struct segment_value *code, uint64_t rip)
{
    struct vcpu *vcpu = &((struct vm *)context)->vcpu;
    bool wide = mode_of(vcpu).ia32e && (code->rights & RIGHTS_LONG);

    return wide ? segment_canonical(rip) : rip <= code->limit;
}

int state_enter(void *context, const struct segment_value *code, uint64_t rip)
{
    struct vm *vm = context;
    int error = mark(vm, code);

    if (error)
        return error;
    put(&vm->vcpu, SEGMENT_CS, code);
    state_jump(vm, rip);
    return 0;
}
