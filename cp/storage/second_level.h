/* What differs between EPT and NPT in the page tables of cp/storage/guest.c. */
#pragma once
#include <stdint.h>

enum { LEAF_WRITE = 2 }; /* EPT and NPT alike */
/* Both leave bits 52 and up of an entry to software. */
#define LEAF_LENT (1ull << 52)   /* another table maps the page too, and lets it be written there */
#define LEAF_SHARED (1ull << 53) /* the frame is another storage's: cp/storage/share.h */

/* Low bits of a leaf: EPT read, write, execute and memory type write-back; NPT present, writable, user. Set by the
 * backend before the first VM. */
extern uint64_t second_level_leaf_bits;
