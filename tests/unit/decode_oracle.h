/* Our decoder and Zydis, an independent one, asked the same: both must agree on what is ours and on every part of
 * it. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cp/decode/instruction.h"
#include "tests/unit/zydis_mode.h"

#define SAME(NAME) {ZYDIS_MNEMONIC_##NAME, OP_##NAME}
#define AS(NAME, OURS) {ZYDIS_MNEMONIC_##NAME, OP_##OURS}
static const struct name {
    ZydisMnemonic theirs;
    enum operation ours;
} names[] = {
    SAME(MOV), AS(MOVNTI, MOV), AS(MOVDIRI, MOV), SAME(MOVZX), SAME(MOVSX), AS(MOVSXD, MOVSX), SAME(MOVBE),
    SAME(XCHG), SAME(ADD), SAME(OR), SAME(ADC), SAME(SBB), SAME(AND), SAME(SUB), SAME(XOR), SAME(CMP), SAME(TEST),
    SAME(INC), SAME(DEC), SAME(NOT), SAME(NEG), SAME(BT), SAME(BTS), SAME(BTR), SAME(BTC), SAME(ROL), SAME(ROR),
    SAME(RCL), SAME(RCR), SAME(SHL), SAME(SHR), SAME(SAR), SAME(SHLD), SAME(SHRD), SAME(ADCX), SAME(ADOX), SAME(IMUL),
    SAME(CRC32), SAME(BSF), SAME(BSR), SAME(TZCNT), SAME(LZCNT), SAME(POPCNT), SAME(ANDN), SAME(BLSR), SAME(BLSMSK),
    SAME(BLSI), SAME(BZHI), SAME(BEXTR), SAME(PDEP), SAME(PEXT), SAME(RORX), SAME(SARX), SAME(SHLX), SAME(SHRX),
    SAME(MULX), SAME(MUL), SAME(DIV), SAME(IDIV), SAME(XADD), SAME(CMPXCHG), AS(CMPXCHG8B, CMPXCHG_PAIR),
    AS(CMPXCHG16B, CMPXCHG_PAIR), SAME(XLAT), SAME(PUSH), SAME(POP), SAME(CALL), SAME(JMP), SAME(BOUND), SAME(ARPL),
    AS(CLFLUSH, CACHE_LINE), AS(CLFLUSHOPT, CACHE_LINE), AS(CLWB, CACHE_LINE), SAME(SLDT), SAME(STR), SAME(SGDT),
    SAME(SIDT), SAME(LGDT), SAME(LIDT), SAME(SMSW), SAME(LLDT), SAME(LTR), SAME(VERR), SAME(VERW), SAME(LAR),
    SAME(LSL), SAME(LMSW), SAME(LES), SAME(LDS), SAME(LSS), SAME(LFS), SAME(LGS),
    AS(CMOVO, CMOV), AS(CMOVNO, CMOV), AS(CMOVB, CMOV),
    AS(CMOVNB, CMOV), AS(CMOVZ, CMOV), AS(CMOVNZ, CMOV), AS(CMOVBE, CMOV), AS(CMOVNBE, CMOV), AS(CMOVS, CMOV),
    AS(CMOVNS, CMOV), AS(CMOVP, CMOV), AS(CMOVNP, CMOV), AS(CMOVL, CMOV), AS(CMOVNL, CMOV), AS(CMOVLE, CMOV),
    AS(CMOVNLE, CMOV), AS(SETO, SET), AS(SETNO, SET), AS(SETB, SET), AS(SETNB, SET), AS(SETZ, SET), AS(SETNZ, SET),
    AS(SETBE, SET), AS(SETNBE, SET), AS(SETS, SET), AS(SETNS, SET), AS(SETP, SET), AS(SETNP, SET), AS(SETL, SET),
    AS(SETNL, SET), AS(SETLE, SET), AS(SETNLE, SET), AS(MOVUPS, VECTOR_MOVE), AS(MOVUPD, VECTOR_MOVE),
    AS(MOVAPS, VECTOR_MOVE), AS(MOVAPD, VECTOR_MOVE), AS(MOVSS, VECTOR_MOVE), AS(MOVSD, VECTOR_MOVE),
    AS(MOVDQA, VECTOR_MOVE), AS(MOVDQU, VECTOR_MOVE), AS(MOVD, VECTOR_MOVE), AS(MOVQ, VECTOR_MOVE),
    AS(MOVNTPS, VECTOR_MOVE), AS(MOVNTPD, VECTOR_MOVE), AS(MOVNTDQ, VECTOR_MOVE), AS(MOVNTDQA, VECTOR_MOVE),
    AS(LDDQU, VECTOR_MOVE), AS(VMOVUPS, VECTOR_MOVE), AS(VMOVUPD, VECTOR_MOVE), AS(VMOVAPS, VECTOR_MOVE),
    AS(VMOVAPD, VECTOR_MOVE), AS(VMOVSS, VECTOR_MOVE), AS(VMOVSD, VECTOR_MOVE), AS(VMOVDQA, VECTOR_MOVE),
    AS(VMOVDQU, VECTOR_MOVE), AS(VMOVD, VECTOR_MOVE), AS(VMOVQ, VECTOR_MOVE), AS(VMOVNTPS, VECTOR_MOVE),
    AS(VMOVNTPD, VECTOR_MOVE), AS(VMOVNTDQ, VECTOR_MOVE), AS(VMOVNTDQA, VECTOR_MOVE), AS(VLDDQU, VECTOR_MOVE),
    AS(MOVNTQ, VECTOR_MOVE), AS(MOVLPS, VECTOR_LOW), AS(MOVLPD, VECTOR_LOW), AS(MOVHPS, VECTOR_HIGH),
    AS(MOVHPD, VECTOR_HIGH), AS(VMOVLPS, VECTOR_LOW), AS(VMOVLPD, VECTOR_LOW), AS(VMOVHPS, VECTOR_HIGH),
    AS(VMOVHPD, VECTOR_HIGH), SAME(VMCALL), SAME(VMLAUNCH), SAME(VMRESUME), SAME(VMXOFF), SAME(VMFUNC), SAME(VMCLEAR),
    SAME(VMPTRLD), SAME(VMPTRST), SAME(VMXON), SAME(VMREAD), SAME(VMWRITE), SAME(INVEPT), SAME(INVVPID),
};

static const struct name string_names[] = {
    {ZYDIS_MNEMONIC_MOVSB, OP_MOVS}, {ZYDIS_MNEMONIC_MOVSW, OP_MOVS}, {ZYDIS_MNEMONIC_MOVSD, OP_MOVS},
    {ZYDIS_MNEMONIC_MOVSQ, OP_MOVS}, {ZYDIS_MNEMONIC_STOSB, OP_STOS}, {ZYDIS_MNEMONIC_STOSW, OP_STOS},
    {ZYDIS_MNEMONIC_STOSD, OP_STOS}, {ZYDIS_MNEMONIC_STOSQ, OP_STOS}, {ZYDIS_MNEMONIC_LODSB, OP_LODS},
    {ZYDIS_MNEMONIC_LODSW, OP_LODS}, {ZYDIS_MNEMONIC_LODSD, OP_LODS}, {ZYDIS_MNEMONIC_LODSQ, OP_LODS},
    {ZYDIS_MNEMONIC_CMPSB, OP_CMPS}, {ZYDIS_MNEMONIC_CMPSW, OP_CMPS}, {ZYDIS_MNEMONIC_CMPSD, OP_CMPS},
    {ZYDIS_MNEMONIC_CMPSQ, OP_CMPS}, {ZYDIS_MNEMONIC_SCASB, OP_SCAS}, {ZYDIS_MNEMONIC_SCASW, OP_SCAS},
    {ZYDIS_MNEMONIC_SCASD, OP_SCAS}, {ZYDIS_MNEMONIC_SCASQ, OP_SCAS}, {ZYDIS_MNEMONIC_INSB, OP_INS},
    {ZYDIS_MNEMONIC_INSW, OP_INS}, {ZYDIS_MNEMONIC_INSD, OP_INS}, {ZYDIS_MNEMONIC_OUTSB, OP_OUTS},
    {ZYDIS_MNEMONIC_OUTSW, OP_OUTS}, {ZYDIS_MNEMONIC_OUTSD, OP_OUTS},
};

struct answer {
    ZyanStatus status;
    ZydisDecodedInstruction in;
    ZydisDecodedOperand operand[ZYDIS_MAX_OPERAND_COUNT];
};

static ZydisDecoder decoders[3];
static unsigned long accepted[OPERATIONS];
static int decoders_start(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        assert_true(ZYAN_SUCCESS(ZydisDecoderInit(&decoders[i], modes[i].machine, modes[i].stack)));
    return 0;
}

static void complain(const char *what, const uint8_t *bytes, unsigned mode)
{
    char text[64] = "";

    for (unsigned i = 0; i < INSTRUCTION_MAX_BYTES; i++)
        sprintf(text + strlen(text), "%02x ", bytes[i]);
    fail_msg("%s, mode %u: %s", what, modes[mode].ours * 8, text);
}

static bool is_string(const struct answer *a)
{
    return a->in.meta.category == ZYDIS_CATEGORY_STRINGOP || a->in.meta.category == ZYDIS_CATEGORY_IOSTRINGOP;
}

static const ZydisDecodedOperand *find_operand(const struct answer *a, ZydisOperandType type)
{
    bool implied = a->in.mnemonic == ZYDIS_MNEMONIC_XLAT;

    for (unsigned i = 0; i < (implied ? a->in.operand_count : a->in.operand_count_visible); i++)
        if (a->operand[i].type == type)
            return &a->operand[i];
    return NULL;
}

static bool has_segment_register(const struct answer *a)
{
    for (unsigned i = 0; i < a->in.operand_count_visible; i++)
        if (a->operand[i].type == ZYDIS_OPERAND_TYPE_REGISTER &&
            ZydisRegisterGetClass(a->operand[i].reg.value) == ZYDIS_REGCLASS_SEGMENT)
            return true;
    return false;
}

static bool is_ours(const struct answer *a)
{
    return a->in.encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY || a->in.encoding == ZYDIS_INSTRUCTION_ENCODING_VEX;
}

/* Some of their names are several operations of ours. */
static enum operation operation_of(const struct answer *a)
{
    const struct name *table = is_string(a) ? string_names : names;
    size_t count = is_string(a) ? sizeof string_names / sizeof *string_names : sizeof names / sizeof *names;

    if (!is_ours(a))
        return OP_NONE;
    if (a->in.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
        return a->in.mnemonic == ZYDIS_MNEMONIC_CALL ? OP_CALL_FAR : OP_JMP_FAR;
    if (has_segment_register(a) && a->in.mnemonic == ZYDIS_MNEMONIC_MOV)
        return a->operand[0].type == ZYDIS_OPERAND_TYPE_MEMORY ? OP_MOV_SEGMENT : OP_LOAD_SEGMENT;
    if (has_segment_register(a))
        return OP_NONE;
    if (a->in.mnemonic == ZYDIS_MNEMONIC_IMUL && a->in.operand_count_visible == 1)
        return OP_IMUL_WIDE;
    for (size_t i = 0; i < count; i++)
        if (table[i].theirs == a->in.mnemonic)
            return table[i].ours;
    return OP_NONE;
}

/* Is it an instruction that CP's decoder promises? */
static bool promised(const struct answer *a)
{
    enum operation operation = operation_of(a);

    if (operation == OP_NONE)
        return false;
    return is_string(a) || operation >= OP_VMCALL || find_operand(a, ZYDIS_OPERAND_TYPE_MEMORY);
}

static unsigned register_number(ZydisRegister reg)
{
    if (reg == ZYDIS_REGISTER_NONE)
        return NO_REGISTER;
    if (reg == ZYDIS_REGISTER_RIP || reg == ZYDIS_REGISTER_EIP)
        return BASE_RIP;
    return ZydisRegisterGetId(reg);
}

/* SDM "Special Cases of REX Encodings": SIB.base 101 with mod 00 is a displacement without base, whatever REX.B. This
 * version of Zydis counts the displacement's bytes, but calls it base R13. */
static bool oracle_errs(const struct answer *a)
{
    return a->in.raw.modrm.mod == 0 && a->in.raw.modrm.rm == 4 && a->in.raw.sib.base == 5 && a->in.raw.rex.B &&
           a->in.address_width >= 32;
}

static bool same_memory(const struct instruction *in, const struct answer *a, const ZydisDecodedOperand *m)
{
    static const ZydisRegister segments[] = {ZYDIS_REGISTER_ES, ZYDIS_REGISTER_CS, ZYDIS_REGISTER_SS,
                                             ZYDIS_REGISTER_DS, ZYDIS_REGISTER_FS, ZYDIS_REGISTER_GS};
    bool plain = in->mode == DECODE_64 && in->segment < SEGMENT_FS;
    bool theirs_plain = m->mem.segment != ZYDIS_REGISTER_FS && m->mem.segment != ZYDIS_REGISTER_GS;

    if (plain ? !theirs_plain : segments[in->segment] != m->mem.segment)
        return false;
    /* a displacement means what it is modulo the address size */
    uint64_t mask = in->address_size == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * in->address_size) - 1;

    if (oracle_errs(a))
        return in->base == NO_REGISTER && in->index == register_number(m->mem.index);
    return in->base == register_number(m->mem.base) && in->index == register_number(m->mem.index) &&
           (in->index == NO_REGISTER || in->scale == m->mem.scale || (in->scale == 1 && m->mem.scale == 0)) &&
           (((uint64_t)in->displacement ^ (m->mem.disp.has_displacement ? (uint64_t)m->mem.disp.value : 0)) & mask) ==
               0;
}

static bool same_register(const struct instruction *in, const ZydisDecodedOperand *r)
{
    bool high = r->reg.value >= ZYDIS_REGISTER_AH && r->reg.value <= ZYDIS_REGISTER_BH;
    unsigned id = ZydisRegisterGetId(r->reg.value);

    if (ZydisRegisterGetClass(r->reg.value) != ZYDIS_REGCLASS_GPR8 &&
        in->reg == id && in->operation >= OP_MOV_SEGMENT && in->operation <= OP_VECTOR_HIGH)
        return in->size <= 16 || r->size == 256;
    if (high != in->reg_high || in->register_size * 8 != r->size)
        return false;
    return in->reg == (high ? (unsigned)(r->reg.value - ZYDIS_REGISTER_AH) : id) ||
           (r->size == 8 && !high && r->reg.value >= ZYDIS_REGISTER_SPL &&
            in->reg == 4u + (r->reg.value - ZYDIS_REGISTER_SPL));
}

static bool same_immediate(const struct instruction *in, const ZydisDecodedOperand *i)
{
    uint64_t mask = in->size == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * in->size) - 1;

    if (i->size == 8)
        mask = 0xff;
    return ((in->immediate ^ i->imm.value.u) & mask) == 0;
}

static bool any_of_ours(const struct instruction *in, enum operand operand)
{
    return in->destination == operand || in->source == operand || in->third == operand;
}

/* The register that ModRM.reg or the opcode names; not VEX.vvvv, nor CL as a count. */
static const ZydisDecodedOperand *find_register(const struct answer *a, const struct instruction *in)
{
    for (unsigned i = 0; i < a->in.operand_count_visible; i++) {
        const ZydisDecodedOperand *o = &a->operand[i];

        if (o->type == ZYDIS_OPERAND_TYPE_REGISTER && o->encoding != ZYDIS_OPERAND_ENCODING_NDSNDD &&
            !(o->reg.value == ZYDIS_REGISTER_CL && i && any_of_ours(in, OPERAND_CL) &&
              i + 1 == a->in.operand_count_visible))
            return o;
    }
    return NULL;
}

static const ZydisDecodedOperand *find_encoding(const struct answer *a, ZydisOperandEncoding encoding)
{
    for (unsigned i = 0; i < a->in.operand_count_visible; i++)
        if (a->operand[i].encoding == encoding)
            return &a->operand[i];
    return NULL;
}

static void compare_string(const struct instruction *in, const struct answer *a, const uint8_t *bytes, unsigned mode)
{
    bool repeat = a->in.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE);
    bool repeat_not_equal = a->in.attributes & ZYDIS_ATTRIB_HAS_REPNE;
    bool compares = in->operation == OP_CMPS || in->operation == OP_SCAS;

    for (unsigned i = 0; i < a->in.operand_count; i++)
        if (a->operand[i].type == ZYDIS_OPERAND_TYPE_MEMORY && a->operand[i].size != in->size * 8)
            complain("another string size", bytes, mode);
    if (a->in.address_width != in->address_size * 8)
        complain("another address size", bytes, mode);
    if (compares && (in->repeat != repeat || in->repeat_not_equal != repeat_not_equal))
        complain("another repetition", bytes, mode);
    if (!compares && in->repeat && !repeat)
        complain("another repetition", bytes, mode);
}

static bool writes_memory(const struct instruction *in)
{
    return in->destination == OPERAND_MEMORY && in->operation != OP_CMP && in->operation != OP_TEST &&
           in->operation != OP_BT;
}

static void compare_operands(const struct instruction *in, const struct answer *a, const uint8_t *bytes, unsigned mode)
{
    const ZydisDecodedOperand *m = find_operand(a, ZYDIS_OPERAND_TYPE_MEMORY);
    const ZydisDecodedOperand *r = in->operation == OP_XLAT ? find_operand(a, ZYDIS_OPERAND_TYPE_REGISTER)
                                                             : find_register(a, in);
    const ZydisDecodedOperand *v = find_encoding(a, ZYDIS_OPERAND_ENCODING_NDSNDD);
    const ZydisDecodedOperand *i = find_operand(a, ZYDIS_OPERAND_TYPE_IMMEDIATE);
    bool ours_register = any_of_ours(in, OPERAND_REGISTER) || any_of_ours(in, OPERAND_XMM) ||
                         any_of_ours(in, OPERAND_MMX) || in->operation == OP_MOV_SEGMENT ||
                         in->operation == OP_LOAD_SEGMENT;
    bool shifts_once = in->source == OPERAND_ONE && in->operation >= OP_ROL && in->operation <= OP_SAR;

    bool line = in->operation == OP_CACHE_LINE; /* of which ours asks one byte for */

    /* MOVSXD to 16 bits reads 16 by the SDM, 32 by Zydis */
    bool narrow = in->operation == OP_MOVSX && in->size == 2 && a->in.mnemonic == ZYDIS_MNEMONIC_MOVSXD;
    unsigned bits = line ? 512 : narrow ? 32 : in->size * 8u;

    if (any_of_ours(in, OPERAND_MEMORY) != !!m || (m && m->size != bits) ||
        (m && !same_memory(in, a, m)))
        complain("another memory operand", bytes, mode);
    if (m && in->operation < OP_CACHE_LINE && writes_memory(in) != !!(m->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
        complain("another direction", bytes, mode);
    if (m && a->in.address_width != in->address_size * 8)
        complain("another address size", bytes, mode);
    if (m && (!!r != ours_register || (r && !same_register(in, r))))
        complain("another register", bytes, mode);
    if (!!v != any_of_ours(in, OPERAND_VVVV) || (v && ZydisRegisterGetId(v->reg.value) != in->vvvv))
        complain("another VEX.vvvv", bytes, mode);
    if (!!i != (any_of_ours(in, OPERAND_IMMEDIATE) || shifts_once) || (i && !shifts_once && !same_immediate(in, i)))
        complain("another immediate", bytes, mode);
    if (in->lock != !!(a->in.attributes & ZYDIS_ATTRIB_HAS_LOCK))
        complain("another LOCK", bytes, mode);
    if (in->vex != (a->in.encoding == ZYDIS_INSTRUCTION_ENCODING_VEX))
        complain("another encoding", bytes, mode);
}

/* VMREAD and VMWRITE between registers: r/m is `base`, ModRM.reg is `reg`. */
static void compare_registers(const struct instruction *in, const struct answer *a, const uint8_t *bytes, unsigned mode)
{
    bool rm_first = in->destination == OPERAND_RM_REGISTER;
    unsigned first = ZydisRegisterGetId(a->operand[0].reg.value), second = ZydisRegisterGetId(a->operand[1].reg.value);

    if (first != (rm_first ? in->base : in->reg) || second != (rm_first ? in->reg : in->base))
        complain("other registers", bytes, mode);
}

/* Ours, and in *answer theirs. */
static enum decode_result compare(const uint8_t *bytes, unsigned count, unsigned mode, struct answer *answer)
{
    struct instruction in;
    enum decode_result result = instruction_decode(bytes, count, modes[mode].ours, &in);

    answer->status = ZydisDecoderDecodeFull(&decoders[mode], bytes, count, &answer->in, answer->operand);
    if (result == DECODE_TRUNCATED && answer->status != ZYDIS_STATUS_NO_MORE_DATA)
        complain("asks for more than there is", bytes, mode);
    if (result == DECODE_UNKNOWN && ZYAN_SUCCESS(answer->status) && promised(answer))
        complain("promised and not decoded", bytes, mode);
    if (result == DECODE_UNDEFINED && ZYAN_SUCCESS(answer->status))
        complain("defined", bytes, mode);
    if (result != DECODE_OK)
        return result;
    accepted[in.operation]++;
    if (!ZYAN_SUCCESS(answer->status))
        complain("no instruction", bytes, mode);
    if (in.length != answer->in.length)
        complain("another length", bytes, mode);
    if (in.operation != operation_of(answer))
        complain("another operation", bytes, mode);
    if (is_string(answer))
        compare_string(&in, answer, bytes, mode);
    else if (in.destination == OPERAND_RM_REGISTER || in.source == OPERAND_RM_REGISTER)
        compare_registers(&in, answer, bytes, mode);
    else
        compare_operands(&in, answer, bytes, mode);
    return result;
}
