/* Page frames of the machine CP runs on: 4 KiB each, handed out one at a time, zeroed, and counted by owner.
 * A lack of frames is an answer (NULL), never a panic: the caller stops the machine that wanted more.
 *
 * Who gets the last ones (docs/machine.md, "Who gets page frames"): every open account is promised some, and gets these
 * whatever others hold. Beyond them it may take what nobody is promised, but for two parts that are kept back: one for
 * CP itself, one for CP and operators' machines. When these begin, an account that holds no more than its share, an
 * equal part of all there is, has frame_short() find somebody who gives. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "cp/storage/address.h"

/* How far an account may go into what is kept back. */
enum frame_rank { FRAME_USER, FRAME_OPERATOR, FRAME_CP, FRAME_RANKS };

/* Who holds frames: one account for CP and one inside each VM's guest_storage. Plain
 * data: it may be copied and moved. */
struct debt;
struct frame_account {
    uint64_t frames;  /* held now */
    /* of those, in graves (cp/storage/grave.h): they come back, the next one as soon as it is wanted */
    uint64_t dying;
    uint64_t limit;   /* 0: none; else frame_alloc fails beyond it */
    uint64_t promise; /* frames nobody else can take; 0 for an account that was never opened */
    enum frame_rank rank;
    bool common;      /* of pages that machines share: never opened, and what it holds is in nobody's share */
    /* whose limit and share count for both, which one owner has; NULL: none */
    const struct frame_account *beside;
    struct debt *debt; /* whose time it takes to give back what is in graves (cp/time/debt.h); NULL: CP's */
};

extern struct frame_account frame_cp_account;

/* Keeps frames back for CP and for operators, and fixes what every account is promised from now on, by what is
 * available: called once, when CP itself has what it needs. Without it nothing is kept and nothing promised. */
void frame_keep(void);

/* Opens an account with frame_keep()'s promise, or `limit` if that is less. False: what is left cannot hold the
 * promise, and nobody gives. */
bool frame_account_open(struct frame_account *account, uint64_t limit, enum frame_rank rank);
/* Opens one beside another, which stays open longer: of the same owner, rank and limit, and with no promise of its own,
 * so that who has several has no more than who has one. */
void frame_account_open_beside(struct frame_account *account, const struct frame_account *other);
/* From here on it is promised nothing and has no share. What it holds goes back later; it takes no more. */
void frame_account_close(struct frame_account *account);
/* So many more of its frames, or fewer, are in graves. */
void frame_dying(struct frame_account *account, int64_t pages);

/* Frames each open account could have if all had the same. */
uint64_t frame_share(void);
/* What it has of that: the frames it holds and are not in graves, with those beside which it is. */
uint64_t frame_account_living(const struct frame_account *account);

/* Called when `asker`, which holds no more than its share, could only be served from what is kept back. True:
 * frames are being given back, now or in the next turns of the event loop; the asker may dip one rank deeper
 * meanwhile. NULL: nobody gives. */
extern bool (*frame_short)(const struct frame_account *asker);

/* Adds [start, start+bytes) to the free frames; partial pages at the ends are left out. */
void frame_add(hpa_t start, uint64_t bytes);

/* A zeroed frame charged to the account. NULL: the account is at its limit, or what is left is kept for others. */
void *frame_alloc(struct frame_account *account);
/* The same without clearing it: for a caller that fills all 4 KiB at once. */
void *frame_alloc_dirty(struct frame_account *account);
/* The same for one that is not wanted yet: NULL also where less than a quarter of all frames is left, or somebody would
 * have to give. */
void *frame_alloc_early(struct frame_account *account);
void frame_free(struct frame_account *account, void *frame);

/* `pages` consecutive frames, zeroed, or NULL. It may be NULL although graves hold frames that would do. */
void *frame_alloc_run(struct frame_account *account, unsigned pages);
void frame_free_run(struct frame_account *account, void *first, unsigned pages);

/* Clears the 4 KiB at `frame` (edge: one string instruction in cp/cpu; memset on the host build). */
void frame_clear(void *frame);

uint64_t frame_total(void);
uint64_t frame_available(void); /* what is in graves is */

/* Frame and address of a frame are the same thing in CP; on the host build the fake keeps them so too. */
static inline hpa_t frame_address(const void *frame) { return hpa((uint64_t)(uintptr_t)frame); }
static inline void *frame_pointer(hpa_t address) { return (void *)(uintptr_t)address.a; }
