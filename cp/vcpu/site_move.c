/* A move between a register and a device whose site is known: what kernels do at their interrupt controllers with every
 * interrupt. It is instruction_emulate() without what cannot be needed; a test compares the two. */
#include "cp/time/work.h"
#include "cp/vcpu/event.h"
#include "cp/vcpu/registers.h"
#include "cp/vcpu/segment.h"
#include "cp/vcpu/site.h"
#include "cp/vcpu/vm.h"

enum { UNBLOCKED_BY_IRET = 1 << 12, DR7_ENABLES = 0xFF };

static uint64_t cut(uint64_t value, unsigned size)
{
    return size >= 8 ? value : value & ((UINT64_C(1) << 8 * size) - 1);
}

static uint64_t gpr(struct vcpu *vcpu, unsigned reg)
{
    return reg == RSP ? vcpu_read(vcpu, VMCS_GUEST_RSP) : vcpu->gpr[reg];
}

static uint64_t offset_of(struct vcpu *vcpu, const struct instruction *in)
{
    uint64_t offset = (uint64_t)in->displacement;

    if (in->base == BASE_RIP)
        offset += vcpu->exit.rip + in->length;
    else if (in->base != NO_REGISTER)
        offset += gpr(vcpu, in->base);
    if (in->index != NO_REGISTER)
        offset += gpr(vcpu, in->index) * in->scale;
    return cut(offset, in->address_size);
}

/* False: a fault is due. What is not canonical was never an operand that was kept. */
static bool linear_of(struct vcpu *vcpu, const struct instruction *in, uint64_t *linear)
{
    uint64_t offset = offset_of(vcpu, in);

    if (in->mode == DECODE_64) {
        *linear = offset + (in->segment < SEGMENT_FS ? 0 : segment_base(vcpu, (enum segment)in->segment));
        return true;
    }
    *linear = (uint32_t)(segment_base(vcpu, (enum segment)in->segment) + offset);
    return segment_would_allow(vcpu, (enum segment)in->segment, offset, *linear, in->size,
                               in->destination == OPERAND_MEMORY);
}

static void store(struct vm *vm, const struct instruction *in, gpa_t to)
{
    uint64_t value = in->source == OPERAND_IMMEDIATE ? in->immediate
                                                     : gpr(&vm->vcpu, in->reg) >> (in->reg_high ? 8 : 0);

    bus_mmio_write(&vm->machine.bus, to.a, in->size, value);
}

/* What is narrower than 32 bits leaves the rest of its register. */
static void load(struct vm *vm, const struct instruction *in, gpa_t from)
{
    struct vcpu *vcpu = &vm->vcpu;
    uint64_t value = bus_mmio_read(&vm->machine.bus, from.a, in->size);

    if (in->register_size < 4) {
        unsigned shift = in->reg_high ? 8 : 0;
        uint64_t mask = cut(~0ull, in->register_size) << shift;
        value = (gpr(vcpu, in->reg) & ~mask) | value << shift;
    }
    if (in->reg == RSP)
        vcpu_write(vcpu, VMCS_GUEST_RSP, value);
    else
        vcpu->gpr[in->reg] = value;
}

static bool nothing_else(struct vcpu *vcpu)
{
    return !(vcpu->exit.idt_vectoring_info & EVENT_VALID) && !(vcpu->exit.qualification & UNBLOCKED_BY_IRET) &&
           !(vcpu_read(vcpu, VMCS_GUEST_DR7) & DR7_ENABLES) && !vcpu_read(vcpu, VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS);
}

bool site_move(struct vm *vm, const struct site *site)
{
    struct vcpu *vcpu = &vm->vcpu;
    uint64_t linear;
    gpa_t at;

    if (!site->moves || !nothing_else(vcpu))
        return false;
    const struct instruction *in = &site->instruction;
    bool stores = in->destination == OPERAND_MEMORY;
    /* of a program at level 3, which may have to be aligned, operands are kept with LINEAR_USER */
    if (!linear_of(vcpu, in, &linear) || (linear & PAGE_MASK) + in->size > PAGE_SIZE ||
        !site_operand_find(site, linear, stores ? LINEAR_WRITE : LINEAR_READ, &at) ||
        (at.a ^ vcpu->exit.guest_physical) >> PAGE_SHIFT)
        return false;
    vcpu->exit.instruction_length = in->length;
    vcpu->breakpoints_met = 0;
    work_slice();
    if (stores)
        store(vm, in, at);
    else
        load(vm, in, at);
    return true;
}
