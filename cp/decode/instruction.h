/* The x86 instructions that reach memory-mapped devices, and those of VMX and port string I/O: what CP must understand
 * when a processor reports only that a guest-physical address was touched, or (SVM) only that an opcode was undefined.
 * In: up to 15 instruction bytes and the size of the code segment. Out: struct instruction, a description without side
 * effects; cp/decode/execute.h carries it out. Whatever is not in the table of opcode.c is "not decodable", never a
 * guess. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { INSTRUCTION_MAX_BYTES = 15 };

enum decode_mode { DECODE_16 = 2, DECODE_32 = 4, DECODE_64 = 8 }; /* CS.D and CS.L */

enum operation {
    OP_NONE,
    OP_MOV, OP_MOVZX, OP_MOVSX, OP_XCHG,
    OP_ADD, OP_OR, OP_ADC, OP_SBB, OP_AND, OP_SUB, OP_XOR, OP_CMP, /* in the order of the opcode map */
    OP_TEST, OP_INC, OP_DEC, OP_NOT, OP_NEG,
    OP_BT, OP_BTS, OP_BTR, OP_BTC,
    OP_XADD, OP_CMPXCHG,
    OP_MOVS, OP_STOS, OP_LODS, OP_CMPS, OP_SCAS, OP_INS, OP_OUTS,
    OP_VMCALL, OP_VMLAUNCH, OP_VMRESUME, OP_VMXOFF, OP_VMFUNC, OP_VMCLEAR, OP_VMPTRLD, OP_VMPTRST, OP_VMXON,
    OP_VMREAD, OP_VMWRITE, OP_INVEPT, OP_INVVPID,
    OPERATIONS
};

enum operand {
    OPERAND_NONE,
    OPERAND_MEMORY,
    OPERAND_REGISTER,  /* `reg` below; RAX/EAX/AX/AL for the forms that imply it */
    OPERAND_RM_REGISTER, /* VMX instructions only: a register in ModRM.rm, `base` below */
    OPERAND_IMMEDIATE,
    OPERAND_ONE,       /* INC and DEC */
};

enum segment { SEGMENT_ES, SEGMENT_CS, SEGMENT_SS, SEGMENT_DS, SEGMENT_FS, SEGMENT_GS };

enum { NO_REGISTER = 0xff, BASE_RIP = 0xfe };

struct instruction {
    uint8_t length;             /* 1-15 */
    uint8_t operation;          /* enum operation */
    uint8_t mode;               /* enum decode_mode it was decoded in */
    uint8_t size;               /* bytes of the memory operand: 1, 2, 4, 8, or 16 (INVEPT, INVVPID); 0: none */
    uint8_t register_size;      /* bytes of the register operand; differs from size for MOVZX and MOVSX */
    uint8_t destination, source; /* enum operand */
    uint8_t reg;                /* 0-15 in x86 encoding order */
    bool reg_high;              /* AH, CH, DH, BH: reg is 0-3 */
    uint8_t address_size;       /* 2, 4, 8 */
    uint8_t segment;            /* enum segment, overrides applied (string sources too) */
    /* Registers or NO_REGISTER, base also BASE_RIP; scale 1, 2, 4, 8. String operations have none: theirs are fixed. */
    uint8_t base, index, scale;
    bool lock, repeat, repeat_not_equal; /* F0; F3; F2 (the latter only for string operations) */
    int64_t displacement;       /* sign-extended; a 64-bit offset for MOV's moffs forms */
    uint64_t immediate;         /* sign-extended from its encoded size */
};

enum decode_result {
    DECODE_OK = 0,
    DECODE_UNKNOWN = -1,   /* not one of ours, or no valid instruction at all */
    DECODE_TRUNCATED = -2, /* needs more than `count` bytes */
};

/* @pre bytes has `count` bytes; those beyond 15 are not looked at. On a result other than OK *instruction is zero. */
enum decode_result instruction_decode(const uint8_t *bytes, size_t count, enum decode_mode, struct instruction *);
