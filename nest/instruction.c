/* The only ways in for VMX instructions: the conditions that come before each one's own, and how an instruction ends.
 * In: an exit for an instruction of L1, or of L2 on a linked VMCS.  Out: flags, fault or entry; see nest.h. */
#include "nest/instruction.h"
#include "nest/chain.h"
#include "nest/reflect.h"

enum { RFLAGS_CF = 1 << 0, RFLAGS_ZF = 1 << 6, RFLAGS_ARITHMETIC = 0x8D5 };

static enum nest_result vmcall(struct nest *nest, const struct nest_instruction *i)
{
    (void)i;
    return nest_fail(nest, VM_ERROR_VMCALL_IN_ROOT);
}

static enum nest_result vmfunc(struct nest *nest, const struct nest_instruction *i)
{
    (void)i;
    return nest_raise_ud(nest); /* there are no VM functions in VMX root operation */
}

static nest_instruction_fn *const instructions[EXIT_REASONS] = {
    [EXIT_VMCALL] = vmcall,         [EXIT_VMCLEAR] = nest_vmclear,   [EXIT_VMLAUNCH] = nest_vmlaunch,
    [EXIT_VMPTRLD] = nest_vmptrld,  [EXIT_VMPTRST] = nest_vmptrst,   [EXIT_VMREAD] = nest_vmread,
    [EXIT_VMRESUME] = nest_vmresume, [EXIT_VMWRITE] = nest_vmwrite,  [EXIT_VMXOFF] = nest_vmxoff,
    [EXIT_VMXON] = nest_vmxon,      [EXIT_INVEPT] = nest_invept,     [EXIT_INVVPID] = nest_invvpid,
    [EXIT_VMFUNC] = vmfunc,
};

bool nest_is_instruction(unsigned basic_reason)
{
    return basic_reason < EXIT_REASONS && instructions[basic_reason] && basic_reason != EXIT_VMCALL;
}

static enum nest_result set_flags(struct nest *nest, uint64_t flags)
{
    const struct nest_host *host = nest->host;
    uint64_t now = host->get(host->context, VMCS_GUEST_RFLAGS);
    uint64_t then = (now & ~(uint64_t)RFLAGS_ARITHMETIC) | flags;
    if (then != now)
        host->set(host->context, VMCS_GUEST_RFLAGS, then);
    return NEST_SKIP;
}

enum nest_result nest_succeed(struct nest *nest)
{
    return set_flags(nest, 0);
}

void nest_trace(const struct nest *nest, const char *rule, uint32_t field)
{
    if (nest->host->trace && rule)
        nest->host->trace(nest->host->context, rule, field);
}

enum nest_result nest_fail_invalid(struct nest *nest)
{
    if (nest_chain_missed(nest)) /* and is no failure, perhaps */
        return NEST_OUTER;
    nest_trace(nest, "VMfailInvalid: no current VMCS, or no valid VMXON region", NEST_NO_FIELD);
    return set_flags(nest, RFLAGS_CF);
}

/* SDM "VM Instruction Error Numbers". 7 and 8 have been told already, by the rule that was broken. */
static const char *const error_rules[] = {
    [VM_ERROR_VMCALL_IN_ROOT] = "VMfail 1: VMCALL in VMX root operation",
    [VM_ERROR_VMCLEAR_ADDRESS] = "VMfail 2: VMCLEAR with an invalid address",
    [VM_ERROR_VMCLEAR_VMXON] = "VMfail 3: VMCLEAR with the VMXON pointer",
    [VM_ERROR_VMLAUNCH_NOT_CLEAR] = "VMfail 4: VMLAUNCH of a VMCS that is not clear",
    [VM_ERROR_VMRESUME_NOT_LAUNCHED] = "VMfail 5: VMRESUME of a VMCS that is not launched",
    [VM_ERROR_VMPTRLD_ADDRESS] = "VMfail 9: VMPTRLD with an invalid address",
    [VM_ERROR_VMPTRLD_VMXON] = "VMfail 10: VMPTRLD with the VMXON pointer",
    [VM_ERROR_VMPTRLD_REVISION] = "VMfail 11: VMPTRLD of a region with another revision",
    [VM_ERROR_UNSUPPORTED_FIELD] = "VMfail 12: VMREAD or VMWRITE of a field that is not offered",
    [VM_ERROR_READ_ONLY_FIELD] = "VMfail 13: VMWRITE to a read-only field",
    [VM_ERROR_VMXON_IN_ROOT] = "VMfail 15: VMXON in VMX root operation",
    [VM_ERROR_MOV_SS] = "VMfail 26: entry with events blocked by MOV SS",
    [VM_ERROR_INVALIDATION] = "VMfail 28: INVEPT or INVVPID with an invalid operand",
};

enum nest_result nest_fail_field(struct nest *nest, enum nest_instruction_error error, uint32_t field)
{
    if (!nest->current)
        return nest_fail_invalid(nest);
    if (nest_chain_missed(nest))
        return NEST_OUTER;
    nest_trace(nest, error_rules[error], field);
    nest_active_set(nest, nest->current, VMCS_INDEX_INSTRUCTION_ERROR, error);
    return set_flags(nest, RFLAGS_ZF);
}

enum nest_result nest_fail(struct nest *nest, enum nest_instruction_error error)
{
    return nest_fail_field(nest, error, NEST_NO_FIELD);
}

enum nest_result nest_raise_gp(struct nest *nest)
{
    nest_fault(nest, VECTOR_GP, true, 0);
    return NEST_FAULT;
}

enum nest_result nest_raise_ud(struct nest *nest)
{
    nest_fault(nest, VECTOR_UD, false, 0);
    return NEST_FAULT;
}

bool nest_region_address_valid(const struct nest *nest, uint64_t gpa)
{
    return (gpa & 4095) == 0 && gpa >> nest->policy.physical_bits == 0;
}

/* ---- the ways in ------------------------------------------------------------------- */

/* Hardware that has VMX asks for these before it exits; where it has SVM, and what arrives here was an undefined
 * opcode, nobody has. SDM "VMX Instruction Reference": #UD in real-address, virtual-8086 and compatibility mode. */
static bool mode_allows(const struct nest *nest)
{
    if (!nest->policy.nested_page_tables)
        return true;
    struct nest_code code = nest_code_mode(nest);
    return code.protected_mode && !code.virtual_8086 && (!code.long_mode || code.code64);
}

/* In the manual's order: is it an instruction at all, then is it privileged. VMXON outside of VMX operation has more to
 * ask in between and does so itself. */
static enum nest_result carry_out(struct nest *nest, const struct exit *exit, unsigned reason)
{
    if (!mode_allows(nest) || (!nest->vmxon && reason != EXIT_VMXON))
        return nest_raise_ud(nest);
    if (nest_code_cpl(nest) > 0 && (reason != EXIT_VMXON || nest->vmxon))
        return nest_raise_gp(nest);
    return instructions[reason](nest, (const struct nest_instruction *)exit);
}

static inline __attribute__((always_inline)) enum nest_result of_l1(struct nest *nest, const struct exit *exit)
{
    unsigned reason = exit->reason & 0xFFFF;
    if (nest->mode == NEST_OFF || reason >= EXIT_REASONS || !instructions[reason])
        return nest_raise_ud(nest);
    nest->counts.instructions[reason]++;
    if (nest->is_delegated && !nest_chain_own(nest))
        return NEST_NO_FRAMES;
    return carry_out(nest, exit, reason);
}

enum nest_result nest_instruction(struct nest *nest, const struct exit *exit)
{
    return of_l1(nest, exit);
}

enum nest_result nest_instruction_above(struct nest *nest, const struct exit *exit)
{
    return of_l1(nest, exit);
}

enum nest_result nest_instruction_linked(struct nest *nest, const struct exit *exit)
{
    enum nest_result result = carry_out(nest, exit, exit->reason & 0xFFFF);
    bool unreachable = result == NEST_FAULT && nest->fault.vector == VECTOR_PF && nest->fault.error == NEST_UNREACHABLE;
    return unreachable ? NEST_FORBIDDEN : result;
}
