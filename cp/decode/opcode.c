/* SDM "Opcode Map", the rows that load, store or modify memory: integer instructions, and those that move between
 * memory and MMX, SSE and AVX registers; port string operations; VMX. In the order of map and opcode; of several rows
 * with the same the first that fits counts. */
#include "cp/decode/opcode.h"

#include <stddef.h>

enum { NONE = OPERAND_NONE, M = OPERAND_MEMORY, R = OPERAND_REGISTER, I = OPERAND_IMMEDIATE, V = OPERAND_VVVV,
       X = OPERAND_XMM, MM = OPERAND_MMX, ANY = NO_EXTENSION, LOCK = OPCODE_LOCK };

/* map, opcode, extension, prefix, operation, size, register size, destination, source, third operand, immediate,
 * flags */
#define ROW(map, opcode, ext, prefix, op, size, rsize, to, from, third, imm, flags) \
    {MAP_##map, opcode, ext, PREFIX_##prefix, op, SIZE_##size, SIZE_##rsize, to, from, third, IMMEDIATE_##imm, flags}
#define MODRM(map, opcode, ext, prefix, op, size, rsize, to, from, third, imm, flags) \
    ROW(map, opcode, ext, prefix, op, size, rsize, to, from, third, imm, OPCODE_MODRM | (flags))

#define RM(opcode, op, size, flags) MODRM(ONE, opcode, ANY, ANY, op, size, size, M, R, NONE, NONE, flags)
#define REG(opcode, op, size) MODRM(ONE, opcode, ANY, ANY, op, size, size, R, M, NONE, NONE, 0)
#define ALU(n, op, lock) \
    RM((n)*8, op, 1, lock), RM((n)*8 + 1, op, V, lock), REG((n)*8 + 2, op, 1), REG((n)*8 + 3, op, V)
#define IMM(opcode, ext, op, size, imm, flags) \
    MODRM(ONE, opcode, ext, ANY, op, size, size, M, I, NONE, imm, flags)
#define ALU_IMM(opcode, size, imm, flags) \
    IMM(opcode, 0, OP_ADD, size, imm, LOCK | (flags)), IMM(opcode, 1, OP_OR, size, imm, LOCK | (flags)), \
    IMM(opcode, 2, OP_ADC, size, imm, LOCK | (flags)), IMM(opcode, 3, OP_SBB, size, imm, LOCK | (flags)), \
    IMM(opcode, 4, OP_AND, size, imm, LOCK | (flags)), IMM(opcode, 5, OP_SUB, size, imm, LOCK | (flags)), \
    IMM(opcode, 6, OP_XOR, size, imm, LOCK | (flags)), IMM(opcode, 7, OP_CMP, size, imm, flags)
#define SHIFT(opcode, ext, op, size, count, imm) MODRM(ONE, opcode, ext, ANY, op, size, size, M, count, NONE, imm, 0)
#define SHIFTS(opcode, size, count, imm) \
    SHIFT(opcode, 0, OP_ROL, size, count, imm), SHIFT(opcode, 1, OP_ROR, size, count, imm), \
    SHIFT(opcode, 2, OP_RCL, size, count, imm), SHIFT(opcode, 3, OP_RCR, size, count, imm), \
    SHIFT(opcode, 4, OP_SHL, size, count, imm), SHIFT(opcode, 5, OP_SHR, size, count, imm), \
    SHIFT(opcode, 6, OP_SHL, size, count, imm), SHIFT(opcode, 7, OP_SAR, size, count, imm)
#define UNARY(opcode, ext, op, size, source) MODRM(ONE, opcode, ext, ANY, op, size, size, M, source, NONE, NONE, LOCK)
#define FROM(opcode, ext, op, size, rsize) MODRM(ONE, opcode, ext, ANY, op, size, rsize, NONE, M, NONE, NONE, 0)
#define GROUP_3(opcode, size, imm) \
    IMM(opcode, 0, OP_TEST, size, imm, 0), IMM(opcode, 1, OP_TEST, size, imm, 0), \
    UNARY(opcode, 2, OP_NOT, size, NONE), UNARY(opcode, 3, OP_NEG, size, NONE), \
    FROM(opcode, 4, OP_MUL, size, size), FROM(opcode, 5, OP_IMUL_WIDE, size, size), \
    FROM(opcode, 6, OP_DIV, size, size), FROM(opcode, 7, OP_IDIV, size, size)
#define STRING(opcode, op, size) \
    ROW(ONE, opcode, ANY, ANY, op, size, size, NONE, NONE, NONE, NONE, OPCODE_STRING)
#define OFFSET(opcode, size, to, from) ROW(ONE, opcode, ANY, ANY, OP_MOV, size, size, to, from, NONE, OFFSET, 0)

#define TWO(opcode, prefix, op, size, flags) MODRM(0F, opcode, ANY, prefix, op, size, size, M, R, NONE, NONE, flags)
#define LOAD(opcode, prefix, op, size, rsize) MODRM(0F, opcode, ANY, prefix, op, size, rsize, R, M, NONE, NONE, 0)
#define SHIFT_TWO(opcode, op, count, imm) MODRM(0F, opcode, ANY, ANY, op, V, V, M, R, count, imm, 0)
#define BIT_IMM(ext, op, lock) MODRM(0F, 0xba, ext, ANY, op, V, V, M, I, NONE, 8, lock)
#define SYSTEM(opcode, ext, op, size, to, from) MODRM(0F, opcode, ext, ANY, op, size, V, to, from, NONE, NONE, 0)
#define CACHE(ext, prefix) MODRM(0F, 0xae, ext, prefix, OP_CACHE_LINE, 1, NONE, NONE, M, NONE, NONE, 0)
#define SIXTEEN(ROW_OF, opcode) \
    ROW_OF(opcode), ROW_OF(opcode + 1), ROW_OF(opcode + 2), ROW_OF(opcode + 3), ROW_OF(opcode + 4), \
    ROW_OF(opcode + 5), ROW_OF(opcode + 6), ROW_OF(opcode + 7), ROW_OF(opcode + 8), ROW_OF(opcode + 9), \
    ROW_OF(opcode + 10), ROW_OF(opcode + 11), ROW_OF(opcode + 12), ROW_OF(opcode + 13), ROW_OF(opcode + 14), \
    ROW_OF(opcode + 15)
#define CMOV(opcode) LOAD(opcode, ANY, OP_CMOV, V, V)
#define SET(opcode) MODRM(0F, opcode, ANY, ANY, OP_SET, 1, NONE, M, NONE, NONE, NONE, 0)
#define THREE(opcode, prefix, op, size, rsize, to, from) \
    MODRM(0F38, opcode, ANY, prefix, op, size, rsize, to, from, NONE, NONE, 0)

/* to and from vector registers: `op` of an XMM register, `kind` another register than those */
#define TO(map, opcode, prefix, op, size, third, flags) \
    MODRM(map, opcode, ANY, prefix, op, size, NONE, X, M, third, NONE, flags)
#define OF(map, opcode, prefix, op, size, flags) \
    MODRM(map, opcode, ANY, prefix, op, size, NONE, M, X, NONE, NONE, flags)
#define MMX_TO(opcode, size) MODRM(0F, opcode, ANY, NONE, OP_VECTOR_MOVE, size, NONE, MM, M, NONE, NONE, 0)
#define MMX_OF(opcode, size) MODRM(0F, opcode, ANY, NONE, OP_VECTOR_MOVE, size, NONE, M, MM, NONE, NONE, 0)
#define BOTH_MOVED(map, to, from, prefix, size, flags) \
    TO(map, to, prefix, OP_VECTOR_MOVE, size, NONE, flags), OF(map, from, prefix, OP_VECTOR_MOVE, size, flags)
#define HALVES(map, opcode, op, third, flags) \
    TO(map, opcode, NONE, op, 8, third, flags), TO(map, opcode, 66, op, 8, third, flags), \
        OF(map, opcode + 1, NONE, op, 8, flags), OF(map, opcode + 1, 66, op, 8, flags)

#define BMI(opcode, prefix, op) \
    MODRM(VEX_0F38, opcode, ANY, prefix, op, Y, Y, R, M, V, NONE, OPCODE_L0)
#define BMI_GROUP(ext, op) MODRM(VEX_0F38, 0xf3, ext, NONE, op, Y, Y, V, M, NONE, NONE, OPCODE_L0)

#define VMX_PLAIN(modrm, op) \
    ROW(0F, 0x01, modrm, NONE, op, NONE, NONE, NONE, NONE, NONE, NONE, OPCODE_MODRM | OPCODE_EXACT)
#define VMX_POINTER(ext, prefix, op) MODRM(0F, 0xc7, ext, prefix, op, 8, NONE, M, NONE, NONE, NONE, 0)
#define VMX_FIELD(opcode, op, to, from) \
    MODRM(0F, opcode, ANY, NONE, op, VMX, VMX, to, from, NONE, NONE, OPCODE_REGISTER)
#define VMX_INVALIDATE(opcode, op) MODRM(0F38, opcode, ANY, 66, op, 16, VMX, R, M, NONE, NONE, 0)

const struct opcode opcodes[] = {
    ALU(0, OP_ADD, LOCK),
    ALU(1, OP_OR, LOCK),
    ALU(2, OP_ADC, LOCK),
    ALU(3, OP_SBB, LOCK),
    ALU(4, OP_AND, LOCK),
    ALU(5, OP_SUB, LOCK),
    ALU(6, OP_XOR, LOCK),
    ALU(7, OP_CMP, 0),
    MODRM(ONE, 0x62, ANY, ANY, OP_BOUND, PAIR_V, V, R, M, NONE, NONE, OPCODE_NOT_64),
    MODRM(ONE, 0x63, ANY, ANY, OP_MOVSX, 4, V, R, M, NONE, NONE, OPCODE_ONLY_64),
    MODRM(ONE, 0x63, ANY, ANY, OP_ARPL, 2, 2, M, R, NONE, NONE, OPCODE_NOT_64),
    MODRM(ONE, 0x69, ANY, ANY, OP_IMUL, V, V, R, M, I, Z, 0),
    MODRM(ONE, 0x6b, ANY, ANY, OP_IMUL, V, V, R, M, I, 8, 0),
    STRING(0x6c, OP_INS, 1),
    STRING(0x6d, OP_INS, Z),
    STRING(0x6e, OP_OUTS, 1),
    STRING(0x6f, OP_OUTS, Z),
    ALU_IMM(0x80, 1, 8, 0),
    ALU_IMM(0x81, V, Z, 0),
    ALU_IMM(0x82, 1, 8, OPCODE_NOT_64),
    ALU_IMM(0x83, V, 8, 0),
    RM(0x84, OP_TEST, 1, 0),
    RM(0x85, OP_TEST, V, 0),
    RM(0x86, OP_XCHG, 1, LOCK),
    RM(0x87, OP_XCHG, V, LOCK),
    RM(0x88, OP_MOV, 1, 0),
    RM(0x89, OP_MOV, V, 0),
    REG(0x8a, OP_MOV, 1),
    REG(0x8b, OP_MOV, V),
    MODRM(ONE, 0x8c, ANY, ANY, OP_MOV_SEGMENT, 2, NONE, M, NONE, NONE, NONE, 0),
    MODRM(ONE, 0x8e, ANY, ANY, OP_LOAD_SEGMENT, 2, NONE, NONE, M, NONE, NONE, 0),
    MODRM(ONE, 0x8f, 0, ANY, OP_POP, STACK, NONE, M, NONE, NONE, NONE, 0),
    OFFSET(0xa0, 1, R, M),
    OFFSET(0xa1, V, R, M),
    OFFSET(0xa2, 1, M, R),
    OFFSET(0xa3, V, M, R),
    STRING(0xa4, OP_MOVS, 1),
    STRING(0xa5, OP_MOVS, V),
    STRING(0xa6, OP_CMPS, 1),
    STRING(0xa7, OP_CMPS, V),
    STRING(0xaa, OP_STOS, 1),
    STRING(0xab, OP_STOS, V),
    STRING(0xac, OP_LODS, 1),
    STRING(0xad, OP_LODS, V),
    STRING(0xae, OP_SCAS, 1),
    STRING(0xaf, OP_SCAS, V),
    SHIFTS(0xc0, 1, I, 8),
    SHIFTS(0xc1, V, I, 8),
    MODRM(ONE, 0xc4, ANY, ANY, OP_LES, FAR, V, R, M, NONE, NONE, OPCODE_NOT_64),
    MODRM(ONE, 0xc5, ANY, ANY, OP_LDS, FAR, V, R, M, NONE, NONE, OPCODE_NOT_64),
    IMM(0xc6, 0, OP_MOV, 1, 8, 0),
    IMM(0xc7, 0, OP_MOV, V, Z, 0),
    SHIFTS(0xd0, 1, OPERAND_ONE, NONE),
    SHIFTS(0xd1, V, OPERAND_ONE, NONE),
    SHIFTS(0xd2, 1, OPERAND_CL, NONE),
    SHIFTS(0xd3, V, OPERAND_CL, NONE),
    ROW(ONE, 0xd7, ANY, ANY, OP_XLAT, 1, 1, R, M, NONE, NONE, 0),
    GROUP_3(0xf6, 1, 8),
    GROUP_3(0xf7, V, Z),
    UNARY(0xfe, 0, OP_INC, 1, OPERAND_ONE),
    UNARY(0xfe, 1, OP_DEC, 1, OPERAND_ONE),
    UNARY(0xff, 0, OP_INC, V, OPERAND_ONE),
    UNARY(0xff, 1, OP_DEC, V, OPERAND_ONE),
    FROM(0xff, 2, OP_CALL, NEAR, NONE),
    FROM(0xff, 3, OP_CALL_FAR, FAR, NONE),
    FROM(0xff, 4, OP_JMP, NEAR, NONE),
    FROM(0xff, 5, OP_JMP_FAR, FAR, NONE),
    FROM(0xff, 6, OP_PUSH, STACK, NONE),

    SYSTEM(0x00, 0, OP_SLDT, 2, M, NONE),
    SYSTEM(0x00, 1, OP_STR, 2, M, NONE),
    SYSTEM(0x00, 2, OP_LLDT, 2, NONE, M),
    SYSTEM(0x00, 3, OP_LTR, 2, NONE, M),
    SYSTEM(0x00, 4, OP_VERR, 2, NONE, M),
    SYSTEM(0x00, 5, OP_VERW, 2, NONE, M),
    VMX_PLAIN(0xc1, OP_VMCALL),
    VMX_PLAIN(0xc2, OP_VMLAUNCH),
    VMX_PLAIN(0xc3, OP_VMRESUME),
    VMX_PLAIN(0xc4, OP_VMXOFF),
    VMX_PLAIN(0xd4, OP_VMFUNC),
    SYSTEM(0x01, 0, OP_SGDT, TABLE, M, NONE),
    SYSTEM(0x01, 1, OP_SIDT, TABLE, M, NONE),
    SYSTEM(0x01, 2, OP_LGDT, TABLE, NONE, M),
    SYSTEM(0x01, 3, OP_LIDT, TABLE, NONE, M),
    SYSTEM(0x01, 4, OP_SMSW, 2, M, NONE),
    SYSTEM(0x01, 6, OP_LMSW, 2, NONE, M),
    LOAD(0x02, ANY, OP_LAR, 2, V),
    LOAD(0x03, ANY, OP_LSL, 2, V),
    TO(0F, 0x10, NONE, OP_VECTOR_MOVE, 16, NONE, 0),
    TO(0F, 0x10, 66, OP_VECTOR_MOVE, 16, NONE, 0),
    TO(0F, 0x10, F3, OP_VECTOR_MOVE, 4, NONE, 0),
    TO(0F, 0x10, F2, OP_VECTOR_MOVE, 8, NONE, 0),
    OF(0F, 0x11, NONE, OP_VECTOR_MOVE, 16, 0),
    OF(0F, 0x11, 66, OP_VECTOR_MOVE, 16, 0),
    OF(0F, 0x11, F3, OP_VECTOR_MOVE, 4, 0),
    OF(0F, 0x11, F2, OP_VECTOR_MOVE, 8, 0),
    HALVES(0F, 0x12, OP_VECTOR_LOW, NONE, 0),
    HALVES(0F, 0x16, OP_VECTOR_HIGH, NONE, 0),
    TO(0F, 0x28, NONE, OP_VECTOR_MOVE, 16, NONE, OPCODE_ALIGNED),
    TO(0F, 0x28, 66, OP_VECTOR_MOVE, 16, NONE, OPCODE_ALIGNED),
    OF(0F, 0x29, NONE, OP_VECTOR_MOVE, 16, OPCODE_ALIGNED),
    OF(0F, 0x29, 66, OP_VECTOR_MOVE, 16, OPCODE_ALIGNED),
    OF(0F, 0x2b, NONE, OP_VECTOR_MOVE, 16, OPCODE_ALIGNED), /* MOVNTPS, MOVNTPD */
    OF(0F, 0x2b, 66, OP_VECTOR_MOVE, 16, OPCODE_ALIGNED),
    SIXTEEN(CMOV, 0x40),
    MMX_TO(0x6e, Y),
    TO(0F, 0x6e, 66, OP_VECTOR_MOVE, Y, NONE, 0),
    MMX_TO(0x6f, 8),
    TO(0F, 0x6f, 66, OP_VECTOR_MOVE, 16, NONE, OPCODE_ALIGNED),
    TO(0F, 0x6f, F3, OP_VECTOR_MOVE, 16, NONE, 0),
    VMX_FIELD(0x78, OP_VMREAD, M, R),
    VMX_FIELD(0x79, OP_VMWRITE, R, M),
    MMX_OF(0x7e, Y),
    OF(0F, 0x7e, 66, OP_VECTOR_MOVE, Y, 0),
    TO(0F, 0x7e, F3, OP_VECTOR_MOVE, 8, NONE, 0),
    MMX_OF(0x7f, 8),
    OF(0F, 0x7f, 66, OP_VECTOR_MOVE, 16, OPCODE_ALIGNED),
    OF(0F, 0x7f, F3, OP_VECTOR_MOVE, 16, 0),
    SIXTEEN(SET, 0x90),
    TWO(0xa3, ANY, OP_BT, V, 0),
    SHIFT_TWO(0xa4, OP_SHLD, I, 8),
    SHIFT_TWO(0xa5, OP_SHLD, OPERAND_CL, NONE),
    TWO(0xab, ANY, OP_BTS, V, LOCK),
    SHIFT_TWO(0xac, OP_SHRD, I, 8),
    SHIFT_TWO(0xad, OP_SHRD, OPERAND_CL, NONE),
    CACHE(7, NONE), /* CLFLUSH */
    CACHE(7, 66),   /* CLFLUSHOPT */
    CACHE(6, 66),   /* CLWB */
    LOAD(0xaf, ANY, OP_IMUL, V, V),
    TWO(0xb0, ANY, OP_CMPXCHG, 1, LOCK),
    TWO(0xb1, ANY, OP_CMPXCHG, V, LOCK),
    LOAD(0xb2, ANY, OP_LSS, FAR, V),
    TWO(0xb3, ANY, OP_BTR, V, LOCK),
    LOAD(0xb4, ANY, OP_LFS, FAR, V),
    LOAD(0xb5, ANY, OP_LGS, FAR, V),
    LOAD(0xb6, ANY, OP_MOVZX, 1, V),
    LOAD(0xb7, ANY, OP_MOVZX, 2, V),
    LOAD(0xb8, F3, OP_POPCNT, V, V),
    BIT_IMM(4, OP_BT, 0),
    BIT_IMM(5, OP_BTS, LOCK),
    BIT_IMM(6, OP_BTR, LOCK),
    BIT_IMM(7, OP_BTC, LOCK),
    TWO(0xbb, ANY, OP_BTC, V, LOCK),
    LOAD(0xbc, F3, OP_TZCNT, V, V),
    LOAD(0xbc, ANY, OP_BSF, V, V),
    LOAD(0xbd, F3, OP_LZCNT, V, V),
    LOAD(0xbd, ANY, OP_BSR, V, V),
    LOAD(0xbe, ANY, OP_MOVSX, 1, V),
    LOAD(0xbf, ANY, OP_MOVSX, 2, V),
    TWO(0xc0, ANY, OP_XADD, 1, LOCK),
    TWO(0xc1, ANY, OP_XADD, V, LOCK),
    TWO(0xc3, NONE, OP_MOV, Y, 0), /* MOVNTI */
    MODRM(0F, 0xc7, 1, ANY, OP_CMPXCHG_PAIR, PAIR_Y, Y, M, NONE, NONE, NONE, LOCK),
    VMX_POINTER(6, NONE, OP_VMPTRLD),
    VMX_POINTER(6, 66, OP_VMCLEAR),
    VMX_POINTER(6, F3, OP_VMXON),
    VMX_POINTER(7, NONE, OP_VMPTRST),
    OF(0F, 0xd6, 66, OP_VECTOR_MOVE, 8, 0),
    MMX_OF(0xe7, 8), /* MOVNTQ */
    OF(0F, 0xe7, 66, OP_VECTOR_MOVE, 16, OPCODE_ALIGNED), /* MOVNTDQ */
    TO(0F, 0xf0, F2, OP_VECTOR_MOVE, 16, NONE, 0), /* LDDQU */

    TO(0F38, 0x2a, 66, OP_VECTOR_MOVE, 16, NONE, OPCODE_ALIGNED), /* MOVNTDQA */
    VMX_INVALIDATE(0x80, OP_INVEPT),
    VMX_INVALIDATE(0x81, OP_INVVPID),
    THREE(0xf0, F2, OP_CRC32, 1, Y, R, M),
    THREE(0xf0, NONE, OP_MOVBE, V, V, R, M),
    THREE(0xf0, 66, OP_MOVBE, V, V, R, M),
    THREE(0xf1, F2, OP_CRC32, V, Y, R, M),
    THREE(0xf1, NONE, OP_MOVBE, V, V, M, R),
    THREE(0xf1, 66, OP_MOVBE, V, V, M, R),
    THREE(0xf6, 66, OP_ADCX, Y, Y, R, M),
    THREE(0xf6, F3, OP_ADOX, Y, Y, R, M),
    THREE(0xf9, NONE, OP_MOV, Y, Y, M, R), /* MOVDIRI */

    TO(VEX_0F, 0x10, NONE, OP_VECTOR_MOVE, VECTOR, NONE, 0),
    TO(VEX_0F, 0x10, 66, OP_VECTOR_MOVE, VECTOR, NONE, 0),
    TO(VEX_0F, 0x10, F3, OP_VECTOR_MOVE, 4, NONE, 0),
    TO(VEX_0F, 0x10, F2, OP_VECTOR_MOVE, 8, NONE, 0),
    OF(VEX_0F, 0x11, NONE, OP_VECTOR_MOVE, VECTOR, 0),
    OF(VEX_0F, 0x11, 66, OP_VECTOR_MOVE, VECTOR, 0),
    OF(VEX_0F, 0x11, F3, OP_VECTOR_MOVE, 4, 0),
    OF(VEX_0F, 0x11, F2, OP_VECTOR_MOVE, 8, 0),
    HALVES(VEX_0F, 0x12, OP_VECTOR_LOW, V, OPCODE_L0),
    HALVES(VEX_0F, 0x16, OP_VECTOR_HIGH, V, OPCODE_L0),
    TO(VEX_0F, 0x28, NONE, OP_VECTOR_MOVE, VECTOR, NONE, OPCODE_ALIGNED),
    TO(VEX_0F, 0x28, 66, OP_VECTOR_MOVE, VECTOR, NONE, OPCODE_ALIGNED),
    OF(VEX_0F, 0x29, NONE, OP_VECTOR_MOVE, VECTOR, OPCODE_ALIGNED),
    OF(VEX_0F, 0x29, 66, OP_VECTOR_MOVE, VECTOR, OPCODE_ALIGNED),
    OF(VEX_0F, 0x2b, NONE, OP_VECTOR_MOVE, VECTOR, OPCODE_ALIGNED),
    OF(VEX_0F, 0x2b, 66, OP_VECTOR_MOVE, VECTOR, OPCODE_ALIGNED),
    TO(VEX_0F, 0x6e, 66, OP_VECTOR_MOVE, Y, NONE, OPCODE_L0),
    TO(VEX_0F, 0x6f, 66, OP_VECTOR_MOVE, VECTOR, NONE, OPCODE_ALIGNED),
    TO(VEX_0F, 0x6f, F3, OP_VECTOR_MOVE, VECTOR, NONE, 0),
    OF(VEX_0F, 0x7e, 66, OP_VECTOR_MOVE, Y, OPCODE_L0),
    TO(VEX_0F, 0x7e, F3, OP_VECTOR_MOVE, 8, NONE, OPCODE_L0),
    OF(VEX_0F, 0x7f, 66, OP_VECTOR_MOVE, VECTOR, OPCODE_ALIGNED),
    OF(VEX_0F, 0x7f, F3, OP_VECTOR_MOVE, VECTOR, 0),
    OF(VEX_0F, 0xd6, 66, OP_VECTOR_MOVE, 8, OPCODE_L0),
    OF(VEX_0F, 0xe7, 66, OP_VECTOR_MOVE, VECTOR, OPCODE_ALIGNED),
    TO(VEX_0F, 0xf0, F2, OP_VECTOR_MOVE, VECTOR, NONE, 0),

    TO(VEX_0F38, 0x2a, 66, OP_VECTOR_MOVE, VECTOR, NONE, OPCODE_ALIGNED),
    BMI(0xf2, NONE, OP_ANDN),
    BMI_GROUP(1, OP_BLSR),
    BMI_GROUP(2, OP_BLSMSK),
    BMI_GROUP(3, OP_BLSI),
    BMI(0xf5, NONE, OP_BZHI),
    BMI(0xf5, F3, OP_PEXT),
    BMI(0xf5, F2, OP_PDEP),
    BMI(0xf6, F2, OP_MULX),
    BMI(0xf7, NONE, OP_BEXTR),
    BMI(0xf7, 66, OP_SHLX),
    BMI(0xf7, F3, OP_SARX),
    BMI(0xf7, F2, OP_SHRX),

    MODRM(VEX_0F3A, 0xf0, ANY, F2, OP_RORX, Y, Y, R, M, I, 8, OPCODE_L0),
};
const unsigned opcode_count = sizeof opcodes / sizeof *opcodes;

static unsigned place(const struct opcode *row)
{
    return row->map << 8 | row->code;
}

/* The first row of the opcode, or where it would be. */
static const struct opcode *first(enum opcode_map map, uint8_t opcode)
{
    unsigned low = 0, high = opcode_count, wanted = map << 8 | opcode;

    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (place(&opcodes[middle]) < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return &opcodes[low];
}

static bool is(const struct opcode *row, enum opcode_map map, uint8_t opcode)
{
    return row < opcodes + opcode_count && row->map == map && row->code == opcode;
}

static bool extension_matches(const struct opcode *row, uint8_t modrm)
{
    if (row->extension == NO_EXTENSION)
        return true;
    return row->extension == (row->flags & OPCODE_EXACT ? modrm : modrm >> 3 & 7);
}

static bool prefix_fits(const struct opcode *row, enum opcode_prefix prefix)
{
    return row->prefix == PREFIX_ANY || row->prefix == prefix;
}

static bool fits(const struct opcode *row, enum opcode_prefix prefix, uint8_t modrm, bool mode_64)
{
    return extension_matches(row, modrm) && prefix_fits(row, prefix) &&
           !(row->flags & (mode_64 ? OPCODE_NOT_64 : OPCODE_ONLY_64));
}

const struct opcode *opcode_find(enum opcode_map map, uint8_t opcode, enum opcode_prefix prefix, uint8_t modrm,
                                 bool mode_64)
{
    for (const struct opcode *row = first(map, opcode); is(row, map, opcode); row++)
        if (fits(row, prefix, modrm, mode_64))
            return row;
    return NULL;
}

bool opcode_has_modrm(enum opcode_map map, uint8_t opcode, enum opcode_prefix prefix)
{
    for (const struct opcode *row = first(map, opcode); is(row, map, opcode); row++)
        if (prefix_fits(row, prefix))
            return row->flags & OPCODE_MODRM;
    return false;
}
