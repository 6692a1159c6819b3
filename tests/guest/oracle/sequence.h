/* A sequence of generated instructions: units, each an instance of a row of templates.c, made of a seed and a number
 * alone. Pure; run.c executes it.
 *
 * A unit that faults is left for the next one. Whatever the manual leaves undefined is told (flags), or overwritten
 * before the unit ends; RSP is at the end of a unit what it was at its start. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- where the operands lie: pages of a window, in linear addresses -------------- */

enum { ORACLE_WINDOW = 0x30000000, ORACLE_PAGE = 4096 };
enum oracle_page {
    PAGE_DATA, /* there, and the next too */
    PAGE_DATA2,
    PAGE_ABSENT, /* #PF, each time */
    PAGE_READ,   /* to be read only; what is behind DATA2 and READ is not there */
    PAGE_ABSENT2,
    PAGE_FRESH, /* frames that nobody has touched since power on */
    PAGE_FRESH2,
    PAGE_HOLE,   /* where the machine has nothing: reads ones, keeps nothing */
    PAGE_DEVICE, /* the local APIC */
    PAGE_CODE,
    PAGE_CODE2,
    PAGE_LAZY, /* absent, until the handler of its #PF puts a fresh frame there */
    PAGE_STACK,
    PAGE_RETURN = PAGE_STACK + 4, /* an IRET's frame, whose end may lie in a frame that nobody has touched */
    PAGE_RETURN2,
    ORACLE_PAGES,
};
#define ORACLE_AT(page, offset) (ORACLE_WINDOW + (page)*ORACLE_PAGE + (offset))

/* Of a page these bytes are touched; no others. */
enum { TOUCHED_LOW = 0, TOUCHED_MIDDLE = 0x180, TOUCHED_HIGH = 0xF80, TOUCHED_BYTES = 128 };

enum {
    ORACLE_IRQ = 0x40, /* 16 vectors that nobody else has */
    FLAG_C = 1,
    FLAG_P = 4,
    FLAG_A = 0x10,
    FLAG_Z = 0x40,
    FLAG_S = 0x80,
    FLAG_T = 0x100,
    FLAG_I = 0x200,
    FLAG_O = 0x800,
    FLAG_R = 0x10000,
    FLAGS_ARITHMETIC = FLAG_C | FLAG_P | FLAG_A | FLAG_Z | FLAG_S | FLAG_O,
};

/* ---- a sequence --------------------------------------------------------------------- */

enum { MOST_UNITS = 24, MOST_CODE = 2048, MOST_INSTRUCTIONS = 320 };

enum oracle_mood {
    MOOD_PLAIN,
    MOOD_STEPPED,
    MOOD_BREAKPOINTS, /* on instructions: no interrupts then, as Bochs takes the breakpoint first */
    MOOD_WATCHED,     /* on data and ports */
};

struct unit {
    uint16_t start;     /* its first byte in `code` */
    uint32_t undefined; /* flags that are so behind some instruction of it */
    const struct row *row;
};

/* What an emulator's processor does otherwise than the manual says, without CP too, and so is not asked there. */
struct oracle_host {
    bool no_data_breakpoints; /* CP arms none: their #DB ends QEMU */
    bool no_resume_flag;      /* in what a fault pushes */
    bool reads_first;         /* the #PF of a read-modify-write is that of a read */
    bool stores_halves;       /* the first of 16 bytes, before the #PF of the second */
    bool breaks_repetitions;  /* at each element */
    bool breaks_behind_mov_ss, skips_behind_int;
    bool takes_lock;         /* with a register */
    bool no_alignment;       /* flags are lost at the #GP of an operand that is not aligned */
    bool stale_flags;        /* in CMPXCHG8B: bits of an operand become flags, TF and VM too */
    bool wide_cr0;           /* of more than 32 bits */
    bool no_trap_behind_sti; /* before the next instruction */
};

/* Where it is executed: by the payload's guest, which may have VMREAD and VMWRITE. */
struct oracle_place {
    bool guest, links;
};

struct sequence {
    uint64_t seed;
    struct oracle_host host;
    struct oracle_place place;
    bool denies; /* the payload's guest lacks RDTSCP and VM functions */
    enum oracle_mood mood;
    uint64_t registers[16]; /* in the order of their numbers; RSP is where the stack is */
    uint64_t flags;
    uint64_t vector[16][2]; /* XMM */
    uint64_t dr[4], dr7;
    bool halts;    /* until an NMI of the PIT's */
    unsigned nmis; /* so often an NMI's handler sends another */
    unsigned bytes, units, instructions;
    struct unit unit[MOST_UNITS];
    uint16_t instruction[MOST_INSTRUCTIONS]; /* where each starts */
    uint16_t offset;                         /* of the code in its page */
    uint8_t code[MOST_CODE];
};

/* Makes sequence `number` of `seed`. What a guest's hypervisor does not enable is undefined there, as is what stands in
 * its place elsewhere. */
void sequence_make(struct sequence *s, uint64_t seed, uint64_t number, struct oracle_host host,
                   struct oracle_place);

/* Does the guest of that sequence lack RDTSCP and VM functions? */
bool sequence_denies(uint64_t seed, uint64_t number);

/* A random number of a state, and one below n. */
uint64_t oracle_random(uint64_t *state);
unsigned oracle_below(uint64_t *state, unsigned n);

/* ---- for templates.c -------------------------------------------------------------------- */

struct row {
    const char *name;
    uint8_t weight; /* how often, among all */
    void (*emit)(struct sequence *, const struct row *);
    const char *opcode; /* of the forms that have one */
    uint8_t opcode_bytes;
    uint8_t prefix;    /* mandatory: 66, F2, F3 */
    int8_t digit;      /* of ModRM; -1: a register */
    uint8_t immediate; /* bytes; 4: as the operand, at most 4 */
    uint16_t form;     /* enum form */
    uint32_t undefined;
};

enum form {
    BYTE = 1,     /* there is a form for bytes, the opcode less 1 */
    MEMORY = 2,   /* only */
    REGISTER = 4, /* only */
    LOCKABLE = 8,
    VECTOR = 0x10, /* XMM registers; memory of 16 bytes if no other is said */
    WIDE = 0x20,   /* 32 and 64 bits only */
    OF_4 = 0x40,
    OF_8 = 0x80,
    OF_2 = 0x100,
    OF_1 = 0x200,         /* bytes of the memory operand, whatever the registers' */
    MIXED = 0x400,        /* a vector and a general register, or memory */
    ALIGNED = 0x800,      /* mostly, since it is #GP otherwise */
    NO_DEVICE = 0x2000,   /* CP says so, and stops the machine: what computes on vectors */
    KEEPS_FLAGS = 0x8000, /* all but the one it changes */
    SENDS = 0x4000,       /* an interrupt or NMI */
    HIDDEN = 0x1000,      /* of RAX to RBX the unit sets what is not as on every processor, and hides it at its end */
};

extern const struct row oracle_rows[];
extern const unsigned oracle_row_count;

unsigned sequence_below(struct sequence *s, unsigned n);
uint64_t sequence_random(struct sequence *s);
/* An instruction of these bytes. */
void put(struct sequence *s, unsigned bytes, const void *code);
#define PUT(s, ...)   put(s, sizeof((const uint8_t[]){__VA_ARGS__}), (const uint8_t[]){__VA_ARGS__})
#define BYTES_OF_4(v) (uint8_t)(v), (uint8_t)((v) >> 8), (uint8_t)((v) >> 16), (uint8_t)((v) >> 24)
/* MOV of a number to a register. */
void put_set(struct sequence *s, unsigned n, uint64_t value);
/* A store to a register of the local APIC. */
void put_store(struct sequence *s, unsigned apic_register, uint32_t value);
/* Some place for an operand of so many bytes; one that is memory. */
uint64_t sequence_place(struct sequence *s, unsigned bytes, bool aligned);
uint64_t sequence_memory(struct sequence *s, unsigned bytes, bool aligned);

/* Rows of devices.c: with a device, and with what a guest may lack. */
void emit_halt(struct sequence *, const struct row *);
void emit_apic_timer(struct sequence *, const struct row *);
void emit_loopback(struct sequence *, const struct row *);
void emit_bit_string(struct sequence *, const struct row *);
void emit_enabled(struct sequence *, const struct row *);
void emit_linked(struct sequence *, const struct row *);
void emit_string_io(struct sequence *, const struct row *);
void emit_io(struct sequence *, const struct row *);
/* Rows of vector.c: moves of registers that other units leave alone. */
void emit_mmx(struct sequence *, const struct row *);
void emit_avx(struct sequence *, const struct row *);
