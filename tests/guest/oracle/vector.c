/* Templates of moves of MMX and AVX registers, through which bytes go from place to place; no other unit has them. See
 * templates.c. */
#include "tests/guest/oracle/sequence.h"

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

static void put_places(struct sequence *s, unsigned bytes, bool aligned)
{
    uint64_t from = sequence_place(s, bytes, aligned), to = sequence_place(s, bytes, aligned);

    put_set(s, RSI, from);
    put_set(s, RDI, to);
}

void emit_mmx(struct sequence *s, const struct row *row)
{
    (void)row;
    switch (sequence_below(s, 3)) {
    case 0: /* MOVD, of 4 bytes */
        put_places(s, 4, false);
        PUT(s, 0x0F, 0x6E, 0x0E);
        PUT(s, 0x0F, 0x7E, 0x0F);
        break;
    case 1: /* MOVQ */
        put_places(s, 8, false);
        PUT(s, 0x0F, 0x6F, 0x16);
        PUT(s, 0x0F, 0x7F, 0x17);
        break;
    default: /* MOVD of 8 bytes, MOVNTQ */
        put_places(s, 8, false);
        PUT(s, 0x48, 0x0F, 0x6E, 0x1E);
        PUT(s, 0x0F, 0xE7, 0x1F);
    }
    PUT(s, 0x0F, 0x77); /* EMMS */
}

/* VEX of two bytes: register's high bit inverted, no second operand, length, mandatory prefix. */
static void put_vex(struct sequence *s, bool wide, unsigned prefix, uint8_t opcode, uint8_t modrm)
{
    PUT(s, 0xC5, (uint8_t)(0xF8 | (wide ? 4 : 0) | prefix), opcode, modrm);
}

void emit_avx(struct sequence *s, const struct row *row)
{
    enum { NONE, OF_66, OF_F3, OF_F2 };
    static const struct {
        uint8_t bytes, wide, prefix, load, store;
        bool aligned;
    } moves[] = {
        {4, 0, OF_66, 0x6E, 0x7E, false},  /* VMOVD */
        {4, 0, OF_F3, 0x10, 0x11, false},  /* VMOVSS */
        {8, 0, OF_F2, 0x10, 0x11, false},  /* VMOVSD */
        {16, 0, NONE, 0x10, 0x11, false},  /* VMOVUPS */
        {16, 0, OF_66, 0x6F, 0x7F, true},  /* VMOVDQA */
        {32, 1, NONE, 0x10, 0x11, false},  /* VMOVUPS of YMM */
        {32, 1, OF_F3, 0x6F, 0x7F, false}, /* VMOVDQU of YMM */
    };
    unsigned n = sequence_below(s, sizeof moves / sizeof *moves), reg = sequence_below(s, 8) << 3;

    (void)row;
    put_places(s, moves[n].bytes, moves[n].aligned);
    put_vex(s, moves[n].wide, moves[n].prefix, moves[n].load, (uint8_t)(reg | RSI));
    put_vex(s, moves[n].wide, moves[n].prefix, moves[n].store, (uint8_t)(reg | RDI));
    PUT(s, 0xC5, 0xF8, 0x77); /* VZEROUPPER */
}
