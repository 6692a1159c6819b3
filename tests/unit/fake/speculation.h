/* Orders against speculation, as they came. */
#pragma once
#include <stdint.h>

enum { FAKE_ORDERS = 32, FAKE_VERW = 0 };

extern struct fake_order {
    uint32_t msr; /* FAKE_VERW: the buffers */
    uint64_t value;
} fake_orders[FAKE_ORDERS];
extern unsigned fake_ordered;
