/* EPT02: what L2's memory is in the machine CP runs on, composed of L1's EPT12 and CP's EPT01, filled as L2 touches it.
 *
 * Owns the page tables of EPT02, one root for each EPTP12 lately used; they outlive a switch between virtual VMCSs.
 * Frames go back only after hardware has flushed. */
#pragma once
#include "nest/active.h"
#include "nest/ept_walk.h"

struct nest_ept {
    uint64_t eptp12;   /* the pointer L1 uses, as a key: address and A/D flag */
    uint64_t *root;    /* top level, 512 entries */
    uint64_t tables;   /* frames below the root */
    uint64_t used;
};

/* EPT02 for this EPTP12; NULL: there is none. */
struct nest_ept *nest_ept_find(const struct nest *nest, uint64_t eptp12);
/* EPT02 for this EPTP12, made if there is none; NULL: no frames. */
struct nest_ept *nest_ept_get(struct nest *nest, uint64_t eptp12);
/* Value for vmcs02's EPT pointer. */
uint64_t nest_ept_pointer(const struct nest_ept *ept);

/* Whether L1 may use this as an EPT pointer.  SDM "Extended-Page-Table Pointer (EPTP)" */
bool nest_ept_pointer_valid(const struct nest *nest, uint64_t eptp);

/* What an EPT violation of L2 comes to. */
enum nest_ept_verdict {
    NEST_EPT_FILLED,       /* L2 goes on */
    NEST_EPT_VIOLATES,     /* L1's: *qualification is as its EPT12 has it */
    NEST_EPT_MISCONFIGURED, /* L1's */
    NEST_EPT_LOG_FULL,      /* L1's: nothing was accessed */
    NEST_EPT_DEVICE,       /* allowed by L1, but no storage: CP's to emulate, at *l1_gpa */
    NEST_EPT_NO_FRAMES,
};
enum nest_ept_verdict nest_ept_violation(struct nest *nest, const struct exit *exit, uint64_t *qualification,
                                         uint64_t *l1_gpa);

/* INVEPT: the one for this EPTP12, or all. */
void nest_ept_flush(struct nest *nest, uint64_t eptp12);
void nest_ept_flush_all(struct nest *nest);
/* A frame for anything but EPT02, which makes room if there is none; NULL: it cannot. */
void *nest_frame(struct nest *nest);
void nest_ept_free_all(struct nest *nest);

/* The memory EPT12 is read from. */
struct ept_memory nest_ept_memory(const struct nest *nest);
