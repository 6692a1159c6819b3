/* RDRAND where the processor has it; always the TSC, whose low bits depend on when everything else came. */
#include <stdbool.h>

#include "cms/cpu/cpu.h"
#include "cms/kernel/random.h"

uint64_t cms_entropy(void)
{
    enum { LEAF_FEATURES = 1, ECX_RDRAND = 1 << 30, TRIES = 10 };
    uint64_t chance = 0;

    if (cpu_id(LEAF_FEATURES).ecx & ECX_RDRAND)
        for (int i = 0; i < TRIES && !cpu_random(&chance); i++)
            ;
    return chance ^ cpu_tsc() * 0x9e3779b97f4a7c15ull;
}
