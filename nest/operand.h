/* Operands of VMX instructions, from the VM-exit instruction information and the exit qualification.
 * SDM "Format of the VM-Exit Instruction-Information Field". */
#pragma once
#include "nest/nest.h"

/* A register of L1 by number, as an instruction of the current mode sees it (32 bits outside 64-bit mode). */
uint64_t nest_operand_register(const struct nest *nest, unsigned number, bool long_mode);
void nest_operand_register_set(struct nest *nest, unsigned number, uint64_t value, bool long_mode);

/* Register operands of VMREAD, VMWRITE, INVEPT and INVVPID. */
static inline bool nest_operand_is_register(uint32_t information) { return information >> 10 & 1; }
static inline unsigned nest_operand_first(uint32_t information) { return information >> 3 & 15; }
static inline unsigned nest_operand_second(uint32_t information) { return information >> 28 & 15; }

/* Moves `bytes` (at most 16) between L1's memory operand and a buffer, with segmentation and paging.
 * false: nest->fault is what the instruction raises.  What is no RAM reads as ones and ignores writes. */
bool nest_operand_load(struct nest *nest, const struct exit *exit, void *to, unsigned bytes);
bool nest_operand_store(struct nest *nest, const struct exit *exit, const void *from, unsigned bytes);

/* Where L1's code runs now: the same tests for every VMX instruction. */
struct nest_code {
    bool protected_mode, virtual_8086, long_mode /* EFER.LMA */, code64 /* CS.L with LMA */;
    unsigned cpl;
};
struct nest_code nest_code_mode(const struct nest *nest);
static inline unsigned nest_code_cpl(const struct nest *nest)
{
    return nest->host->get(nest->host->context, VMCS_GUEST_SS_ACCESS_RIGHTS) >> 5 & 3;
}

/* Whether it is 64-bit code.  Of L1 in VMX operation that is its IA32_EFER.LMA: in compatibility mode there is #UD
 * instead. */
static inline bool nest_code_is64(const struct nest *nest)
{
    return nest->vmxon && !nest->in_guest ? nest->long_mode : nest_code_mode(nest).code64;
}

/* Sets nest->fault.  Always false, so that it can be returned. */
bool nest_fault(struct nest *nest, unsigned vector, bool has_error, uint32_t error);
enum { VECTOR_UD = 6, VECTOR_SS = 12, VECTOR_GP = 13, VECTOR_PF = 14 };
