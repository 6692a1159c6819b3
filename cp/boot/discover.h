/* What machine is this? The tree the loader brought (CP under CP, or a description by hand), else the one made of the
 * PC's facts. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/boot/machine_facts.h"

/* @pre interrupts off; magic and information as the multiboot loader left them in EAX and EBX */
bool discover(uint32_t magic, uint64_t information, struct machine_facts *, struct tree_fault *);
/* Maps all RAM and hands what nobody holds to the frame allocator. */
void discover_storage(const struct machine_facts *);
