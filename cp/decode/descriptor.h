/* Descriptors of segments: for what a load of a selector, a far branch or a look at a descriptor is refused, and what
 * the hidden part of a segment register becomes. Pure: the caller has read the descriptor, and knows the selector is
 * not null. SDM "Segment Descriptors", "System Descriptor Types", "Privilege Level Checking When Accessing Data
 * Segments", and the pages of the instructions. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/decode/instruction.h"

/* Rights as in the VMCS: SDM "Guest Register State". */
enum { RIGHTS_ACCESSED = 1, RIGHTS_BUSY = 2, RIGHTS_CODE_OR_DATA = 1 << 4, RIGHTS_LEVEL_SHIFT = 5,
       RIGHTS_PRESENT = 1 << 7, RIGHTS_LONG = 1 << 13, RIGHTS_BIG = 1 << 14, RIGHTS_GRANULAR = 1 << 15,
       RIGHTS_UNUSABLE = 1 << 16 };
enum { SELECTOR_LEVEL = 3, SELECTOR_LOCAL = 4, SELECTOR_INDEX = 0xFFF8, SELECTOR_NOT_NULL = 0xFFFC };
enum { DESCRIPTOR_BYTES = 8, DESCRIPTOR_WIDE = 16, /* of system segments in IA-32e mode */
       DESCRIPTOR_TYPE_AT = 5 /* the byte with the accessed and busy bits */ };

struct segment_value { /* what a segment register holds, seen and hidden */
    uint16_t selector;
    uint32_t limit, rights;
    uint64_t base;
    uint64_t mark; /* linear address of the byte of the table whose accessed or busy bit is to be set; 0: none */
};

struct descriptor {
    uint64_t low, high; /* high: 0 where it has 8 bytes */
};

struct descriptor_tables {
    uint64_t global, local;             /* bases */
    uint32_t global_limit, local_limit;
    bool has_local;                     /* LDTR is usable */
};

struct descriptor_mode {
    unsigned level; /* CPL */
    bool ia32e;     /* EFER.LMA */
};

/* Where the descriptor of `bytes` is, or false: outside its table. */
bool descriptor_find(const struct descriptor_tables *, uint16_t selector, unsigned bytes, uint64_t *linear);
/* `wide`: of 16 bytes. */
struct segment_value descriptor_segment(uint16_t selector, struct descriptor, bool wide);

/* Each: 0, or the vector of the fault, whose error code is the selector without its level. */
unsigned descriptor_refused_data(enum segment, uint16_t selector, struct descriptor, struct descriptor_mode);
unsigned descriptor_refused_system(bool task, struct descriptor, bool wide); /* LTR, else LLDT */
/* Of a far CALL or JMP: DESCRIPTOR_GATE: it leads through a gate or to another task. */
enum { DESCRIPTOR_GATE = 256 };
unsigned descriptor_refused_code(uint16_t selector, struct descriptor, struct descriptor_mode);

/* VERR, VERW, LAR, LSL: ZF, and in *value what the latter load. */
bool descriptor_shown(enum operation, uint16_t selector, struct descriptor, struct descriptor_mode, uint64_t *value);
