/* VMX instructions of L1, shared by the files that implement them: the flags' verdict and the conditions all have in
 * common. SDM "VMX Instruction Reference", "Conventions", "VM Instruction Error Numbers". */
#pragma once
#include "nest/active.h"
#include "nest/operand.h"

enum { FEATURE_LOCK = 1 << 0, FEATURE_VMX = 1 << 2 }; /* of IA32_FEATURE_CONTROL */

enum nest_instruction_error {
    VM_ERROR_VMCALL_IN_ROOT = 1,
    VM_ERROR_VMCLEAR_ADDRESS = 2,
    VM_ERROR_VMCLEAR_VMXON = 3,
    VM_ERROR_VMLAUNCH_NOT_CLEAR = 4,
    VM_ERROR_VMRESUME_NOT_LAUNCHED = 5,
    VM_ERROR_CONTROLS = 7,
    VM_ERROR_HOST_STATE = 8,
    VM_ERROR_VMPTRLD_ADDRESS = 9,
    VM_ERROR_VMPTRLD_VMXON = 10,
    VM_ERROR_VMPTRLD_REVISION = 11,
    VM_ERROR_UNSUPPORTED_FIELD = 12,
    VM_ERROR_READ_ONLY_FIELD = 13,
    VM_ERROR_VMXON_IN_ROOT = 15,
    VM_ERROR_MOV_SS = 26,
    VM_ERROR_INVALIDATION = 28,
};

enum nest_result nest_succeed(struct nest *nest);
enum nest_result nest_fail_invalid(struct nest *nest);
/* VMfailValid with the number, or VMfailInvalid where there is no current VMCS. */
enum nest_result nest_fail(struct nest *nest, enum nest_instruction_error error);
/* The same, where one field is to blame. */
enum nest_result nest_fail_field(struct nest *nest, enum nest_instruction_error error, uint32_t field);
/* Tells who traces of a failure. */
void nest_trace(const struct nest *nest, const char *rule, uint32_t field);
/* NEST_FAULT with #GP(0), #UD. */
enum nest_result nest_raise_gp(struct nest *nest);
enum nest_result nest_raise_ud(struct nest *nest);

/* Whether an address can be that of a VMX region: page-aligned and within the physical-address width. */
bool nest_region_address_valid(const struct nest *nest, uint64_t gpa);

/* An exit for an instruction that may be carried out: it is one in the mode and privilege level it is executed at. Made
 * in one place, in instruction.c, after it asked; and all that carries one out takes nothing else. */
struct nest_instruction {
    struct exit exit;
};

/* What VMREAD and VMWRITE act on; NULL: none.  The number of a VMfail goes to the current VMCS whoever executes: of
 * L2's, it is L1 that reads it. */
static inline struct nest_vmcs *nest_instruction_vmcs(const struct nest *nest)
{
    return nest->in_guest ? nest->current->link : nest->current;
}

/* VMREAD or VMWRITE of L2 that neither L1 wants nor hardware did: carried out on the VMCS that is linked. NEST_SKIP,
 * NEST_FAULT (L2's), or NEST_REFLECTED: the operand is where L1's EPT maps nothing, so the instruction is L1's.
 * @pre nest_in_guest(), vmcs02 is loaded */
enum nest_result nest_instruction_linked(struct nest *nest, const struct exit *exit);

typedef enum nest_result nest_instruction_fn(struct nest *nest, const struct nest_instruction *);
nest_instruction_fn nest_vmxon, nest_vmxoff, nest_vmclear, nest_vmptrld, nest_vmptrst, nest_vmread, nest_vmwrite,
    nest_vmlaunch, nest_vmresume, nest_invept, nest_invvpid;
