/* A VGA in text mode: what is in its memory (B8000H, which is storage like other, so that a store costs nothing) is
 * shown on the console's terminal, a part at a time and only what differs from what stands there, at most twenty times
 * a second while the machine runs.
 *
 * The console is the UART's and the VGA's: it is the VGA's while there is text in it and the UART has been silent for a
 * second. What is typed goes to the keyboard then.
 *
 * In: ports 3C0H-3CFH, 3D4H, 3D5H, 3DAH; storage; vga_ran() after the machine had a turn. Out: bytes for a terminal
 * that takes ECMA-48's and UTF-8. Graphics are not shown, and a font of one's own is not. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/device/bus.h"
#include "cp/storage/guest.h"
#include "cp/time/timer.h"

enum { VGA_MEMORY = 0xB8000, VGA_MEMORY_BYTES = 0x8000, VGA_COLUMNS = 80, VGA_ROWS = 25 };

struct vga_host {
    void *context;
    /* as machine_host.output: how many were taken */
    unsigned (*output)(void *context, const uint8_t *bytes, unsigned count);
    void (*size)(void *context, unsigned *columns, unsigned *rows); /* of the terminal; 0: not known */
};

struct vga_area; /* registers, and what the terminal shows: frames on the machine's account */

struct vga {
    struct vga_area *area; /* NULL: it was not used yet */
    struct guest_storage *storage;
    const struct vga_host *host;
    struct timer timer;
    uint64_t looked, silent_since; /* host TSC: the last look, the UART's last byte */
    bool shown;
};

/* @pre `host` lives as long */
void vga_init(struct vga *, struct bus *, struct guest_storage *, const struct vga_host *);
void vga_reset(struct vga *); /* as after power on, the timer cancelled, all frames given back */
void vga_ran(struct vga *);   /* the machine did something */
void vga_go_on(struct vga *); /* the host has room again */
/* The UART is about to send: if the VGA had the console it has it no more, and the terminal is at a line's beginning.
 * Called for each byte. */
void vga_yield(struct vga *);
void vga_repaint(struct vga *); /* something else wrote on the terminal */
