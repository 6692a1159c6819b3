/* Occasions at which a device may have come or gone: something was typed (perhaps to CP before it came to us), or CP
 * obeyed a command of ours.  Who depends on a device looks again when the count has changed, and not at every use. */
#pragma once
#include <stdint.h>

extern volatile uint32_t change_count;

static inline void change_note(void)
{
    change_count++;
}
