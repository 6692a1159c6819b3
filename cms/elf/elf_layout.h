/* The bytes of an ELF-64 file: System V ABI "Object Files", "ELF Header" and "Program Header". */
#pragma once
#include <stdint.h>

enum { ELF_CLASS_64 = 2, ELF_LITTLE_ENDIAN = 1, ELF_VERSION = 1, ELF_X86_64 = 62 };
enum { ELF_EXECUTABLE = 2, ELF_SHARED = 3 };                                   /* e_type */
enum { ELF_LOAD = 1, ELF_INTERPRETER = 3, ELF_STACK = 0x6474e551 };            /* p_type; PT_GNU_STACK */

struct elf_header {
    uint8_t identity[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, program_offset, section_offset;
    uint32_t flags;
    uint16_t header_size, program_size, program_count, section_size, section_count, section_names;
};
_Static_assert(sizeof(struct elf_header) == 64, "Elf64_Ehdr");

struct elf_program {
    uint32_t type, flags;
    uint64_t offset, address, physical, file_size, memory_size, alignment;
};
_Static_assert(sizeof(struct elf_program) == 56, "Elf64_Phdr");
