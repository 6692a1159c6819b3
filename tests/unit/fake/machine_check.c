#include "tests/unit/fake/machine_check.h"

#include <stdlib.h>

#include "cp/vcpu/edge.h"

struct machine_check fake_banks;
bool fake_under_way;
unsigned fake_bank_count;
void (*fake_machine_check_end)(const struct machine_check *);

void cpu_machine_check_take(struct machine_check *check)
{
    *check = fake_banks;
    fake_banks = (struct machine_check){0};
    fake_under_way = false;
}

bool cpu_machine_check_under_way(void) { return fake_under_way; }
unsigned cpu_machine_check_banks(void) { return fake_bank_count; }

void cpu_machine_check_end(const struct machine_check *check)
{
    if (fake_machine_check_end)
        fake_machine_check_end(check);
    abort();
}
