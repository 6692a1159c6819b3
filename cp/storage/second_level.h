/* What differs between EPT and NPT in the page tables of cp/storage/guest.c. */
#pragma once
#include <stdint.h>

/* Low bits of a leaf: EPT read, write, execute and memory type write-back; NPT present, writable, user. Set by the
 * backend before the first VM. */
extern uint64_t second_level_leaf_bits;
