/* The 16550A's registers (National PC16550D data sheet, "Registers"). */
#include "cp/device/uart.h"

#include <string.h>

enum uart_register { /* offset from the base port; read/write, or with DLAB */
    RBR_THR = 0, IER = 1, IIR_FCR = 2, LCR = 3, MCR = 4, LSR = 5, MSR = 6, SCR = 7
};

enum { LSR_READY = 0x01, LSR_OVERRUN = 0x02, LSR_ERRORS = 0x1e, LSR_TRANSMIT_EMPTY = 0x60 /* THRE and TEMT */ };
enum { IER_RECEIVE = 0x01, IER_TRANSMIT = 0x02, IER_LINE = 0x04, IER_MODEM = UART_IER_MODEM, IER_WRITABLE = 0x0f };
enum {
    IIR_NONE = 0x01, IIR_MODEM = 0x00, IIR_TRANSMIT = 0x02, IIR_RECEIVE = 0x04, IIR_LINE = 0x06, IIR_TIMEOUT = 0x0c,
    IIR_FIFOS = 0xc0
};
enum { FCR_ENABLE = 0x01, FCR_CLEAR_RECEIVE = 0x02, FCR_KEPT = 0xc1 };
enum { LCR_DLAB = 0x80, MCR_WRITABLE = 0x1f, MCR_LOOP = UART_MCR_LOOP, MSR_DELTAS = 0x0f, MSR_LINES = 0xf0 };
enum { MSR_RANG = 0x04, MSR_CTS = 0x10, MSR_DSR = 0x20, MSR_RI = 0x40, MSR_DCD = 0x80 };

static void fifo_put(struct uart_fifo *fifo, uint8_t byte)
{
    unsigned at = (fifo->head + fifo->count++) % UART_FIFO_BYTES;

    fifo->bytes[at] = byte;
    fifo->looped &= ~(1u << at);
}

static void fifo_drop(struct uart_fifo *fifo, unsigned count)
{
    fifo->head = (fifo->head + count) % UART_FIFO_BYTES;
    fifo->count -= count;
}

/* Without FIFOs the chip is a 16450: it holds one byte. */
static unsigned receive_capacity(const struct uart *uart)
{
    return uart->fifo_control & FCR_ENABLE ? UART_FIFO_BYTES : 1;
}

static unsigned receive_trigger(const struct uart *uart)
{
    static const uint8_t level[4] = {1, 4, 8, 14};

    return uart->fifo_control & FCR_ENABLE ? level[uart->fifo_control >> 6] : 1;
}

/* The interrupt of highest priority that is enabled and pending. */
static uint8_t interrupt_identity(const struct uart *uart)
{
    if ((uart->interrupt_enable & IER_LINE) && (uart->line_status & LSR_ERRORS))
        return IIR_LINE;
    if ((uart->interrupt_enable & IER_RECEIVE) && uart->receive.count)
        return uart->receive.count >= receive_trigger(uart) ? IIR_RECEIVE : IIR_TIMEOUT;
    if ((uart->interrupt_enable & IER_TRANSMIT) && uart->transmit_interrupt)
        return IIR_TRANSMIT;
    if ((uart->interrupt_enable & IER_MODEM) && (uart->modem_status & MSR_DELTAS))
        return IIR_MODEM;
    return IIR_NONE;
}

static void update_interrupt(struct uart *uart)
{
    irq_set(&uart->wiring.irq, interrupt_identity(uart) != IIR_NONE);
}

/* The transmitter has become empty. A pending THRE interrupt falls and rises again, since an edge-triggered controller
 * must see each one. */
static void transmitted(struct uart *uart)
{
    uart->line_status |= LSR_TRANSMIT_EMPTY;
    if (uart->transmit_interrupt && (uart->interrupt_enable & IER_TRANSMIT)) {
        uart->transmit_interrupt = false;
        update_interrupt(uart);
    }
    uart->transmit_interrupt = true;
    update_interrupt(uart);
}

static unsigned output(struct uart *uart, const uint8_t *bytes, unsigned count)
{
    unsigned taken = uart->wiring.output ? uart->wiring.output(uart->wiring.context, bytes, count) : count;

    return taken < count ? taken : count;
}

static void drain(struct uart *uart)
{
    struct uart_fifo *fifo = &uart->transmit;

    while (fifo->count) {
        unsigned run = UART_FIFO_BYTES - fifo->head;
        unsigned taken = output(uart, &fifo->bytes[fifo->head], run < fifo->count ? run : fifo->count);

        if (!taken)
            return;
        fifo_drop(fifo, taken);
    }
    transmitted(uart);
}

/* Data sheet "Line Status Register", bit 1: without FIFOs what nobody read makes way, with them the new is lost. */
static void loop_back(struct uart *uart, uint8_t byte)
{
    struct uart_fifo *fifo = &uart->receive;
    bool overrun = fifo->count >= receive_capacity(uart);

    if (overrun)
        uart->line_status |= LSR_OVERRUN;
    if (overrun && !(uart->fifo_control & FCR_ENABLE))
        fifo_drop(fifo, 1);
    if (fifo->count < receive_capacity(uart)) {
        fifo_put(fifo, byte);
        fifo->looped |= 1u << (fifo->head + fifo->count - 1) % UART_FIFO_BYTES;
    }
    uart->line_status |= LSR_READY;
    update_interrupt(uart);
    if (!uart->transmit.count)
        transmitted(uart);
}

static void transmit(struct uart *uart, uint8_t byte)
{
    if (uart->modem_control & MCR_LOOP) {
        loop_back(uart, byte);
    } else if (!uart->transmit.count && output(uart, &byte, 1)) {
        transmitted(uart);
    } else {
        /* a driver that does not look at THRE overruns the transmitter, as on the chip */
        if (uart->transmit.count < UART_FIFO_BYTES)
            fifo_put(&uart->transmit, byte);
        uart->line_status &= ~LSR_TRANSMIT_EMPTY;
        uart->transmit_interrupt = false;
        update_interrupt(uart);
    }
}

/* What the host takes at one go is one emptying of the transmitter, as sixteen bytes are on the chip. */
unsigned uart_transmit(struct uart *uart, const uint8_t *bytes, unsigned count)
{
    bool passes = !(uart->modem_control & MCR_LOOP) && !uart->transmit.count;
    unsigned taken = passes ? output(uart, bytes, count) : 0;

    if (taken)
        transmitted(uart);
    return taken;
}

static void receiver_has_room(struct uart *uart)
{
    if (uart->wiring.input_room)
        uart->wiring.input_room(uart->wiring.context);
}

static uint8_t receive(struct uart *uart)
{
    struct uart_fifo *fifo = &uart->receive;
    uint8_t byte = fifo->bytes[fifo->head];

    if (!fifo->count)
        return 0;
    fifo_drop(fifo, 1);
    if (!fifo->count)
        uart->line_status &= ~LSR_READY;
    update_interrupt(uart);
    if (!fifo->count)
        receiver_has_room(uart);
    return byte;
}

static uint8_t read_identity(struct uart *uart)
{
    uint8_t identity = interrupt_identity(uart);

    if (identity == IIR_TRANSMIT) {
        uart->transmit_interrupt = false;
        update_interrupt(uart);
    }
    return identity | (uart->fifo_control & FCR_ENABLE ? IIR_FIFOS : 0);
}

static uint8_t read_line_status(struct uart *uart)
{
    uint8_t status = uart->line_status;

    if (status & LSR_ERRORS) {
        uart->line_status &= ~LSR_ERRORS;
        update_interrupt(uart);
    }
    return status;
}

static uint8_t read_modem_status(struct uart *uart)
{
    uint8_t status = uart->modem_status;
    bool looked = uart_must_look(uart);

    uart->modem_status &= ~MSR_DELTAS;
    update_interrupt(uart);
    if (looked)
        receiver_has_room(uart);
    return status;
}

static uint8_t read_register(struct uart *uart, enum uart_register which)
{
    bool divisor = uart->line_control & LCR_DLAB;

    switch (which) {
    case LSR: return read_line_status(uart);
    case RBR_THR: return divisor ? uart->divisor[0] : receive(uart);
    case IER: return divisor ? uart->divisor[1] : uart->interrupt_enable;
    case IIR_FCR: return read_identity(uart);
    case LCR: return uart->line_control;
    case MCR: return uart->modem_control;
    case MSR: return read_modem_status(uart);
    case SCR: return uart->scratch;
    }
    return 0xff;
}

static void write_interrupt_enable(struct uart *uart, uint8_t value)
{
    uint8_t risen = value & ~uart->interrupt_enable;
    bool waited = uart_must_look(uart);

    uart->interrupt_enable = value & IER_WRITABLE;
    /* enabling it while the transmitter is empty asks for the first interrupt */
    if ((risen & IER_TRANSMIT) && (uart->line_status & LSR_TRANSMIT_EMPTY))
        uart->transmit_interrupt = true;
    update_interrupt(uart);
    if (waited && !uart_must_look(uart))
        receiver_has_room(uart);
}

/* What came round in loopback is gone; what came from the line comes once more, at once. A driver clears the receiver
 * as it starts, and what was typed until then was meant for it: a byte has arrived when it is read. */
static void clear_receiver(struct uart *uart)
{
    struct uart_fifo before = uart->receive;

    uart->receive = (struct uart_fifo){.count = 0};
    for (unsigned i = 0; i < before.count; i++) {
        unsigned at = (before.head + i) % UART_FIFO_BYTES;
        if (!(before.looped >> at & 1))
            fifo_put(&uart->receive, before.bytes[at]);
    }
    if (!uart->receive.count)
        uart->line_status &= ~LSR_READY;
}

/* Clearing the transmitter does nothing: its bytes are on the wire already, only the host is slow to take them. */
static void write_fifo_control(struct uart *uart, uint8_t value)
{
    bool switched = (value ^ uart->fifo_control) & FCR_ENABLE;

    uart->fifo_control = value & FCR_ENABLE ? value & FCR_KEPT : 0;
    if (!switched && !(value & FCR_CLEAR_RECEIVE)) {
        update_interrupt(uart);
        return;
    }
    clear_receiver(uart);
    update_interrupt(uart);
    if (!uart->receive.count)
        receiver_has_room(uart);
}

static uint8_t modem_lines(const struct uart *uart)
{
    uint8_t out = uart->modem_control;

    if (!(out & MCR_LOOP)) /* what is sent is always taken, if nobody is there by nobody */
        return MSR_CTS | (uart->carrier ? MSR_DSR | MSR_DCD : 0);
    return (out & 1 ? MSR_DSR : 0) | (out & 2 ? MSR_CTS : 0) | (out & 4 ? MSR_RI : 0) | (out & 8 ? MSR_DCD : 0);
}

static void follow_modem_lines(struct uart *uart)
{
    uint8_t before = uart->modem_status & MSR_LINES, after = modem_lines(uart), changed = before ^ after;

    changed &= ~(after & MSR_RI); /* the ring indicator counts only when it ends */
    uart->modem_status = after | (uart->modem_status & MSR_DELTAS) | (changed & MSR_CTS ? 1 : 0) |
                         (changed & MSR_DSR ? 2 : 0) | (changed & MSR_RI ? MSR_RANG : 0) | (changed & MSR_DCD ? 8 : 0);
    update_interrupt(uart);
}

static void write_modem_control(struct uart *uart, uint8_t value)
{
    bool joined = (uart->modem_control & MCR_LOOP) && !(value & MCR_LOOP), took = uart_takes_calls(uart);

    uart->modem_control = value & MCR_WRITABLE;
    follow_modem_lines(uart);
    if (joined)
        receiver_has_room(uart);
    if (took && !uart_takes_calls(uart) && uart->wiring.hung_up)
        uart->wiring.hung_up(uart->wiring.context);
}

static void write_register(struct uart *uart, enum uart_register which, uint8_t value)
{
    if ((uart->line_control & LCR_DLAB) && which <= IER) {
        uart->divisor[which] = value;
        return;
    }
    switch (which) {
    case RBR_THR: transmit(uart, value); break;
    case IER: write_interrupt_enable(uart, value); break;
    case IIR_FCR: write_fifo_control(uart, value); break;
    case LCR: uart->line_control = value; break;
    case MCR: write_modem_control(uart, value); break;
    case SCR: uart->scratch = value; break;
    case LSR:
    case MSR: break; /* for the factory's tests only */
    }
}

/* It is an 8-bit device: a wider access is one for each byte, as the ISA bus splits it. */
static __attribute__((noinline)) uint32_t read_wide(struct uart *uart, unsigned first, unsigned size)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |= (uint32_t)(first + i < UART_PORTS ? read_register(uart, first + i) : 0xff) << 8 * i;
    return value;
}

/* What a polling driver reads over and over comes first, in as few instructions as can be. */
static uint32_t port_read(void *device, uint16_t port, unsigned size)
{
    struct uart *uart = device;
    unsigned which = port - uart->wiring.port;

    if (size != 1)
        return read_wide(uart, which, size);
    if (which == LSR && !(uart->line_status & LSR_ERRORS))
        return uart->line_status;
    return read_register(uart, which);
}

static void port_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
    struct uart *uart = device;
    unsigned first = port - uart->wiring.port;

    for (unsigned i = 0; i < size && first + i < UART_PORTS; i++)
        write_register(uart, first + i, value >> 8 * i);
}

static void port_write_run(void *device, uint16_t port, const uint8_t *bytes, unsigned count)
{
    struct uart *uart = device;
    unsigned which = port - uart->wiring.port;
    unsigned taken = which == RBR_THR && !(uart->line_control & LCR_DLAB) ? uart_transmit(uart, bytes, count) : 0;

    for (unsigned i = taken; i < count; i++)
        write_register(uart, which, bytes[i]);
}

int uart_init(struct uart *uart, struct bus *bus, const struct uart_wiring *wiring)
{
    const struct bus_ports ports = {.first = wiring->port, .last = wiring->port + UART_PORTS - 1, .device = uart,
                                    .read = port_read, .write = port_write, .write_run = port_write_run};

    *uart = (struct uart){.wiring = *wiring, .carrier = wiring->carrier};
    uart_reset(uart);
    return bus_claim_ports(bus, &ports);
}

void uart_reset(struct uart *uart)
{
    struct uart_wiring wiring = uart->wiring;
    bool took = uart_takes_calls(uart);

    irq_set(&wiring.irq, false);
    *uart = (struct uart){.wiring = wiring, .line_status = LSR_TRANSMIT_EMPTY, .divisor = {12, 0},
                          .carrier = uart->carrier};
    uart->modem_status = modem_lines(uart);
    if (took && wiring.hung_up)
        wiring.hung_up(wiring.context);
}

/* Nobody reads what was typed by who has left, and nobody is shown what was written to them. */
void uart_carrier(struct uart *uart, bool there)
{
    if (there == uart->carrier)
        return;
    uart->carrier = there;
    if (there) {
        uart->receive = (struct uart_fifo){.count = 0};
        uart->line_status &= ~LSR_READY;
    }
    uart_output_ready(uart);
    follow_modem_lines(uart);
}

unsigned uart_receive_room(const struct uart *uart)
{
    unsigned capacity = receive_capacity(uart); /* what the FIFO held is kept when it is switched off */

    /* in loopback the receiver is cut off from the line */
    if (uart->modem_control & MCR_LOOP || uart_must_look(uart) || uart->receive.count > capacity)
        return 0;
    return capacity - uart->receive.count;
}

unsigned uart_receive(struct uart *uart, const uint8_t *bytes, unsigned count)
{
    unsigned room = uart_receive_room(uart), taken = count < room ? count : room;

    for (unsigned i = 0; i < taken; i++)
        fifo_put(&uart->receive, bytes[i]);
    if (taken) {
        uart->line_status |= LSR_READY;
        update_interrupt(uart);
    }
    return taken;
}

void uart_ring(struct uart *uart)
{
    if (uart->modem_control & MCR_LOOP)
        return;
    uart->modem_status |= MSR_RANG;
    update_interrupt(uart);
}

void uart_output_ready(struct uart *uart)
{
    if (uart->transmit.count)
        drain(uart);
}
