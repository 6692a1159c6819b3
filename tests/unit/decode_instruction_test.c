/* Zydis, an independent decoder, is the oracle: over random bytes both must agree on what is ours and on every part of
 * it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cp/decode/instruction.h"
#include "cp/decode/opcode.h"
#include "tests/unit/zydis_mode.h"

static const struct name {
    ZydisMnemonic theirs;
    enum operation ours;
} names[] = {
    {ZYDIS_MNEMONIC_MOV, OP_MOV},           {ZYDIS_MNEMONIC_MOVNTI, OP_MOV},
    {ZYDIS_MNEMONIC_MOVZX, OP_MOVZX},       {ZYDIS_MNEMONIC_MOVSX, OP_MOVSX},
    {ZYDIS_MNEMONIC_MOVSXD, OP_MOVSX},      {ZYDIS_MNEMONIC_XCHG, OP_XCHG},
    {ZYDIS_MNEMONIC_ADD, OP_ADD},           {ZYDIS_MNEMONIC_OR, OP_OR},
    {ZYDIS_MNEMONIC_ADC, OP_ADC},           {ZYDIS_MNEMONIC_SBB, OP_SBB},
    {ZYDIS_MNEMONIC_AND, OP_AND},           {ZYDIS_MNEMONIC_SUB, OP_SUB},
    {ZYDIS_MNEMONIC_XOR, OP_XOR},           {ZYDIS_MNEMONIC_CMP, OP_CMP},
    {ZYDIS_MNEMONIC_TEST, OP_TEST},         {ZYDIS_MNEMONIC_INC, OP_INC},
    {ZYDIS_MNEMONIC_DEC, OP_DEC},           {ZYDIS_MNEMONIC_NOT, OP_NOT},
    {ZYDIS_MNEMONIC_NEG, OP_NEG},           {ZYDIS_MNEMONIC_BT, OP_BT},
    {ZYDIS_MNEMONIC_BTS, OP_BTS},           {ZYDIS_MNEMONIC_BTR, OP_BTR},
    {ZYDIS_MNEMONIC_BTC, OP_BTC},           {ZYDIS_MNEMONIC_XADD, OP_XADD},
    {ZYDIS_MNEMONIC_CMPXCHG, OP_CMPXCHG},   {ZYDIS_MNEMONIC_VMCALL, OP_VMCALL},
    {ZYDIS_MNEMONIC_VMLAUNCH, OP_VMLAUNCH}, {ZYDIS_MNEMONIC_VMRESUME, OP_VMRESUME},
    {ZYDIS_MNEMONIC_VMXOFF, OP_VMXOFF},     {ZYDIS_MNEMONIC_VMFUNC, OP_VMFUNC},
    {ZYDIS_MNEMONIC_VMCLEAR, OP_VMCLEAR},   {ZYDIS_MNEMONIC_VMPTRLD, OP_VMPTRLD},
    {ZYDIS_MNEMONIC_VMPTRST, OP_VMPTRST},   {ZYDIS_MNEMONIC_VMXON, OP_VMXON},
    {ZYDIS_MNEMONIC_VMREAD, OP_VMREAD},     {ZYDIS_MNEMONIC_VMWRITE, OP_VMWRITE},
    {ZYDIS_MNEMONIC_INVEPT, OP_INVEPT},     {ZYDIS_MNEMONIC_INVVPID, OP_INVVPID},
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
static uint64_t seed = 0x9E3779B97F4A7C15;

static uint32_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed >> 16;
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

static enum operation operation_of(const struct answer *a)
{
    const struct name *table = is_string(a) ? string_names : names;
    size_t count = is_string(a) ? sizeof string_names / sizeof *string_names : sizeof names / sizeof *names;

    for (size_t i = 0; i < count; i++)
        if (table[i].theirs == a->in.mnemonic)
            return table[i].ours;
    return OP_NONE;
}

static const ZydisDecodedOperand *find_operand(const struct answer *a, ZydisOperandType type)
{
    for (unsigned i = 0; i < a->in.operand_count_visible; i++)
        if (a->operand[i].type == type)
            return &a->operand[i];
    return NULL;
}

/* Is it an instruction that CP's decoder promises? With memory, without segment, control or vector registers. */
static bool promised(const struct answer *a)
{
    enum operation operation = operation_of(a);

    if (operation == OP_NONE || (a->in.mnemonic == ZYDIS_MNEMONIC_MOVSXD && a->in.operand_width == 16))
        return false;
    for (unsigned i = 0; i < a->in.operand_count_visible; i++)
        if (a->operand[i].type == ZYDIS_OPERAND_TYPE_REGISTER &&
            ZydisRegisterGetClass(a->operand[i].reg.value) == ZYDIS_REGCLASS_SEGMENT)
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

    if (high != in->reg_high || in->register_size * 8 != r->size)
        return false;
    return in->reg == (high ? (unsigned)(r->reg.value - ZYDIS_REGISTER_AH) : id) ||
           (r->size == 8 && !high && r->reg.value >= ZYDIS_REGISTER_SPL &&
            in->reg == 4u + (r->reg.value - ZYDIS_REGISTER_SPL));
}

static bool same_immediate(const struct instruction *in, const ZydisDecodedOperand *i)
{
    uint64_t mask = in->size == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * in->size) - 1;

    if (in->operation >= OP_BT && in->operation <= OP_BTC)
        mask = 0xff;
    return ((in->immediate ^ i->imm.value.u) & mask) == 0;
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

static void compare_operands(const struct instruction *in, const struct answer *a, const uint8_t *bytes, unsigned mode)
{
    const ZydisDecodedOperand *m = find_operand(a, ZYDIS_OPERAND_TYPE_MEMORY);
    const ZydisDecodedOperand *r = find_operand(a, ZYDIS_OPERAND_TYPE_REGISTER);
    const ZydisDecodedOperand *i = find_operand(a, ZYDIS_OPERAND_TYPE_IMMEDIATE);
    bool ours_memory = in->destination == OPERAND_MEMORY || in->source == OPERAND_MEMORY;
    bool ours_register = in->destination == OPERAND_REGISTER || in->source == OPERAND_REGISTER;

    if (ours_memory != !!m || (m && m->size != in->size * 8u) || (m && !same_memory(in, a, m)))
        complain("another memory operand", bytes, mode);
    if (m && (in->destination == OPERAND_MEMORY) != (m == &a->operand[0]))
        complain("another direction", bytes, mode);
    if (m && a->in.address_width != in->address_size * 8)
        complain("another address size", bytes, mode);
    if (m && (!!r != ours_register || (r && !same_register(in, r))))
        complain("another register", bytes, mode);
    if (!!i != (in->source == OPERAND_IMMEDIATE) || (i && !same_immediate(in, i)))
        complain("another immediate", bytes, mode);
    if (in->lock != !!(a->in.attributes & ZYDIS_ATTRIB_HAS_LOCK))
        complain("another LOCK", bytes, mode);
}

/* VMREAD and VMWRITE between registers: r/m is `base`, ModRM.reg is `reg`. */
static void compare_registers(const struct instruction *in, const struct answer *a, const uint8_t *bytes, unsigned mode)
{
    bool rm_first = in->destination == OPERAND_RM_REGISTER;
    unsigned first = ZydisRegisterGetId(a->operand[0].reg.value), second = ZydisRegisterGetId(a->operand[1].reg.value);

    if (first != (rm_first ? in->base : in->reg) || second != (rm_first ? in->reg : in->base))
        complain("other registers", bytes, mode);
}

static void compare(const uint8_t *bytes, unsigned count, unsigned mode)
{
    struct instruction in;
    struct answer a;
    enum decode_result result = instruction_decode(bytes, count, modes[mode].ours, &in);

    a.status = ZydisDecoderDecodeFull(&decoders[mode], bytes, count, &a.in, a.operand);
    if (result == DECODE_TRUNCATED && a.status != ZYDIS_STATUS_NO_MORE_DATA)
        complain("asks for more than there is", bytes, mode);
    if (result == DECODE_UNKNOWN && ZYAN_SUCCESS(a.status) && promised(&a))
        complain("promised and not decoded", bytes, mode);
    if (result != DECODE_OK)
        return;
    accepted[in.operation]++;
    if (!ZYAN_SUCCESS(a.status))
        complain("no instruction", bytes, mode);
    if (in.length != a.in.length)
        complain("another length", bytes, mode);
    if (in.operation != operation_of(&a))
        complain("another operation", bytes, mode);
    if (is_string(&a))
        compare_string(&in, &a, bytes, mode);
    else if (in.destination == OPERAND_RM_REGISTER || in.source == OPERAND_RM_REGISTER)
        compare_registers(&in, &a, bytes, mode);
    else
        compare_operands(&in, &a, bytes, mode);
}

static void random_bytes(uint8_t *bytes)
{
    for (unsigned i = 0; i < INSTRUCTION_MAX_BYTES; i++)
        bytes[i] = rnd();
}

/* Random bytes are seldom a prefix and an opcode of ours: put some in front. */
static void likely_bytes(uint8_t *bytes)
{
    static const uint8_t prefixes[] = {0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x64, 0x2e, 0x26, 0x48, 0x41, 0x44, 0x4f, 0x40};
    unsigned at = 0;

    random_bytes(bytes);
    for (unsigned n = rnd() % 4; n; n--)
        bytes[at++] = prefixes[rnd() % sizeof prefixes];
    if (rnd() % 3 == 0)
        bytes[at++] = 0x0f;
    for (unsigned tries = 0; tries < 8 && !opcode_has_modrm(at && bytes[at - 1] == 0x0f ? MAP_0F : MAP_ONE, bytes[at]);
         tries++)
        bytes[at] = rnd();
}

static int start(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        assert_true(ZYAN_SUCCESS(ZydisDecoderInit(&decoders[i], modes[i].machine, modes[i].stack)));
    return 0;
}

static void random_bytes_decode_as_the_oracle_says(void **state)
{
    uint8_t bytes[INSTRUCTION_MAX_BYTES];

    (void)state;
    for (unsigned i = 0; i < 1500000; i++) {
        if (i & 1)
            random_bytes(bytes);
        else
            likely_bytes(bytes);
        compare(bytes, rnd() % 8 ? INSTRUCTION_MAX_BYTES : rnd() % INSTRUCTION_MAX_BYTES, i % 3);
    }
}

/* Each opcode of the three maps with each ModRM byte, each single prefix, with and without REX, in each mode. */
static void every_opcode_and_modrm_decodes_as_the_oracle_says(void **state)
{
    static const uint8_t prefixes[] = {0, 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x65, 0x36};
    static const uint8_t rexes[] = {0, 0x48, 0x45, 0x42};
    static const uint8_t tail[8] = {0x85, 0x80, 0x01, 0xfe, 0x7f, 0x90, 0xa5, 0x11};

    (void)state;
    for (unsigned n = 0; n < 3 * 256; n++)
        for (unsigned modrm = 0; modrm < 256; modrm++)
            for (unsigned v = 0; v < sizeof prefixes * sizeof rexes; v++) {
                uint8_t bytes[INSTRUCTION_MAX_BYTES + 8];
                unsigned at = 0;

                if (prefixes[v % 8])
                    bytes[at++] = prefixes[v % 8];
                if (rexes[v / 8])
                    bytes[at++] = rexes[v / 8];
                if (n >= 256)
                    bytes[at++] = 0x0f;
                if (n >= 512)
                    bytes[at++] = 0x38;
                bytes[at++] = n;
                bytes[at++] = modrm;
                memcpy(bytes + at, tail, sizeof tail);
                memset(bytes + at + sizeof tail, 0x33, sizeof bytes - at - sizeof tail);
                compare(bytes, INSTRUCTION_MAX_BYTES, 0);
                if (v < 8) {
                    compare(bytes, INSTRUCTION_MAX_BYTES, 1);
                    compare(bytes, INSTRUCTION_MAX_BYTES, 2);
                }
            }
}

static void every_operation_was_met(void **state)
{
    (void)state;
    for (unsigned i = OP_NONE + 1; i < OPERATIONS; i++)
        if (!accepted[i])
            fail_msg("operation %u was never decoded", i);
}

static void what_is_not_decodable_leaves_nothing(void **state)
{
    static const struct instruction nothing;
    static const uint8_t too_long[] = {0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
                                       0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66};
    static const uint8_t store[] = {0x48, 0xc7, 0x05, 1, 2, 3, 4, 5, 6, 7, 8};
    struct instruction in;

    (void)state;
    assert_int_equal(instruction_decode(too_long, sizeof too_long, DECODE_64, &in), DECODE_UNKNOWN);
    assert_memory_equal(&in, &nothing, sizeof in);
    for (unsigned count = 0; count < sizeof store; count++) {
        assert_int_equal(instruction_decode(store, count, DECODE_64, &in), DECODE_TRUNCATED);
        assert_memory_equal(&in, &nothing, sizeof in);
    }
    assert_int_equal(instruction_decode(store, sizeof store, DECODE_64, &in), DECODE_OK);
    assert_int_equal(in.length, sizeof store);
    assert_int_equal(in.base, BASE_RIP);
    assert_int_equal(in.immediate, 0x08070605);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_bytes_decode_as_the_oracle_says),
        cmocka_unit_test(every_opcode_and_modrm_decodes_as_the_oracle_says),
        cmocka_unit_test(every_operation_was_met),
        cmocka_unit_test(what_is_not_decodable_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
