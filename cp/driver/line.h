/* A line: a real 16550 UART with a terminal at its other end. Output is buffered and drains by interrupt; nothing is
 * lost, since the writer asks for room first. Input goes byte by byte to a callback. Both callbacks run in
 * line_interrupt(). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { LINE_OUTPUT_BYTES = 4096 };

struct line {
    uint16_t port;      /* I/O base: 3F8, 2F8, 3E8, 2E8 */
    uint8_t irq;        /* ISA: 4 for the first and third, 3 for the second and fourth */
    uint8_t interrupts; /* IER as last written */
    void (*input)(struct line *, uint8_t byte);
    void (*room)(struct line *); /* may be NULL: output has drained to half or less */
    void *owner;                 /* for the callbacks */
    uint32_t head, tail;         /* free-running; bytes queued = head - tail */
    uint8_t output[LINE_OUTPUT_BYTES];
};

/* Sets 115200 8N1, FIFOs on, receive interrupts on. False when no UART answers at `port`; then the line stays unusable.
 * @pre input, room and owner are set (input may be NULL: bytes are dropped). */
bool line_init(struct line *, uint16_t port, uint8_t irq);

uint32_t line_room(const struct line *); /* bytes that line_write would take now */

/* Queues up to `count` bytes and starts the transmitter; returns how many were taken (less than count: no more
 * room). */
uint32_t line_write(struct line *, const void *bytes, uint32_t count);

/* Call when the line's IRQ came (a shared IRQ: call it for each line of that IRQ), or to poll. */
void line_interrupt(struct line *);

/* Sends everything queued, busy-waiting: only for the last words before power off, or of an assert. */
void line_drain(struct line *);
