/* A processor that has no translations to forget, and counts what it is told. */
#include "tests/unit/fake/cms_space.h"

#include <string.h>

#include "cms/space/processor.h"

unsigned fake_space_forgotten, fake_space_left;

void space_processor_kernel_half(uint64_t entries[256])
{
    memset(entries, 0x11, 256 * sizeof *entries); /* nobody may follow them */
}

bool space_processor_has_no_execute(void) { return true; }

void space_processor_forget(uint64_t root, uint64_t address)
{
    (void)root, (void)address;
    fake_space_forgotten++;
}

void space_processor_forget_all(uint64_t root)
{
    (void)root;
    fake_space_forgotten++;
}

void space_processor_leave(uint64_t root)
{
    (void)root;
    fake_space_left++;
}
