/* Owns the list of linear addresses that an instruction may touch. In: its bytes and the registers. */
#include "cp/svm/touch.h"

#include <string.h>

#include "cp/storage/address.h"

enum { ESCAPE = 0x0F, MAP_38 = 0x38, MAP_3A = 0x3A, VEX3 = 0xC4, VEX2 = 0xC5, MOVZX_16 = 0xB7, XLAT = 0xD7, EVEX = 0x62,
       ARPL = 0x63, LEAVE = 0xC9 };
enum { REX_W = 8, MODRM_DIRECT = 0xC0, STACK_STEP = 8, STACK_REACH = 64 };
enum { AX = 0, BX = 3, SP = 4, BP = 5, SI = 6, DI = 7 };
enum map { ONE, TWO, THREE_38, THREE_3A };

/* ---- the opcode map, as far as operands in memory go ------------------------------------------ */

/* SDM "Opcode Map": a bit an opcode, 32 a word. */
static const uint32_t has_modrm[2][8] = {
    [ONE] = {0x0F0F0F0F, 0x0F0F0F0F, 0, 0x00000A0C, 0x0000FFFF, 0, 0xFF0F00F3, 0xC0C00000},
    [TWO] = {0xFFFFA00F, 0x0000FF0F, 0xFFFFFFFF, 0xFF7FFFFF, 0xFFFF0000, 0xFFFFF838, 0xFFFF00FF, 0xFFFFFFFF},
};
static const uint32_t byte_immediate[2][8] = {
    [ONE] = {0, 0, 0, 0x00000800, 0x0000000D, 0, 0x00000043, 0},
    [TWO] = {0, 0, 0, 0x000F0000, 0, 0x04001010, 0x00000074, 0},
};

static bool bit(const uint32_t words[8], uint8_t opcode)
{
    return words[opcode / 32] >> opcode % 32 & 1;
}

struct form {
    enum map map;
    uint8_t opcode, modrm, rex;
    unsigned prefixes, opcode_at; /* bytes before the opcode, escapes and all */
    bool narrow;                  /* 16-bit operands */
    bool vex;
};

/* VEX has REX's bits inverted, and the map in a field. SDM "The VEX Prefix". */
static bool vex_read(const struct svm_code *code, struct form *f)
{
    const uint8_t *at = code->bytes + f->prefixes;
    bool three = at[0] == VEX3;

    if (code->count < f->prefixes + (three ? 4u : 3u) || (code->mode != DECODE_64 && at[1] < MODRM_DIRECT))
        return false;
    unsigned map = three ? at[1] & 31 : 1;
    if (map < 1 || map > 3)
        return false;
    f->rex = three ? (uint8_t)(0x40 | (~at[1] >> 5 & 7)) : 0x40;
    f->map = (enum map)map;
    f->opcode_at = f->prefixes + (three ? 3 : 2);
    return true;
}

static bool form_read(const struct svm_code *code, struct form *f)
{
    bool lock;
    const uint8_t *bytes = code->bytes;

    *f = (struct form){.prefixes = 0};
    f->prefixes = f->opcode_at = svm_prefixes(bytes, code->count, code->mode, &f->rex, &lock);
    f->narrow = !(f->rex & REX_W) && (code->mode == DECODE_16) != (memchr(bytes, 0x66, f->prefixes) != NULL);
    if (f->opcode_at >= code->count)
        return false;
    f->vex = (bytes[f->opcode_at] == VEX2 || bytes[f->opcode_at] == VEX3) && vex_read(code, f);
    if (!f->vex && bytes[f->opcode_at] == ESCAPE && f->opcode_at + 1 < code->count) {
        uint8_t second = bytes[++f->opcode_at];
        f->map = second == MAP_38 ? THREE_38 : second == MAP_3A ? THREE_3A : TWO;
        f->opcode_at += f->map != TWO;
    }
    if (f->opcode_at >= code->count)
        return false;
    f->opcode = bytes[f->opcode_at];
    if (f->opcode_at + 1 < code->count)
        f->modrm = bytes[f->opcode_at + 1];
    return true;
}

static bool in_memory(const struct svm_code *code, const struct form *f)
{
    if (f->map == ONE && f->opcode == EVEX && code->mode == DECODE_64) /* its displacement is scaled; BOUND elsewhere */
        return false;
    return f->opcode_at + 1 < code->count && f->modrm < MODRM_DIRECT &&
           (f->map > TWO || bit(has_modrm[f->map], f->opcode));
}

static unsigned immediate_bytes(const struct form *f)
{
    unsigned full = f->narrow ? 2 : 4;

    if (f->map == THREE_3A)
        return 1;
    if (f->map == THREE_38)
        return 0;
    if (f->map == ONE && (f->opcode & 0xFE) == 0xF6)
        return f->modrm >> 3 & 6 ? 0 : f->opcode & 1 ? full : 1;
    if (f->map == ONE && (f->opcode == 0x69 || f->opcode == 0x81 || f->opcode == 0xC7))
        return full;
    return bit(byte_immediate[f->map], f->opcode);
}

/* SDM "Opcode Map": what reads its memory operand and writes it back. */
static bool modifies(const struct form *f, enum decode_mode mode)
{
    unsigned group = f->modrm >> 3 & 7;
    uint8_t o = f->opcode;

    if (f->vex)
        return false;
    if (f->map == ONE)
        return (o < 0x38 && (o & 7) < 2) || (o >= 0x80 && o <= 0x83 && group != 7) || (o & 0xFE) == 0x86 ||
               (o & 0xFE) == 0xC0 || (o & 0xFC) == 0xD0 || ((o & 0xFE) == 0xF6 && (group == 2 || group == 3)) ||
               ((o & 0xFE) == 0xFE && group < 2) || (o == ARPL && mode != DECODE_64);
    return f->map == TWO &&
           (o == 0xA4 || o == 0xA5 || o == 0xAB || o == 0xAC || o == 0xAD || (o & 0xFE) == 0xB0 || o == 0xB3 ||
            o == 0xBB || (o & 0xFE) == 0xC0 || (o == 0xBA && group > 4) || (o == 0xC7 && group == 1));
}

/* ---- addresses ----------------------------------------------------------------------------------- */

void svm_touches_add(struct svm_touches *t, uint64_t linear)
{
    if (t->count < SVM_TOUCHES)
        t->linear[t->count++] = linear;
}

/* And the next page, should it cross. */
static void add_operand(struct svm_touches *t, uint64_t linear)
{
    svm_touches_add(t, linear);
    svm_touches_add(t, (linear | PAGE_MASK) + 1);
}

/* The operand is that of MOVZX with the same prefixes, ModRM and what follows. */
static bool operand_read(const struct svm_code *code, const struct form *f, struct instruction *to)
{
    uint8_t copy[INSTRUCTION_MAX_BYTES] = {0};
    unsigned n = 0;

    for (unsigned i = 0; i < f->prefixes && n < INSTRUCTION_MAX_BYTES - 3; i++)
        if (code->bytes[i] != 0xF0 && code->bytes[i] != 0xF2 && code->bytes[i] != 0xF3 && code->bytes[i] >> 4 != 4)
            copy[n++] = code->bytes[i];
    if (f->rex && code->mode == DECODE_64)
        copy[n++] = f->rex;
    copy[n++] = ESCAPE;
    copy[n++] = MOVZX_16;
    size_t rest = code->count - f->opcode_at - 1, room = sizeof copy - n;
    memcpy(copy + n, code->bytes + f->opcode_at + 1, rest < room ? rest : room);
    if (instruction_decode(copy, sizeof copy, code->mode, to) != DECODE_OK)
        return false;
    to->length = (uint8_t)(f->opcode_at + 1 + (to->length - n) + immediate_bytes(f));
    return true;
}

static uint64_t cut(uint64_t offset, unsigned address_size)
{
    return address_size == 8 ? offset : offset & ((1ull << 8 * address_size) - 1);
}

static unsigned address_size(const struct svm_code *code, const struct form *f)
{
    bool other = memchr(code->bytes, 0x67, f->prefixes);

    switch (code->mode) {
    case DECODE_64: return other ? 4 : 8;
    case DECODE_32: return other ? 2 : 4;
    default: return other ? 4 : 2;
    }
}

static enum segment source_segment(const struct svm_code *code, const struct form *f)
{
    static const uint8_t prefix[6] = {0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65};
    enum segment segment = SEGMENT_DS;

    for (unsigned i = 0; i < f->prefixes; i++)
        for (unsigned s = 0; s < 6; s++)
            if (code->bytes[i] == prefix[s] && (code->mode != DECODE_64 || s >= SEGMENT_FS))
                segment = (enum segment)s;
    return segment;
}

/* String operations, XLAT and the one that stores by RDI; offsets that are part of the instruction are cp/decode's. */
static void implied(const struct svm_code *code, const struct form *f, const struct execute_seams *s,
                    struct svm_touches *t)
{
    uint8_t o = f->opcode;
    unsigned size = address_size(code, f);
    uint64_t source = s->segment_base(s->context, source_segment(code, f));

    if (f->map == TWO && o == 0xF7)
        add_operand(t, source + cut(s->read_gpr(s->context, DI), size));
    if (f->map != ONE)
        return;
    if ((o >= 0xA4 && o <= 0xA7) || (o & 0xFE) == 0xAC || (o & 0xFE) == 0x6E)
        add_operand(t, source + cut(s->read_gpr(s->context, SI), size));
    if ((o >= 0xA4 && o <= 0xA7) || (o & 0xFE) == 0xAA || (o & 0xFE) == 0xAE || (o & 0xFE) == 0x6C)
        add_operand(t, s->segment_base(s->context, SEGMENT_ES) + cut(s->read_gpr(s->context, DI), size));
    if (o == LEAVE)
        svm_touches_add(t, s->segment_base(s->context, SEGMENT_SS) + s->read_gpr(s->context, BP));
    if (o == XLAT)
        svm_touches_add(t, source + cut(s->read_gpr(s->context, BX) + (uint8_t)s->read_gpr(s->context, AX), size));
}

static void known(const struct svm_code *code, const struct execute_seams *s, uint64_t rip, struct svm_touches *t)
{
    struct instruction in;

    if (instruction_decode(code->bytes, code->count, code->mode, &in) == DECODE_OK &&
        (in.destination == OPERAND_MEMORY || in.source == OPERAND_MEMORY))
        add_operand(t, instruction_address(&in, s, rip));
}

void svm_touches_stack(const struct execute_seams *s, struct svm_touches *t)
{
    uint64_t top = s->segment_base(s->context, SEGMENT_SS) + s->read_gpr(s->context, SP);

    svm_touches_add(t, top - STACK_STEP);
    add_operand(t, top);
    svm_touches_add(t, top - STACK_REACH);
}

void svm_touches_find(const struct svm_code *code, const struct execute_seams *s, uint64_t rip, struct svm_touches *t)
{
    struct instruction operand;
    struct form f;

    *t = (struct svm_touches){.count = 0};
    if (form_read(code, &f)) {
        known(code, s, rip, t);
        if (!t->count && in_memory(code, &f) && operand_read(code, &f, &operand))
            add_operand(t, instruction_address(&operand, s, rip));
        t->modifies = t->count && in_memory(code, &f) && modifies(&f, code->mode);
        implied(code, &f, s, t);
    }
    svm_touches_stack(s, t);
}
