/* The opcodes that instruction_decode() accepts, one row each. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/decode/instruction.h"

/* VEX has maps of its own. */
enum opcode_map { MAP_ONE, MAP_0F, MAP_0F38, MAP_VEX_0F, MAP_VEX_0F38, MAP_VEX_0F3A };

/* What the last of 66, F2, F3 must be. Where it does not select the opcode, any will do. */
enum opcode_prefix { PREFIX_ANY, PREFIX_NONE, PREFIX_66, PREFIX_F3, PREFIX_F2 };

enum opcode_size {
    SIZE_NONE, SIZE_1, SIZE_2, SIZE_4, SIZE_8, SIZE_16,
    SIZE_V,    /* operand size: 2, 4 or 8 */
    SIZE_Z,    /* operand size, but at most 4 */
    SIZE_Y,    /* 8 with REX.W, else 4 */
    SIZE_VMX,  /* 8 in 64-bit mode, else 4 */
    SIZE_STACK, /* of PUSH, POP and near branches: in 64-bit mode 8, or of PUSH and POP 2 */
    SIZE_NEAR,
    SIZE_VECTOR, /* 16, or 32 with VEX.L */
    SIZE_PAIR_V, SIZE_PAIR_Y, /* two of them */
    SIZE_TABLE, /* limit and base: 6, in 64-bit mode 10 */
    SIZE_FAR,   /* offset of operand size, and selector: 4, 6 or 10 */
};

enum opcode_immediate { IMMEDIATE_NONE, IMMEDIATE_8, IMMEDIATE_Z, IMMEDIATE_OFFSET /* moffs: an address */ };

enum opcode_flag {
    OPCODE_MODRM = 1,
    OPCODE_LOCK = 2,      /* LOCK is allowed */
    OPCODE_REGISTER = 4,  /* ModRM may name a register in place of memory */
    OPCODE_EXACT = 8,     /* `extension` is the whole ModRM byte */
    OPCODE_ONLY_64 = 16,
    OPCODE_NOT_64 = 32,
    OPCODE_STRING = 64,
    OPCODE_ALIGNED = 128,
    OPCODE_L0 = 256,      /* VEX.L must be 0 */
};

enum { NO_EXTENSION = -1 };

struct opcode {
    uint8_t map, code;
    int16_t extension; /* ModRM.reg, or the whole byte, or NO_EXTENSION */
    uint8_t prefix;
    uint8_t operation, size, register_size, destination, source, third, immediate;
    uint16_t flags;
};

extern const struct opcode opcodes[]; /* by map and code */
extern const unsigned opcode_count;

/* NULL: none of ours. `modrm` is looked at only where the opcode has one. */
const struct opcode *opcode_find(enum opcode_map, uint8_t opcode, enum opcode_prefix, uint8_t modrm, bool mode_64);
/* Does a row of this opcode and prefix have a ModRM byte? */
bool opcode_has_modrm(enum opcode_map, uint8_t opcode, enum opcode_prefix);
