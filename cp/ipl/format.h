/* Which way an image is begun. */
#pragma once
#include "cp/ipl/copy.h"

enum ipl_format { IPL_MULTIBOOT, IPL_MULTIBOOT2, IPL_PVH, IPL_LINUX, IPL_ROM };

/* An image of several kinds is of the first of: Linux, multiboot 2, a ROM, multiboot 1 (U-Boot's ROM has its header
 * too), PVH. One that is none is told what it lacks as a multiboot image. */
enum ipl_format ipl_format_of(struct ipl_bytes image, uint64_t bytes);
