/* Test devices, present only if the directory grants them: isa-debug-exit (port F4H, 4 bytes: a store ends the machine
 * with that value) and the debug console (port E9H: a byte stored is a byte of output, a load gives E9H). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/device/bus.h"

enum { DEBUG_EXIT_PORT = 0xF4, DEBUG_CONSOLE_PORT = 0xE9 };

struct debug_exit {
    void (*exit)(void *context, uint32_t value);
    void (*output)(void *context, uint8_t byte);
    void *context;
};

void debug_exit_init(struct debug_exit *, struct bus *, void (*exit)(void *, uint32_t), void (*output)(void *, uint8_t),
                     void *context);
