/* Loads of segment registers and what else takes a descriptor from a table in the guest's storage, as members of struct
 * execute_seams (cp/decode/execute.h): what cp/decode/descriptor.h judges is read and marked here, and what it makes
 * becomes the guest's. Their context is a struct vm. */
#pragma once
#include "cp/decode/execute.h"

struct segment_value;

int state_load_segment(void *vm, enum segment, uint16_t selector);
/* STATE_STATUS_WORD: LMSW, whose exit is in vcpu->exit now. */
int state_load_system(void *vm, const struct instruction *, uint16_t value, uint64_t linear);
int state_look(void *vm, const struct instruction *, uint16_t selector, bool *shown, uint64_t *value);
int state_find_code(void *vm, uint16_t selector, struct segment_value *, uint16_t *from);
bool state_may_enter(void *vm, const struct segment_value *, uint64_t rip);
int state_enter(void *vm, const struct segment_value *, uint64_t rip);
