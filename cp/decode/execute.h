/* Carries out a decoded instruction over seams: registers, flags, segment bases and memory are the caller's. Nothing is
 * written before everything was read, so a seam that fails leaves the instruction not begun (for the repeated string
 * operations: the elements before it are done and counted, as a fault on hardware leaves it). RIP is the run loop's. */
#pragma once
#include "cp/decode/instruction.h"

/* Elements of a repeated string operation that are done at one go, so that CP never takes long. With RFLAGS.TF set or
 * `single` it is one, since a trap may follow each. */
enum { EXECUTE_REPEATS = 16,
       EXECUTE_RUN = 64, /* bytes of REP OUTS that are read, and given to the port, all at once */
       EXECUTE_VECTOR = 32 /* bytes of the widest register */ };

/* What a processor must have, and have enabled, for an instruction to be defined. */
enum instruction_class {
    INSTRUCTION_INTEGER, /* nothing */
    INSTRUCTION_MMX, INSTRUCTION_SSE,
    INSTRUCTION_AVX,     /* AVX state */
    INSTRUCTION_VEX,     /* only the encoding: general registers */
    INSTRUCTION_PROTECTED, /* protected mode */
};
enum instruction_class instruction_class(const struct instruction *);

struct segment_value; /* cp/decode/descriptor.h */

struct execute_seams {
    void *context;
    uint64_t (*read_gpr)(void *context, unsigned reg);
    void (*write_gpr)(void *context, unsigned reg, uint64_t value); /* all 64 bits */
    uint64_t (*read_flags)(void *context);
    void (*write_flags)(void *context, uint64_t rflags);
    uint64_t (*segment_base)(void *context, enum segment); /* in 64-bit mode asked for FS and GS only */
    /* Does the segment allow the operand, which comes to this linear address? Asked before each access; may be NULL
     * where the processor has checked all there will be. 0, or as `read`. */
    int (*check)(void *context, enum segment, uint64_t offset, uint64_t linear, unsigned size, bool write);
    /* Are operands to be aligned, as RFLAGS.AC, CR0.AM and the CPL are? Asked of those that are not, after `check`. May
     * be NULL: they need not be. */
    bool (*checks_alignment)(void *context);
    /* Linear addresses, 1 to 32 bytes. Not 0: a fault of the guest was queued, or the machine was stopped; given back
     * as it is. */
    int (*read)(void *context, uint64_t linear, unsigned size, void *to);
    int (*write)(void *context, uint64_t linear, unsigned size, const void *from);
    /* Would it succeed? Asked before a device or port is read that gives each value only once. 0, or as `read`. May be
     * NULL, where that is not known. */
    int (*probe)(void *context, uint64_t linear, unsigned size, bool write);
    /* A fault of the instruction itself: vector 0, 5, 13 or 17. Answers as `read` that failed. */
    int (*fault)(void *context, unsigned vector);
    /* Ports, for INS and OUTS; may be NULL, as `probe`, where those do not come. The right to use the port was
     * checked. */
    int (*port_read)(void *context, uint16_t port, unsigned size, uint64_t *value);
    int (*port_write)(void *context, uint16_t port, unsigned size, uint64_t value);
    /* For REP OUTS of bytes: reads up to `most` of them from there on, all the segment allows; how many can be had
     * at one go. 0: they are to be asked for one by one, and nothing happened. May be NULL: always so. */
    unsigned (*read_run)(void *context, enum segment, uint64_t offset, uint64_t linear, uint8_t *bytes, unsigned most);
    void (*port_write_run)(void *context, uint16_t port, const uint8_t *bytes, unsigned count);
    bool single; /* elements of a repetition one at a time */

    /* The rest may be NULL where the instructions they serve do not come. */
    bool has_tzcnt, has_lzcnt;
    /* Is it defined, as things are? 0, or as `read`, with #UD or #NM queued. Asked of all but integer ones. */
    int (*permitted)(void *context, enum instruction_class);
    /* Registers of OPERAND_MMX (8 bytes) or OPERAND_XMM (32). What is written are the first 8, 16 or 32; those above
     * become 0 with `clear`. */
    void (*vector_read)(void *context, enum operand kind, unsigned reg, uint8_t value[EXECUTE_VECTOR]);
    void (*vector_write)(void *context, enum operand kind, unsigned reg, const uint8_t value[EXECUTE_VECTOR],
                         unsigned bytes, bool clear);
    unsigned (*stack_size)(void *context); /* 2, 4 or 8 bytes of RSP that count */
    bool (*may_jump)(void *context, uint64_t rip);
    void (*jump)(void *context, uint64_t rip);
    /* A selector, CR0, or a table's limit and base; by the instruction's operation. The latter answers as `read`. */
    uint64_t (*system_read)(void *context, const struct instruction *, uint64_t *base);
    int (*system_write)(void *context, const struct instruction *, uint16_t limit, uint64_t base);
    /* What takes a descriptor; they answer as `read`, and have changed nothing then. A segment register other than CS;
     * LDTR, TR or (LMSW) CR0, by the instruction's operation, from an operand at `linear`. */
    int (*load_segment)(void *context, enum segment, uint16_t selector);
    int (*load_system)(void *context, const struct instruction *, uint16_t value, uint64_t linear);
    /* VERR, VERW, LAR, LSL: as descriptor_shown(). */
    int (*look)(void *context, const struct instruction *, uint16_t selector, bool *shown, uint64_t *value);
    /* The code segment of a far branch, which could be entered but for the offset, and the selector of CS now. Also
     * EXECUTE_UNKNOWN: it leads through a gate or to another task. */
    int (*find_code)(void *context, uint16_t selector, struct segment_value *, uint16_t *from);
    bool (*may_enter)(void *context, const struct segment_value *, uint64_t rip);
    int (*enter)(void *context, const struct segment_value *, uint64_t rip);
};

enum execute_result {
    EXECUTE_DONE = 0,
    EXECUTE_AGAIN = 1,    /* a repeated operation has more to do: same RIP, registers are up to date */
    EXECUTE_UNKNOWN = -1, /* an operation that is not carried out here (VMX) */
};

/* The linear address of the memory operand. `rip` is the instruction's own. (String operations: the source, or the
 * destination for those that have only that.) */
uint64_t instruction_address(const struct instruction *, const struct execute_seams *, uint64_t rip);
/* The same operand's offset in its segment, in->segment. */
uint64_t instruction_offset(const struct instruction *, const struct execute_seams *, uint64_t rip);

/* enum execute_result, or the value with which a seam failed (which must be none of those: use others, e.g. <= -2). */
int instruction_execute(const struct instruction *, const struct execute_seams *, uint64_t rip);
