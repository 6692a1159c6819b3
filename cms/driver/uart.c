/* NS16550A: rings in both directions, drained and filled by the interrupt handler.
 * Output goes out 16 bytes for one look at the line status; the transmitter interrupt is on only while something waits.
 * CP takes any number at one call instead, as long as its console has room. As each call costs as much as thousands of
 * instructions, what is written fast is gathered: it goes when there is much of it, when CMS waits, or at a tick.
 * Input: when the ring is nearly full, RTS drops and the receive interrupt goes off, so that the FIFO fills and a
 * well-behaved other end waits; nothing is thrown away. */
#include "cms/driver/uart.h"

#include <string.h>

#include "cms/console/terminal.h"
#include "cms/cpu/cpu.h"
#include "cms/cpu/trap.h"
#include "cms/driver/change.h"
#include "cms/driver/cp.h"
#include "cms/driver/pic.h"
#include "cms/driver/sleep.h"
#include "cms/kernel/sleep.h"
#include "cp/diagnose.h"

enum { DATA, INTERRUPT_ENABLE, FIFO_CONTROL, LINE_CONTROL, MODEM_CONTROL, LINE_STATUS, MODEM_STATUS, SCRATCH };
enum { INTERRUPT_ID = 2 };
enum { MARK = 0x5a /* a reset clears it */ };
enum { IER_RECEIVE = 1, IER_TRANSMIT = 2, IER_MODEM = 8, IIR_NONE = 1, MSR_RANG = 4 };
enum { FCR_ENABLE_CLEAR_14 = 0xc7, LCR_8N1 = 0x03, LCR_DIVISOR = 0x80, DIVISOR_115200 = 1 };
enum { MCR_DTR_OUT2 = 0x09, MCR_RTS = 0x02 };
enum { LSR_DATA = 0x01, LSR_TRANSMIT_EMPTY = 0x20, LSR_NOBODY = 0xff };
enum { FIFO = 16, RING = 2048, GATHERED = RING / 2, INPUT_FULL = RING - 64, INPUT_EASY = RING / 2 };

struct ring {
    volatile uint32_t head, tail; /* free-running: written at head, read at tail */
    char data[RING];
};

static uint16_t base;
static uint8_t enabled, modem;
static volatile bool rang;
static unsigned room; /* bytes the transmitter will take for certain */
static struct ring input, output;
static uint64_t sent; /* TSC, when output was sent last */

static uint32_t ring_used(const struct ring *r)
{
    return r->head - r->tail;
}

static void ring_put(struct ring *r, char c)
{
    r->data[r->head++ % RING] = c;
}

/* As many as there is room for in one piece; how many. */
static size_t ring_put_run(struct ring *r, const char *data, size_t length)
{
    size_t left = RING - ring_used(r), to_end = RING - r->head % RING, count = left < to_end ? left : to_end;
    if (length < count)
        count = length;
    memcpy(r->data + r->head % RING, data, count);
    r->head += (uint32_t)count;
    return count;
}

/* Those that follow one another in memory, from the oldest. */
static uint32_t ring_straight(const struct ring *r)
{
    uint32_t to_end = RING - r->tail % RING;
    return ring_used(r) < to_end ? ring_used(r) : to_end;
}

static char ring_get(struct ring *r)
{
    return r->data[r->tail++ % RING];
}

static void set_enabled(uint8_t wanted)
{
    if (wanted == enabled)
        return;
    enabled = wanted;
    cpu_out8(base + INTERRUPT_ENABLE, enabled);
}

static void set_modem(uint8_t wanted)
{
    if (wanted == modem)
        return;
    modem = wanted;
    cpu_out8(base + MODEM_CONTROL, modem);
}

/* An empty transmitter takes a FIFO's worth; as long as some of that is left there is no need to look again. */
static bool may_send(void)
{
    if (!room && cpu_in8(base + LINE_STATUS) & LSR_TRANSMIT_EMPTY)
        room = FIFO;
    return room;
}

/* False: CP has no more room, or is not there. */
static bool send_by_call(void)
{
    uint32_t count = ring_straight(&output);
    int32_t taken = cp_console(output.data + output.tail % RING, count);

    output.tail += taken > 0 ? (uint32_t)taken : 0;
    return taken == (int32_t)count;
}

/* What waits for the transmitter waits for CP too, which takes from it first, and to look costs less than a call.
 * Interrupts off. */
static void send(void)
{
    if (enabled & IER_TRANSMIT && !may_send())
        return;
    sent = cpu_tsc();
    while (ring_used(&output) && send_by_call())
        ;
    while (ring_used(&output) && may_send()) {
        uint32_t count = ring_straight(&output) < room ? ring_straight(&output) : room;
        cpu_out8_run(base + DATA, output.data + output.tail % RING, count);
        output.tail += count;
        room -= count;
    }
    set_enabled(ring_used(&output) ? enabled | IER_TRANSMIT : enabled & ~IER_TRANSMIT);
}

/* Interrupts off. */
static void receive(void)
{
    while (ring_used(&input) < RING) {
        uint8_t status = cpu_in8(base + LINE_STATUS);
        if (!(status & LSR_DATA) || status == LSR_NOBODY)
            break;
        ring_put(&input, (char)cpu_in8(base + DATA));
    }
    if (ring_used(&input) >= INPUT_FULL)
        set_modem(modem & ~MCR_RTS);
    if (ring_used(&input) == RING)
        set_enabled(enabled & ~IER_RECEIVE);
}

static void look_at_modem(void)
{
    rang |= cpu_in8(base + MODEM_STATUS) & MSR_RANG;
}

/* The ISA line is edge-triggered: it must be seen low once, or the next request is lost.  Reading the last byte makes
 * it so; with two sources only the interrupt identification tells. */
static void interrupt(void *context)
{
    (void)context;
    change_note();
    do {
        if (enabled & IER_RECEIVE)
            receive();
        if (enabled & IER_MODEM)
            look_at_modem();
        if (enabled & IER_TRANSMIT)
            send();
        else if (!(enabled & IER_MODEM))
            return;
    } while (!(cpu_in8(base + INTERRUPT_ID) & IIR_NONE));
}

static void flush_at_tick(void)
{
    if (ring_used(&output))
        send();
}

void uart_start(uint16_t port, unsigned irq)
{
    base = port;
    cpu_out8(base + INTERRUPT_ENABLE, 0);
    cpu_out8(base + LINE_CONTROL, LCR_DIVISOR);
    cpu_out8(base + DATA, DIVISOR_115200);
    cpu_out8(base + INTERRUPT_ENABLE, 0);
    cpu_out8(base + LINE_CONTROL, LCR_8N1);
    cpu_out8(base + FIFO_CONTROL, FCR_ENABLE_CLEAR_14);
    enabled = modem = 0;
    room = 0;
    input.tail = input.head;
    output.tail = output.head;
    set_modem(MCR_DTR_OUT2 | MCR_RTS);
    trap_set_irq(irq, interrupt, NULL);
    pic_enable(irq);
    sleep_on_tick(flush_at_tick);
    cpu_out8(base + SCRATCH, MARK);
    set_enabled(IER_RECEIVE);
}

bool uart_was_reset(void)
{
    return base && cp_is_there() && cpu_in8(base + SCRATCH) != MARK;
}

uint16_t uart_port(void)
{
    return base;
}

void uart_flush(void)
{
    if (!base)
        return;
    cpu_interrupts_off();
    if (ring_used(&output))
        send();
    cpu_interrupts_on();
}

/* Whether what is to be sent may wait for more: something was sent within the millisecond, and a tick comes. */
static bool gathers(void)
{
    if (!cp_offers(DIAGNOSE_ASSIST_CONSOLE) || ring_used(&output) >= GATHERED || cpu_tsc() - sent > cp_tsc_khz())
        return false;
    sleep_tick();
    return true;
}

/* Interrupts off. */
static bool has_room(void *context)
{
    (void)context;
    send();
    return ring_used(&output) <= RING / 2;
}

void cms_terminal_write(const char *data, size_t length)
{
    if (!base)
        return;
    cpu_interrupts_off();
    for (size_t put; length; data += put, length -= put) {
        if (ring_used(&output) == RING)
            cms_sleep_until(has_room, NULL);
        put = ring_put_run(&output, data, length);
    }
    if (!(enabled & IER_TRANSMIT) && !gathers())
        send();
    cpu_interrupts_on();
}

void cms_terminal_drain(void)
{
    if (!base)
        return;
    cpu_interrupts_off();
    while (ring_used(&output)) /* by looking, not by interrupt: this also serves a CMS that can take none */
        send();
    cpu_interrupts_on();
}

int cms_terminal_read(void)
{
    int c = -1;
    if (!ring_used(&input))
        return -1;
    cpu_interrupts_off();
    if (ring_used(&input))
        c = (unsigned char)ring_get(&input);
    if (ring_used(&input) < INPUT_EASY) {
        set_modem(modem | MCR_RTS);
        set_enabled(enabled | IER_RECEIVE);
    }
    cpu_interrupts_on();
    return c;
}

void cms_terminal_watch(bool on)
{
    if (!base)
        return;
    cpu_interrupts_off();
    look_at_modem();
    rang = false;
    set_enabled(on ? enabled | IER_MODEM : enabled & ~IER_MODEM);
    cpu_interrupts_on();
}

bool cms_terminal_rang(void)
{
    bool was = rang;
    rang = false;
    return was;
}

void cms_terminal_wait(void)
{
    cpu_interrupts_off();
    if (enabled & IER_RECEIVE) /* a byte whose interrupt was lost would else wait for the next key */
        receive();
    if (ring_used(&output))
        send();
    if (!ring_used(&input))
        cms_sleep(ring_used(&output)); /* bounded while output is under way */
    cpu_interrupts_on();
}
