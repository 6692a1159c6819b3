/* Owns IN and OUT exits, and the emulation of instructions that reach devices: the string forms of IN and OUT and every
 * access to a guest-physical address that is no RAM. SDM "Exit Qualification for I/O Instructions". */
#include <stddef.h>

#include "cp/decode/execute.h"
#include "cp/decode/instruction.h"
#include "cp/storage/watch.h"
#include "cp/time/work.h"
#include "cp/vcpu/breakpoint.h"
#include "cp/vcpu/cpuid.h"
#include "cp/vcpu/event.h"
#include "cp/vcpu/execute_state.h"
#include "cp/vcpu/handlers.h"
#include "cp/vcpu/linear.h"
#include "cp/vcpu/nested.h"
#include "cp/vcpu/registers.h"
#include "cp/vcpu/segment.h"
#include "cp/vcpu/segment_load.h"
#include "cp/vcpu/site.h"

enum { IO_IN = 1 << 3, IO_STRING = 1 << 4 };
enum { SEAM_STOPPED = STATE_STOPPED, SEAM_FAULTED = STATE_FAULTED };

static uint64_t merge_low(uint64_t old, uint32_t value, unsigned size)
{
    if (size == 4)
        return value; /* a 32-bit result clears the upper half */
    uint64_t mask = size == 2 ? 0xFFFF : 0xFF;
    return (old & ~mask) | (value & mask);
}

enum exit_action exit_io(struct vm *vm)
{
    struct vcpu *vcpu = &vm->vcpu;
    uint64_t q = vcpu->exit.qualification;
    unsigned size = (q & 7) + 1;
    uint16_t port = (uint16_t)(q >> 16);

    if (q & IO_STRING)
        return instruction_emulate(vm);
    if (q & IO_IN) {
        vcpu->gpr[RAX] = merge_low(vcpu->gpr[RAX], bus_port_read(&vm->machine.bus, port, size), size);
    } else {
        uint32_t value = (uint32_t)vcpu->gpr[RAX];
        bus_port_write(&vm->machine.bus, port, size, size == 4 ? value : value & ((1u << 8 * size) - 1));
    }
    vcpu->breakpoints_met = 0;
    breakpoint_note(vcpu, BREAKPOINT_PORT, port, size);
    return vm->state == VM_STOPPED ? EXIT_STOP : exit_done(vcpu);
}

static uint64_t seam_gpr_read(void *context, unsigned reg)
{
    struct vm *vm = context;
    return reg == RSP ? vcpu_read(&vm->vcpu, VMCS_GUEST_RSP) : vm->vcpu.gpr[reg];
}

static void seam_gpr_write(void *context, unsigned reg, uint64_t value)
{
    struct vm *vm = context;
    if (reg == RSP)
        vcpu_write(&vm->vcpu, VMCS_GUEST_RSP, value);
    else
        vm->vcpu.gpr[reg] = value;
}

/* A repetition is stepped by L1's trap flag as it is by TF. */
static uint64_t seam_flags_read(void *context)
{
    struct vcpu *vcpu = &((struct vm *)context)->vcpu;

    return vcpu_read(vcpu, VMCS_GUEST_RFLAGS) | (nested_steps(vcpu) ? RFLAGS_TF : 0);
}

static void seam_flags_write(void *context, uint64_t rflags)
{
    struct vcpu *vcpu = &((struct vm *)context)->vcpu;
    uint64_t step = nested_steps(vcpu) ? vcpu_read(vcpu, VMCS_GUEST_RFLAGS) & RFLAGS_TF : rflags & RFLAGS_TF;

    vcpu_write(vcpu, VMCS_GUEST_RFLAGS, (rflags & ~RFLAGS_TF) | step);
}

static uint64_t seam_segment_base(void *context, enum segment segment)
{
    return segment_base(&((struct vm *)context)->vcpu, segment);
}

static int seam_check(void *context, enum segment segment, uint64_t offset, uint64_t linear, unsigned size, bool write)
{
    return segment_allows(&((struct vm *)context)->vcpu, segment, offset, linear, size, write) ? 0 : SEAM_FAULTED;
}

static int translation_failed(struct vm *vm, int result, uint64_t linear, uint32_t error)
{
    if (result == -1) {
        vcpu_queue_page_fault(&vm->vcpu, linear, error);
        return SEAM_FAULTED;
    }
    return SEAM_STOPPED; /* no fault of the guest's can say it: exit_unemulated() */
}

static struct site *site; /* of the instruction that is carried out, while it has not touched anything; or NULL */

static int translate(struct vm *vm, uint64_t linear, unsigned access, gpa_t *at)
{
    access |= registers_cpl(&vm->vcpu) == 3 ? LINEAR_USER : 0;
    if (site && site_operand_find(site, linear, access, at))
        return 0;
    uint32_t error;
    int result = linear_translate(&vm->vcpu, linear, access, at, &error);

    if (result)
        return translation_failed(vm, result, linear, error);
    if (site)
        site_operand_keep(vm, site, linear, access, *at);
    return 0;
}

/* What is wider than the bus comes in parts of its width. */
static void device_access(struct bus *bus, uint64_t at, unsigned size, void *value, unsigned access)
{
    enum { BUS_WIDTH = 8 };

    for (unsigned done = 0, part; done < size; done += part) {
        uint64_t device = 0;
        part = size - done < BUS_WIDTH ? size - done : BUS_WIDTH;
        if (access & LINEAR_WRITE) {
            __builtin_memcpy(&device, (char *)value + done, part);
            bus_mmio_write(bus, at + done, part, device);
        } else {
            device = bus_mmio_read(bus, at + done, part);
            __builtin_memcpy((char *)value + done, &device, part);
        }
    }
}

/* One piece that does not cross a page: RAM or a device. */
static int access_piece(struct vm *vm, uint64_t linear, unsigned size, void *value, unsigned access)
{
    gpa_t at;
    int result = translate(vm, linear, access, &at);

    if (result)
        return result;
    site = NULL;
    enum guest_access ram = access & LINEAR_WRITE ? guest_write(&vm->storage, at, value, size)
                                                  : guest_read(&vm->storage, at, value, size);
    if (ram == GUEST_NO_FRAMES) {
        vm_stop(vm, VM_STOP_NO_FRAMES, 0);
        return SEAM_STOPPED;
    }
    if (ram == GUEST_OK)
        return 0;
    device_access(&vm->machine.bus, at.a, size, value, access);
    return 0;
}

/* How much of an operand lies in its first page, and where the rest begins: outside 64-bit mode addresses wrap at
 * 4 GiB. */
static unsigned in_first_page(uint64_t linear, unsigned size)
{
    unsigned left = PAGE_SIZE - (linear & PAGE_MASK);
    return size < left ? size : left;
}

static uint64_t next_page(struct vm *vm, uint64_t linear)
{
    uint64_t next = (linear | PAGE_MASK) + 1;
    return registers_long_mode(&vm->vcpu) ? next : (uint32_t)next;
}

static int probe(struct vm *vm, uint64_t linear, unsigned size, unsigned access)
{
    gpa_t at;
    int result = translate(vm, linear, access, &at);

    if (!result && in_first_page(linear, size) < size)
        result = translate(vm, next_page(vm, linear), access, &at);
    return result;
}

/* An operand in two pages is accessed when both can be: what faults has changed nothing, in storage or a device. */
static int access_all(struct vm *vm, uint64_t linear, unsigned size, void *value, unsigned access)
{
    unsigned first = in_first_page(linear, size);

    if (first == size)
        return access_piece(vm, linear, size, value, access);
    int result = probe(vm, linear, size, access);
    if (!result)
        result = access_piece(vm, linear, first, value, access);
    if (!result)
        result = access_piece(vm, next_page(vm, linear), size - first, (char *)value + first, access);
    return result;
}

static int access(struct vm *vm, uint64_t linear, unsigned size, void *value, unsigned how)
{
    int result = access_all(vm, linear, size, value, how);

    if (!result)
        breakpoint_note(&vm->vcpu, how & LINEAR_WRITE ? BREAKPOINT_WRITE : BREAKPOINT_READ, linear, size);
    return result;
}

static int seam_probe(void *context, uint64_t linear, unsigned size, bool write)
{
    return probe(context, linear, size, write ? LINEAR_WRITE : LINEAR_READ);
}

static int seam_read(void *context, uint64_t linear, unsigned size, void *to)
{
    return access(context, linear, size, to, LINEAR_READ);
}

static int seam_write(void *context, uint64_t linear, unsigned size, const void *from)
{
    return access(context, linear, size, (void *)(uintptr_t)from, LINEAR_WRITE);
}

static int seam_port_read(void *context, uint16_t port, unsigned size, uint64_t *value)
{
    *value = bus_port_read(&((struct vm *)context)->machine.bus, port, size);
    breakpoint_note(&((struct vm *)context)->vcpu, BREAKPOINT_PORT, port, size);
    return 0;
}

static int seam_port_write(void *context, uint16_t port, unsigned size, uint64_t value)
{
    bus_port_write(&((struct vm *)context)->machine.bus, port, size, (uint32_t)value);
    breakpoint_note(&((struct vm *)context)->vcpu, BREAKPOINT_PORT, port, size);
    return 0;
}

/* Only what lies in one page, is there and may be read: whatever is amiss is told of by the first byte that is. */
static unsigned seam_read_run(void *context, enum segment segment, uint64_t offset, uint64_t linear, uint8_t *bytes,
                              unsigned most)
{
    struct vm *vm = context;
    unsigned count = in_first_page(linear, most), user = registers_cpl(&vm->vcpu) == 3 ? LINEAR_USER : 0;
    uint32_t error;
    gpa_t at;

    if (!segment_would_allow(&vm->vcpu, segment, offset, linear, count, false) ||
        linear_translate(&vm->vcpu, linear, LINEAR_READ | user, &at, &error) ||
        guest_read(&vm->storage, at, bytes, count) != GUEST_OK)
        return 0;
    return count;
}

static void seam_port_write_run(void *context, uint16_t port, const uint8_t *bytes, unsigned count)
{
    bus_port_write_run(&((struct vm *)context)->machine.bus, port, bytes, count);
}

/* The bytes at CS:RIP, as many of 15 as can be read. */
static int fetch(struct vm *vm, uint8_t bytes[INSTRUCTION_MAX_BYTES], size_t *count)
{
    struct vcpu *vcpu = &vm->vcpu;
    uint64_t at = seam_segment_base(vm, SEGMENT_CS) + vcpu->exit.rip, where;
    uint32_t error = 0;
    size_t first = PAGE_SIZE - (at & PAGE_MASK);

    *count = INSTRUCTION_MAX_BYTES;
    if (first > INSTRUCTION_MAX_BYTES)
        first = INSTRUCTION_MAX_BYTES;
    int result = linear_read(vcpu, at, bytes, first, LINEAR_FETCH, &where, &error);
    if (result)
        return translation_failed(vm, result, where, error);
    if (first < INSTRUCTION_MAX_BYTES &&
        linear_read(vcpu, at + first, bytes + first, INSTRUCTION_MAX_BYTES - first, LINEAR_FETCH, &where, &error))
        *count = first;
    return 0;
}

/* What L2's instruction touches beside what it exited for is L1's to map too: SDM "EPT Violations". RF is 1 at such an
 * exit, whatever it was at the one there was. */
static bool refused_by_l1(struct vm *vm)
{
    struct vcpu *vcpu = &vm->vcpu;

    if (!nested_runs(vcpu) || !vcpu->refused.qualification)
        return false;
    vcpu_write(vcpu, VMCS_GUEST_RFLAGS, vcpu_read(vcpu, VMCS_GUEST_RFLAGS) | RFLAGS_RF);
    vcpu->exit = vcpu_violation(vcpu);
    return nested_exit(vm);
}

/* RIP, or the page tables that lead to it, lie where the machine has no storage, as when it is begun right after a
 * reset. */
static enum exit_action no_storage(struct vm *vm)
{
    if (vm->state == VM_STOPPED)
        return EXIT_STOP;
    return nested_triple_fault(vm) ? EXIT_RESUME : exit_stopped(vm, VM_STOP_NO_STORAGE, 0);
}

static struct execute_seams seams = {
    .read_gpr = seam_gpr_read, .write_gpr = seam_gpr_write, .read_flags = seam_flags_read,
    .write_flags = seam_flags_write, .segment_base = seam_segment_base, .check = seam_check,
    .checks_alignment = state_checks_alignment, .read = seam_read, .write = seam_write, .probe = seam_probe,
    .fault = state_fault, .port_read = seam_port_read, .port_write = seam_port_write, .read_run = seam_read_run,
    .port_write_run = seam_port_write_run,
    .permitted = state_permitted, .vector_read = state_vector_read, .vector_write = state_vector_write,
    .stack_size = state_stack_size, .may_jump = state_may_jump, .jump = state_jump, .system_read = state_system_read,
    .system_write = state_system_write, .load_segment = state_load_segment, .load_system = state_load_system,
    .look = state_look, .find_code = state_find_code, .may_enter = state_may_enter, .enter = state_enter,
};

static int execute(struct vm *vm, const struct instruction *instruction)
{
    struct exit *exit = &vm->vcpu.exit;

    seams.context = vm;
    seams.single = breakpoints_watch(&vm->vcpu);
    if (instruction->operation == OP_TZCNT || instruction->operation == OP_LZCNT) {
        seams.has_tzcnt = cpuid_has_tzcnt();
        seams.has_lzcnt = cpuid_has_lzcnt();
    }
    exit->instruction_length = instruction->length; /* a jump changes both */
    return instruction_execute(instruction, &seams, exit->rip);
}

/* L1 may want to see what L2 loads. */
static enum exit_action status_word(struct vm *vm)
{
    if (nested_runs(&vm->vcpu) && nested_exit(vm))
        return EXIT_RESUME;
    return exit_status_word(vm, vm->vcpu.exit.qualification >> 16);
}

/* SDM "MOV": of the loads of SS this one and POP; nobody pops from a device. */
static bool casts_shadow(const struct instruction *in)
{
    return in->operation == OP_LOAD_SEGMENT && in->reg == SEGMENT_SS;
}

/* SDM "Masking Exceptions and Interrupts When Switching Stacks": what traps behind it waits for the next instruction,
 * as what traps behind a load of SS just before does; "Checks on Guest Non-Register State" for the step. */
static enum exit_action done_in_shadow(struct vcpu *vcpu)
{
    enum { MOV_SS = 2, ENABLED = 1 << 12 };
    uint64_t flags = vcpu_read(vcpu, VMCS_GUEST_RFLAGS) & ~RFLAGS_RF;
    bool held = vcpu_read(vcpu, VMCS_GUEST_INTERRUPTIBILITY) & MOV_SS;
    uint64_t pending = vcpu_read(vcpu, VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS);
    uint64_t met = vcpu->breakpoints_met | (held && (pending & ENABLED) ? pending & DR6_BREAKPOINTS : 0);
    uint64_t step = registers_steps(vcpu) ? DR6_BS : 0;

    vcpu->breakpoints_met = 0;
    vcpu_write(vcpu, VMCS_GUEST_RFLAGS, flags & ~RFLAGS_TF);
    exit_skip(vcpu);
    vcpu_write(vcpu, VMCS_GUEST_RFLAGS, flags);
    vcpu_write(vcpu, VMCS_GUEST_INTERRUPTIBILITY, vcpu_read(vcpu, VMCS_GUEST_INTERRUPTIBILITY) | MOV_SS);
    vcpu_write(vcpu, VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, met | (met ? ENABLED : 0) | step);
    if (nested_steps(vcpu))
        event_trap_flag(vcpu);
    return EXIT_RESUME;
}

static enum exit_action completed(struct vm *vm, const struct instruction *instruction, int result)
{
    struct vcpu *vcpu = &vm->vcpu;

    if (vm->state == VM_STOPPED)
        return EXIT_STOP;
    switch (result) {
    case EXECUTE_DONE:
        return casts_shadow(instruction) ? done_in_shadow(vcpu) : exit_done(vcpu);
    case EXECUTE_AGAIN:
        return exit_again(vcpu);
    case SEAM_FAULTED:
        return EXIT_INJECT;
    case STATE_STATUS_WORD:
        return status_word(vm);
    case SEAM_STOPPED:
        return refused_by_l1(vm) ? EXIT_RESUME : exit_unemulated(vm);
    default:
        return exit_unemulated(vm);
    }
}

static enum exit_action carry_out(struct vm *vm, struct site *at, const struct instruction *instruction)
{
    site = at;
    int result = execute(vm, instruction);
    site = NULL;
    return completed(vm, instruction, result);
}

static __attribute__((noinline)) enum exit_action fetch_and_carry_out(struct vm *vm)
{
    uint8_t bytes[INSTRUCTION_MAX_BYTES];
    struct instruction instruction;
    size_t count;
    int result = fetch(vm, bytes, &count);

    if (result == SEAM_STOPPED)
        return refused_by_l1(vm) ? EXIT_RESUME : no_storage(vm);
    if (result)
        return EXIT_INJECT;
    enum decode_result decoded =
        instruction_decode(bytes, count, (enum decode_mode)registers_code_size(&vm->vcpu), &instruction);
    if (decoded != DECODE_OK)
        return decoded == DECODE_UNDEFINED ? exit_undefined(vm) : exit_unemulated(vm);
    return carry_out(vm, site_keep(vm, bytes, &instruction), &instruction);
}

static enum exit_action emulate(struct vm *vm, struct site *known)
{
    vm->vcpu.refused.qualification = 0;
    vm->vcpu.breakpoints_met = 0;
    work_slice(); /* what a device does for a repeated instruction is bounded for all repetitions together */
    return known ? carry_out(vm, known, &known->instruction) : fetch_and_carry_out(vm);
}

enum exit_action instruction_emulate(struct vm *vm) { return emulate(vm, site_find(vm)); }

enum { VIOLATION_WRITE = 2 };

enum exit_action exit_ept_violation(struct vm *vm)
{
    gpa_t at = gpa(vm->vcpu.exit.guest_physical);

    struct site *known = site_find(vm);

    if (known && site_move(vm, known))
        return vm->state == VM_STOPPED ? EXIT_STOP : EXIT_SKIP;
    event_violation_resolved(&vm->vcpu);
    if (!nested_translate(&vm->vcpu, &at.a, false))
        return EXIT_RESUME; /* L1 took the mapping away meanwhile: the access is tried again */
    if (!guest_is_ram(&vm->storage, at)) /* the access of an event's delivery is not that of the instruction at RIP */
        return vm->vcpu.exit.idt_vectoring_info & EVENT_VALID ? exit_unemulated(vm) : emulate(vm, known);
    bool write = vm->vcpu.exit.qualification & VIOLATION_WRITE;
    guest_bring_in_near(&vm->storage, at);
    if (write ? guest_bring_in_private(&vm->storage, at) : guest_bring_in(&vm->storage, at))
        return exit_stopped(vm, VM_STOP_NO_FRAMES, 0);
    if (write)
        guest_written(&vm->storage, at, 1);
    return EXIT_RESUME;
}
