/* The linear addresses an instruction may touch. Zydis, an independent decoder, is the oracle: whatever memory operand
 * it finds in random bytes must be in the list, at the address that the registers give it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cp/svm/touch.h"
#include "tests/unit/zydis_mode.h"

enum { RIP = 0x123400, TRIES = 3000000 };

static uint64_t registers[16], bases[6];
static enum decode_mode now;
static uint64_t seed = 0x9E3779B97F4A7C15;

static uint64_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static uint64_t read_gpr(void *context, unsigned reg)
{
    (void)context;
    return registers[reg];
}

static uint64_t segment_base(void *context, enum segment segment)
{
    (void)context;
    return now == DECODE_64 && segment < SEGMENT_FS ? 0 : bases[segment];
}

static const struct execute_seams seams = {.read_gpr = read_gpr, .segment_base = segment_base};

/* ---- what Zydis says ------------------------------------------------------------------- */

static uint64_t value_of(ZydisRegister reg)
{
    if (reg == ZYDIS_REGISTER_NONE)
        return 0;
    if (reg == ZYDIS_REGISTER_AL)
        return registers[0] & 0xFF;
    return registers[ZydisRegisterGetId(reg)];
}

static uint64_t address_of(const ZydisDecodedInstruction *in, const ZydisDecodedOperand *operands,
                           const ZydisDecodedOperand *o)
{
    static const ZydisRegister segments[6] = {ZYDIS_REGISTER_ES, ZYDIS_REGISTER_CS, ZYDIS_REGISTER_SS,
                                              ZYDIS_REGISTER_DS, ZYDIS_REGISTER_FS, ZYDIS_REGISTER_GS};
    bool relative = o->mem.base == ZYDIS_REGISTER_RIP || o->mem.base == ZYDIS_REGISTER_EIP;
    uint64_t offset = relative ? (uint64_t)RIP + in->length : value_of(o->mem.base), segment = 0;

    /* SDM "POP": the address is made of the stack pointer behind what was taken, which Zydis does not say */
    if (in->mnemonic == ZYDIS_MNEMONIC_POP && ZydisRegisterGetId(o->mem.base) == 4 && o == operands)
        offset += o->size / 8;
    offset += value_of(o->mem.index) * (o->mem.index == ZYDIS_REGISTER_NONE ? 0 : o->mem.scale ? o->mem.scale : 1);
    offset += (uint64_t)o->mem.disp.value;
    if (in->address_width < 64)
        offset &= (1ull << in->address_width) - 1;
    for (unsigned i = 0; i < 6; i++)
        if (o->mem.segment == segments[i])
            segment = segment_base(NULL, (enum segment)i);
    return now == DECODE_64 ? segment + offset : (uint32_t)(segment + offset);
}

static bool is_data(const ZydisDecodedInstruction *in, const ZydisDecodedOperand *o)
{
    if (o->type != ZYDIS_OPERAND_TYPE_MEMORY || o->mem.type != ZYDIS_MEMOP_TYPE_MEM)
        return false;
    if (in->encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY && in->encoding != ZYDIS_INSTRUCTION_ENCODING_VEX)
        return false;
    if (in->mnemonic == ZYDIS_MNEMONIC_BT || in->mnemonic == ZYDIS_MNEMONIC_BTS || in->mnemonic == ZYDIS_MNEMONIC_BTR ||
        in->mnemonic == ZYDIS_MNEMONIC_BTC) /* with a register they go beyond the operand: cp/decode's test has those */
        return false;
    if (in->mnemonic == ZYDIS_MNEMONIC_XLAT || in->mnemonic == ZYDIS_MNEMONIC_XSTORE) /* Zydis forgets AL; VIA's */
        return false;
    bool stack = o->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN &&
                 (ZydisRegisterGetId(o->mem.base) == 4 || in->mnemonic == ZYDIS_MNEMONIC_LEAVE);
    return !stack;
}

static bool is_listed(const struct svm_touches *t, uint64_t linear)
{
    for (unsigned i = 0; i < t->count; i++)
        if ((now == DECODE_64 ? t->linear[i] : (uint32_t)t->linear[i]) == linear)
            return true;
    return false;
}

static const char *shown(const struct svm_code *code)
{
    static char text[64];

    text[0] = 0;
    for (unsigned i = 0; i < INSTRUCTION_MAX_BYTES; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%02x ", code->bytes[i]);
    return text;
}

static unsigned checked;

static void check(const struct svm_code *code, const ZydisDecodedInstruction *in, const ZydisDecodedOperand *operands)
{
    struct svm_touches t;

    svm_touches_find(code, &seams, RIP, &t);
    for (unsigned i = 0; i < in->operand_count; i++) {
        const ZydisDecodedOperand *o = &operands[i];
        if (!is_data(in, o))
            continue;
        checked++;
        if (!is_listed(&t, address_of(in, operands, o)))
            fail_msg("%s %s: %llx not listed", shown(code), ZydisMnemonicGetString(in->mnemonic),
                     (unsigned long long)address_of(in, operands, o));
        bool both = (o->actions & ZYDIS_OPERAND_ACTION_MASK_READ) && (o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE);
        if (in->mnemonic == ZYDIS_MNEMONIC_XSAVE || in->mnemonic == ZYDIS_MNEMONIC_XSAVEOPT)
            continue; /* they read the header only, and report a write */
        if (o->visibility != ZYDIS_OPERAND_VISIBILITY_HIDDEN && in->encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY &&
            in->meta.isa_set != ZYDIS_ISA_SET_CET && t.modifies != both)
            fail_msg("%s %s: %s", shown(code), ZydisMnemonicGetString(in->mnemonic),
                     both ? "modifies" : "does not modify");
    }
}

static void one(ZydisDecoder *decoder)
{
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    ZydisDecodedInstruction in;
    struct svm_code code = {.count = INSTRUCTION_MAX_BYTES, .mode = now};

    for (unsigned i = 0; i < sizeof code.bytes; i++)
        code.bytes[i] = (uint8_t)(rnd() >> 20);
    if (rnd() & 1)
        code.bytes[0] = 0x0F;
    if (ZYAN_SUCCESS(ZydisDecoderDecodeFull(decoder, code.bytes, code.count, &in, operands)))
        check(&code, &in, operands);
}

static void every_memory_operand_is_listed_at_its_address(void **context)
{
    (void)context;
    for (unsigned m = 0; m < 3; m++) {
        ZydisDecoder decoder;
        now = modes[m].ours;
        assert_true(ZYAN_SUCCESS(ZydisDecoderInit(&decoder, modes[m].machine, modes[m].stack)));
        for (unsigned i = 0; i < 16; i++)
            registers[i] = rnd();
        for (unsigned i = 0; i < 6; i++)
            bases[i] = (uint32_t)rnd();
        for (unsigned i = 0; i < TRIES / 3; i++)
            one(&decoder);
    }
    assert_true(checked > TRIES / 10);
}

/* Bytes may end anywhere. */
static void an_instruction_that_is_not_all_there_does_no_harm(void **context)
{
    struct svm_touches t;
    (void)context;
    now = DECODE_64;
    for (unsigned i = 0; i < TRIES / 3; i++) {
        struct svm_code code = {.count = rnd() % (INSTRUCTION_MAX_BYTES + 1), .mode = modes[rnd() % 3].ours};
        for (unsigned k = 0; k < code.count; k++)
            code.bytes[k] = (uint8_t)rnd();
        svm_touches_find(&code, &seams, RIP, &t);
        assert_in_range(t.count, 1, SVM_TOUCHES);
    }
}

static void what_zydis_cannot_say(void **context)
{
    const struct svm_code xlat = {.bytes = {0xD7}, .count = 1, .mode = DECODE_64}, leave = {.bytes = {0xC9}, .count = 1,
        .mode = DECODE_64};
    struct svm_touches t;
    (void)context;
    now = DECODE_64;
    registers[0] = 0x1105, registers[3] = 0x2000, registers[4] = 0x9000, registers[5] = 0x7000;
    svm_touches_find(&xlat, &seams, RIP, &t);
    assert_true(is_listed(&t, 0x2005));
    svm_touches_find(&leave, &seams, RIP, &t);
    assert_true(is_listed(&t, 0x7000) && is_listed(&t, 0x9000 - 8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_memory_operand_is_listed_at_its_address),
        cmocka_unit_test(what_zydis_cannot_say),
        cmocka_unit_test(an_instruction_that_is_not_all_there_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
