#include "cp/ipl/format.h"

#include "cp/ipl/linux.h"
#include "cp/ipl/multiboot.h"
#include "cp/ipl/multiboot2.h"
#include "cp/ipl/pvh.h"
#include "cp/ipl/rom.h"

static const struct {
    bool (*is)(struct ipl_bytes image, uint64_t bytes);
    enum ipl_format format;
} row[] = {{linux_is, IPL_LINUX}, {multiboot2_is, IPL_MULTIBOOT2}, {rom_is, IPL_ROM}, {multiboot_is, IPL_MULTIBOOT},
           {pvh_is, IPL_PVH}};

enum ipl_format ipl_format_of(struct ipl_bytes image, uint64_t bytes)
{
    for (unsigned i = 0; i < sizeof row / sizeof *row; i++)
        if (row[i].is(image, bytes))
            return row[i].format;
    return IPL_MULTIBOOT;
}
