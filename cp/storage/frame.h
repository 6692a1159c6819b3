/* Page frames of the machine CP runs on: 4 KiB each, handed out one at a time, zeroed, and counted by owner.
 * A lack of frames is an answer (NULL), never a panic: the caller stops the machine that wanted more. */
#pragma once
#include <stddef.h>

#include "cp/storage/address.h"

/* Who holds frames: one account for CP and one inside each VM's guest_storage. */
struct frame_account {
    uint64_t frames; /* held now */
    uint64_t limit;  /* 0: none; else frame_alloc fails beyond it */
};

extern struct frame_account frame_cp_account;

/* Adds [start, start+bytes) to the free frames; partial pages at the ends are left out. */
void frame_add(hpa_t start, uint64_t bytes);

/* A zeroed frame charged to the account, or NULL when the account's limit or the machine's storage is reached. */
void *frame_alloc(struct frame_account *account);
/* The same without clearing it: for a caller that fills all 4 KiB at once. */
void *frame_alloc_dirty(struct frame_account *account);
void frame_free(struct frame_account *account, void *frame);

/* `pages` frames that follow one another, zeroed, or NULL. A run is freed as a whole and serves again as one. */
void *frame_alloc_run(struct frame_account *account, unsigned pages);
void frame_free_run(struct frame_account *account, void *first, unsigned pages);

/* Clears the 4 KiB at `frame` (edge: one string instruction in cp/cpu; memset on the host build). */
void frame_clear(void *frame);

uint64_t frame_total(void);
uint64_t frame_available(void);

/* Frame and address of a frame are the same thing in CP; on the host build the fake keeps them so too. */
static inline hpa_t frame_address(const void *frame) { return hpa((uint64_t)(uintptr_t)frame); }
static inline void *frame_pointer(hpa_t address) { return (void *)(uintptr_t)address.a; }
