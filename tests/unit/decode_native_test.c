/* The processor that runs the test is the oracle for every form that computes or moves: on random operands and flags it
 * and CP must leave the same registers, memory and defined flags, or both raise #DE. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/mman.h>

#include "cp/decode/arithmetic.h"
#include "cp/decode/execute.h"
#include "cp/vcpu/vector.h"
#include "cp/vcpu/xstate.h"

enum { AX, CX, DX, BX, SP, BP, SI, DI, GPRS = 8, FAULT = -14, MEMORY_BYTES = 4096, MIDDLE = 2048, TIMES = 400 };
enum { STATUS_FLAGS = FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF, ROOM = 1088 };

/* What a form is executed with. */
struct registers {
    uint64_t gpr[GPRS], flags, mm1;
    uint8_t ymm1[32], ymm2[32];
};

static uint64_t seed = 88172645463325252;

static uint64_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* Values at which carries and overflows happen are likelier than chance would have it. */
static uint64_t value(void)
{
    static const uint64_t corners[] = {0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000,
                                       0xffffffff, INT64_MAX, (uint64_t)INT64_MIN, UINT64_MAX, 8, 31, 32, 0x0808};

    return rnd() % 2 ? rnd() : corners[rnd() % (sizeof corners / sizeof *corners)];
}

/* ---- the processor ------------------------------------------------------------------------------------ */

static uint8_t *code;
static sigjmp_buf divided;

static void on_fpe(int number)
{
    (void)number;
    siglongjmp(divided, 1);
}

static unsigned emit(unsigned at, const void *bytes, unsigned count)
{
    memcpy(code + at, bytes, count);
    return at + count;
}

/* R15 points to the struct: each part is at a displacement of a byte from its flags. */
enum { FLAGS_AT = offsetof(struct registers, flags) };
static unsigned emit_each(unsigned at, bool store, bool vectors)
{
    for (unsigned i = 0; i < GPRS; i++)
        if (i != SP && i != BP)
            at = emit(at, (uint8_t[]){0x49, store ? 0x89 : 0x8b, (uint8_t)(0x47 | i << 3),
                                      (uint8_t)(offsetof(struct registers, gpr) + 8 * i - FLAGS_AT)}, 4);
    if (!vectors)
        return at;
    at = emit(at, (uint8_t[]){0x41, 0x0f, store ? 0x7f : 0x6f, 0x4f, offsetof(struct registers, mm1) - FLAGS_AT}, 5);
    at = emit(at, (uint8_t[]){0xc4, 0xc1, 0x7c, store ? 0x11 : 0x10, 0x4f,
                              offsetof(struct registers, ymm1) - FLAGS_AT}, 6);
    return emit(at, (uint8_t[]){0xc4, 0xc1, 0x7c, store ? 0x11 : 0x10, 0x57,
                                offsetof(struct registers, ymm2) - FLAGS_AT}, 6);
}

/* A function that takes a struct registers, executes the instruction with it, and puts what comes of it there. */
static void native(const uint8_t *bytes, unsigned count, struct registers *r, bool vectors)
{
    static const uint8_t begin[] = {0x53, 0x41, 0x57, 0x55, 0x49, 0x89, 0xff, /* push rbx, r15, rbp; mov r15,rdi */
                                    0x49, 0x81, 0xc7, FLAGS_AT, 0, 0, 0,      /* add r15,FLAGS_AT */
                                    0x41, 0xff, 0x37, 0x9d};                  /* push [r15]; popf */
    static const uint8_t flags_out[] = {0x9c, 0x41, 0x8f, 0x07, 0xfc}; /* pushf; pop [r15]; cld */
    static const uint8_t end[] = {0x0f, 0x77, 0xc5, 0xf8, 0x77, 0x5d, 0x41, 0x5f, 0x5b, 0xc3}; /* emms; vzeroupper */
    static const uint8_t end_plain[] = {0x5d, 0x41, 0x5f, 0x5b, 0xc3};
    unsigned at = emit(0, begin, sizeof begin);

    at = emit_each(at, false, vectors);
    at = emit(at, bytes, count);
    at = emit(at, flags_out, sizeof flags_out);
    at = emit_each(at, true, vectors);
    if (vectors)
        emit(at, end, sizeof end);
    else
        emit(at, end_plain, sizeof end_plain);
    ((void (*)(struct registers *))(uintptr_t)code)(r);
}

/* ---- CP ------------------------------------------------------------------------------------------------- */

static struct {
    struct registers r;
    uint8_t memory[MEMORY_BYTES];
    uint64_t at; /* the address of memory[0] for the processor */
    uint8_t area[ROOM] __attribute__((aligned(64)));
    unsigned reads, writes;
} cp;

static uint64_t read_gpr(void *context, unsigned reg) { return (void)context, cp.r.gpr[reg]; }
static void write_gpr(void *context, unsigned reg, uint64_t to) { (void)context, cp.r.gpr[reg] = to; }
static uint64_t read_flags(void *context) { return (void)context, cp.r.flags; }
static void write_flags(void *context, uint64_t flags) { (void)context, cp.r.flags = flags; }
static uint64_t segment_base(void *context, enum segment segment) { return (void)context, (void)segment, 0; }
static int fault(void *context, unsigned vector) { return (void)context, (void)vector, FAULT; }
static int permitted(void *context, enum instruction_class class) { return (void)context, (void)class, 0; }

static int read(void *context, uint64_t linear, unsigned size, void *to)
{
    (void)context;
    assert_true(linear >= cp.at && linear + size <= cp.at + MEMORY_BYTES);
    memcpy(to, cp.memory + (linear - cp.at), size);
    cp.reads++;
    return 0;
}

static int write(void *context, uint64_t linear, unsigned size, const void *from)
{
    (void)context;
    assert_true(linear >= cp.at && linear + size <= cp.at + MEMORY_BYTES);
    memcpy(cp.memory + (linear - cp.at), from, size);
    cp.writes++;
    return 0;
}

static void vector_read(void *context, enum operand kind, unsigned reg, uint8_t to[EXECUTE_VECTOR])
{
    (void)context;
    vector_get(cp.area, kind, reg, to);
}

static void vector_write(void *context, enum operand kind, unsigned reg, const uint8_t from[EXECUTE_VECTOR],
                         unsigned bytes, bool clear)
{
    (void)context;
    vector_put(cp.area, 0, kind, reg, from, bytes, clear);
}

static const struct execute_seams seams = {
    .read_gpr = read_gpr, .write_gpr = write_gpr, .read_flags = read_flags, .write_flags = write_flags,
    .segment_base = segment_base, .read = read, .write = write, .fault = fault, .permitted = permitted,
    .vector_read = vector_read, .vector_write = vector_write, .has_tzcnt = true, .has_lzcnt = true,
};

/* All that CP is given is in the area, and what it leaves comes from there. */
static int carried_out(const struct instruction *in)
{
    uint8_t low[EXECUTE_VECTOR];

    memset(cp.area, 0, sizeof cp.area);
    cp.area[XSTATE_HEADER] = 7;
    memset(low, 0, sizeof low);
    memcpy(low, &cp.r.mm1, 8);
    vector_put(cp.area, 0, OPERAND_MMX, 1, low, 8, false);
    vector_put(cp.area, 0, OPERAND_XMM, 1, cp.r.ymm1, 32, true);
    vector_put(cp.area, 0, OPERAND_XMM, 2, cp.r.ymm2, 32, true);
    int result;
    while ((result = instruction_execute(in, &seams, 0)) == EXECUTE_AGAIN)
        ;
    vector_get(cp.area, OPERAND_MMX, 1, low);
    memcpy(&cp.r.mm1, low, 8);
    vector_get(cp.area, OPERAND_XMM, 1, cp.r.ymm1);
    vector_get(cp.area, OPERAND_XMM, 2, cp.r.ymm2);
    return result;
}

/* ---- forms ------------------------------------------------------------------------------------------------- */

enum { BYTE = 1, WORD = 2, LONG = 4, QUAD = 8, ALL = 15, WIDE = 14, LONG_QUAD = 12, NOT_SIZED = 16 };
enum { ONE, TWO, THREE_38, THREE_3A, VEX = 8, VEX_256 = 16 };
enum { AF = FLAG_AF, OF = FLAG_OF, ARITHMETIC_LEFT = FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF };
enum { BIT_SCAN = FLAG_CF | FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF, BIT_TEST = OF | FLAG_SF | AF | FLAG_PF,
       COUNTED = OF | FLAG_SF | FLAG_PF | AF, BMI = AF | FLAG_PF };
enum special { PLAIN, COUNT, DOUBLE, NOT_ZERO, DIVIDES, STRING_OF, TRANSLATE, PAIR, BITS_AROUND };

struct form {
    const char *name;
    uint8_t map, prefix, opcode, reg, sizes, immediate; /* bytes of it: 1, or 4 for those of the operand size */
    unsigned undefined;
    enum special special;
    bool vector;
};

#define ALU(name, n, u) \
    {name " m,r", ONE, 0, (n)*8 + 1, DX, ALL, 0, u, PLAIN, false}, {name " r,m", ONE, 0, (n)*8 + 3, DX, ALL, 0, u, \
    PLAIN, false}, {name " m,i", ONE, 0, 0x81, n, ALL, 4, u, PLAIN, false}, \
    {name " m,i8", ONE, 0, 0x83, n, WIDE, 1, u, PLAIN, false}
#define SHIFT(name, n, u) \
    {name " 1", ONE, 0, 0xd1, n, ALL, 0, (u) & ~OF, COUNT, false}, {name " i", ONE, 0, 0xc1, n, ALL, 1, u, COUNT, \
    false}, {name " cl", ONE, 0, 0xd3, n, ALL, 0, u, COUNT, false}
#define OTHER(name, map, prefix, opcode, reg, sizes, immediate, undefined, special) \
    {name, map, prefix, opcode, reg, sizes, immediate, undefined, special, false}
#define MOVE(name, map, prefix, opcode) {name, map, prefix, opcode, 1, NOT_SIZED, 0, 0, PLAIN, true}
#define MOVES(name, map, prefix, opcode) MOVE(name " load", map, prefix, opcode), \
    MOVE(name " store", map, prefix, (opcode) + 1)

#define VMOVE(name, prefix, opcode) MOVE(name, TWO | VEX, prefix, opcode)
#define VMOVES(name, prefix, opcode) MOVES(name, TWO | VEX, prefix, opcode)
#define YMOVE(name, prefix, opcode) MOVE(name, TWO | VEX | VEX_256, prefix, opcode)
#define YMOVES(name, prefix, opcode) MOVES(name, TWO | VEX | VEX_256, prefix, opcode)

static const struct form forms[] = {
    ALU("add", 0, 0), ALU("or", 1, AF), ALU("adc", 2, 0), ALU("sbb", 3, 0), ALU("and", 4, AF), ALU("sub", 5, 0),
    ALU("xor", 6, AF), ALU("cmp", 7, 0),
    SHIFT("rol", 0, OF), SHIFT("ror", 1, OF), SHIFT("rcl", 2, OF), SHIFT("rcr", 3, OF), SHIFT("shl", 4, OF | AF),
    SHIFT("shr", 5, OF | AF), SHIFT("sal", 6, OF | AF), SHIFT("sar", 7, OF | AF),
    OTHER("test m,i", ONE, 0, 0xf7, 1, ALL, 4, AF, PLAIN), OTHER("not", ONE, 0, 0xf7, 2, ALL, 0, 0, PLAIN),
    OTHER("neg", ONE, 0, 0xf7, 3, ALL, 0, 0, PLAIN), OTHER("mul", ONE, 0, 0xf7, 4, ALL, 0, ARITHMETIC_LEFT, PLAIN),
    OTHER("imul", ONE, 0, 0xf7, 5, ALL, 0, ARITHMETIC_LEFT, PLAIN),
    OTHER("div", ONE, 0, 0xf7, 6, ALL, 0, STATUS_FLAGS, DIVIDES),
    OTHER("idiv", ONE, 0, 0xf7, 7, ALL, 0, STATUS_FLAGS, DIVIDES),
    OTHER("inc", ONE, 0, 0xff, 0, ALL, 0, 0, PLAIN), OTHER("dec", ONE, 0, 0xff, 1, ALL, 0, 0, PLAIN),
    OTHER("imul r,m,i", ONE, 0, 0x69, DX, WIDE, 4, ARITHMETIC_LEFT, PLAIN),
    OTHER("imul r,m,i8", ONE, 0, 0x6b, DX, WIDE, 1, ARITHMETIC_LEFT, PLAIN),
    OTHER("imul r,m", TWO, 0, 0xaf, DX, WIDE, 0, ARITHMETIC_LEFT, PLAIN),
    OTHER("xlat", ONE, 0, 0xd7, 0, NOT_SIZED, 0, 0, TRANSLATE),
    OTHER("shld i", TWO, 0, 0xa4, DX, WIDE, 1, OF | AF, DOUBLE),
    OTHER("shld cl", TWO, 0, 0xa5, DX, WIDE, 0, OF | AF, DOUBLE),
    OTHER("shrd i", TWO, 0, 0xac, DX, WIDE, 1, OF | AF, DOUBLE),
    OTHER("shrd cl", TWO, 0, 0xad, DX, WIDE, 0, OF | AF, DOUBLE),
    OTHER("bsf", TWO, 0, 0xbc, DX, WIDE, 0, BIT_SCAN, NOT_ZERO),
    OTHER("bsr", TWO, 0, 0xbd, DX, WIDE, 0, BIT_SCAN, NOT_ZERO),
    OTHER("tzcnt", TWO, 0xf3, 0xbc, DX, WIDE, 0, COUNTED, PLAIN),
    OTHER("lzcnt", TWO, 0xf3, 0xbd, DX, WIDE, 0, COUNTED, PLAIN),
    OTHER("popcnt", TWO, 0xf3, 0xb8, DX, WIDE, 0, 0, PLAIN),
    OTHER("bt", TWO, 0, 0xba, 4, WIDE, 1, BIT_TEST, PLAIN), OTHER("bts", TWO, 0, 0xba, 5, WIDE, 1, BIT_TEST, PLAIN),
    OTHER("btr", TWO, 0, 0xba, 6, WIDE, 1, BIT_TEST, PLAIN), OTHER("btc", TWO, 0, 0xba, 7, WIDE, 1, BIT_TEST, PLAIN),
    OTHER("bt r", TWO, 0, 0xa3, DX, WIDE, 0, BIT_TEST, BITS_AROUND),
    OTHER("bts r", TWO, 0, 0xab, DX, WIDE, 0, BIT_TEST, BITS_AROUND),
    OTHER("btr r", TWO, 0, 0xb3, DX, WIDE, 0, BIT_TEST, BITS_AROUND),
    OTHER("btc r", TWO, 0, 0xbb, DX, WIDE, 0, BIT_TEST, BITS_AROUND),
    OTHER("add dh,m", ONE, 0, 0x03, 6, BYTE, 0, 0, PLAIN),
    OTHER("test m,r", ONE, 0, 0x85, DX, ALL, 0, AF, PLAIN),
    OTHER("xadd", TWO, 0, 0xc1, DX, ALL, 0, 0, PLAIN), OTHER("cmpxchg", TWO, 0, 0xb1, DX, ALL, 0, 0, PLAIN),
    OTHER("xchg", ONE, 0, 0x87, DX, ALL, 0, 0, PLAIN), OTHER("mov m,r", ONE, 0, 0x89, DX, ALL, 0, 0, PLAIN),
    OTHER("mov r,m", ONE, 0, 0x8b, DX, ALL, 0, 0, PLAIN), OTHER("mov m,i", ONE, 0, 0xc7, 0, ALL, 4, 0, PLAIN),
    OTHER("mov dh,m", ONE, 0, 0x8b, 6, BYTE, 0, 0, PLAIN),
    OTHER("cmpxchg8b", TWO, 0, 0xc7, 1, LONG, 0, 0, PAIR), OTHER("cmpxchg16b", TWO, 0, 0xc7, 1, QUAD, 0, 0, PAIR),
    OTHER("movzx b", TWO, 0, 0xb6, DX, WIDE, 0, 0, PLAIN), OTHER("movzx w", TWO, 0, 0xb7, DX, WIDE, 0, 0, PLAIN),
    OTHER("movsx b", TWO, 0, 0xbe, DX, WIDE, 0, 0, PLAIN), OTHER("movsx w", TWO, 0, 0xbf, DX, WIDE, 0, 0, PLAIN),
    OTHER("movsxd", ONE, 0, 0x63, DX, LONG_QUAD, 0, 0, PLAIN),
    OTHER("movnti", TWO, 0, 0xc3, DX, LONG_QUAD, 0, 0, PLAIN),
    OTHER("movbe r,m", THREE_38, 0, 0xf0, DX, WIDE, 0, 0, PLAIN),
    OTHER("movbe m,r", THREE_38, 0, 0xf1, DX, WIDE, 0, 0, PLAIN),
    OTHER("crc32 b", THREE_38, 0xf2, 0xf0, DX, LONG_QUAD, 0, 0, PLAIN),
    OTHER("crc32", THREE_38, 0xf2, 0xf1, DX, WIDE, 0, 0, PLAIN),
    OTHER("adcx", THREE_38, 0x66, 0xf6, DX, LONG_QUAD, 0, 0, PLAIN),
    OTHER("adox", THREE_38, 0xf3, 0xf6, DX, LONG_QUAD, 0, 0, PLAIN),
    OTHER("andn", THREE_38 | VEX, 0, 0xf2, DX, LONG_QUAD, 0, BMI, PLAIN),
    OTHER("blsr", THREE_38 | VEX, 0, 0xf3, 1, LONG_QUAD, 0, BMI, PLAIN),
    OTHER("blsmsk", THREE_38 | VEX, 0, 0xf3, 2, LONG_QUAD, 0, BMI, PLAIN),
    OTHER("blsi", THREE_38 | VEX, 0, 0xf3, 3, LONG_QUAD, 0, BMI, PLAIN),
    OTHER("bzhi", THREE_38 | VEX, 0, 0xf5, DX, LONG_QUAD, 0, BMI, PLAIN),
    OTHER("pext", THREE_38 | VEX, 0xf3, 0xf5, DX, LONG_QUAD, 0, 0, PLAIN),
    OTHER("pdep", THREE_38 | VEX, 0xf2, 0xf5, DX, LONG_QUAD, 0, 0, PLAIN),
    OTHER("mulx", THREE_38 | VEX, 0xf2, 0xf6, CX, LONG_QUAD, 0, 0, PLAIN),
    OTHER("mulx twice", THREE_38 | VEX, 0xf2, 0xf6, BX, LONG_QUAD, 0, 0, PLAIN),
    OTHER("bextr", THREE_38 | VEX, 0, 0xf7, DX, LONG_QUAD, 0, BMI | FLAG_SF, PLAIN),
    OTHER("shlx", THREE_38 | VEX, 0x66, 0xf7, DX, LONG_QUAD, 0, 0, PLAIN),
    OTHER("sarx", THREE_38 | VEX, 0xf3, 0xf7, DX, LONG_QUAD, 0, 0, PLAIN),
    OTHER("shrx", THREE_38 | VEX, 0xf2, 0xf7, DX, LONG_QUAD, 0, 0, PLAIN),
    OTHER("rorx", THREE_3A | VEX, 0xf2, 0xf0, DX, LONG_QUAD, 1, 0, PLAIN),
#define CONDITION(n) OTHER("cmov " #n, TWO, 0, 0x40 + n, DX, WIDE, 0, 0, PLAIN), \
    OTHER("set " #n, TWO, 0, 0x90 + n, 0, NOT_SIZED, 0, 0, PLAIN)
    CONDITION(0), CONDITION(1), CONDITION(2), CONDITION(3), CONDITION(4), CONDITION(5), CONDITION(6), CONDITION(7),
    CONDITION(8), CONDITION(9), CONDITION(10), CONDITION(11), CONDITION(12), CONDITION(13), CONDITION(14),
    CONDITION(15),
#define STRINGS(name, opcode, u) OTHER(name, ONE, 0, opcode, 0, ALL, 0, u, STRING_OF), \
    OTHER("rep " name, ONE, 0xf3, opcode, 0, ALL, 0, u, STRING_OF), \
    OTHER("repne " name, ONE, 0xf2, opcode, 0, ALL, 0, u, STRING_OF)
    STRINGS("movs", 0xa5, 0), STRINGS("cmps", 0xa7, 0), STRINGS("stos", 0xab, 0), STRINGS("lods", 0xad, 0),
    STRINGS("scas", 0xaf, 0),

    MOVES("movups", TWO, 0, 0x10), MOVES("movupd", TWO, 0x66, 0x10), MOVES("movss", TWO, 0xf3, 0x10),
    MOVES("movsd", TWO, 0xf2, 0x10), MOVES("movlps", TWO, 0, 0x12), MOVES("movlpd", TWO, 0x66, 0x12),
    MOVES("movhps", TWO, 0, 0x16), MOVES("movhpd", TWO, 0x66, 0x16), MOVES("movaps", TWO, 0, 0x28),
    MOVES("movapd", TWO, 0x66, 0x28), MOVE("movntps", TWO, 0, 0x2b), MOVE("movntpd", TWO, 0x66, 0x2b),
    MOVE("movd mm", TWO, 0, 0x6e), MOVE("movd m,mm", TWO, 0, 0x7e), MOVE("movd", TWO, 0x66, 0x6e),
    MOVE("movd m", TWO, 0x66, 0x7e), MOVE("movq mm", TWO, 0, 0x6f), MOVE("movq m,mm", TWO, 0, 0x7f),
    MOVE("movdqa", TWO, 0x66, 0x6f), MOVE("movdqa m", TWO, 0x66, 0x7f), MOVE("movdqu", TWO, 0xf3, 0x6f),
    MOVE("movdqu m", TWO, 0xf3, 0x7f), MOVE("movq", TWO, 0xf3, 0x7e), MOVE("movq m", TWO, 0x66, 0xd6),
    MOVE("movntq", TWO, 0, 0xe7), MOVE("movntdq", TWO, 0x66, 0xe7), MOVE("lddqu", TWO, 0xf2, 0xf0),
    MOVE("movntdqa", THREE_38, 0x66, 0x2a),
    VMOVES("vmovups", 0, 0x10), VMOVES("vmovupd", 0x66, 0x10), VMOVES("vmovss", 0xf3, 0x10),
    VMOVES("vmovsd", 0xf2, 0x10), VMOVES("vmovlps", 0, 0x12), VMOVES("vmovlpd", 0x66, 0x12),
    VMOVES("vmovhps", 0, 0x16), VMOVES("vmovhpd", 0x66, 0x16), VMOVES("vmovaps", 0, 0x28),
    VMOVES("vmovapd", 0x66, 0x28), VMOVE("vmovntps", 0, 0x2b), VMOVE("vmovntpd", 0x66, 0x2b),
    VMOVE("vmovd", 0x66, 0x6e), VMOVE("vmovd m", 0x66, 0x7e), VMOVE("vmovdqa", 0x66, 0x6f),
    VMOVE("vmovdqa m", 0x66, 0x7f), VMOVE("vmovdqu", 0xf3, 0x6f), VMOVE("vmovdqu m", 0xf3, 0x7f),
    VMOVE("vmovq", 0xf3, 0x7e), VMOVE("vmovq m", 0x66, 0xd6), VMOVE("vmovntdq", 0x66, 0xe7),
    VMOVE("vlddqu", 0xf2, 0xf0), MOVE("vmovntdqa", THREE_38 | VEX, 0x66, 0x2a), YMOVES("vmovups ymm", 0, 0x10),
    YMOVES("vmovupd ymm", 0x66, 0x10), YMOVES("vmovaps ymm", 0, 0x28), YMOVES("vmovapd ymm", 0x66, 0x28),
    YMOVE("vmovntps ymm", 0, 0x2b), YMOVE("vmovntpd ymm", 0x66, 0x2b), YMOVE("vmovdqa ymm", 0x66, 0x6f),
    YMOVE("vmovdqa m,ymm", 0x66, 0x7f), YMOVE("vmovdqu ymm", 0xf3, 0x6f), YMOVE("vmovdqu m,ymm", 0xf3, 0x7f),
    YMOVE("vmovntdq ymm", 0x66, 0xe7), YMOVE("vlddqu ymm", 0xf2, 0xf0),
};

/* VEX.vvvv is BX, or vector register 2; unused with those that have none. */
static bool has_vvvv(const struct form *f)
{
    bool half = (f->map & 3) == TWO && (f->opcode == 0x12 || f->opcode == 0x16);
    return (f->map & 3) == THREE_38 ? f->opcode >= 0xf0 : half;
}

static unsigned assemble_vex(const struct form *f, unsigned size, uint8_t *bytes)
{
    unsigned prefix = f->prefix == 0x66 ? 1 : f->prefix == 0xf3 ? 2 : f->prefix == 0xf2 ? 3 : 0;
    unsigned vvvv = !has_vvvv(f) ? 15 : 15 - (f->vector ? 2u : BX);

    bytes[0] = 0xc4;
    bytes[1] = (uint8_t)(0xe0 | (f->map & 3));
    bytes[2] = (uint8_t)((size == 8) << 7 | vvvv << 3 | (f->map & VEX_256 ? 4 : 0) | prefix);
    return 3;
}

/* [RDI], whatever the size; how many bytes */
static unsigned assemble(const struct form *f, unsigned size, uint8_t *bytes)
{
    unsigned at = 0, immediate = f->immediate == 4 && size < 4 ? size : f->immediate;
    bool narrow = size == 1 && (f->map == ONE || f->opcode >= 0xb0) && f->map != THREE_38;
    bool has_modrm = f->special != STRING_OF && f->special != TRANSLATE;

    if (f->map & VEX) {
        at = assemble_vex(f, size, bytes);
    } else {
        if (f->prefix)
            bytes[at++] = f->prefix;
        if (size == 2)
            bytes[at++] = 0x66;
        if (size == 8)
            bytes[at++] = 0x48;
        if (f->map)
            bytes[at++] = 0x0f;
        if (f->map > TWO)
            bytes[at++] = f->map == THREE_38 ? 0x38 : 0x3a;
    }
    bytes[at++] = (uint8_t)(f->opcode - narrow);
    if (has_modrm)
        bytes[at++] = (uint8_t)(f->reg << 3 | DI);
    for (unsigned i = 0; i < immediate; i++)
        bytes[at++] = (uint8_t)rnd();
    return at;
}

/* Registers and memory in which the form has its operands at the middle, and room around. */
static void prepare(const struct form *f, unsigned size, struct registers *r, uint8_t *memory)
{
    uint64_t held[4] = {value(), value(), value(), value()};

    for (unsigned i = 0; i < GPRS; i++)
        r->gpr[i] = value();
    r->flags = (rnd() & STATUS_FLAGS) | 0x202;
    r->mm1 = value();
    for (unsigned i = 0; i < 32; i++)
        r->ymm1[i] = (uint8_t)rnd(), r->ymm2[i] = (uint8_t)rnd();
    for (unsigned i = 0; i < MEMORY_BYTES; i++)
        memory[i] = f->special == STRING_OF ? (uint8_t)(rnd() % 8 ? 0x11 : 0x12) : (uint8_t)rnd();
    if (f->special != STRING_OF && rnd() % 4 == 0)
        held[0] = r->gpr[AX], held[size == 8] = size == 8 ? r->gpr[DX] : (uint32_t)r->gpr[AX] | r->gpr[DX] << 32;
    if (f->special == NOT_ZERO && !(held[0] & 0xffff))
        held[0] |= 0x8001;
    if (f->special == BITS_AROUND)
        r->gpr[DX] = (uint64_t)((int64_t)(rnd() % 16000) - 8000);
    if (f->special == DIVIDES && rnd() % 2)
        r->gpr[DX] = rnd() % 2 ? 0 : UINT64_MAX, r->gpr[AX] >>= rnd() % 32;
    if (f->special != STRING_OF)
        memcpy(memory + MIDDLE, held, sizeof held);
    r->gpr[DI] = (uint64_t)(uintptr_t)(memory + MIDDLE);
    if (f->special == TRANSLATE)
        r->gpr[BX] = (uint64_t)(uintptr_t)(memory + MIDDLE) - (rnd() & 0xff);
    if (f->special != STRING_OF)
        return;
    r->gpr[SI] = (uint64_t)(uintptr_t)(memory + 1024);
    r->gpr[CX] = rnd() % 40;
    r->gpr[AX] = 0x1111111111111111;
    r->flags |= rnd() % 2 ? FLAG_DF : 0;
}

/* Of a shift by more than the operand has bits, CF is undefined too; by more than 16 of 16 bits, all. */
static unsigned undefined(const struct form *f, unsigned size, const uint8_t *bytes, unsigned count,
                          const struct registers *r)
{
    unsigned by = (f->immediate ? bytes[count - 1] : (unsigned)r->gpr[CX]) & (size == 8 ? 63 : 31);

    if (f->special == COUNT && (f->opcode & 0xfe) == 0xd0)
        return f->undefined;
    if (f->special == COUNT && f->reg >= 4 && by >= 8 * size)
        return f->undefined | FLAG_CF;
    return f->undefined;
}

static bool skipped(const struct form *f, unsigned size, const uint8_t *bytes, unsigned count,
                    const struct registers *r)
{
    unsigned by = (f->immediate ? bytes[count - 1] : (unsigned)r->gpr[CX]) & 31;
    return f->special == DOUBLE && size == 2 && by > 16;
}

static void complain(const struct form *f, unsigned size, const char *what, const struct registers *before,
                     const struct registers *theirs, const uint8_t *bytes)
{
    print_error("%02x %02x %02x %02x %02x %02x %02x %02x flags %llx: theirs %llx, ours %llx\n", bytes[0], bytes[1],
                bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7], (unsigned long long)before->flags,
                (unsigned long long)theirs->flags, (unsigned long long)cp.r.flags);
    for (unsigned i = 0; i < GPRS; i++)
        print_error("%u: %llx theirs %llx ours %llx\n", i, (unsigned long long)before->gpr[i],
                    (unsigned long long)theirs->gpr[i], (unsigned long long)cp.r.gpr[i]);
    fail_msg("%s, %u bits: other %s", f->name, size * 8, what);
}

static void check_once(const struct form *f, unsigned size)
{
    static uint8_t memory[MEMORY_BYTES] __attribute__((aligned(64)));
    uint8_t bytes[16] = {0};
    unsigned count = assemble(f, size, bytes);
    struct registers before, r;
    struct instruction in;
    volatile bool faulted = false;

    prepare(f, size, &before, memory);
    if (skipped(f, size, bytes, count, &before))
        return;
    cp.at = (uint64_t)(uintptr_t)memory;
    cp.reads = cp.writes = 0;
    memcpy(cp.memory, memory, sizeof memory);
    cp.r = r = before;
    if (instruction_decode(bytes, count, DECODE_64, &in) != DECODE_OK || in.length != count)
        complain(f, size, "decoding", &before, &before, bytes);
    int result = carried_out(&in);
    if (sigsetjmp(divided, 1) == 0)
        native(bytes, count, &r, f->vector);
    else
        faulted = true;
    if (faulted != (result == FAULT))
        complain(f, size, "fault", &before, &r, bytes);
    if (faulted)
        return;
    if (memcmp(memory, cp.memory, sizeof memory))
        complain(f, size, "memory", &before, &r, bytes);
    if (memcmp(r.gpr, cp.r.gpr, sizeof r.gpr))
        complain(f, size, "registers", &before, &r, bytes);
    if ((r.flags ^ cp.r.flags) & STATUS_FLAGS & ~undefined(f, size, bytes, count, &before))
        complain(f, size, "flags", &before, &r, bytes);
    if (f->vector && (r.mm1 != cp.r.mm1 || memcmp(r.ymm1, cp.r.ymm1, 32) || memcmp(r.ymm2, cp.r.ymm2, 32)))
        complain(f, size, "vector registers", &before, &r, bytes);
    if (f->special != STRING_OF && (cp.reads > 1 || cp.writes > 1))
        complain(f, size, "number of accesses", &before, &r, bytes);
}

/* Whether the processor that runs the test has it. */
static bool present(const struct form *f)
{
    if (f->map & VEX)
        return __builtin_cpu_supports("avx") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
    if (f->map == THREE_38)
        return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("bmi2"); /* since when MOVBE and ADX are */
    return !f->vector || __builtin_cpu_supports("avx");
}

static void each_form_does_what_the_processor_does(void **state)
{
    (void)state;
    struct sigaction action = {.sa_handler = on_fpe}, old;

    code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(code, MAP_FAILED);
    sigaction(SIGFPE, &action, &old);
    for (const struct form *f = forms; f < forms + sizeof forms / sizeof *forms; f++)
        for (unsigned n = 0; n < TIMES && present(f); n++) {
            if (f->sizes == NOT_SIZED)
                check_once(f, 4);
            else if (f->sizes & 1u << n % 4)
                check_once(f, 1u << n % 4);
        }
    sigaction(SIGFPE, &old, NULL);
    munmap(code, 4096);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_does_what_the_processor_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
