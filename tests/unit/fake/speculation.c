#include "tests/unit/fake/speculation.h"

#include "cp/vcpu/edge.h"

struct fake_order fake_orders[FAKE_ORDERS];
unsigned fake_ordered;

void cpu_speculation_write(uint32_t msr, uint64_t value)
{
    if (fake_ordered < FAKE_ORDERS)
        fake_orders[fake_ordered++] = (struct fake_order){msr, value};
}

void cpu_buffers_clear(void)
{
    cpu_speculation_write(FAKE_VERW, 0);
}
