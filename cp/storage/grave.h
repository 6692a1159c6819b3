/* Page tables that nobody walks any more, with the pages beneath: given back a few at a time, since there may be a
 * hundred thousand of them; at once when somebody wants a frame and there is no other.
 * A grave keeps its books in the dead tables themselves, so that it needs no storage of its own. */
#pragma once
#include <stdbool.h>

#include "cp/storage/frame.h"

enum { GRAVE_LEVELS = 4, GRAVE_BOOKS_FROM = 496 /* entry of a root that holds the books itself */ };

struct grave {
    struct grave *next;
    struct frame_account *account;
    void *books;    /* the frame this is in, freed last; NULL: the root */
    uint64_t *table[GRAVE_LEVELS];
    uint16_t at[GRAVE_LEVELS];
    uint8_t level;  /* where it is: 3 is the root's */
    bool pages;     /* what the last level's entries map goes back too */
};

/* `frames` in all, on that account, which lives until its `dying` is 0. Entries of the second level with bit 7 set are
 * large pages, which never go back.
 * @pre entries from GRAVE_BOOKS_FROM on of the root map nothing */
void grave_storage(struct frame_account *, uint64_t *root, uint64_t frames);
/* Only the tables; `books` is a frame of its own, one of `frames`. */
void grave_tables(struct frame_account *, void *books, uint64_t *root, uint64_t frames);

/* Looks at so many entries. False: no grave is left. */
bool grave_work(unsigned entries);
struct debt *grave_debt(void); /* whose time that takes; NULL: nobody's */
/* Gives back a frame at least, of this account (NULL: of any). False: there is none. */
bool grave_yield(const struct frame_account *);
uint64_t grave_frames(void); /* in all graves */
