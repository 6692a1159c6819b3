/* Guest linear addresses: the walk of the guest's own page tables in every paging mode. SDM "Paging". */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "cp/storage/address.h"
#include "cp/vcpu/vcpu.h"

/* bits of a #PF error code; and, of no error code, an access to a table of the processor's, which AC does not allow
 * (SDM "Determination of Access Rights") */
enum linear_access { LINEAR_READ = 0, LINEAR_WRITE = 2, LINEAR_USER = 4, LINEAR_FETCH = 16, LINEAR_IMPLICIT = 256 };

/* 0 and *to; or -1: a page fault, *error is its error code and the address is CR2's; or -2: the tables lie where no RAM
 * is. */
int linear_translate(struct vcpu *, uint64_t linear, unsigned access, gpa_t *to, uint32_t *error);

/* How guest-physical `at` takes part in the translation of an address of the running guest. Sets no accessed or dirty
 * bits in the guest's tables, and checks no rights. */
enum linear_part {
    LINEAR_NO_PART,
    LINEAR_TABLE, /* an entry that is read on the way is there */
    LINEAR_PAGE,  /* it ends in that page */
};
enum linear_part linear_part(struct vcpu *, uint64_t linear, uint64_t at);
/* Where the translation ends, in the same way; 0 if it does not. */
uint64_t linear_end(struct vcpu *, uint64_t linear);

/* Copies across pages. 0; -1: fault at *fault with *error; -2: no RAM there. Access rights are those of the current CPL
 * unless LINEAR_USER is forced by the caller. */
int linear_read(struct vcpu *, uint64_t linear, void *to, size_t bytes, unsigned access, uint64_t *fault,
                uint32_t *error);
int linear_write(struct vcpu *, uint64_t linear, const void *from, size_t bytes, uint64_t *fault, uint32_t *error);

/* The entries that a translation goes by, and what is in them. */
enum { LINEAR_PATH_MOST = 4 };
struct linear_path {
    const void *entries[LINEAR_PATH_MOST];
    uint64_t values[LINEAR_PATH_MOST];
    uint8_t count, bytes; /* entries, 0 without paging; bytes of each */
};

/* @pre the translation was just made with success, by tables of the machine's own. False: an entry is not there. */
bool linear_path_keep(struct vcpu *, uint64_t linear, struct linear_path *);

/* Is what is in the entries what was? Then a translation for the same access, with the same registers, is the same
 * and marks nothing. @pre the storage is of the generation it had when the path was kept */
static inline bool linear_path_holds(const struct linear_path *path)
{
#define SAME(type, i) (*(const type *)path->entries[i] == path->values[i])
    if (path->bytes == sizeof(uint32_t))
        return (path->count < 1 || SAME(uint32_t, 0)) && (path->count < 2 || SAME(uint32_t, 1));
    switch (path->count) {
    case 4: return SAME(uint64_t, 3) && SAME(uint64_t, 2) && SAME(uint64_t, 1) && SAME(uint64_t, 0);
    case 3: return SAME(uint64_t, 2) && SAME(uint64_t, 1) && SAME(uint64_t, 0);
    case 2: return SAME(uint64_t, 1) && SAME(uint64_t, 0);
    case 1: return SAME(uint64_t, 0);
    default: return true;
    }
#undef SAME
}
