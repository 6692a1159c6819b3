/* A virtual machine's storage: RAM from guest-physical 0, split by the PC's hole below 4 GiB, at whose end there may be
 * a copy of a ROM, backed by page frames that come on first touch; the extended page table (EPT or NPT: the same tree,
 * other bits) that maps them.
 * Every guest-physical address here may come from a hostile guest: out of range is an answer, not an error of ours. */
#pragma once
#include <stddef.h>

#include "cp/storage/address.h"
#include "cp/storage/frame.h"

enum { GUEST_HOLE_START = 0xC0000000u }; /* MMIO from here to 4 GiB; RAM beyond it continues at 4 GiB */

enum { GUEST_WATCHES = 16 };
struct guest_watch {   /* cp/storage/watch.h */
    uint64_t page, number;
    uint64_t *entry;
};

struct guest_storage {
    uint64_t bytes;               /* RAM in all, a multiple of 4 KiB */
    uint64_t rom;                 /* bytes below 4 GiB that are RAM too, for firmware: a multiple of 4 KiB */
    struct frame_account account; /* private frames, page tables included */
    uint64_t *root;               /* top level of the second-level page table, NULL before the first touch */
    uint64_t resident, tables;    /* RAM pages of its own; tables that map them, the root too */
    uint64_t shared;              /* pages mapped that are another storage's: cp/storage/share.h */
    struct guest_storage *shares; /* whose; NULL: nobody's */
    unsigned sharers;             /* storages that map pages of this one */
    uint64_t generation;          /* unlike any other storage's; a new one when a page is no longer where it was */
    bool dismissed;               /* this one goes when its last sharer does */
    uint64_t *leaves;             /* the table of leaves used last, and ... */
    uint64_t leaves_at;           /* ... the 2 MiB it maps, as address >> 21 */
    struct guest_watch watches[GUEST_WATCHES];
    unsigned watching, watch_next; /* places of watches[] in use; the next to be given up */
    uint64_t watch_number;        /* the last that was given */
    /* Called when no frame is to be had: true: the machine gave some of its own back, try again. NULL: it cannot. */
    bool (*shrink)(struct guest_storage *);
    /* Called when a page is in another frame from now on: translations to the old one have to be forgotten. */
    void (*moved)(struct guest_storage *);
};

/* Why a guest-physical address cannot be reached. */
enum guest_access { GUEST_OK = 0, GUEST_NOT_RAM = -14 /* -EFAULT */, GUEST_NO_FRAMES = -12 /* -ENOMEM */ };

void guest_storage_init(struct guest_storage *, uint64_t bytes, uint64_t frame_limit);
void guest_storage_free(struct guest_storage *); /* gives every frame of it back; the account stays open */
/* Empty, and of another size; what it had goes to a grave, on the same account. */
void guest_storage_renew(struct guest_storage *, uint64_t bytes);
/* The same for storage that is to be used on: tables that nothing was mapped by yet stay. */
void guest_storage_clear(struct guest_storage *, uint64_t bytes);
/* Clears it step by step: takes up to `tables` page tables out, with the RAM they map (2 MiB each), calls `flush`
 * before their frames are given back, and answers whether there are more. Those at the top stay. @pre the machine does
 * not run meanwhile, and no disk request is in flight */
bool guest_storage_trim(struct guest_storage *, unsigned tables, void (*flush)(void *context), void *context);

bool guest_is_ram(const struct guest_storage *, gpa_t);

/* The page that holds `at`, brought in on first touch; points at the very byte, valid to the end of its 4 KiB page.
 * NULL when the address is no RAM or no frame is left (`why`, if given, says which). For reading at once: it may be
 * shared with others. */
const void *guest_pointer(struct guest_storage *, gpa_t at, enum guest_access *why);

/* The same for a page that is this storage's alone, a copy if it was shared: for whoever writes there, or keeps the
 * pointer. */
void *guest_private(struct guest_storage *, gpa_t at, enum guest_access *why);

/* The same for its effect alone: the page is there from now on, and the tables that lead to it, down from the root. */
enum guest_access guest_bring_in(struct guest_storage *, gpa_t at);
enum guest_access guest_bring_in_private(struct guest_storage *, gpa_t at);

/* For a program that touched `at`: brings in what lies around it, since it will come to that next, and each touch is an
 * exit. The more the storage has, the more: up to 16 pages, from a multiple of so many on; none while it has less than
 * 256, nor where frames are few. */
void guest_bring_in_near(struct guest_storage *, gpa_t at);

/* The entry that maps a page which was brought in; NULL: no frames. */
uint64_t *guest_entry(struct guest_storage *, gpa_t at);

/* The 512 entries of the 2 MiB around `at`; NULL: nothing was touched there. */
const uint64_t *guest_leaves(const struct guest_storage *, gpa_t at);

/* Copies across page boundaries. GUEST_OK, or the first obstacle (then bytes before it are copied). */
enum guest_access guest_read(struct guest_storage *, gpa_t from, void *to, size_t bytes);
enum guest_access guest_write(struct guest_storage *, gpa_t to, const void *from, size_t bytes);
/* Zeros bring nothing in: what was never touched is zero. */
enum guest_access guest_fill(struct guest_storage *, gpa_t to, uint8_t value, size_t bytes);
