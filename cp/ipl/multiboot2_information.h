/* What a multiboot 2 image is told ("Boot information"). */
#pragma once
#include "cp/ipl/multiboot.h"

bool multiboot2_information_has(uint32_t tag); /* a type of tag that is given, where the machine has what it tells */
/* Modules, each on a page, and information from the page at or above `end` on. @pre the image's segments are noted, and
 * nothing else is. NULL, or why not. */
const char *multiboot2_information(struct ipl_copies *, const struct multiboot_image *, uint64_t end, uint32_t *at);
