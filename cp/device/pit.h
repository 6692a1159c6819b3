/* The 8254 interval timer (ports 40H-43H) with the PC's wiring: OUT 0 is IRQ 0, OUT 2 the speaker and bit 5 of port
 * 61H, whose bit 0 is GATE 2. Counts are computed from the clock when somebody looks; only channel 0 needs a timer, for
 * its interrupts. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/device/bus.h"
#include "cp/device/irq.h"
#include "cp/time/pace.h"

enum { PIT_HZ = 1193182, PIT_CHANNELS = 3 };

enum pit_access { PIT_LOW = 1, PIT_HIGH, PIT_BOTH }; /* control word's RW field */

struct pit_channel {
    uint8_t mode;        /* 0-5 */
    uint8_t mode_written; /* as the control word had it: 6 and 7 are 2 and 3 */
    uint8_t access;
    bool bcd;
    bool gate;
    bool loaded;         /* a count was written since the control word */
    bool counting;       /* modes 1 and 5 count only after a trigger, all others while GATE is high */
    bool triggered;      /* GATE rose since the count was loaded */
    uint32_t count;      /* initial count, 1-65536 (1-10000 in BCD) */
    uint32_t next_count; /* modes 2 and 3: takes over at the end of the period; 0: none */
    uint64_t start;      /* host TSC when `count` was loaded */
    uint64_t paused;     /* PIT clocks counted when GATE went low */
    uint8_t write_low;   /* first byte of two */
    bool write_high_next, read_high_next;
    bool latched, status_latched;
    uint16_t latch;
    uint8_t status;
};

struct pit {
    struct pit_channel channel[PIT_CHANNELS];
    bool speaker;
    uint8_t refresh; /* bit 4 of port 61H changes at every look */
    struct irq irq;  /* gsi 0 */
    struct pace *pace;
    struct timer timer;
    uint64_t edge;   /* of OUT 0, host TSC, while the timer is armed for it */
    uint64_t ticked; /* host TSC of the last edge told; 0: none */
};

void pit_init(struct pit *, struct bus *, const struct irq *, struct pace *);
void pit_reset(struct pit *);
void pit_free(struct pit *);
