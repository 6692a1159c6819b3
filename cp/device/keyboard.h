/* The 8042 keyboard controller (ports 60H, 64H) with nothing plugged in: enough for software that tests it, opens the
 * A20 gate (always open) or resets the machine through it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/device/bus.h"

struct keyboard {
    uint8_t command_byte;
    uint8_t output;      /* a reply that waits at port 60H */
    bool output_full;
    bool last_was_command; /* status bit 3: of the writes to 64H and 60H the last was to 64H */
    bool system;         /* status bit 2: the self-test passed */
    uint8_t expecting;   /* the command whose data byte comes next at port 60H, 0: none */
    void (*reset)(void *context);
    void *context;
};

void keyboard_init(struct keyboard *, struct bus *, void (*reset)(void *context), void *context);
void keyboard_reset(struct keyboard *);
