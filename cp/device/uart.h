/* A 16550A UART: what a guest's driver sees of a line. The line behind it is as fast as the host takes bytes, so a byte
 * is transmitted at once and the receiver's character timeout has always passed. It ends at a terminal that is always
 * there, or at a modem: DSR and DCD say whether somebody called, and who takes DTR away lets them go.
 *
 * In:  the guest's port accesses (through the bus), uart_receive() with what was typed, uart_output_ready(),
 *      uart_carrier() when somebody came or left.
 * Out: the output call-out, the interrupt wire, input_room when the guest has read all that was received, hung_up when
 *      it takes DTR away. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/device/bus.h"
#include "cp/device/irq.h"

enum { UART_FIFO_BYTES = 16, UART_PORTS = 8 };

struct uart_fifo {
    uint8_t bytes[UART_FIFO_BYTES];
    uint8_t head, count;
    uint16_t looped; /* bit i: bytes[i] came round in loopback, not from the line */
};

struct uart_wiring {
    uint16_t port; /* I/O base: 3F8, 2F8, 3E8, 2E8 */
    struct irq irq;
    void *context; /* for the two below */
    /* Takes up to `count` bytes and returns how many; the rest stays in the transmitter (THRE and TEMT stay 0) until
     * uart_output_ready(). May be NULL: everything is swallowed. */
    unsigned (*output)(void *context, const uint8_t *bytes, unsigned count);
    /* The receiver has become empty: uart_receive() takes bytes again. May be NULL; may call uart_receive(). */
    void (*input_room)(void *context);
    void (*hung_up)(void *context); /* DTR fell, by the guest or a reset. May be NULL; may call uart_carrier() */
    bool carrier;                   /* a terminal is there always; else a modem, and somebody if they called */
};

struct uart {
    uint8_t line_status; /* LSR, always current: reading it is one load */
    uint8_t interrupt_enable, line_control, modem_control, modem_status, scratch;
    uint8_t fifo_control;    /* bit 0 (enable) and bits 7:6 (trigger) as last written */
    uint8_t divisor[2];      /* low, high */
    bool transmit_interrupt; /* THRE interrupt pending: set as the transmitter empties, reset by reading it in IIR */
    bool carrier;            /* somebody is at the other end */
    struct uart_fifo receive, transmit;
    struct uart_wiring wiring;
};

/* Claims the eight ports. 0, or the error of bus_claim_ports. @pre the uart stays where it is while claimed */
int uart_init(struct uart *, struct bus *, const struct uart_wiring *);
void uart_reset(struct uart *); /* as after power on; bytes not yet taken by output are dropped */

/* Bytes from the line: how many were taken (at most what the receiver has room for; never an overrun). */
unsigned uart_receive(struct uart *, const uint8_t *bytes, unsigned count);
unsigned uart_receive_room(const struct uart *);
/* Somebody came, or left. What was typed by who was there before and is not read by then is gone when another comes. */
void uart_carrier(struct uart *, bool there);
void uart_ring(struct uart *); /* RI rises and falls: DIAGNOSE "line" or "special message" has news */
void uart_output_ready(struct uart *); /* output has room again */
/* The guest's bytes, many at a time: how many were sent. None while the transmitter holds some, or in loopback. */
unsigned uart_transmit(struct uart *, const uint8_t *bytes, unsigned count);

enum { UART_IER_MODEM = 0x08, UART_MCR_DTR = 0x01, UART_MCR_LOOP = 0x10, UART_MSR_CARRIER_CHANGED = 0x08 };

/* DTR: the guest takes calls. In loopback the pin is inactive (data sheet "Modem Control Register"). */
static inline bool uart_takes_calls(const struct uart *uart)
{
    return (uart->modem_control & (UART_MCR_DTR | UART_MCR_LOOP)) == UART_MCR_DTR;
}

/* The carrier changed, and the guest, which asked to be told, has not looked: what it reads now it would take for what
 * those typed who were there before, and what it writes may be for them. */
static inline bool uart_must_look(const struct uart *uart)
{
    return !uart->wiring.carrier && uart->interrupt_enable & UART_IER_MODEM &&
           uart->modem_status & UART_MSR_CARRIER_CHANGED;
}
