/* The 8042 keyboard controller (ports 60H, 64H) with a keyboard at it and no mouse: software tests it, opens the A20
 * gate (always open), resets the machine through it, and reads keys, which are what is typed while the console is a
 * VGA's (keyboard_type). Scan codes are those of set 1, translation on or off. It comes as firmware leaves it: keyboard
 * on, interrupt 1 on. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/device/bus.h"
#include "cp/device/irq.h"
#include "cp/device/keyboard_keys.h"
#include "cp/time/timer.h"

enum { KEYBOARD_QUEUE = 16 };

struct keyboard_wiring {
    void *context;
    void (*reset)(void *context);
    void (*input_room)(void *context); /* keyboard_type() takes bytes again */
    struct irq irq;
};

struct keyboard {
    uint8_t command_byte;
    uint8_t output;      /* what waits at port 60H */
    bool output_full;
    bool last_was_command; /* status bit 3: of the writes to 64H and 60H the last was to 64H */
    bool system;         /* status bit 2: the self-test passed */
    uint8_t expecting;   /* the command whose data byte comes next at port 60H, 0: none */
    uint8_t device_expecting; /* the same of the keyboard */
    bool scanning;       /* the keyboard sends keys */
    bool full;           /* somebody waits for input_room */
    uint8_t queue[KEYBOARD_QUEUE], head, count; /* of the keyboard, to come to port 60H */
    struct key_reader keys;
    struct timer pause;  /* behind an ESC */
    struct keyboard_wiring wiring;
};

void keyboard_init(struct keyboard *, struct bus *, const struct keyboard_wiring *);
void keyboard_reset(struct keyboard *);
void keyboard_free(struct keyboard *); /* cancels its timer */
/* Typed bytes as keys; how many were taken. One that does not scan takes all, and forgets them. */
unsigned keyboard_type(struct keyboard *, const uint8_t *bytes, unsigned count);
