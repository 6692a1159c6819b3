/* SDM "Opcode Map", the rows that load, store or modify memory and that a driver, a kernel or a hypervisor uses on
 * devices; port string operations; VMX. */
#include "cp/decode/opcode.h"

#include <stddef.h>

#define M OPERAND_MEMORY
#define R OPERAND_REGISTER
#define I OPERAND_IMMEDIATE
#define NONE OPERAND_NONE

/* map, opcode, extension, prefix, operation, size, register size, destination, source, immediate, flags */
#define RM(opcode, op, size, flags)                                                                                    \
    {                                                                                                                  \
        MAP_ONE, opcode, NO_EXTENSION, PREFIX_ANY, op, size, size, M, R, IMMEDIATE_NONE, OPCODE_MODRM | (flags)        \
    }
#define REG(opcode, op, size)                                                                                          \
    {                                                                                                                  \
        MAP_ONE, opcode, NO_EXTENSION, PREFIX_ANY, op, size, size, R, M, IMMEDIATE_NONE, OPCODE_MODRM                  \
    }
#define ALU(n, op, lock)                                                                                               \
    RM((n)*8, op, SIZE_1, lock), RM((n)*8 + 1, op, SIZE_V, lock), REG((n)*8 + 2, op, SIZE_1), REG((n)*8 + 3, op, SIZE_V)
#define IMM(opcode, ext, op, size, imm, flags) \
    {MAP_ONE, opcode, ext, PREFIX_ANY, op, size, size, M, I, imm, OPCODE_MODRM | (flags)}
#define ALU_IMM(n, op, lock) \
    IMM(0x80, n, op, SIZE_1, IMMEDIATE_8, lock), IMM(0x81, n, op, SIZE_V, IMMEDIATE_Z, lock), \
    IMM(0x82, n, op, SIZE_1, IMMEDIATE_8, (lock) | OPCODE_NOT_64), IMM(0x83, n, op, SIZE_V, IMMEDIATE_8, lock)
#define UNARY(opcode, ext, op, size, source) \
    {MAP_ONE, opcode, ext, PREFIX_ANY, op, size, size, M, source, IMMEDIATE_NONE, OPCODE_MODRM | OPCODE_LOCK}
#define STRING(opcode, op, size) \
    {MAP_ONE, opcode, NO_EXTENSION, PREFIX_ANY, op, size, size, NONE, NONE, IMMEDIATE_NONE, OPCODE_STRING}
#define OFFSET(opcode, size, to, from) \
    {MAP_ONE, opcode, NO_EXTENSION, PREFIX_ANY, OP_MOV, size, size, to, from, IMMEDIATE_OFFSET, 0}
#define WIDEN(opcode, op, size)                                                                                        \
    {                                                                                                                  \
        MAP_0F, opcode, NO_EXTENSION, PREFIX_ANY, op, size, SIZE_V, R, M, IMMEDIATE_NONE, OPCODE_MODRM                 \
    }
#define TWO(opcode, op, size, lock) \
    {MAP_0F, opcode, NO_EXTENSION, PREFIX_ANY, op, size, size, M, R, IMMEDIATE_NONE, OPCODE_MODRM | (lock)}
#define BIT_IMM(ext, op, lock)                                                                                         \
    {                                                                                                                  \
        MAP_0F, 0xba, ext, PREFIX_ANY, op, SIZE_V, SIZE_V, M, I, IMMEDIATE_8, OPCODE_MODRM | (lock)                    \
    }
#define VMX_PLAIN(modrm, op)                                                                                           \
    {                                                                                                                  \
        MAP_0F, 0x01, modrm, PREFIX_NONE, op, SIZE_NONE, SIZE_NONE, NONE, NONE, IMMEDIATE_NONE,                        \
            OPCODE_MODRM | OPCODE_EXACT                                                                                \
    }
#define VMX_POINTER(ext, prefix, op) \
    {MAP_0F, 0xc7, ext, prefix, op, SIZE_8, SIZE_NONE, M, NONE, IMMEDIATE_NONE, OPCODE_MODRM}
#define VMX_FIELD(opcode, op, to, from)                                                                                \
    {                                                                                                                  \
        MAP_0F, opcode, NO_EXTENSION, PREFIX_NONE, op, SIZE_VMX, SIZE_VMX, to, from, IMMEDIATE_NONE,                   \
            OPCODE_MODRM | OPCODE_REGISTER                                                                             \
    }
#define VMX_INVALIDATE(opcode, op) \
    {MAP_0F38, opcode, NO_EXTENSION, PREFIX_66, op, SIZE_16, SIZE_VMX, R, M, IMMEDIATE_NONE, OPCODE_MODRM}

static const struct opcode opcodes[] = {
    RM(0x88, OP_MOV, SIZE_1, 0),
    RM(0x89, OP_MOV, SIZE_V, 0),
    REG(0x8a, OP_MOV, SIZE_1),
    REG(0x8b, OP_MOV, SIZE_V),
    IMM(0xc6, 0, OP_MOV, SIZE_1, IMMEDIATE_8, 0),
    IMM(0xc7, 0, OP_MOV, SIZE_V, IMMEDIATE_Z, 0),
    OFFSET(0xa0, SIZE_1, R, M),
    OFFSET(0xa1, SIZE_V, R, M),
    OFFSET(0xa2, SIZE_1, M, R),
    OFFSET(0xa3, SIZE_V, M, R),
    WIDEN(0xb6, OP_MOVZX, SIZE_1),
    WIDEN(0xb7, OP_MOVZX, SIZE_2),
    WIDEN(0xbe, OP_MOVSX, SIZE_1),
    WIDEN(0xbf, OP_MOVSX, SIZE_2),
    {MAP_ONE, 0x63, NO_EXTENSION, PREFIX_ANY, OP_MOVSX, SIZE_4, SIZE_V, R, M, IMMEDIATE_NONE,
     OPCODE_MODRM | OPCODE_ONLY_64},
    {MAP_0F, 0xc3, NO_EXTENSION, PREFIX_NONE, OP_MOV, SIZE_Y, SIZE_Y, M, R, IMMEDIATE_NONE, OPCODE_MODRM}, /* MOVNTI */
    RM(0x86, OP_XCHG, SIZE_1, OPCODE_LOCK),
    RM(0x87, OP_XCHG, SIZE_V, OPCODE_LOCK),

    ALU(0, OP_ADD, OPCODE_LOCK),
    ALU(1, OP_OR, OPCODE_LOCK),
    ALU(2, OP_ADC, OPCODE_LOCK),
    ALU(3, OP_SBB, OPCODE_LOCK),
    ALU(4, OP_AND, OPCODE_LOCK),
    ALU(5, OP_SUB, OPCODE_LOCK),
    ALU(6, OP_XOR, OPCODE_LOCK),
    ALU(7, OP_CMP, 0),
    ALU_IMM(0, OP_ADD, OPCODE_LOCK),
    ALU_IMM(1, OP_OR, OPCODE_LOCK),
    ALU_IMM(2, OP_ADC, OPCODE_LOCK),
    ALU_IMM(3, OP_SBB, OPCODE_LOCK),
    ALU_IMM(4, OP_AND, OPCODE_LOCK),
    ALU_IMM(5, OP_SUB, OPCODE_LOCK),
    ALU_IMM(6, OP_XOR, OPCODE_LOCK),
    ALU_IMM(7, OP_CMP, 0),
    RM(0x84, OP_TEST, SIZE_1, 0),
    RM(0x85, OP_TEST, SIZE_V, 0),
    IMM(0xf6, 0, OP_TEST, SIZE_1, IMMEDIATE_8, 0),
    IMM(0xf7, 0, OP_TEST, SIZE_V, IMMEDIATE_Z, 0),
    IMM(0xf6, 1, OP_TEST, SIZE_1, IMMEDIATE_8, 0),
    IMM(0xf7, 1, OP_TEST, SIZE_V, IMMEDIATE_Z, 0),
    UNARY(0xf6, 2, OP_NOT, SIZE_1, NONE),
    UNARY(0xf7, 2, OP_NOT, SIZE_V, NONE),
    UNARY(0xf6, 3, OP_NEG, SIZE_1, NONE),
    UNARY(0xf7, 3, OP_NEG, SIZE_V, NONE),
    UNARY(0xfe, 0, OP_INC, SIZE_1, OPERAND_ONE),
    UNARY(0xff, 0, OP_INC, SIZE_V, OPERAND_ONE),
    UNARY(0xfe, 1, OP_DEC, SIZE_1, OPERAND_ONE),
    UNARY(0xff, 1, OP_DEC, SIZE_V, OPERAND_ONE),

    TWO(0xa3, OP_BT, SIZE_V, 0),
    TWO(0xab, OP_BTS, SIZE_V, OPCODE_LOCK),
    TWO(0xb3, OP_BTR, SIZE_V, OPCODE_LOCK),
    TWO(0xbb, OP_BTC, SIZE_V, OPCODE_LOCK),
    BIT_IMM(4, OP_BT, 0),
    BIT_IMM(5, OP_BTS, OPCODE_LOCK),
    BIT_IMM(6, OP_BTR, OPCODE_LOCK),
    BIT_IMM(7, OP_BTC, OPCODE_LOCK),
    TWO(0xc0, OP_XADD, SIZE_1, OPCODE_LOCK),
    TWO(0xc1, OP_XADD, SIZE_V, OPCODE_LOCK),
    TWO(0xb0, OP_CMPXCHG, SIZE_1, OPCODE_LOCK),
    TWO(0xb1, OP_CMPXCHG, SIZE_V, OPCODE_LOCK),

    STRING(0xa4, OP_MOVS, SIZE_1),
    STRING(0xa5, OP_MOVS, SIZE_V),
    STRING(0xa6, OP_CMPS, SIZE_1),
    STRING(0xa7, OP_CMPS, SIZE_V),
    STRING(0xaa, OP_STOS, SIZE_1),
    STRING(0xab, OP_STOS, SIZE_V),
    STRING(0xac, OP_LODS, SIZE_1),
    STRING(0xad, OP_LODS, SIZE_V),
    STRING(0xae, OP_SCAS, SIZE_1),
    STRING(0xaf, OP_SCAS, SIZE_V),
    STRING(0x6c, OP_INS, SIZE_1),
    STRING(0x6d, OP_INS, SIZE_Z),
    STRING(0x6e, OP_OUTS, SIZE_1),
    STRING(0x6f, OP_OUTS, SIZE_Z),

    VMX_PLAIN(0xc1, OP_VMCALL),
    VMX_PLAIN(0xc2, OP_VMLAUNCH),
    VMX_PLAIN(0xc3, OP_VMRESUME),
    VMX_PLAIN(0xc4, OP_VMXOFF),
    VMX_PLAIN(0xd4, OP_VMFUNC),
    VMX_POINTER(6, PREFIX_NONE, OP_VMPTRLD),
    VMX_POINTER(6, PREFIX_66, OP_VMCLEAR),
    VMX_POINTER(6, PREFIX_F3, OP_VMXON),
    VMX_POINTER(7, PREFIX_NONE, OP_VMPTRST),
    VMX_FIELD(0x78, OP_VMREAD, M, R),
    VMX_FIELD(0x79, OP_VMWRITE, R, M),
    VMX_INVALIDATE(0x80, OP_INVEPT),
    VMX_INVALIDATE(0x81, OP_INVVPID),
};

static bool extension_matches(const struct opcode *row, uint8_t modrm)
{
    if (row->extension == NO_EXTENSION)
        return true;
    return row->extension == (row->flags & OPCODE_EXACT ? modrm : modrm >> 3 & 7);
}

const struct opcode *opcode_find(enum opcode_map map, uint8_t opcode, enum opcode_prefix prefix, uint8_t modrm)
{
    for (size_t i = 0; i < sizeof opcodes / sizeof *opcodes; i++) {
        const struct opcode *row = &opcodes[i];

        if (row->map == map && row->code == opcode && extension_matches(row, modrm) &&
            (row->prefix == PREFIX_ANY || row->prefix == prefix))
            return row;
    }
    return NULL;
}

bool opcode_has_modrm(enum opcode_map map, uint8_t opcode)
{
    for (size_t i = 0; i < sizeof opcodes / sizeof *opcodes; i++)
        if (opcodes[i].map == map && opcodes[i].code == opcode)
            return opcodes[i].flags & OPCODE_MODRM;
    return false;
}
