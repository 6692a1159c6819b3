/* What a device tree says of a device whose place is fixed: a node of /isa. */
#pragma once
#include <stdint.h>

struct device_node {
    const char *name, *compatible;
    uint16_t port, ports; /* the first, and how many */
    uint8_t irq;          /* ISA interrupt, 0: none */
};
