#include "tests/guest/runtime/steps.h"

enum { VECTOR_DEBUG = 1, DR6_STEP = 1 << 14 };
#define DR6_NONE 0xFFFF0FF0ull

volatile struct guest_steps guest_steps;

static void note(struct guest_frame *frame)
{
    guest_steps.others += !(read_dr6() & DR6_STEP);
    write_dr6(DR6_NONE);
    if (guest_steps.count < GUEST_STEPS)
        guest_steps.at[guest_steps.count] = frame->rip;
    guest_steps.count++;
}

void guest_steps_begin(void)
{
    guest_handle(VECTOR_DEBUG, note);
    guest_steps.count = guest_steps.others = 0;
    write_dr6(DR6_NONE);
}

int guest_place(const uint64_t *places, uint32_t count, uint64_t rip)
{
    for (uint32_t i = 0; i < count; i++)
        if (places[i] == rip)
            return (int)i;
    return -1;
}
