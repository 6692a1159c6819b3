/* A UART on a bus, and the line it is on, for its tests. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <string.h>

#include "cp/device/uart.h"

#define UNUSED __attribute__((unused)) /* not every test needs all of it */

enum { BASE = 0x3f8, THR = BASE, RBR = BASE, IER, IIR, FCR = IIR, LCR, MCR, LSR, MSR, SCR };

struct line {
    char sent[256];
    unsigned count, room; /* room: how many bytes the host takes before it is full */
    unsigned edges, room_calls, hung_up;
    bool level;
};

static struct bus bus;
static struct uart uart;
static struct line line;

static unsigned take(void *context, const uint8_t *bytes, unsigned count)
{
    struct line *l = context;
    unsigned n = count < l->room ? count : l->room;

    memcpy(l->sent + l->count, bytes, n);
    l->count += n;
    l->room -= n;
    return n;
}

static void room(void *context)
{
    ((struct line *)context)->room_calls++;
}

static void hang_up(void *context)
{
    ((struct line *)context)->hung_up++;
}

static void wire(void *context, unsigned gsi, bool level)
{
    struct line *l = context;

    assert_int_equal(gsi, 4);
    l->edges += level && !l->level;
    l->level = level;
}

/* A terminal that is always there, or a modem. */
static int wire_up(bool terminal)
{
    const struct uart_wiring wiring = {.port = BASE, .irq = {.set = wire, .context = &line, .gsi = 4}, .context = &line,
                                       .output = take, .input_room = room, .hung_up = hang_up, .carrier = terminal};

    bus = (struct bus){0};
    line = (struct line){.room = 256};
    assert_int_equal(uart_init(&uart, &bus, &wiring), 0);
    return 0;
}

UNUSED static uint8_t in(uint16_t port) { return bus_port_read(&bus, port, 1); }
UNUSED static void out(uint16_t port, uint8_t value) { bus_port_write(&bus, port, 1, value); }
UNUSED static void type(const char *text)
{
    assert_int_equal(uart_receive(&uart, (const uint8_t *)text, strlen(text)), strlen(text));
}
