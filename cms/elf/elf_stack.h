/* What a new program finds on its stack (System V ABI for AMD64, "Process Initialization"): argc, the arguments, the
 * environment, the auxiliary vector, and the strings and bytes they point to. Pure: makes bytes for an address. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { ELF_RANDOM_BYTES = 16, ELF_PROGRAM_HEADER_BYTES = 56, ELF_TICKS_PER_SECOND = 100 };

struct elf_stack {
    const char *strings; /* arguments, then the environment, each with its NUL, one behind the other */
    size_t string_bytes;
    unsigned argument_count, environment_count;
    const char *path;    /* AT_EXECFN */
    const uint8_t *random; /* ELF_RANDOM_BYTES */
    uint64_t headers_address, header_count, interpreter_base, entry; /* as they are in storage */
    uint64_t hardware, hardware2;      /* AT_HWCAP, AT_HWCAP2 */
    uint64_t least_signal_stack;       /* AT_MINSIGSTKSZ */
};

/* Bytes of storage below a stack's top that elf_stack_fill() needs. */
size_t elf_stack_bytes(const struct elf_stack *);
/* Fills image[0 .. elf_stack_bytes()) with what is to stand right below the address `top`; returns the stack
 * pointer, at which image[0] goes. @pre top is a multiple of 16 */
uint64_t elf_stack_fill(const struct elf_stack *, uint64_t top, void *image);
