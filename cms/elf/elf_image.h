/* ELF files for x86-64, static and dynamic, and what a new program finds on its stack. Pure: judges bytes, maps
 * nothing. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ELF_SEGMENTS_MAX = 32, ELF_INTERPRETER_MAX = 256 };

struct elf_segment {
    uint64_t offset, address, file_size, memory_size; /* of the file and in storage; address without the load bias */
    unsigned access;                                  /* PROT_* */
};
struct elf_image {
    bool relocatable;     /* ET_DYN: goes where the kernel likes */
    bool stack_executes;
    uint64_t entry, headers_address; /* the latter of the program headers in storage, 0: not loaded */
    unsigned header_count, segment_count;
    struct elf_segment segment[ELF_SEGMENTS_MAX];
    uint64_t interpreter_offset, interpreter_size; /* 0: static */
    uint64_t low, high; /* addresses it covers, whole pages */
};
/* From the file's first bytes (at least its headers must be in them, 4096 are enough for any sound file) and size.
 * 0, or -ENOEXEC, -EINVAL, -ELIBBAD. */
int elf_judge(const void *first, size_t bytes, uint64_t file_size, struct elf_image *);
