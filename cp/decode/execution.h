/* What the files that carry out instructions share: the instruction under way, its registers and its operand. Inside
 * cp/decode only. */
#pragma once
#include <stddef.h>

#include "cp/decode/arithmetic.h"
#include "cp/decode/execute.h"

enum { GPR_AX = 0, GPR_CX = 1, GPR_DX = 2, GPR_BX = 3, GPR_SP = 4, GPR_SI = 6, GPR_DI = 7 };
enum { FAULT_DE = 0, FAULT_BR = 5, FAULT_GP = 13, FAULT_AC = 17 };

struct execution {
    const struct instruction *in;
    const struct execute_seams *seams;
    uint64_t rip;
    uint64_t flags;
};

struct place { /* of a memory operand */
    enum segment segment;
    uint64_t offset, linear;
};

uint64_t execution_cut(uint64_t value, unsigned size);
uint64_t execution_sign_extend(uint64_t value, unsigned size);

uint64_t execution_gpr(const struct execution *, unsigned reg); /* 0 of NO_REGISTER */
uint64_t execution_read_register(const struct execution *, unsigned reg, bool high, unsigned size);
/* A 32-bit result clears the upper half, a smaller one leaves the rest alone. */
void execution_write_register(const struct execution *, unsigned reg, bool high, unsigned size, uint64_t value);
uint64_t execution_operand_register(const struct execution *); /* ModRM.reg, and its opposite */
void execution_set_operand_register(const struct execution *, uint64_t value);
void execution_commit_flags(const struct execution *);

struct place execution_place(const struct execution *, enum segment, uint64_t offset, unsigned address_size);
struct place execution_memory_place(const struct execution *);
/* 0, or as the seams: does the segment allow the operand, whose size is that of the instruction's? May it be read or
 * written, that is: will nothing fault? */
int execution_check(const struct execution *, struct place, bool write);
int execution_probe(const struct execution *, struct place, bool write);
/* Of up to 8 bytes, and of any number; they check. What is loaded to be modified must be writable, which is found out
 * before a device gives a value that it gives once. */
int execution_load(const struct execution *, struct place, uint64_t *value);
int execution_load_to_modify(const struct execution *, struct place, uint64_t *value);
int execution_store(const struct execution *, struct place, uint64_t value);
int execution_load_bytes(const struct execution *, struct place, void *to);
int execution_store_bytes(const struct execution *, struct place, const void *from);

/* operations of other files */
int execute_string(struct execution *);
struct place execute_string_place(const struct execution *); /* the source, or the destination where it is all */
bool execute_is_string(enum operation);
int execute_vector(struct execution *);
int execute_push(struct execution *), execute_pop(struct execution *), execute_near(struct execution *);
int execute_bound(struct execution *), execute_arpl(struct execution *);
int execute_system_store(struct execution *), execute_table_store(struct execution *);
int execute_table_load(struct execution *);
int execute_segment_load(struct execution *), execute_far_load(struct execution *);
int execute_system_load(struct execution *), execute_look(struct execution *), execute_far(struct execution *);
