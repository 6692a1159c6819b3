/* Zydis, an independent decoder, is the oracle: over random bytes both must agree on what is ours and on every part of
 * it. */
#include "cp/decode/opcode.h"
#include "tests/unit/decode_oracle.h"

static uint64_t seed = 0x9E3779B97F4A7C15;

static uint32_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed >> 16;
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
    enum opcode_map map = at && bytes[at - 1] == 0x0f ? MAP_0F : MAP_ONE;
    for (unsigned tries = 0; tries < 8 && !opcode_has_modrm(map, bytes[at], PREFIX_NONE); tries++)
        bytes[at] = rnd();
}

static void random_bytes_decode_as_the_oracle_says(void **state)
{
    uint8_t bytes[INSTRUCTION_MAX_BYTES];
    struct answer answer;

    (void)state;
    for (unsigned i = 0; i < 1500000; i++) {
        if (i & 1)
            random_bytes(bytes);
        else
            likely_bytes(bytes);
        compare(bytes, rnd() % 8 ? INSTRUCTION_MAX_BYTES : rnd() % INSTRUCTION_MAX_BYTES, i % 3, &answer);
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
                struct answer answer;
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
                compare(bytes, INSTRUCTION_MAX_BYTES, 0, &answer);
                if (v < 8) {
                    compare(bytes, INSTRUCTION_MAX_BYTES, 1, &answer);
                    compare(bytes, INSTRUCTION_MAX_BYTES, 2, &answer);
                }
            }
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
        cmocka_unit_test(what_is_not_decodable_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, decoders_start, NULL);
}
