/* What a multiboot 1 loader tells: Multiboot Specification "Boot information format". */
#pragma once
#include <stdint.h>

enum { MULTIBOOT_LOADED = 0x2badb002 };
enum { MULTIBOOT_HAS_MEMORY = 1, MULTIBOOT_HAS_COMMAND_LINE = 1 << 2, MULTIBOOT_HAS_MODULES = 1 << 3,
       MULTIBOOT_HAS_MAP = 1 << 6 };
enum { MULTIBOOT_RAM = 1 };

struct multiboot_info {
    uint32_t flags, memory_lower, memory_upper; /* KiB, from 0 and from 1 MiB */
    uint32_t boot_device, command_line;
    uint32_t module_count, modules;
    uint32_t symbols[4];
    uint32_t map_length, map;
};

struct multiboot_module {
    uint32_t start, end, text, reserved;
};

struct multiboot_range { /* the next one is size + 4 bytes on */
    uint32_t size;
    uint64_t start, length;
    uint32_t type;
} __attribute__((packed));
