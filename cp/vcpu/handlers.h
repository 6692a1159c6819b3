/* The exit handlers, one for each reason CP handles itself: cp/vcpu/exits.c has the table. */
#pragma once
#include "cp/vcpu/exit.h"
#include "cp/vcpu/vm.h"

typedef enum exit_action exit_handler(struct vm *);

exit_handler exit_cpuid, exit_hlt, exit_io, exit_rdmsr, exit_wrmsr, exit_cr_access, exit_xsetbv, exit_ept_violation,
    exit_vmcall, exit_exception, exit_triple_fault, exit_wbinvd;

/* LMSW of this word, whose operand was read. */
enum exit_action exit_status_word(struct vm *, uint64_t word);

/* The instruction at RIP reaches a device by memory, or is INS or OUTS: decode it and carry it out. */
enum exit_action instruction_emulate(struct vm *);

/* RDMSR and WRMSR of an MSR that exits, and of nothing else: 0, or -1: #GP(0). */
int msr_policy_read(struct vm *, uint32_t msr, uint64_t *value);
int msr_policy_write(struct vm *, uint32_t msr, uint64_t value);

/* The instruction of this exit is done: what the run loop does for EXIT_SKIP. */
void exit_skip(struct vcpu *);
/* As EXIT_SKIP; but breakpoints that the instruction's accesses met trap behind it. */
enum exit_action exit_done(struct vcpu *);
enum exit_action exit_again(struct vcpu *); /* of a repetition a part is done; the rest is executed again, with RF */
/* Queue the fault and say so. */
enum exit_action exit_fault(struct vm *, unsigned vector, uint32_t error); /* one that pushes an error code */
enum exit_action exit_undefined(struct vm *);
enum exit_action exit_stopped(struct vm *, enum vm_stop, uint32_t detail);
/* CP cannot do what the instruction asks: stops the machine, unless it is L2's instruction; then L2 ends as by a triple
 * fault. */
enum exit_action exit_unemulated(struct vm *);

enum { VECTOR_DB = 1, VECTOR_UD = 6, VECTOR_DF = 8, VECTOR_TS = 10, VECTOR_NP = 11, VECTOR_SS = 12, VECTOR_GP = 13,
       VECTOR_PF = 14, VECTOR_AC = 17, VECTOR_NMI = 2, VECTOR_MC = 18 };
