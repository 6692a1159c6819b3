/* Kinds of address, as one-member structs so that they cannot be mixed.
 *   gpa_t  guest-physical: an address in a virtual machine's storage
 *   hpa_t  host-physical: an address in the machine CP runs on (which may itself be virtual)
 * CP maps all host-physical memory one to one, so frame_pointer() is a cast there and a look-up on the host build. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

typedef struct { uint64_t a; } gpa_t;
typedef struct { uint64_t a; } hpa_t;

enum { PAGE_SHIFT = 12, PAGE_SIZE = 1 << PAGE_SHIFT, PAGE_MASK = PAGE_SIZE - 1 };

static inline gpa_t gpa(uint64_t a) { return (gpa_t){a}; }
static inline hpa_t hpa(uint64_t a) { return (hpa_t){a}; }
