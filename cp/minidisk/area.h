/* Areas of the CP volume: ranges that CP itself owns (its spool, its audit log), each given out as a disk of its own.
 * No minidisk shares a block with one, which the directory's check sees to. What is on it may be anything all the same:
 * a directory may have laid it over what was a minidisk before. */
#pragma once
#include "cp/device/disk.h"
#include "cp/directory/directory.h"

/* The area as the directory in force has it, on link_volume. NULL: the directory names none, there is no volume, or the
 * area does not lie in it. The disk stays at its place for good; requests under way may outlive a further call. */
struct disk *area_open(enum directory_area);
