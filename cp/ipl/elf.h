/* Loads the segments of an ELF32 or ELF64 executable for i386 or x86-64 at their physical addresses.
 * In: the file, hostile. Out: what is to be copied, and where the image ends and begins to run. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cp/ipl/copy.h"

struct elf_extent {
    uint64_t entry; /* physical */
    uint64_t end;   /* first byte beyond all segments; the caller sets the least it may be */
};

/* NULL, or why not. Segments must lie in RAM the guest may use (cp/ipl/map.h), below 4 GiB. */
const char *elf_load(struct ipl_copies *, struct ipl_bytes file, uint64_t bytes, struct elf_extent *);

/* The first `size` bytes of a note's description. False: it has none of that name and type, or a shorter one. */
bool elf_note(struct ipl_bytes file, uint64_t bytes, const char *name, uint32_t type, void *description, size_t size);

/* One segment: `bytes` of data, zeros up to `memory`; moves extent->end. @pre bytes <= memory */
const char *elf_segment_place(struct ipl_copies *, uint64_t at, struct ipl_bytes, uint64_t bytes, uint64_t memory,
                              struct elf_extent *);
