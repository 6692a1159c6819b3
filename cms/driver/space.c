/* Page tables and the processor. */
#include "cms/space/processor.h"

#include <string.h>

#include "cms/cpu/cpu.h"
#include "cms/cpu/user.h"

enum { HALF = 256 };

extern const uint64_t page_pml4[];
extern const bool boot_no_execute;

void space_processor_kernel_half(uint64_t entries[256])
{
    memcpy(entries, page_pml4 + HALF, HALF * sizeof *entries);
}

/* Without PCIDs the processor knows nothing of address spaces that are not loaded. */
void space_processor_forget(uint64_t root, uint64_t address)
{
    if (cpu_cr3() == root)
        cpu_invalidate(address);
}

void space_processor_forget_all(uint64_t root)
{
    if (cpu_cr3() == root)
        cpu_set_cr3(root);
}

bool space_processor_has_no_execute(void)
{
    return boot_no_execute;
}

void space_processor_leave(uint64_t root)
{
    user_root_goes(root);
}
