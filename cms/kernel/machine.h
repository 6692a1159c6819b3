/* What machine CMS runs on: from the device tree if there is one, else a standard PC.  Pure: the boot code hands in
 * what the loader gave. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct machine {
    uint64_t ram_start, ram_end; /* the memory range that holds the image */
    uint16_t uart_port;
    uint8_t uart_irq;
    uint32_t tsc_khz;          /* 0: nobody said */
    const char *command_line;  /* boot arguments, never NULL */
};

/* The standard PC; ram as the loader tells. */
void cms_machine_default(struct machine *machine);

/* Overrides `machine` with what the tree says.  `image` is an address that must lie in its RAM.
 * Returns NULL, or why the tree cannot be honoured (machine is then unchanged); *where is the node's path offset,
 * to be shown, or -1. */
const char *cms_machine_from_tree(const void *tree, size_t size, uint64_t image, struct machine *machine, int *where);
