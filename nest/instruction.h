/* VMX instructions of L1, shared by the files that implement them: the flags' verdict and the conditions all have in
 * common. SDM "VMX Instruction Reference", "Conventions", "VM Instruction Error Numbers". */
#pragma once
#include "nest/active.h"
#include "nest/operand.h"

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

/* Each implements one instruction; the common conditions hold already. */
enum nest_result nest_vmxon(struct nest *nest, const struct exit *exit);
enum nest_result nest_vmxoff(struct nest *nest, const struct exit *exit);
enum nest_result nest_vmclear(struct nest *nest, const struct exit *exit);
enum nest_result nest_vmptrld(struct nest *nest, const struct exit *exit);
enum nest_result nest_vmptrst(struct nest *nest, const struct exit *exit);
enum nest_result nest_vmread(struct nest *nest, const struct exit *exit);
enum nest_result nest_vmwrite(struct nest *nest, const struct exit *exit);
enum nest_result nest_vmlaunch(struct nest *nest, const struct exit *exit);
enum nest_result nest_vmresume(struct nest *nest, const struct exit *exit);
enum nest_result nest_invept(struct nest *nest, const struct exit *exit);
enum nest_result nest_invvpid(struct nest *nest, const struct exit *exit);
