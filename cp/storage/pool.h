/* The frames nobody holds, as runs of frames that follow one another. What is given back joins its neighbours,
 * so that long runs can be had again however the frames were used meanwhile. Taking and giving cost the same
 * however many frames there are. */
#pragma once
#include <stdint.h>

/* Adds the frames of [start, end), multiples of 4 KiB, but for what the pool needs to keep
 * book of a long range. How many. */
uint64_t pool_add(uint64_t start, uint64_t end);
/* `pages` frames in a row, their contents anything; NULL: there are none. */
void *pool_take(unsigned pages);
void pool_give(void *first, unsigned pages); /* any part of what was taken */
