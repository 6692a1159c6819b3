/* A real line: one terminal on a serial port. Never blocks, never loses a byte: the writer sees how much room there is. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { LINE_OUTPUT = 4096, LINE_INPUT = 256 };

struct line {
    const char *name; /* "CONS1" ... */
    uint16_t port;    /* UART base */
    uint8_t irq;
    bool present;
    uint8_t output[LINE_OUTPUT]; /* ring */
    unsigned output_head, output_count;
    void *owner;
    /* bytes typed; called from the event loop. Returns how many it took; the rest is offered again with line_poll() */
    unsigned (*input)(struct line *, const uint8_t *bytes, unsigned count);
    /* there is room for output again after line_write took less than all */
    void (*writable)(struct line *);
    bool starved; /* a writer was told less than all and waits for writable() */
    uint8_t held[LINE_INPUT]; /* typed, not yet taken */
    unsigned held_count;
};

/* False when there is no 16550 at `port`. */
bool line_init(struct line *, const char *name, uint16_t port, uint8_t irq);
unsigned line_write(struct line *, const uint8_t *bytes, unsigned count); /* how many were taken */
void line_poll(struct line *);       /* after its interrupt, or at any time: moves what can be moved both ways */
bool line_idle(const struct line *); /* nothing waits for output (the transmitter included) */
