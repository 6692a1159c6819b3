/* The text screen of a VGA as a terminal shows it. */
#pragma once
#include "cp/device/vga.h"

enum { VGA_AREA_PAGES = 3, VGA_OUTPUT = 2048 /* bytes at once */ };

struct vga_area {
    uint8_t crtc[32], sequencer[8], graphics[16], attribute[32];
    uint8_t crtc_index, sequencer_index, graphics_index, attribute_index, misc, status;
    bool attribute_data;                      /* 3C0H takes data next, else an index */
    uint16_t cell[VGA_ROWS * VGA_COLUMNS];    /* as last read: character, attribute << 8 */
    uint16_t there[VGA_ROWS * VGA_COLUMNS];   /* as the terminal shows it */
    unsigned columns, rows, top;              /* what of it the terminal has room for, from row `top` on */
    unsigned row, column;                     /* where the terminal's cursor is */
    int attribute_there;                      /* as its characters come out; -1: not known */
    bool cursor_there;                        /* it is visible */
    unsigned pending, sent;                   /* of output[] */
    uint8_t output[VGA_OUTPUT];
};

void vga_screen_begin(struct vga_area *); /* registers as for colour text. @pre zeroed */
/* Reads what it is to show. False: nothing is there but blanks, or it is in a graphics mode. */
bool vga_screen_read(struct vga_area *, struct guest_storage *);
/* What was begun to be sent. True: all of it is gone. */
bool vga_screen_flush(struct vga_area *, const struct vga_host *);
/* On a terminal of that size (0: as large as the screen), of which nothing is known. @pre flushed */
void vga_screen_anew(struct vga_area *, unsigned columns, unsigned rows);
/* Sends what differs, as much as goes into output[]. False: there is more, or the host has no room: again later. */
bool vga_screen_show(struct vga_area *, const struct vga_host *);
void vga_screen_leave(struct vga_area *, const struct vga_host *); /* to a new line below */
