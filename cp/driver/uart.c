/* Lines on real 16550 UARTs (uart.h). Bytes leave the line by the transmitter, sixteen each time its FIFO is empty;
 * what arrives goes straight to the line's input callback. Nothing is interpreted here.
 *
 * The registers: National Semiconductor PC16550D, "Register Descriptions". */
#include "cp/driver/uart.h"

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
    IER_MODEM = 1 << 3,
    IIR_NONE = 1 << 0,
    IIR_CAUSE = 0x0f,
    IIR_MODEM = 0x00,
    FCR_ENABLE_AND_CLEAR = 0x07, /* receive trigger at one byte: the other fifteen are slack for a busy CP */
    LCR_8N1 = 0x03,
    LCR_DIVISOR = 1 << 7,
    MCR_DTR = 1 << 0,
    MCR_RTS = 1 << 1,  /* the other end may send */
    MCR_OUT2 = 1 << 3, /* lets the interrupt through to the PC's IRQ */
    LSR_DATA = 1 << 0,
    LSR_TRANSMITTER_EMPTY = 1 << 5,
    LSR_IDLE = 1 << 6,
    MSR_RANG = 1 << 2,
    MSR_CARRIER_CHANGED = 1 << 3,
    MSR_CARRIER = 1 << 7,
    DIVISOR_115200 = 1,
    FIFO_BYTES = 16,
    MOST_INPUT = 256,      /* bytes taken in one call: a flood may not keep CP here */
    MOST_OUTPUT = 128,     /* likewise given, to a transmitter that is empty again at once, as an emulated one is */
    DRAIN_POLLS = 1000000, /* about a second on a real port */
};

static uint8_t get(const struct uart_line *u, enum uart_register r)
{
    return port_in8((uint16_t)(u->port + r));
}

static void put(const struct uart_line *u, enum uart_register r, uint8_t value)
{
    port_out8((uint16_t)(u->port + r), value);
}

static bool answers(const struct uart_line *u)
{
    put(u, UART_SCRATCH, 0x5A);
    if (get(u, UART_SCRATCH) != 0x5A)
        return false;
    put(u, UART_SCRATCH, 0xA5);
    return get(u, UART_SCRATCH) == 0xA5;
}

/* ---- output ------------------------------------------------------------------------------------ */

static void fill_transmitter(struct uart_line *u)
{
    const uint8_t *bytes;
    uint32_t count = line_oldest(&u->line, &bytes);
    if (count > FIFO_BYTES)
        count = FIFO_BYTES;
    port_out_bytes((uint16_t)(u->port + UART_DATA), bytes, count);
    line_sent(&u->line, count);
}

static bool is_empty(const struct uart_line *u) { return get(u, UART_LSR) & LSR_TRANSMITTER_EMPTY; }

static void fill_while_empty(struct uart_line *u)
{
    for (unsigned sent = 0; sent < MOST_OUTPUT && line_queued(&u->line) && is_empty(u); sent += FIFO_BYTES)
        fill_transmitter(u);
}

/* The transmitter interrupts as long as bytes wait, or their end is waited for; the receiver unless it is to keep its
 * own; the modem always. */
static void set_interrupts(struct uart_line *u)
{
    uint8_t wanted = IER_MODEM | (u->line.held ? 0 : IER_RECEIVE) |
                     (line_queued(&u->line) || u->dtr == UART_DTR_ENDS ? IER_TRANSMIT : 0);
    if (wanted != u->interrupts) {
        u->interrupts = wanted;
        put(u, UART_IER, wanted);
    }
}

static void send(struct line *l)
{
    struct uart_line *u = (struct uart_line *)l;
    if (u->interrupts & IER_TRANSMIT)
        return; /* its interrupt will fetch them */
    fill_while_empty(u);
    set_interrupts(u);
}

static void drain(struct line *l)
{
    struct uart_line *u = (struct uart_line *)l;
    uint32_t polls = 0;
    while (line_queued(l) && polls++ < DRAIN_POLLS)
        if (is_empty(u)) {
            fill_transmitter(u);
            polls = 0;
        }
    while (!(get(u, UART_LSR) & LSR_IDLE) && polls++ < DRAIN_POLLS)
        ;
}

/* ---- whoever called ----------------------------------------------------------------------------- */

static void set_modem(struct uart_line *u)
{
    put(u, UART_MCR, MCR_OUT2 | (u->dtr == UART_DTR_DOWN ? 0 : MCR_DTR) | (u->line.held ? 0 : MCR_RTS));
}

/* The last byte may still be on its way out of the shift register. */
static void end_call(struct uart_line *u)
{
    enum { BYTE_POLLS = 100 };
    if (u->dtr != UART_DTR_ENDS || line_queued(&u->line) || !is_empty(u))
        return;
    for (unsigned polls = 0; !(get(u, UART_LSR) & LSR_IDLE) && polls < BYTE_POLLS; polls++) {}
    u->dtr = UART_DTR_DOWN;
    set_modem(u);
}

static void hang_up(struct line *l)
{
    struct uart_line *u = (struct uart_line *)l;
    u->dtr = UART_DTR_ENDS;
    end_call(u);
    set_interrupts(u);
}

/* ---- its interrupt ------------------------------------------------------------------------------ */

static void hold(struct uart_line *u, bool held)
{
    u->line.held = held;
    set_modem(u);
    set_interrupts(u);
}

static bool full(struct line *l)
{
    return l->ready && !l->ready(l);
}

/* Takes what has arrived, as far as there is room for it; returns the line status as last
 * read. `some`: something was taken. */
static uint8_t receive(struct uart_line *u, bool *some)
{
    uint8_t status = get(u, UART_LSR);
    *some = false;
    for (unsigned i = 0; status & LSR_DATA && i < MOST_INPUT && !full(&u->line); i++) {
        uint8_t byte = get(u, UART_DATA);
        if (u->line.input)
            u->line.input(&u->line, byte);
        *some = true;
        status = get(u, UART_LSR);
    }
    if (status & LSR_DATA && full(&u->line) && !u->line.held)
        hold(u, true);
    return status;
}

static void transmit(struct uart_line *u)
{
    uint32_t before = line_queued(&u->line);
    fill_while_empty(u);
    end_call(u);
    set_interrupts(u);
    line_tell_room(&u->line, before);
}

/* A carrier that changed is of somebody else: who was there has left, and what they were to be shown is nobody's. Where
 * none ever came, as at a cable of three wires, nothing is known, and somebody is there. */
static void change(struct uart_line *u, bool there)
{
    struct line *l = &u->line;
    line_cut(l, 0);
    l->called = there;
    if (u->dtr != UART_DTR_UP) { /* who is hung up on is gone, and the next may call */
        u->dtr = UART_DTR_UP;
        set_modem(u);
    }
    if (!l->carrier)
        return;
    l->carrier(l, false);
    if (there)
        l->carrier(l, true);
}

static void look_at_size(struct uart_line *u)
{
    unsigned rows = 0, columns = u->columns ? u->columns(u->port, &rows) : 0;
    if ((columns || rows) && u->line.size)
        u->line.size(&u->line, columns, rows);
}

static void follow_modem(struct uart_line *u)
{
    uint8_t status = get(u, UART_MSR);
    if (status & MSR_CARRIER_CHANGED)
        change(u, status & MSR_CARRIER);
    if (status & (MSR_CARRIER_CHANGED | MSR_RANG))
        look_at_size(u);
}

/* What serving a line came to: no interrupt had a cause; some had, and none at last; some still have. */
enum served { SERVED_NOTHING, SERVED_ALL, SERVED_SOME };

static enum served serve(struct uart_line *u)
{
    bool found = false, some;
    if (!u->line.driver)
        return SERVED_NOTHING;
    for (unsigned round = 0; round < FIFO_BYTES; round++) {
        if (receive(u, &some) & LSR_TRANSMITTER_EMPTY && u->interrupts & IER_TRANSMIT) {
            transmit(u);
            some = true;
        }
        found |= some;
        uint8_t cause = get(u, UART_IIR) & IIR_CAUSE;
        if (cause & IIR_NONE)
            return found ? SERVED_ALL : SERVED_NOTHING;
        if (cause == IIR_MODEM)
            follow_modem(u);
        found = true;
    }
    return SERVED_SOME;
}

/* The IRQ is an edge: unless every cause of every line is gone at one moment, the next one is never seen. Causes stay
 * until they are served, so that was when a line's last look found none, if the looks at all others that follow find
 * none either. */
bool uart_lines_interrupt(struct uart_line *lines, unsigned count, uint8_t irq)
{
    enum { MOST_LOOKS = 4 };
    unsigned quiet = 0;
    for (unsigned look = 0; look < MOST_LOOKS * count && quiet < count; look++) {
        struct uart_line *u = &lines[look % count];
        enum served served = u->irq == irq ? serve(u) : SERVED_NOTHING;
        quiet = served == SERVED_NOTHING ? quiet + 1 : served == SERVED_ALL;
    }
    return quiet < count;
}

static void resume(struct line *l)
{
    struct uart_line *u = (struct uart_line *)l;
    bool some;
    hold(u, false);
    receive(u, &some);
}

static void take_what_came(struct line *l)
{
    struct uart_line *u = (struct uart_line *)l;
    bool some;
    receive(u, &some);
}

static const struct line_driver driver = {.send = send, .drain = drain, .resume = resume, .look = take_what_came,
                                          .hang_up = hang_up};

bool uart_line_init(struct uart_line *u, uint16_t port, uint8_t irq)
{
    u->port = port;
    u->irq = irq;
    u->line.head = u->line.tail = 0;
    u->line.driver = NULL;
    u->line.held = u->line.called = false;
    u->dtr = UART_DTR_UP;
    u->interrupts = 0;
    if (!answers(u))
        return false;
    put(u, UART_LCR, LCR_DIVISOR | LCR_8N1);
    put(u, UART_DIVISOR_LOW, DIVISOR_115200);
    put(u, UART_DIVISOR_HIGH, 0);
    put(u, UART_LCR, LCR_8N1); /* before any data: a UART left at five bits drops the top three of every byte */
    put(u, UART_FCR, FCR_ENABLE_AND_CLEAR);
    get(u, UART_MSR); /* what changed by now; from DTR on somebody may call */
    put(u, UART_MCR, MCR_DTR | MCR_RTS | MCR_OUT2);
    u->interrupts = IER_RECEIVE | IER_MODEM;
    put(u, UART_IER, u->interrupts);
    u->line.driver = &driver;
    look_at_size(u);
    return true;
}
