/* Prefixes, opcode, ModRM, SIB, displacement, immediate (SDM "Instruction Format"), by a cursor that never leaves its
 * bytes. */
#include "cp/decode/instruction.h"

#include <string.h>

#include "cp/decode/opcode.h"

enum { REX_B = 1, REX_X = 2, REX_R = 4, REX_W = 8, VEX_L = 4, VEX3 = 0xc4, VEX2 = 0xc5, VEX_TO_REGISTER = 0xc0 };
enum { GPR_AX = 0, GPR_BX = 3, GPR_SP = 4, GPR_BP = 5, GPR_SI = 6, GPR_DI = 7 };

struct decoder {
    const uint8_t *bytes;
    size_t count, at;
    enum decode_result error; /* the first that came up */
    enum decode_mode mode;
    uint8_t rex;
    bool operand_override, address_override;
    uint8_t repeat;   /* the last of F2, F3; or 0 */
    uint8_t segment;  /* override, or NO_REGISTER */
    bool lock;
    bool vex, vex_l;
    enum opcode_prefix vex_prefix;
    uint8_t vvvv;
};

static uint8_t next(struct decoder *d)
{
    if (d->at < d->count)
        return d->bytes[d->at++];
    if (!d->error)
        d->error = d->at >= INSTRUCTION_MAX_BYTES ? DECODE_UNKNOWN : DECODE_TRUNCATED;
    return 0;
}

static uint64_t next_signed(struct decoder *d, unsigned size)
{
    uint64_t value = 0, sign = UINT64_C(1) << (8 * size - 1);

    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)next(d) << 8 * i;
    return (value ^ sign) - sign;
}

/* In 64-bit mode the four old segments have no override. */
static void override_segment(struct decoder *d, enum segment segment)
{
    if (d->mode != DECODE_64 || segment >= SEGMENT_FS)
        d->segment = segment;
}

static bool take_prefix(struct decoder *d, uint8_t byte)
{
    switch (byte) {
    case 0x26: override_segment(d, SEGMENT_ES); return true;
    case 0x2e: override_segment(d, SEGMENT_CS); return true;
    case 0x36: override_segment(d, SEGMENT_SS); return true;
    case 0x3e: override_segment(d, SEGMENT_DS); return true;
    case 0x64: override_segment(d, SEGMENT_FS); return true;
    case 0x65: override_segment(d, SEGMENT_GS); return true;
    case 0x66: d->operand_override = true; return true;
    case 0x67: d->address_override = true; return true;
    case 0xf0: d->lock = true; return true;
    case 0xf2:
    case 0xf3: d->repeat = byte; return true;
    }
    return false;
}

/* Returns the first byte of the opcode. A REX counts only right before it. */
static uint8_t prefixes(struct decoder *d)
{
    for (;;) {
        uint8_t byte = next(d);

        if (d->error)
            return 0;
        if (take_prefix(d, byte))
            d->rex = 0;
        else if (d->mode == DECODE_64 && (byte & 0xf0) == 0x40)
            d->rex = byte;
        else
            return byte;
    }
}

static unsigned operand_size(const struct decoder *d)
{
    if (d->rex & REX_W)
        return 8;
    return (d->mode == DECODE_16) != d->operand_override ? 2 : 4;
}

static unsigned address_size(const struct decoder *d)
{
    switch (d->mode) {
    case DECODE_64: return d->address_override ? 4 : 8;
    case DECODE_32: return d->address_override ? 2 : 4;
    default: return d->address_override ? 4 : 2;
    }
}

static unsigned size_of(const struct decoder *d, enum opcode_size size)
{
    unsigned operand = operand_size(d);

    switch (size) {
    case SIZE_1: return 1;
    case SIZE_2: return 2;
    case SIZE_4: return 4;
    case SIZE_8: return 8;
    case SIZE_16: return 16;
    case SIZE_V: return operand;
    case SIZE_Z: return operand < 4 ? operand : 4;
    case SIZE_Y: return operand == 8 ? 8 : 4;
    case SIZE_VMX: return d->mode == DECODE_64 ? 8 : 4;
    case SIZE_STACK: return d->mode == DECODE_64 && operand == 4 ? 8 : operand;
    case SIZE_NEAR: return d->mode == DECODE_64 ? 8 : operand;
    case SIZE_VECTOR: return d->vex_l ? 32 : 16;
    case SIZE_PAIR_V: return 2 * operand;
    case SIZE_PAIR_Y: return operand == 8 ? 16 : 8;
    case SIZE_TABLE: return d->mode == DECODE_64 ? 10 : 6;
    case SIZE_FAR: return operand + 2;
    default: return 0;
    }
}

static enum opcode_prefix selecting_prefix(const struct decoder *d)
{
    if (d->vex)
        return d->vex_prefix;
    if (d->repeat)
        return d->repeat == 0xf3 ? PREFIX_F3 : PREFIX_F2;
    return d->operand_override ? PREFIX_66 : PREFIX_NONE;
}

/* SDM "16-Bit Addressing Forms with the ModR/M Byte" */
static void memory_16(struct decoder *d, struct instruction *in, unsigned mod, unsigned rm)
{
    static const uint8_t base[8] = {GPR_BX, GPR_BX, GPR_BP, GPR_BP, GPR_SI, GPR_DI, GPR_BP, GPR_BX};
    static const uint8_t index[4] = {GPR_SI, GPR_DI, GPR_SI, GPR_DI};

    if (mod == 0 && rm == 6) {
        in->displacement = (int64_t)next_signed(d, 2);
        return;
    }
    in->base = base[rm];
    in->index = rm < 4 ? index[rm] : NO_REGISTER;
    if (mod)
        in->displacement = (int64_t)next_signed(d, mod == 1 ? 1 : 2);
}

/* SDM "32-Bit Addressing Forms with the SIB Byte". Without a base there is a 32-bit displacement. */
static void sib(struct decoder *d, struct instruction *in, unsigned mod)
{
    uint8_t byte = next(d);
    uint8_t index = (byte >> 3 & 7) | (d->rex & REX_X ? 8 : 0), base = byte & 7;

    in->scale = 1 << (byte >> 6);
    in->index = index == GPR_SP ? NO_REGISTER : index;
    if (base == GPR_BP && mod == 0)
        in->displacement = (int64_t)next_signed(d, 4);
    else
        in->base = base | (d->rex & REX_B ? 8 : 0);
}

static void memory_32(struct decoder *d, struct instruction *in, unsigned mod, unsigned rm)
{
    if (rm == GPR_SP) {
        sib(d, in, mod);
    } else if (rm == GPR_BP && mod == 0) {
        in->base = d->mode == DECODE_64 ? BASE_RIP : NO_REGISTER;
        in->displacement = (int64_t)next_signed(d, 4);
    } else {
        in->base = rm | (d->rex & REX_B ? 8 : 0);
    }
    if (mod)
        in->displacement = (int64_t)next_signed(d, mod == 1 ? 1 : 4);
}

static void memory(struct decoder *d, struct instruction *in, uint8_t modrm)
{
    if (in->address_size == 2)
        memory_16(d, in, modrm >> 6, modrm & 7);
    else
        memory_32(d, in, modrm >> 6, modrm & 7);
    in->segment = in->base == GPR_SP || in->base == GPR_BP ? SEGMENT_SS : SEGMENT_DS;
}

/* Without REX, byte registers 4-7 are AH, CH, DH and BH. */
static void register_field(const struct decoder *d, struct instruction *in, uint8_t modrm)
{
    in->reg = (modrm >> 3 & 7) | (d->rex & REX_R ? 8 : 0);
    if (in->register_size == 1 && !d->rex && in->reg >= 4) {
        in->reg -= 4;
        in->reg_high = true;
    }
}

static bool any_is(const struct instruction *in, enum operand operand)
{
    return in->destination == operand || in->source == operand || in->third == operand;
}

/* Segment and MMX registers there are fewer of; a field of VEX that names no register is all ones. */
static void other_registers(struct decoder *d, struct instruction *in, uint8_t modrm)
{
    bool segment_register = in->operation == OP_MOV_SEGMENT || in->operation == OP_LOAD_SEGMENT;

    if (any_is(in, OPERAND_XMM))
        in->reg = (modrm >> 3 & 7) | (d->rex & REX_R ? 8 : 0);
    if (any_is(in, OPERAND_MMX) || segment_register)
        in->reg = modrm >> 3 & 7;
    if (segment_register && (in->reg > SEGMENT_GS || (in->operation == OP_LOAD_SEGMENT && in->reg == SEGMENT_CS)))
        d->error = DECODE_UNDEFINED;
    if (any_is(in, OPERAND_VVVV))
        in->vvvv = d->mode == DECODE_64 ? d->vvvv : d->vvvv & 7;
    else if (d->vvvv)
        d->error = DECODE_UNDEFINED;
}

static void operands(struct decoder *d, struct instruction *in, const struct opcode *row, uint8_t modrm)
{
    if (!(row->flags & OPCODE_MODRM))
        return;
    if (any_is(in, OPERAND_REGISTER))
        register_field(d, in, modrm);
    other_registers(d, in, modrm);
    if (modrm >> 6 != 3) {
        if (!(row->flags & OPCODE_EXACT))
            memory(d, in, modrm);
        return;
    }
    if (row->flags & OPCODE_REGISTER) {
        in->base = (modrm & 7) | (d->rex & REX_B ? 8 : 0);
        *(in->destination == OPERAND_MEMORY ? &in->destination : &in->source) = OPERAND_RM_REGISTER;
    } else if (!(row->flags & OPCODE_EXACT)) {
        d->error = DECODE_UNKNOWN;
    }
}

static void immediate(struct decoder *d, struct instruction *in, const struct opcode *row)
{
    if (row->immediate == IMMEDIATE_8)
        in->immediate = next_signed(d, 1);
    else if (row->immediate == IMMEDIATE_Z)
        in->immediate = next_signed(d, in->size < 4 ? in->size : 4);
    else if (row->immediate == IMMEDIATE_OFFSET)
        in->displacement = (int64_t)next_signed(d, in->address_size);
}

static enum decode_result allowed(const struct decoder *d, const struct opcode *row)
{
    if (d->lock && !((row->flags & OPCODE_LOCK) && row->destination == OPERAND_MEMORY))
        return DECODE_UNDEFINED;
    if ((row->flags & OPCODE_L0) && d->vex_l)
        return DECODE_UNDEFINED;
    return DECODE_OK;
}

static void fill(struct decoder *d, struct instruction *in, const struct opcode *row, uint8_t modrm)
{
    bool string = row->flags & OPCODE_STRING;

    *in = (struct instruction){
        .operation = row->operation, .mode = d->mode, .size = size_of(d, row->size),
        .register_size = size_of(d, row->register_size), .destination = row->destination, .source = row->source,
        .third = row->third, .condition = row->code & 15, .vex = d->vex, 
        .aligned = row->flags & OPCODE_ALIGNED || (row->operation == OP_CMPXCHG_PAIR && size_of(d, row->size) == 16),
       
        .address_size = address_size(d), .segment = SEGMENT_DS, .base = NO_REGISTER, .index = NO_REGISTER, .scale = 1,
        .lock = d->lock, .repeat = string && d->repeat == 0xf3, .repeat_not_equal = string && d->repeat == 0xf2,
    };
    if (row->operation == OP_XLAT)
        in->base = GPR_BX;
    if (row->operation == OP_MOVSX && in->register_size < in->size)
        in->size = in->register_size; /* MOVSXD to 16 bits */
    operands(d, in, row, modrm);
    immediate(d, in, row);
    if (d->segment != NO_REGISTER)
        in->segment = d->segment;
    in->length = d->at;
}

/* SDM "The VEX Prefix": R, X, B and vvvv are inverted. Prefixes that select an operand size, or LOCK, may not stand
 * before it. */
static enum opcode_map vex_prefix(struct decoder *d, uint8_t byte)
{
    static const uint8_t maps[4] = {MAP_ONE, MAP_VEX_0F, MAP_VEX_0F38, MAP_VEX_0F3A};
    static const uint8_t prefixes_of[4] = {PREFIX_NONE, PREFIX_66, PREFIX_F3, PREFIX_F2};

    if (d->rex || d->repeat || d->operand_override || d->lock) {
        d->error = DECODE_UNDEFINED;
        return MAP_ONE;
    }
    uint8_t first = byte == VEX3 ? next(d) : 0, last = next(d);
    unsigned map = byte == VEX3 ? first & 31 : 1, rex = byte == VEX3 ? ~first >> 5 & 7 : ~last >> 5 & REX_R;

    if (map < 1 || map > 3) {
        d->error = d->error ? d->error : DECODE_UNKNOWN;
        return MAP_ONE;
    }
    d->vex = true;
    d->vex_l = last & VEX_L;
    d->vvvv = ~last >> 3 & 15;
    d->vex_prefix = (enum opcode_prefix)prefixes_of[last & 3];
    if (d->mode == DECODE_64)
        d->rex = (uint8_t)(rex | (byte == VEX3 && last & 0x80 ? REX_W : 0));
    return (enum opcode_map)maps[map];
}

/* Outside 64-bit mode LES and LDS, whose operand is in memory, have the same bytes. */
static bool is_vex(const struct decoder *d, uint8_t byte)
{
    return (byte == VEX3 || byte == VEX2) &&
           (d->mode == DECODE_64 || (d->at < d->count && d->bytes[d->at] >= VEX_TO_REGISTER));
}

static const struct opcode *find_opcode(struct decoder *d, uint8_t *modrm)
{
    uint8_t byte = prefixes(d);
    enum opcode_map map = MAP_ONE;

    if (!d->error && is_vex(d, byte)) {
        map = vex_prefix(d, byte);
        byte = next(d);
    } else if (byte == 0x0f) {
        map = MAP_0F;
        byte = next(d);
    }
    if (map == MAP_0F && byte == 0x38) {
        map = MAP_0F38;
        byte = next(d);
    }
    if (!d->error && opcode_has_modrm(map, byte, selecting_prefix(d)))
        *modrm = next(d);
    return d->error ? NULL : opcode_find(map, byte, selecting_prefix(d), *modrm, d->mode == DECODE_64);
}

enum decode_result instruction_decode(const uint8_t *bytes, size_t count, enum decode_mode mode, struct instruction *in)
{
    struct decoder d = {.bytes = bytes, .mode = mode, .segment = NO_REGISTER,
                        .count = count < INSTRUCTION_MAX_BYTES ? count : INSTRUCTION_MAX_BYTES};
    uint8_t modrm = 0;
    const struct opcode *row = find_opcode(&d, &modrm);

    memset(in, 0, sizeof *in);
    if (!d.error)
        d.error = row ? allowed(&d, row) : DECODE_UNKNOWN;
    if (d.error)
        return d.error;
    fill(&d, in, row, modrm);
    if (d.error)
        memset(in, 0, sizeof *in);
    return d.error;
}
