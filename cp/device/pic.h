/* The two 8259A interrupt controllers of a PC (ports 20H-21H, A0H-A1H; edge/level control 4D0H-4D1H), the second on
 * input 2 of the first. In: levels of the 16 ISA lines, port accesses, interrupt acknowledge. Out: the level of INTR.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/device/bus.h"

struct pic_chip {
    uint8_t irr, imr, isr;
    uint8_t levels;      /* inputs as they are, for edge detection */
    uint8_t elcr;        /* 1: level-triggered */
    uint8_t base;        /* ICW2: vector of input 0 */
    uint8_t lowest;      /* input with the lowest priority (rotation) */
    uint8_t init_step;   /* 0: ready; 2, 3, 4: the ICW expected next */
    bool need_icw4, single, auto_eoi, rotate_on_auto_eoi, special_mask, fully_nested, poll, read_isr;
    uint8_t elcr_mask;   /* the bits of elcr that can be set */
};

struct pic {
    struct pic_chip chip[2]; /* master, slave */
    bool output;             /* INTR */
    void (*changed)(void *context); /* output changed */
    void *context;
};

void pic_init(struct pic *, struct bus *, void (*changed)(void *context), void *context);
void pic_reset(struct pic *);
void pic_set(struct pic *, unsigned irq, bool level); /* @pre irq < 16 */
/* The CPU has something to take that is none of these (a bit for each IRQ). */
bool pic_others_wait(const struct pic *, uint16_t ticks);
/* The CPU's INTA cycles: the vector. A request that went away gives the spurious one (base + 7), as the chip does. */
uint8_t pic_acknowledge(struct pic *);
