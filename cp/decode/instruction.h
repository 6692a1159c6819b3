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
    OP_MOV, OP_MOVZX, OP_MOVSX, OP_MOVBE, OP_CMOV, OP_SET, OP_XCHG,
    OP_ADD, OP_OR, OP_ADC, OP_SBB, OP_AND, OP_SUB, OP_XOR, OP_CMP, /* in the order of the opcode map */
    OP_TEST, OP_INC, OP_DEC, OP_NOT, OP_NEG,
    OP_BT, OP_BTS, OP_BTR, OP_BTC,
    OP_ROL, OP_ROR, OP_RCL, OP_RCR, OP_SHL, OP_SHR, OP_SAR, /* the same */
    OP_SHLD, OP_SHRD,
    OP_ADCX, OP_ADOX, OP_IMUL, OP_CRC32,
    OP_BSF, OP_BSR, OP_TZCNT, OP_LZCNT, OP_POPCNT,
    OP_ANDN, OP_BLSR, OP_BLSMSK, OP_BLSI, OP_BZHI, OP_BEXTR, OP_PDEP, OP_PEXT,
    OP_RORX, OP_SARX, OP_SHLX, OP_SHRX,
    OP_MULX, OP_MUL, OP_IMUL_WIDE, OP_DIV, OP_IDIV, /* the last four with RDX:RAX */
    OP_XADD, OP_CMPXCHG, OP_CMPXCHG_PAIR,
    OP_XLAT, OP_PUSH, OP_POP, OP_CALL, OP_JMP, OP_BOUND, OP_ARPL,
    OP_CACHE_LINE, /* CLFLUSH and its like: nothing but the right to read is asked for */
    OP_SLDT, OP_STR, OP_LLDT, OP_LTR, OP_VERR, OP_VERW, OP_LAR, OP_LSL, /* of protected mode alone */
    OP_SGDT, OP_SIDT, OP_LGDT, OP_LIDT, OP_LMSW, OP_SMSW,
    OP_MOV_SEGMENT,  /* from a segment register */
    OP_LOAD_SEGMENT, /* to one */
    OP_LES, OP_LDS, OP_LSS, OP_LFS, OP_LGS, OP_CALL_FAR, OP_JMP_FAR,
    OP_VECTOR_MOVE, OP_VECTOR_LOW, OP_VECTOR_HIGH, /* all of a register, or half of its low 16 bytes */
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
    OPERAND_ONE,       /* INC and DEC, shifts by one */
    OPERAND_CL,
    OPERAND_VVVV,      /* `vvvv` below */
    OPERAND_XMM,       /* `reg`: XMM, or YMM where `size` is 32 */
    OPERAND_MMX,       /* `reg` */
};

enum segment { SEGMENT_ES, SEGMENT_CS, SEGMENT_SS, SEGMENT_DS, SEGMENT_FS, SEGMENT_GS };

enum { NO_REGISTER = 0xff, BASE_RIP = 0xfe };

struct instruction {
    uint8_t length;             /* 1-15 */
    uint8_t operation;          /* enum operation */
    uint8_t mode;               /* enum decode_mode it was decoded in */
    uint8_t size;               /* bytes of the memory operand: 1, 2, 4, 6, 8, 10, 16 or 32; 0: none */
    uint8_t register_size;      /* bytes of the register operand; differs from size for MOVZX and MOVSX */
    /* enum operand. The third: a count, or what is combined with the source, of those that have one. */
    uint8_t destination, source, third;
    uint8_t reg;                /* 0-15 in x86 encoding order; of OP_MOV_SEGMENT and OP_LOAD_SEGMENT enum segment */
    uint8_t vvvv;               /* the register that a VEX prefix adds */
    uint8_t condition;          /* of OP_CMOV and OP_SET: the low four bits of their opcode */
    bool reg_high;              /* AH, CH, DH, BH: reg is 0-3 */
    bool vex;                   /* an upper part of a vector register that is not written becomes 0 */
    bool aligned;               /* the operand has to lie at a multiple of its size */
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
    DECODE_UNDEFINED = -3, /* one of ours with a prefix or field that makes it #UD, such as LOCK with a load */
};

/* @pre bytes has `count` bytes; those beyond 15 are not looked at. On a result other than OK *instruction is zero. */
enum decode_result instruction_decode(const uint8_t *bytes, size_t count, enum decode_mode, struct instruction *);
