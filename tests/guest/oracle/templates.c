/* The templates of generated instructions: one row each, with its weight. The place where one adds a kind. */
#include "tests/guest/oracle/sequence.h"

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };
enum { REX = 0x40, REX_W = 8, REX_R = 4, REX_B = 1, OPERAND_16 = 0x66, LOCK = 0xF0, REPNE = 0xF2, REP = 0xF3 };

/* ---- parts ------------------------------------------------------------------------------ */

static bool coin(struct sequence *s) { return sequence_below(s, 2); }

void put_set(struct sequence *s, unsigned n, uint64_t value)
{
    uint8_t code[10] = {REX | REX_W, (uint8_t)(0xB8 + n)};

    if (value >> 32) {
        for (unsigned i = 0; i < 8; i++)
            code[2 + i] = (uint8_t)(value >> 8 * i);
        put(s, 10, code);
    } else {
        PUT(s, (uint8_t)(0xB8 + n), BYTES_OF_4(value));
    }
}

static unsigned any_register(struct sequence *s, unsigned below)
{
    unsigned n = sequence_below(s, below);
    return n == RSP ? RBP : n;
}

struct encoding {
    uint8_t bytes[16];
    unsigned count;
};

static void add(struct encoding *e, unsigned byte) { e->bytes[e->count++] = (uint8_t)byte; }

static void add_number(struct encoding *e, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        add(e, (unsigned)(value >> 8 * i) & 0xFF);
}

static void add_opcode(struct encoding *e, const struct row *row, unsigned rex, bool byte)
{
    if (row->prefix)
        add(e, row->prefix);
    if (rex)
        add(e, REX | rex);
    for (unsigned i = 0; i < row->opcode_bytes; i++)
        add(e, (uint8_t)row->opcode[i] - (byte && i + 1 == row->opcode_bytes));
}

/* ModRM and what belongs to it; how an address is said is random, RDI is loaded for it. */
static void add_memory(struct sequence *s, struct encoding *e, unsigned reg, uint64_t at, unsigned how)
{
    reg = (reg & 7) << 3;
    switch (how) {
    case 0: /* no base: a displacement */
        add(e, reg | 4);
        add(e, 0x25);
        add_number(e, at, 4);
        break;
    case 1: add(e, reg | RDI); break;
    default: /* RDI is 16 behind it */ add(e, 0x40 | reg | RDI); add(e, 0xF0);
    }
    (void)s;
}

static unsigned memory_size(const struct row *row, unsigned size)
{
    return row->form & OF_1     ? 1
           : row->form & OF_2   ? 2
           : row->form & OF_4   ? 4
           : row->form & OF_8   ? 8
           : row->form & VECTOR ? 16
                                : size;
}

static unsigned any_size(struct sequence *s, const struct row *row)
{
    static const uint8_t sizes[] = {4, 4, 4, 8, 8, 2, 1};

    if (row->form & VECTOR)
        return 4;
    for (;;) {
        unsigned size = sizes[sequence_below(s, sizeof sizes)];
        if ((size != 1 || row->form & BYTE) && (size != 2 || !(row->form & WIDE)))
            return size;
    }
}

/* The forms with ModRM. */
static void emit_modrm(struct sequence *s, const struct row *row)
{
    unsigned size = any_size(s, row), reg = row->digit >= 0 ? (unsigned)row->digit : any_register(s, 16), how = 0;
    unsigned other = any_register(s, 16);
    bool memory = row->form & MEMORY || (!(row->form & REGISTER) && sequence_below(s, 3));
    uint64_t at = 0;
    struct encoding e = {{0}, 0};

    if (size == 1) { /* AH to BH are registers too */
        reg = row->digit >= 0 ? reg : sequence_below(s, 4) + (coin(s) ? 4 : 0);
        other = sequence_below(s, 4) + (coin(s) ? 4 : 0);
    }
    if (memory) {
        bool aligned = row->form & ALIGNED && (s->host.no_alignment || sequence_below(s, 8));
        at = (row->form & NO_DEVICE ? sequence_memory : sequence_place)(s, memory_size(row, size), aligned);
        how = at >> 63 ? 1 : sequence_below(s, 3);
        if (how)
            put_set(s, RDI, at + (how == 2) * 16);
    }
    if (row->form & LOCKABLE && (memory ? coin(s) : !s->host.takes_lock && sequence_below(s, 16) == 0))
        add(&e, LOCK);
    if (size == 2)
        add(&e, OPERAND_16);
    add_opcode(&e, row, (size == 8 ? REX_W : 0) | (reg >= 8 ? REX_R : 0) | (!memory && other >= 8 ? REX_B : 0),
               size == 1);
    if (memory)
        add_memory(s, &e, reg, at, how);
    else
        add(&e, 0xC0 | (reg & 7) << 3 | (other & 7));
    unsigned immediate = row->immediate == 4 && size < 4 ? size : row->immediate;
    add_number(&e, sequence_random(s), immediate);
    put(s, e.count, e.bytes);
}

/* One instruction of these bytes. */
static void emit_plain(struct sequence *s, const struct row *row) { put(s, row->opcode_bytes, row->opcode); }

/* ---- string instructions -------------------------------------------------------------------- */

static void put_direction(struct sequence *s, bool down) { PUT(s, down ? 0xFD : 0xFC); }

static void emit_string(struct sequence *s, const struct row *row)
{
    static const uint8_t sizes[] = {1, 2, 4, 4, 4, 8};
    unsigned size = sizes[sequence_below(s, sizeof sizes)], count = sequence_below(s, 6);
    uint64_t to = sequence_place(s, size, false), from = sequence_place(s, size, false);

    if ((uint8_t)row->opcode[0] == 0xA7) /* which is read first nobody says */
        to = ORACLE_AT(PAGE_DATA, TOUCHED_MIDDLE + 32);
    bool device = to >> 12 == ORACLE_AT(PAGE_DEVICE, 0) >> 12 || from >> 12 == ORACLE_AT(PAGE_DEVICE, 0) >> 12;
    bool repeated = coin(s), down = sequence_below(s, 4) == 0;
    struct encoding e = {{0}, 0};

    put_set(s, RDI, to);
    put_set(s, RSI, from);
    if (repeated)
        put_set(s, RCX, device ? count & 1 : count);
    if (down)
        put_direction(s, true);
    if (repeated)
        add(&e, row->undefined == 0 && row->immediate && coin(s) ? REPNE : REP);
    if (size == 2)
        add(&e, OPERAND_16);
    if (size == 8)
        add(&e, REX | REX_W);
    add(&e, (uint8_t)row->opcode[0] - (size == 1));
    put(s, e.count, e.bytes);
    if (down)
        put_direction(s, false);
}

/* ---- system instructions --------------------------------------------------------------------------- */

/* What the numbers are is the processor's. */
static void emit_cpuid(struct sequence *s, const struct row *row)
{
    (void)row;
    put_set(s, RAX, sequence_below(s, 2));
    PUT(s, 0x31, 0xC9);
    PUT(s, 0x0F, 0xA2);
    for (unsigned n = RAX; n <= RBX; n++)
        put_set(s, n, sequence_below(s, 1000));
}

static void emit_time(struct sequence *s, const struct row *row)
{
    emit_plain(s, row);
    put_set(s, RAX, sequence_below(s, 1000));
    put_set(s, RDX, 5);
    put_set(s, RCX, 6);
}

static void emit_msr(struct sequence *s, const struct row *row)
{
    static const uint32_t kept[] = {0x175, 0x176, 0xC0000102};
    uint32_t msr = kept[sequence_below(s, 3)];

    (void)row;
    put_set(s, RCX, msr);
    if (coin(s)) {
        put_set(s, RDX, sequence_below(s, 0x7FFF));
        PUT(s, 0x0F, 0x30);
    }
    PUT(s, 0x0F, 0x32);
}

/* MOV to a control register of what it is, but for one bit. */
static void emit_control(struct sequence *s, const struct row *row)
{
    static const struct {
        uint8_t number, bit;
    } changes[] = {{3, 60}, {3, 3}, {0, 1}, {0, 16}, {0, 31}, {4, 7}, {4, 31}, {4, 63}, {4, 5}, {4, 2}, {0, 32}};
    unsigned n = sequence_below(s, sizeof changes / sizeof *changes - s->host.wide_cr0), number = changes[n].number;

    (void)row;
    PUT(s, 0x0F, 0x20, (uint8_t)(0xC0 | number << 3)); /* to RAX */
    PUT(s, 0x48, 0x0F, 0xBA, 0xF8, changes[n].bit);    /* BTC; other flags are told */
    PUT(s, 0x0F, 0x22, (uint8_t)(0xC0 | number << 3));
    PUT(s, 0x48, 0x0F, 0xBA, 0xF8, changes[n].bit);
    PUT(s, 0x0F, 0x22, (uint8_t)(0xC0 | number << 3));
    put_set(s, RAX, sequence_below(s, 1000));
}

static void emit_cr8(struct sequence *s, const struct row *row)
{
    (void)row;
    put_set(s, RAX, sequence_below(s, 18)); /* 16 and up: #GP */
    PUT(s, 0x44, 0x0F, 0x22, 0xC0);
    PUT(s, 0x44, 0x0F, 0x20, 0xC1);
}

static void emit_ts(struct sequence *s, const struct row *row)
{
    (void)row;
    PUT(s, 0x0F, 0x01, 0xE0); /* SMSW */
    PUT(s, 0x0C, 0x08);
    PUT(s, 0x0F, 0x01, 0xF0); /* LMSW: TS */
    if (coin(s))
        PUT(s, 0x0F, 0x28, 0xC1); /* MOVAPS: #NM */
    PUT(s, 0x0F, 0x06);
    put_set(s, RAX, sequence_below(s, 1000));
}

static void emit_pop_flags(struct sequence *s, const struct row *row)
{
    uint32_t flags = (uint32_t)sequence_random(s) & (FLAGS_ARITHMETIC | FLAG_I | FLAG_R | 0x40000);

    if (s->mood == MOOD_STEPPED && sequence_below(s, 4))
        flags |= FLAG_T;
    (void)row;
    PUT(s, 0x68, BYTES_OF_4(flags));
    PUT(s, 0x9D);
    if (coin(s)) {
        PUT(s, 0x9C);
        PUT(s, 0x58);
    }
}

static void emit_iret(struct sequence *s, const struct row *row)
{
    (void)row;
    PUT(s, 0x48, 0x89, 0xE0); /* MOV RAX, RSP */
    PUT(s, 0x6A, 0x10);
    PUT(s, 0x50);
    PUT(s, 0x9C);
    if (sequence_below(s, 4) == 0 && !s->host.no_resume_flag)
        PUT(s, 0x81, 0x04, 0x24, BYTES_OF_4(FLAG_R));
    PUT(s, 0x6A, 0x08);
    PUT(s, 0x48, 0x8D, 0x0D, BYTES_OF_4(3)); /* LEA RCX, behind the IRET */
    PUT(s, 0x51);
    PUT(s, 0x48, 0xCF);
}

static void emit_divide(struct sequence *s, const struct row *row)
{
    (void)row;
    PUT(s, 0x31, 0xD2);
    put_set(s, RCX, sequence_below(s, 3));
    PUT(s, 0xF7, 0xF1);
}

static void emit_software_interrupt(struct sequence *s, const struct row *row)
{
    (void)row;
    PUT(s, 0xCD, (uint8_t)(ORACLE_IRQ + sequence_below(s, 16)));
}

/* ---- interrupts: what is sent comes before the second next instruction is done at the latest ----------- */

enum { ICR = 0x300, ICR_HIGH = 0x310, TPR = 0x80, ICR_SELF = 0x44000, ICR_NMI = 0x4400 };

void put_store(struct sequence *s, unsigned apic_register, uint32_t value)
{
    uint32_t at = ORACLE_AT(PAGE_DEVICE, apic_register);
    PUT(s, 0xC7, 0x04, 0x25, BYTES_OF_4(at), BYTES_OF_4(value));
}

/* Where it is taken a jump too late, run.c says it was here. */
static void put_send(struct sequence *s, uint32_t command)
{
    put_store(s, ICR, command);
    PUT(s, 0xEB, 0x00);
}

static uint32_t any_interrupt(struct sequence *s) { return ICR_SELF + ORACLE_IRQ + sequence_below(s, 16); }

static void emit_interrupt(struct sequence *s, const struct row *row)
{
    (void)row;
    put_send(s, any_interrupt(s));
}

static void put_nmi(struct sequence *s)
{
    put_store(s, ICR_HIGH, 0);
    put_send(s, ICR_NMI);
}

static void emit_nmi(struct sequence *s, const struct row *row)
{
    (void)row;
    put_nmi(s);
}

static void emit_sti(struct sequence *s, const struct row *row)
{
    (void)row;
    if (s->mood == MOOD_STEPPED && s->host.no_trap_behind_sti) {
        PUT(s, 0x90);
        return;
    }
    PUT(s, 0xFA);
    put_store(s, TPR, 0);
    put_send(s, any_interrupt(s));
    PUT(s, 0xFB);
    switch (sequence_below(s, 4)) {
    case 0: /* a trap between STI and HLT would let the interrupt come before this */
        PUT(s, s->mood == MOOD_PLAIN ? 0xF4 : 0x90);
        break;
    case 1: PUT(s, 0xFA); break;
    case 2:
        PUT(s, 0x0F, 0x31);
        put_set(s, RAX, 1);
        put_set(s, RDX, 2);
        break;
    default: PUT(s, 0x90);
    }
}

static void emit_mov_ss(struct sequence *s, const struct row *row)
{
    (void)row;
    PUT(s, 0x8C, 0xD0);
    PUT(s, 0x8E, 0xD0);
    if (coin(s))
        PUT(s, 0xCD, (uint8_t)(ORACLE_IRQ + sequence_below(s, 16)));
    else if (coin(s))
        PUT(s, 0xE6, 0x80);
    else
        PUT(s, 0x90);
}

static void emit_push_pop(struct sequence *s, const struct row *row)
{
    uint64_t from = sequence_place(s, 8, false), to = sequence_place(s, 8, false);

    (void)row;
    put_set(s, RSI, from);
    put_set(s, RDI, to);
    PUT(s, 0xFF, 0x36);
    PUT(s, 0x8F, 0x07);
}

/* ---- the table ------------------------------------------------------------------------------------------- */

enum {
    LOGIC = FLAG_A,
    SHIFT = FLAG_A | FLAG_O | FLAG_C,
    ROTATE = FLAG_O,
    MULTIPLY = FLAG_S | FLAG_Z | FLAG_A | FLAG_P,
    BITS = FLAG_O | FLAG_S | FLAG_A | FLAG_P,
};
#define CODE(bytes) bytes, sizeof(bytes) - 1
/* clang-format off */
#define MODRM(name, weight, bytes, prefix, digit, immediate, form, undefined) \
    {name, weight, emit_modrm, CODE(bytes), prefix, digit, immediate, form, undefined},
#define PLAIN(name, weight, bytes) {name, weight, emit_plain, CODE(bytes), 0, 0, 0, 0, 0},
#define SPECIAL(name, weight, emit, form, undefined) {name, weight, emit, CODE(""), 0, 0, 0, form, undefined},

const struct row oracle_rows[] = {
    /* name, weight, opcode, prefix, digit, immediate, form, undefined */
    MODRM("ADD r/m, r", 3, "\x01", 0, -1, 0, BYTE | LOCKABLE, 0)
    MODRM("ADC r/m, r", 1, "\x11", 0, -1, 0, BYTE | LOCKABLE, 0)
    MODRM("SBB r, r/m", 1, "\x1B", 0, -1, 0, BYTE, 0)
    MODRM("AND r/m, r", 1, "\x21", 0, -1, 0, BYTE | LOCKABLE, LOGIC)
    MODRM("SUB r, r/m", 2, "\x2B", 0, -1, 0, BYTE, 0)
    MODRM("XOR r/m, imm", 2, "\x81", 0, 6, 4, BYTE | LOCKABLE, LOGIC)
    MODRM("CMP r/m, imm8", 2, "\x83", 0, 7, 1, 0, 0)
    MODRM("TEST r/m, imm", 2, "\xF7", 0, 0, 4, BYTE, LOGIC)
    MODRM("MOV r/m, r", 5, "\x89", 0, -1, 0, BYTE, 0)
    MODRM("MOV r, r/m", 5, "\x8B", 0, -1, 0, BYTE, 0)
    MODRM("MOV r/m, imm", 2, "\xC7", 0, 0, 4, BYTE, 0)
    MODRM("XCHG r/m, r", 2, "\x87", 0, -1, 0, BYTE | LOCKABLE, 0)
    MODRM("INC r/m", 1, "\xFF", 0, 0, 0, BYTE | LOCKABLE, 0)
    MODRM("NEG r/m", 1, "\xF7", 0, 3, 0, BYTE | LOCKABLE, 0)
    MODRM("NOT r/m", 1, "\xF7", 0, 2, 0, BYTE | LOCKABLE, 0)
    MODRM("MUL r/m", 1, "\xF7", 0, 4, 0, BYTE, MULTIPLY)
    MODRM("IMUL r, r/m", 1, "\x0F\xAF", 0, -1, 0, 0, MULTIPLY)
    MODRM("SHL r/m, 1", 1, "\xD1", 0, 4, 0, BYTE, LOGIC)
    MODRM("SAR r/m, imm", 1, "\xC1", 0, 7, 1, WIDE, SHIFT)
    MODRM("ROL r/m, CL", 1, "\xD3", 0, 0, 0, WIDE, ROTATE)
    MODRM("SHLD r/m, r, imm", 1, "\x0F\xA4", 0, -1, 1, WIDE, SHIFT)
    MODRM("MOVZX r, m8", 1, "\x0F\xB6", 0, -1, 0, OF_1 | MEMORY, 0)
    MODRM("MOVSX r, m16", 1, "\x0F\xBF", 0, -1, 0, OF_2 | MEMORY | WIDE, 0)
    MODRM("MOVSXD r, m32", 1, "\x63", 0, -1, 0, OF_4 | MEMORY | WIDE, 0)
    MODRM("CMOVZ r, r/m", 1, "\x0F\x44", 0, -1, 0, 0, 0)
    MODRM("CMOVNC r, r/m", 1, "\x0F\x43", 0, -1, 0, 0, 0)
    MODRM("SETC r/m", 1, "\x0F\x92", 0, 0, 0, OF_1 | MEMORY, 0)
    MODRM("BT r/m, imm", 1, "\x0F\xBA", 0, 4, 1, 0, BITS)
    MODRM("BTS r/m, imm", 1, "\x0F\xBA", 0, 5, 1, LOCKABLE, BITS)
    MODRM("XADD r/m, r", 2, "\x0F\xC1", 0, -1, 0, BYTE | LOCKABLE, 0)
    MODRM("CMPXCHG m, r", 2, "\x0F\xB1", 0, -1, 0, BYTE | LOCKABLE | MEMORY, 0)
    MODRM("CMPXCHG8B m", 1, "\x0F\xC7", 0, 1, 0, OF_8 | MEMORY | LOCKABLE | KEEPS_FLAGS, 0)
    MODRM("MOVNTI m, r", 1, "\x0F\xC3", 0, -1, 0, MEMORY | WIDE, 0)
    MODRM("MOVUPS x, x/m", 2, "\x0F\x10", 0, -1, 0, VECTOR, 0)
    MODRM("MOVUPS m, x", 2, "\x0F\x11", 0, -1, 0, VECTOR | MEMORY, 0)
    MODRM("MOVAPS m, x", 1, "\x0F\x29", 0, -1, 0, VECTOR | MEMORY | ALIGNED, 0)
    MODRM("MOVDQA x, m", 1, "\x0F\x6F", 0x66, -1, 0, VECTOR | MEMORY | ALIGNED, 0)
    MODRM("MOVSS x, m", 1, "\x0F\x10", 0xF3, -1, 0, VECTOR | OF_4 | MEMORY, 0)
    MODRM("MOVD x, m", 1, "\x0F\x6E", 0x66, -1, 0, VECTOR | OF_4 | MEMORY, 0)
    MODRM("MOVD m, x", 1, "\x0F\x7E", 0x66, -1, 0, VECTOR | OF_4 | MEMORY, 0)
    MODRM("MOVQ m, x", 1, "\x0F\xD6", 0x66, -1, 0, VECTOR | OF_8 | MEMORY, 0)
    MODRM("PXOR x, x/m", 1, "\x0F\xEF", 0x66, -1, 0, VECTOR | ALIGNED | NO_DEVICE, 0)
    MODRM("PADDD x, x/m", 1, "\x0F\xFE", 0x66, -1, 0, VECTOR | ALIGNED | NO_DEVICE, 0)
    {"MOVS", 5, emit_string, CODE("\xA5"), 0, 0, 0, 0, 0},
    {"STOS", 3, emit_string, CODE("\xAB"), 0, 0, 0, 0, 0},
    {"LODS", 1, emit_string, CODE("\xAD"), 0, 0, 0, 0, 0},
    {"SCAS", 1, emit_string, CODE("\xAF"), 0, 0, 1, 0, 0},
    {"CMPS", 1, emit_string, CODE("\xA7"), 0, 0, 1, 0, 0},
    {"INS", 2, emit_string_io, CODE("\x6C"), 0, 0, 0, 0, 0},
    {"OUTS", 2, emit_string_io, CODE("\x6E"), 0, 0, 0, 0, 0},
    SPECIAL("IN, OUT", 3, emit_io, 0, 0)
    SPECIAL("PUSH m; POP m", 2, emit_push_pop, 0, 0)
    SPECIAL("DIV", 1, emit_divide, 0, (uint32_t)FLAGS_ARITHMETIC)
    SPECIAL("CPUID", 3, emit_cpuid, HIDDEN, LOGIC)
    {"RDTSC", 1, emit_time, CODE("\x0F\x31"), 0, 0, 0, HIDDEN, 0},
    SPECIAL("RDMSR, WRMSR", 2, emit_msr, 0, 0)
    SPECIAL("MOV to CR", 3, emit_control, HIDDEN, BITS)
    SPECIAL("MOV to CR8", 1, emit_cr8, 0, 0)
    SPECIAL("LMSW, CLTS", 1, emit_ts, HIDDEN, LOGIC)
    SPECIAL("POPF", 3, emit_pop_flags, 0, 0)
    SPECIAL("IRET", 2, emit_iret, 0, 0)
    SPECIAL("INT n", 1, emit_software_interrupt, 0, 0)
    PLAIN("INT3", 1, "\xCC")
    PLAIN("INT1", 1, "\xF1")
    PLAIN("UD2", 1, "\x0F\x0B")
    PLAIN("INTO", 1, "\xCE")
    PLAIN("WBINVD", 1, "\x0F\x09")
    PLAIN("NOP", 1, "\x90")
    SPECIAL("interrupt", 3, emit_interrupt, SENDS, 0)
    SPECIAL("NMI", 3, emit_nmi, SENDS, 0)
    SPECIAL("STI", 3, emit_sti, HIDDEN | SENDS, 0)
    SPECIAL("MOV SS", 3, emit_mov_ss, 0, 0)
    {"BT m, r", 1, emit_bit_string, CODE("\x0F\xA3"), 0, 0, 0, 0, BITS},
    {"BTC m, r", 1, emit_bit_string, CODE("\x0F\xBB"), 0, 0, 0, LOCKABLE, BITS},
    SPECIAL("HLT, NMI", 2, emit_halt, SENDS, 0)
    SPECIAL("APIC timer", 2, emit_apic_timer, 0, LOGIC)
    SPECIAL("UART", 2, emit_loopback, 0, LOGIC)
    SPECIAL("RDTSCP, VMFUNC, INVPCID", 4, emit_enabled, HIDDEN, 0)
    SPECIAL("VMWRITE, VMREAD", 4, emit_linked, HIDDEN, (uint32_t)FLAGS_ARITHMETIC)
    SPECIAL("MMX moves", 2, emit_mmx, 0, 0)
    SPECIAL("AVX moves", 3, emit_avx, 0, 0)
};
/* clang-format on */
const unsigned oracle_row_count = sizeof oracle_rows / sizeof *oracle_rows;
