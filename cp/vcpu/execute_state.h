/* What instructions that CP carries out reach beside general registers and memory: vector registers, the stack's
 * width, RIP, tables. The functions are members of struct execute_seams (cp/decode/execute.h); their context
 * is a struct vm. */
#pragma once
#include "cp/decode/execute.h"

int state_permitted(void *vm, enum instruction_class);
bool state_checks_alignment(void *vm);
int state_fault(void *vm, unsigned vector);
void state_vector_read(void *vm, enum operand kind, unsigned reg, uint8_t value[EXECUTE_VECTOR]);
void state_vector_write(void *vm, enum operand kind, unsigned reg, const uint8_t value[EXECUTE_VECTOR], unsigned bytes,
                        bool clear);
unsigned state_stack_size(void *vm);
bool state_may_jump(void *vm, uint64_t rip);
/* vcpu->exit.rip is the target from here on, and what is skipped 0 bytes long. */
void state_jump(void *vm, uint64_t rip);
uint64_t state_system_read(void *vm, const struct instruction *, uint64_t *base);
int state_system_write(void *vm, const struct instruction *, uint16_t limit, uint64_t base);

enum {
    STATE_FAULTED = -2,     /* a fault was queued */
    STATE_STOPPED = -3,     /* no fault of the guest's can say it */
    STATE_STATUS_WORD = -4, /* LMSW's exit is made */
};
