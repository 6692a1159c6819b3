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
