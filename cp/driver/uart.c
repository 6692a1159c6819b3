/* Lines on real 16550 UARTs (line.h). Bytes come in from line_write() and leave by the transmitter, sixteen each time
 * its FIFO is empty; what arrives goes straight to the line's input callback. Nothing is interpreted here.
 *
 * The registers: National Semiconductor PC16550D, "Register Descriptions". */
#include "cp/driver/line.h"

#include <stddef.h>

#include "cp/cpu/port.h"

enum uart_register {
    UART_DATA,
    UART_IER,
    UART_IIR,
    UART_LCR,
    UART_MCR,
    UART_LSR,
    UART_MSR,
    UART_SCRATCH,
    UART_DIVISOR_LOW = UART_DATA, /* these two while LCR says so */
    UART_DIVISOR_HIGH = UART_IER,
    UART_FCR = UART_IIR, /* when written */
};

enum {
    IER_RECEIVE = 1 << 0,
    IER_TRANSMIT = 1 << 1,
    IIR_NONE = 1 << 0,
    FCR_ENABLE_AND_CLEAR = 0x07, /* receive trigger at one byte: the other fifteen are slack for a busy CP */
    LCR_8N1 = 0x03,
    LCR_DIVISOR = 1 << 7,
    MCR_DTR_RTS_OUT2 = 0x0B, /* OUT2 lets the interrupt through to the PC's IRQ */
    LSR_DATA = 1 << 0,
    LSR_TRANSMITTER_EMPTY = 1 << 5,
    LSR_IDLE = 1 << 6,
    DIVISOR_115200 = 1,
    FIFO_BYTES = 16,
    MOST_INPUT = 256,      /* bytes taken in one call: a flood may not keep CP here */
    DRAIN_POLLS = 1000000, /* about a second on a real port */
};

static uint8_t get(const struct line *l, enum uart_register r)
{
    return port_in8((uint16_t)(l->port + r));
}

static void put(const struct line *l, enum uart_register r, uint8_t value)
{
    port_out8((uint16_t)(l->port + r), value);
}

static bool answers(const struct line *l)
{
    put(l, UART_SCRATCH, 0x5A);
    if (get(l, UART_SCRATCH) != 0x5A)
        return false;
    put(l, UART_SCRATCH, 0xA5);
    return get(l, UART_SCRATCH) == 0xA5;
}

bool line_init(struct line *l, uint16_t port, uint8_t irq)
{
    l->port = port;
    l->irq = irq;
    l->head = l->tail = 0;
    l->interrupts = 0;
    if (!answers(l)) {
        l->port = 0;
        return false;
    }
    put(l, UART_LCR, LCR_DIVISOR | LCR_8N1);
    put(l, UART_DIVISOR_LOW, DIVISOR_115200);
    put(l, UART_DIVISOR_HIGH, 0);
    put(l, UART_LCR, LCR_8N1); /* before any data: a UART left at five bits drops the top three of every byte */
    put(l, UART_FCR, FCR_ENABLE_AND_CLEAR);
    put(l, UART_MCR, MCR_DTR_RTS_OUT2);
    l->interrupts = IER_RECEIVE;
    put(l, UART_IER, l->interrupts);
    return true;
}

static uint32_t queued(const struct line *l)
{
    return l->head - l->tail;
}

uint32_t line_room(const struct line *l)
{
    return l->port ? LINE_OUTPUT_BYTES - queued(l) : 0;
}

static void fill_transmitter(struct line *l)
{
    for (unsigned i = 0; i < FIFO_BYTES && queued(l); i++)
        put(l, UART_DATA, l->output[l->tail++ % LINE_OUTPUT_BYTES]);
}

/* The transmitter interrupts as long as bytes wait, and not otherwise. */
static void set_interrupts(struct line *l)
{
    uint8_t wanted = IER_RECEIVE | (queued(l) ? IER_TRANSMIT : 0);
    if (wanted != l->interrupts) {
        l->interrupts = wanted;
        put(l, UART_IER, wanted);
    }
}

uint32_t line_write(struct line *l, const void *bytes, uint32_t count)
{
    const uint8_t *from = bytes;
    uint32_t taken = count < line_room(l) ? count : line_room(l);
    for (uint32_t i = 0; i < taken; i++)
        l->output[l->head++ % LINE_OUTPUT_BYTES] = from[i];
    if (taken && !(l->interrupts & IER_TRANSMIT)) { /* else its interrupt will fetch them */
        if (get(l, UART_LSR) & LSR_TRANSMITTER_EMPTY)
            fill_transmitter(l);
        set_interrupts(l);
    }
    return taken;
}

/* Takes what has arrived; returns the line status as last read. */
static uint8_t receive(struct line *l)
{
    uint8_t status = get(l, UART_LSR);
    for (unsigned i = 0; status & LSR_DATA && i < MOST_INPUT; i++) {
        uint8_t byte = get(l, UART_DATA);
        if (l->input)
            l->input(l, byte);
        status = get(l, UART_LSR);
    }
    return status;
}

static void transmit(struct line *l)
{
    uint32_t before = queued(l);
    fill_transmitter(l);
    set_interrupts(l);
    if (l->room && before > LINE_OUTPUT_BYTES / 2 && queued(l) <= LINE_OUTPUT_BYTES / 2)
        l->room(l);
}

void line_interrupt(struct line *l)
{
    if (!l->port)
        return;
    /* The IRQ is an edge: unless every cause is gone when we leave, the next one is never seen. */
    for (unsigned round = 0; round < FIFO_BYTES; round++) {
        if (receive(l) & LSR_TRANSMITTER_EMPTY && queued(l))
            transmit(l);
        if (get(l, UART_IIR) & IIR_NONE)
            return;
    }
}

void line_drain(struct line *l)
{
    uint32_t polls = 0;
    while (l->port && queued(l) && polls++ < DRAIN_POLLS)
        if (get(l, UART_LSR) & LSR_TRANSMITTER_EMPTY) {
            fill_transmitter(l);
            polls = 0;
        }
    while (l->port && !(get(l, UART_LSR) & LSR_IDLE) && polls++ < DRAIN_POLLS)
        ;
}
