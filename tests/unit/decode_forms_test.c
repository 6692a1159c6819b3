/* Every instruction that Zydis knows to have an operand in memory, in each mode and with each prefix that selects: ours
 * decodes it alike, or it stands here with the reason why CP does not carry it out. */
#include "cp/decode/opcode.h"
#include "tests/unit/decode_oracle.h"

/* What is not carried out. Where it meets a device the machine stops and says why (HCPGIR9003W; a guest's guest ends by
 * a triple fault): a value that is not the processor's would be worse, and #UD would be false, as the processor took
 * the opcode. */
#define COMPUTES "computes with vector registers or x87's; a device's register is moved first"
#define STATE "saves or loads state, which is not kept in a device"
#define SYSTEM "is of the processor's own state; its operand is in storage"
#define NOT_THERE "is of no processor that CP offers, or hidden from guests"
#define TOUCHES_NOTHING "does not touch what its operand names, and faults for none: it never comes"
#define BY_CATEGORY(NAME, why) {ZYDIS_CATEGORY_##NAME, ZYDIS_MNEMONIC_INVALID, why, 0}
#define BY_NAME(NAME, why) {ZYDIS_CATEGORY_INVALID, ZYDIS_MNEMONIC_##NAME, why, 0}

static struct excuse {
    ZydisInstructionCategory category;
    ZydisMnemonic mnemonic;
    const char *why;
    unsigned long met;
} excuses[] = {
    BY_CATEGORY(X87_ALU, COMPUTES), BY_CATEGORY(MMX, COMPUTES), BY_CATEGORY(SSE, COMPUTES), BY_CATEGORY(AVX, COMPUTES),
    BY_CATEGORY(AVX2, COMPUTES), BY_CATEGORY(BROADCAST, COMPUTES), BY_CATEGORY(CONVERT, COMPUTES),
    BY_CATEGORY(LOGICAL_FP, COMPUTES), BY_CATEGORY(VFMA, COMPUTES), BY_CATEGORY(STTNI, COMPUTES),
    BY_CATEGORY(AES, COMPUTES), BY_CATEGORY(VAES, COMPUTES), BY_CATEGORY(SHA, COMPUTES), BY_CATEGORY(GFNI, COMPUTES),
    BY_CATEGORY(PCLMULQDQ, COMPUTES), BY_CATEGORY(VPCLMULQDQ, COMPUTES), BY_CATEGORY(VEX, COMPUTES),
    BY_NAME(PXOR, COMPUTES), BY_NAME(POR, COMPUTES), BY_NAME(PAND, COMPUTES), BY_NAME(PANDN, COMPUTES),
    BY_NAME(VPXOR, COMPUTES), BY_NAME(VPOR, COMPUTES), BY_NAME(VPAND, COMPUTES), BY_NAME(VPANDN, COMPUTES),
    BY_NAME(PTEST, COMPUTES), BY_NAME(VPTEST, COMPUTES),
    BY_NAME(MOVDDUP, COMPUTES), BY_NAME(MOVSHDUP, COMPUTES), BY_NAME(MOVSLDUP, COMPUTES),
    BY_NAME(VMOVDDUP, COMPUTES), BY_NAME(VMOVSHDUP, COMPUTES), BY_NAME(VMOVSLDUP, COMPUTES),
    BY_CATEGORY(XSAVE, STATE), BY_CATEGORY(XSAVEOPT, STATE),
    BY_NAME(INVPCID, SYSTEM), BY_NAME(PTWRITE, SYSTEM), BY_NAME(MOVDIR64B, SYSTEM),
    BY_CATEGORY(CET, NOT_THERE), BY_CATEGORY(MPX, NOT_THERE), BY_CATEGORY(AMX_TILE, NOT_THERE),
    BY_CATEGORY(ENQCMD, NOT_THERE), BY_CATEGORY(KEYLOCKER, NOT_THERE), BY_CATEGORY(KEYLOCKER_WIDE, NOT_THERE),
    BY_CATEGORY(FMA4, NOT_THERE), BY_CATEGORY(XOP, NOT_THERE), BY_CATEGORY(KMASK, NOT_THERE),
    BY_NAME(MOVNTSS, NOT_THERE), BY_NAME(MOVNTSD, NOT_THERE),
    BY_NAME(UD0, "is undefined"), BY_NAME(UD1, "is undefined"),
    BY_CATEGORY(PREFETCH, TOUCHES_NOTHING), BY_CATEGORY(PREFETCHWT1, TOUCHES_NOTHING),
    BY_CATEGORY(CLDEMOTE, TOUCHES_NOTHING), BY_CATEGORY(WIDENOP, TOUCHES_NOTHING), BY_NAME(INVLPG, TOUCHES_NOTHING),
    BY_NAME(LEA, TOUCHES_NOTHING),
};

static bool excused(const struct answer *a)
{
    for (struct excuse *e = excuses; e < excuses + sizeof excuses / sizeof *excuses; e++)
        if (e->category ? e->category == a->in.meta.category : e->mnemonic == a->in.mnemonic) {
            e->met++;
            return true;
        }
    return false;
}

static void form(const uint8_t *bytes, unsigned mode)
{
    struct answer a;

    if (compare(bytes, INSTRUCTION_MAX_BYTES, mode, &a) == DECODE_OK || !ZYAN_SUCCESS(a.status))
        return;
    if ((find_operand(&a, ZYDIS_OPERAND_TYPE_MEMORY) || is_string(&a)) && !excused(&a)) {
        print_error("%s\n", ZydisMnemonicGetString(a.in.mnemonic));
        complain("neither carried out nor said not to be", bytes, mode);
    }
}

enum { MAPS = 4, GROUPS = 8, MODES = 3 };
static const uint8_t tail[INSTRUCTION_MAX_BYTES] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x08};

/* [rCX], or in 16-bit addressing [BX+DI] */
static void put_rest(uint8_t *bytes, unsigned at, uint8_t opcode, unsigned group)
{
    bytes[at++] = opcode;
    bytes[at++] = (uint8_t)(group << 3 | 1);
    memcpy(bytes + at, tail, INSTRUCTION_MAX_BYTES - at);
}

static void legacy(unsigned map, uint8_t opcode, unsigned group, unsigned mode)
{
    static const uint8_t prefixes[] = {0, 0x66, 0xf2, 0xf3, 0xf0, 0x67}, rexes[] = {0, 0x48, 0x44};
    static const uint8_t escapes[MAPS][2] = {{0}, {0x0f}, {0x0f, 0x38}, {0x0f, 0x3a}};
    uint8_t bytes[INSTRUCTION_MAX_BYTES];

    for (unsigned p = 0; p < sizeof prefixes; p++)
        for (unsigned r = 0; r < (mode ? 1 : sizeof rexes); r++) {
            unsigned at = 0;

            if (prefixes[p])
                bytes[at++] = prefixes[p];
            if (rexes[r])
                bytes[at++] = rexes[r];
            for (unsigned e = 0; e < 2 && escapes[map][e]; e++)
                bytes[at++] = escapes[map][e];
            put_rest(bytes, at, opcode, group);
            form(bytes, mode);
        }
}

/* The middle byte of three has R, X, B inverted and the map; the last W, vvvv inverted, L and the prefix. */
static void vex(unsigned map, uint8_t opcode, unsigned group, unsigned mode)
{
    static const uint8_t vvvv[] = {0, 10, 15};
    uint8_t bytes[INSTRUCTION_MAX_BYTES];

    for (unsigned v = 0; v < sizeof vvvv; v++)
        for (unsigned rest = 0; rest < 16; rest++) {
            bytes[0] = 0xc4;
            bytes[1] = (uint8_t)(0xe0 | map);
            bytes[2] = (uint8_t)((rest & 8) << 4 | vvvv[v] << 3 | (rest & 7));
            put_rest(bytes, 3, opcode, group);
            form(bytes, mode);
            bytes[0] = 0xc5;
            bytes[1] = (uint8_t)(0x80 | vvvv[v] << 3 | (rest & 7));
            put_rest(bytes, 2, opcode, group);
            if (map == 1 && (mode == 0 || vvvv[v] >= 8))
                form(bytes, mode);
        }
}

static void every_form_with_an_operand_in_memory_is_carried_out_or_said_not_to_be(void **state)
{
    (void)state;
    for (unsigned mode = 0; mode < MODES; mode++)
        for (unsigned map = 0; map < MAPS; map++)
            for (unsigned opcode = 0; opcode < 256; opcode++)
                for (unsigned group = 0; group < GROUPS; group++) {
                    legacy(map, (uint8_t)opcode, group, mode);
                    if (map)
                        vex(map, (uint8_t)opcode, group, mode);
                }
}

static void what_is_said_not_to_be_carried_out_exists(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof excuses / sizeof *excuses; i++)
        if (!excuses[i].met)
            fail_msg("row %u, %s, excuses nothing", i, excuses[i].why);
}

static void every_operation_was_met(void **state)
{
    (void)state;
    for (unsigned i = OP_NONE + 1; i < OPERATIONS; i++)
        if (!accepted[i] && (i < OP_VMCALL || i > OP_VMFUNC)) /* these have no operand */
            fail_msg("operation %u was never decoded", i);
}

static void rows_stand_in_the_order_by_which_they_are_found(void **state)
{
    (void)state;
    for (unsigned i = 1; i < opcode_count; i++)
        assert_true((opcodes[i - 1].map << 8 | opcodes[i - 1].code) <= (opcodes[i].map << 8 | opcodes[i].code));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_with_an_operand_in_memory_is_carried_out_or_said_not_to_be),
        cmocka_unit_test(what_is_said_not_to_be_carried_out_exists),
        cmocka_unit_test(every_operation_was_met),
        cmocka_unit_test(rows_stand_in_the_order_by_which_they_are_found),
    };

    return cmocka_run_group_tests(tests, decoders_start, NULL);
}
