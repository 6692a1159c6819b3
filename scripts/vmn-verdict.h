/* How an emulator's end is to be understood: as the machine's power off, or as what. In: its wait status, and what it
 * left in the files `log` and `output` of the run directory. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* Whether it ended well; else `reason` says why not. */
bool verdict(const char *directory, bool qemu, int wait_status, char *reason, size_t size);
