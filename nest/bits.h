/* The arithmetic by which the controls of vmcs02 and its bitmaps come about, apart from all else so that it can be
 * proved: what is in the comments that begin with an at-sign is ACSL, and `make prove` proves it of this very code.
 *
 * "Outer" is what CP runs L1 with, "inner" what L1 wants for L2; "may" are the bits hardware and CP allow to be 1. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "vmcs-shadow/control.h"

/*@ predicate bit(integer x, integer n) = (x & (1 << n)) != 0; */

/* What the outer needs stays; of what the inner wants, what it may ask for and hardware has is added. */
/*@ assigns \nothing;
    ensures outer_stays: \forall integer n; 0 <= n < 32 ==> bit(outer, n) ==> bit(\result, n);
    ensures offered_is_added:
      \forall integer n; 0 <= n < 32 ==> bit(inner, n) && bit(offered, n) && bit(may, n) ==> bit(\result, n);
    ensures nothing_else:
      \forall integer n; 0 <= n < 32 ==> bit(\result, n) ==>
        bit(outer, n) || (bit(inner, n) && bit(offered, n) && bit(may, n));
*/
static inline uint32_t nest_bits_add(uint32_t outer, uint32_t inner, uint32_t offered, uint32_t may)
{
    return outer | (inner & offered & may);
}

/*@ assigns \nothing;
    ensures \forall integer n; 0 <= n < 32 ==> (bit(\result, n) <==> bit(controls, n) && !bit(mask, n));
*/
static inline uint32_t nest_bits_without(uint32_t controls, uint32_t mask)
{
    return controls & ~mask;
}

/* ---- primary processor-based controls ------------------------------------------ */

#define NEST_CPU_EITHER ((uint32_t)CPU_MERGE_EITHER) /* intercepts: whoever asks for one gets it */
#define NEST_CPU_BY_RULE ((uint32_t)CPU_MERGE_RULE)  /* each has a rule below */

/* How a VMCS treats I/O instructions. */
enum nest_io { NEST_IO_NONE, NEST_IO_BITMAPS, NEST_IO_ALL };

/*@ assigns \nothing;
    ensures \result == NEST_IO_NONE || \result == NEST_IO_BITMAPS || \result == NEST_IO_ALL;
*/
static inline enum nest_io nest_io_mode(uint32_t processor_controls)
{
    if (processor_controls & CPU_IO_BITMAPS)
        return NEST_IO_BITMAPS;
    return processor_controls & CPU_UNCONDITIONAL_IO_EXITING ? NEST_IO_ALL : NEST_IO_NONE;
}

/* None < bitmaps < all, and the stricter of the two. */
/*@ assigns \nothing;
    ensures all_is_all: outer == NEST_IO_ALL || inner == NEST_IO_ALL ==> \result == CPU_UNCONDITIONAL_IO_EXITING;
    ensures no_less_than_bitmaps: outer == NEST_IO_BITMAPS || inner == NEST_IO_BITMAPS ==>
      \result == CPU_IO_BITMAPS || \result == CPU_UNCONDITIONAL_IO_EXITING;
    ensures one_of_three: \result == 0 || \result == CPU_IO_BITMAPS || \result == CPU_UNCONDITIONAL_IO_EXITING;
*/
static inline uint32_t nest_bits_io(enum nest_io outer, enum nest_io inner)
{
    if (outer == NEST_IO_ALL || inner == NEST_IO_ALL)
        return CPU_UNCONDITIONAL_IO_EXITING;
    return outer == NEST_IO_BITMAPS || inner == NEST_IO_BITMAPS ? CPU_IO_BITMAPS : 0;
}

/* CR8 is the TPR.  With a TPR shadow it is the inner's virtual-APIC page; else it would be the outer's, so it exits. */
/*@ assigns \nothing;
    ensures without_a_page_it_exits: !apic_page ==> \result == (CPU_CR8_LOAD_EXITING | CPU_CR8_STORE_EXITING);
*/
static inline uint32_t nest_bits_cr8(uint32_t inner, bool apic_page)
{
    if (!apic_page || !(inner & CPU_TPR_SHADOW))
        return CPU_CR8_LOAD_EXITING | CPU_CR8_STORE_EXITING;
    return CPU_TPR_SHADOW | (inner & (CPU_CR8_LOAD_EXITING | CPU_CR8_STORE_EXITING));
}

/* io, cr8: of the rules above.  A VMCS without MSR bitmaps lets no MSR pass, so vmcs02 has some only where both do. */
/*@ assigns \nothing;
    ensures outer_stays: \forall integer n; 0 <= n < 32 ==>
      bit(outer, n) && !bit(NEST_CPU_BY_RULE, n) ==> bit(\result, n);
    ensures rules_hold: \forall integer n; 0 <= n < 32 ==> bit(io, n) || bit(cr8, n) ==> bit(\result, n);
    ensures offered_is_added: \forall integer n; 0 <= n < 32 ==>
      bit(inner, n) && bit(NEST_CPU_EITHER, n) && bit(may, n) ==> bit(\result, n);
    ensures nothing_else: \forall integer n; 0 <= n < 32 ==> bit(\result, n) ==>
      (bit(outer, n) && !bit(NEST_CPU_BY_RULE, n)) || (bit(inner, n) && bit(NEST_CPU_EITHER, n) && bit(may, n)) ||
      bit(io, n) || bit(cr8, n) || (bit(outer, n) && bit(inner, n) && bit((uint32_t)CPU_MSR_BITMAPS, n));
*/
static inline uint32_t nest_bits_processor(uint32_t outer, uint32_t inner, uint32_t may, uint32_t io, uint32_t cr8)
{
    return nest_bits_add(nest_bits_without(outer, NEST_CPU_BY_RULE), inner, NEST_CPU_EITHER, may) | io | cr8 |
           (outer & inner & CPU_MSR_BITMAPS);
}

/* ---- secondary processor-based controls ------------------------------------------- */

#define NEST_CPU2_EITHER ((uint32_t)CPU2_MERGE_EITHER)
#define NEST_CPU2_BOTH ((uint32_t)CPU2_MERGE_BOTH) /* instructions that exist */
#define NEST_CPU2_INNER ((uint32_t)CPU2_MERGE_INNER)
#define NEST_CPU2_OUTER ((uint32_t)CPU2_MERGE_OUTER)

/* had, wanted: what outer and inner have in force; more: what CP adds of its own.  Only with EPT of its own does the
 * inner get an unrestricted guest. */
/*@ assigns \nothing;
    ensures only_what_may_be: \forall integer n; 0 <= n < 32 ==> bit(\result, n) ==> bit(may, n);
    ensures outer_stays: \forall integer n; 0 <= n < 32 ==>
      bit(had, n) && (bit(NEST_CPU2_OUTER, n) || bit(NEST_CPU2_EITHER, n)) && bit(may, n) ==> bit(\result, n);
    ensures intercepts_are_added: \forall integer n; 0 <= n < 32 ==>
      bit(wanted, n) && bit(NEST_CPU2_EITHER, n) && bit(may, n) ==> bit(\result, n);
    ensures nothing_else: \forall integer n; 0 <= n < 32 ==> bit(\result, n) ==>
      (bit(had, n) && (bit(NEST_CPU2_OUTER, n) || bit(NEST_CPU2_EITHER, n))) ||
      (bit(wanted, n) && (bit(NEST_CPU2_EITHER, n) || bit(NEST_CPU2_INNER, n))) ||
      (bit(had, n) && bit(wanted, n) && bit(NEST_CPU2_BOTH, n)) || bit(more, n);
*/
static inline uint32_t nest_bits_secondary(uint32_t had, uint32_t wanted, uint32_t more, uint32_t may)
{
    uint32_t inner = wanted & NEST_CPU2_INNER;
    if (!(wanted & CPU2_EPT))
        inner = nest_bits_without(inner, CPU2_UNRESTRICTED_GUEST);
    return ((had & NEST_CPU2_OUTER) | ((had | wanted) & NEST_CPU2_EITHER) | (had & wanted & NEST_CPU2_BOTH) | inner |
            more) & may;
}

/* ---- bitmaps -------------------------------------------------------------------------- */

enum { NEST_BITMAP_WORDS = 512 };

/* The union: what either wants to exit exits. */
/*@ requires \valid(to + (0 .. NEST_BITMAP_WORDS - 1)) && \valid_read(from + (0 .. NEST_BITMAP_WORDS - 1));
    requires \separated(to + (0 .. NEST_BITMAP_WORDS - 1), from + (0 .. NEST_BITMAP_WORDS - 1));
    assigns to[0 .. NEST_BITMAP_WORDS - 1];
    ensures union: \forall integer i; 0 <= i < NEST_BITMAP_WORDS ==> to[i] == (\old(to[i]) | from[i]);
    ensures nothing_is_lost: \forall integer i, n; 0 <= i < NEST_BITMAP_WORDS && 0 <= n < 64 ==>
      (bit(\old(to[i]), n) || bit(from[i], n) <==> bit(to[i], n));
*/
static inline void nest_bits_unite(uint64_t *to, const uint64_t *from)
{
    /*@ loop invariant 0 <= i <= NEST_BITMAP_WORDS;
        loop invariant done: \forall integer k; 0 <= k < i ==> to[k] == (\at(to[k], Pre) | from[k]);
        loop invariant to_do: \forall integer k; i <= k < NEST_BITMAP_WORDS ==> to[k] == \at(to[k], Pre);
        loop assigns i, to[0 .. NEST_BITMAP_WORDS - 1];
        loop variant NEST_BITMAP_WORDS - i;
    */
    for (unsigned i = 0; i < NEST_BITMAP_WORDS; i++)
        to[i] |= from[i];
}
