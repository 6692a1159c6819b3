/* Lines on UARTs of the test's own that share an IRQ, which is an edge: bytes come in the middle of serving another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cp/cpu/port.h"

#define port_in8 fake_in8
#define port_out8 fake_out8
#define port_out_bytes fake_out_bytes
static uint8_t fake_in8(uint16_t port);
static void fake_out8(uint16_t port, uint8_t value);
static void fake_out_bytes(uint16_t port, const void *from, uint32_t bytes);
#include "cp/terminal/line.c"
#include "cp/driver/uart.c"

enum { PORTS = 3, BYTES = 4096, IRQ = 4, OTHER_IRQ = 3 };

/* The parts of a 16550 that matter: what is received, IER, IIR's cause, and a transmitter that is empty when told. */
static struct model {
    uint8_t fifo[16], ier, scratch, lcr, mcr, msr;
    unsigned held;
    bool transmitter_empty, cause_transmit;
    unsigned to_come, came, read, lost, sent;
} model[PORTS];
static struct uart_line lines[PORTS];
static bool level, edge, storm, patient;
static bool at_once; /* transmitters are empty again at once, as an emulated one may be */
static unsigned room; /* for input, when a test asks for it */

static bool raises(const struct model *m)
{
    return (m->ier & IER_RECEIVE && m->held) || (m->ier & IER_TRANSMIT && m->cause_transmit) ||
           (m->ier & IER_MODEM && m->msr & 0x0f);
}

static void follow_level(void)
{
    bool now = false;
    for (unsigned i = 0; i < PORTS; i++)
        now |= lines[i].irq == IRQ && raises(&model[i]);
    edge |= now && !level;
    level = now;
}

/* Time passes at each access: somewhere a byte comes or a transmitter has sent its own. */
static void time_passes(void)
{
    struct model *m = &model[rand() % PORTS];
    if (storm && rand() % 3 == 0 && m->to_come && (!patient || (m->mcr & MCR_RTS && m->held < 16))) {
        m->to_come--;
        if (m->held == 16)
            m->lost++;
        else
            m->fifo[m->held++] = (uint8_t)m->came++;
    }
    if (!m->transmitter_empty && rand() % 8 == 0)
        m->transmitter_empty = m->cause_transmit = true;
    follow_level();
}

static struct model *model_at(uint16_t port)
{
    time_passes();
    return &model[port >> 4];
}

static uint8_t data_read(struct model *m)
{
    uint8_t byte = m->fifo[0];
    memmove(m->fifo, m->fifo + 1, 15);
    m->held -= m->held != 0;
    return byte;
}

static uint8_t cause_read(struct model *m)
{
    if (m->ier & IER_RECEIVE && m->held)
        return 4;
    if (!(m->ier & IER_TRANSMIT) || !m->cause_transmit)
        return m->ier & IER_MODEM && m->msr & 0x0f ? IIR_MODEM | 0xc0 : IIR_NONE | 0xc0;
    m->cause_transmit = false;
    return 2;
}

static uint8_t modem_read(struct model *m)
{
    uint8_t status = m->msr;
    m->msr &= 0xf0;
    return status;
}

static uint8_t fake_in8(uint16_t port)
{
    struct model *m = model_at(port);
    uint8_t value = 0;
    switch (port & 7) {
    case UART_DATA: value = data_read(m); break;
    case UART_IIR: value = cause_read(m); break;
    case UART_LSR:
        value = (uint8_t)((m->held ? LSR_DATA : 0) | (m->transmitter_empty ? LSR_TRANSMITTER_EMPTY : 0));
        break;
    case UART_MSR: value = modem_read(m); break;
    case UART_SCRATCH: value = m->scratch; break;
    }
    follow_level();
    return value;
}

static void fake_out8(uint16_t port, uint8_t value)
{
    struct model *m = model_at(port);
    switch (port & 7) {
    case UART_DATA:
        if (!(m->lcr & LCR_DIVISOR))
            m->sent++, m->transmitter_empty = m->cause_transmit = at_once;
        break;
    case UART_IER:
        if (!(m->lcr & LCR_DIVISOR))
            m->cause_transmit |= value & ~m->ier & IER_TRANSMIT && m->transmitter_empty, m->ier = value;
        break;
    case UART_LCR: m->lcr = value; break;
    case UART_MCR: m->mcr = value; break;
    case UART_SCRATCH: m->scratch = value; break;
    }
    follow_level();
}

static unsigned columns, high; /* that the CP below tells */
static unsigned fake_columns(uint16_t port, unsigned *rows)
{
    (void)port;
    *rows = high;
    return columns;
}

static void fake_out_bytes(uint16_t port, const void *from, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        fake_out8(port, ((const uint8_t *)from)[i]);
}

static void input(struct line *l, uint8_t byte)
{
    struct model *m = l->owner;
    assert_int_equal(byte, (uint8_t)m->read++);
    if (rand() % 2)
        line_write(l, "echo", 4);
}

static int begin(void **state)
{
    (void)state;
    srand(1);
    storm = level = edge = patient = at_once = false;
    columns = 0;
    for (unsigned i = 0; i < PORTS; i++) {
        model[i] = (struct model){.transmitter_empty = true, .to_come = BYTES};
        lines[i].line = (struct line){.input = input, .owner = &model[i]};
        lines[i].columns = fake_columns;
        assert_true(uart_line_init(&lines[i], (uint16_t)(i << 4), i == 1 ? OTHER_IRQ : IRQ));
    }
    storm = true;
    return 0;
}

/* As the event loop does: the handler runs for an edge, or when it said that there may be more. */
static void none_of_the_lines_of_an_irq_ever_waits_for_an_edge_that_does_not_come(void **state)
{
    bool more = false;
    (void)state;
    for (unsigned quiet = 0; quiet < 1000; quiet = edge || more ? 0 : quiet + 1) {
        time_passes();
        if (edge || more) {
            edge = false;
            more = uart_lines_interrupt(lines, PORTS, IRQ);
        }
    }
    for (unsigned i = 0; i < PORTS; i += 2) {
        assert_int_equal(model[i].to_come, 0);
        assert_int_equal(model[i].read + model[i].lost, BYTES);
        assert_int_equal(line_queued(&lines[i].line), 0);
        assert_true(model[i].sent > BYTES);
    }
    assert_false(level);
    assert_int_equal(model[1].read, 0); /* another's IRQ */
}

static void output_that_was_cut_does_not_leave_the_next_waiting(void **state)
{
    (void)state;
    storm = false;
    line_write(&lines[0].line, "0123456789012345678", 19);
    line_cut(&lines[0].line, 0);
    for (unsigned i = 0; i < 500; i++) {
        time_passes();
        if (edge)
            edge = false, uart_lines_interrupt(lines, PORTS, IRQ);
    }
    unsigned before = model[0].sent;
    line_write(&lines[0].line, "x", 1);
    assert_int_equal(model[0].sent, before + 1);
}

static void a_transmitter_that_is_empty_at_once_is_given_more_but_not_without_end(void **state)
{
    static const char text[1000];
    (void)state;
    storm = false;
    at_once = true;
    line_write(&lines[0].line, text, sizeof text);
    assert_int_equal(model[0].sent, MOST_OUTPUT);
    for (unsigned calls = 1; line_queued(&lines[0].line); calls++) {
        assert_true(edge && calls < sizeof text / MOST_OUTPUT + 1);
        edge = false;
        uart_lines_interrupt(lines, PORTS, IRQ);
        follow_level();
        edge |= line_queued(&lines[0].line) != 0;
    }
    assert_int_equal(model[0].sent, sizeof text);
    at_once = false;
    model[0].transmitter_empty = true;
    line_write(&lines[0].line, text, 40);
    assert_int_equal(model[0].sent, sizeof text + FIFO_BYTES);
}

static uint32_t ready(struct line *l)
{
    (void)l;
    return room;
}

static void input_with_room(struct line *l, uint8_t byte)
{
    assert_true(room--);
    input(l, byte);
}

/* The reader takes a few now and then; a sender that heeds RTS and a full FIFO loses nothing. */
static void a_line_without_room_for_input_has_the_other_end_wait(void **state)
{
    bool more = false;
    unsigned held = 0;
    (void)state;
    patient = true;
    room = 40;
    lines[0].line.ready = ready;
    lines[0].line.input = input_with_room;
    model[1].to_come = model[2].to_come = 0;
    for (unsigned quiet = 0; quiet < 2000; quiet = edge || more ? 0 : quiet + 1) {
        time_passes();
        if (edge || more) {
            edge = false;
            more = uart_lines_interrupt(lines, PORTS, IRQ);
        }
        if (lines[0].line.held) {
            assert_false(model[0].ier & IER_RECEIVE || model[0].mcr & MCR_RTS);
            held++;
            room += rand() % 50 == 0 ? 40 : 0;
            if (room)
                line_resume(&lines[0].line);
        }
    }
    assert_true(held > BYTES / 40);
    assert_int_equal(model[0].lost, 0);
    assert_int_equal(model[0].read, BYTES);
    assert_false(lines[0].line.held);
}

/* ---- the carrier ------------------------------------------------------------------------------------------------- */

static char told[16]; /* of somebody there, +, and gone, - */

static void carrier(struct line *l, bool there)
{
    assert_int_equal(line_queued(l), 0);
    strcat(told, there ? "+" : "-");
}

/* What was told of it. */
static const char *modem_becomes(uint8_t status)
{
    storm = false;
    told[0] = 0;
    lines[0].line.carrier = carrier;
    model[0].msr = status;
    follow_level();
    assert_true(edge);
    edge = uart_lines_interrupt(lines, PORTS, IRQ);
    assert_false(level);
    return told;
}

static void where_the_carrier_never_changes_somebody_is_there(void **state)
{
    (void)state;
    lines[0].line.carrier = carrier;
    told[0] = 0;
    storm = false;
    model[0].msr = 0x10 | 0x01; /* another line of the modem */
    model[0].fifo[0] = 0, model[0].held = 1;
    follow_level();
    uart_lines_interrupt(lines, PORTS, IRQ);
    assert_int_equal(model[0].read, 1);
    assert_string_equal(told, "");
}

static void who_comes_is_another_than_who_was_there(void **state)
{
    (void)state;
    assert_string_equal(modem_becomes(MSR_CARRIER_CHANGED | MSR_CARRIER), "-+");
    assert_string_equal(modem_becomes(MSR_CARRIER_CHANGED), "-");
    assert_string_equal(modem_becomes(MSR_CARRIER_CHANGED | MSR_CARRIER), "-+"); /* they came, left, and another came */
}

static void who_called_is_hung_up_on_when_all_is_out_and_the_next_may_call(void **state)
{
    static const char text[1000];
    (void)state;
    assert_false(line_hang_up(&lines[0].line)); /* at a cable of three wires */
    modem_becomes(MSR_CARRIER_CHANGED | MSR_CARRIER);
    line_write(&lines[0].line, text, sizeof text);
    assert_true(line_hang_up(&lines[0].line));
    assert_true(model[0].mcr & MCR_DTR);
    for (unsigned i = 0; i < 100000 && model[0].mcr & MCR_DTR; i++) {
        time_passes();
        if (edge)
            edge = false, uart_lines_interrupt(lines, PORTS, IRQ);
    }
    assert_false(model[0].mcr & MCR_DTR);
    assert_int_equal(line_queued(&lines[0].line), 0);
    assert_string_equal(modem_becomes(MSR_CARRIER_CHANGED), "-");
    assert_true(model[0].mcr & MCR_DTR);
    assert_false(line_hang_up(&lines[0].line));
    assert_string_equal(modem_becomes(MSR_CARRIER_CHANGED | MSR_CARRIER), "-+");
    assert_true(line_hang_up(&lines[0].line)); /* nothing is queued */
    assert_false(model[0].mcr & MCR_DTR);
    assert_string_equal(modem_becomes(MSR_CARRIER_CHANGED | MSR_CARRIER), "-+"); /* another came at once */
    assert_true(model[0].mcr & MCR_DTR);
}

static void what_one_who_left_was_to_be_shown_is_not_shown_to_the_next(void **state)
{
    static const char text[1000];
    (void)state;
    storm = false;
    line_write(&lines[0].line, text, sizeof text);
    modem_becomes(MSR_CARRIER_CHANGED | MSR_CARRIER);
    unsigned before = model[0].sent;
    for (unsigned i = 0; i < 500; i++) {
        time_passes();
        if (edge)
            edge = false, uart_lines_interrupt(lines, PORTS, IRQ);
    }
    assert_int_equal(model[0].sent, before);
    line_write(&lines[0].line, "x", 1);
    assert_int_equal(model[0].sent, before + 1);
}

static void size(struct line *l, unsigned wide, unsigned rows)
{
    (void)l;
    sprintf(told + strlen(told), rows ? "%ux%u" : "%u", wide, rows);
}

static void the_size_is_asked_for_when_somebody_comes_and_when_it_rings(void **state)
{
    (void)state;
    lines[0].line.size = size;
    assert_string_equal(modem_becomes(MSR_CARRIER_CHANGED | MSR_CARRIER), "-+"); /* nobody tells */
    columns = 100;
    assert_string_equal(modem_becomes(MSR_CARRIER_CHANGED | MSR_CARRIER), "-+100");
    columns = 90;
    assert_string_equal(modem_becomes(MSR_RANG | MSR_CARRIER), "90");
    high = 40;
    assert_string_equal(modem_becomes(MSR_RANG | MSR_CARRIER), "90x40");
    high = 0;
    told[0] = 0;
    assert_true(uart_line_init(&lines[0], 0, IRQ));
    assert_string_equal(told, "90");
}

static void what_changed_before_the_line_began_is_nothing(void **state)
{
    (void)state;
    storm = false;
    model[0].msr = MSR_CARRIER_CHANGED | MSR_CARRIER;
    told[0] = 0;
    lines[0].line.carrier = carrier;
    assert_true(uart_line_init(&lines[0], 0, IRQ));
    uart_lines_interrupt(lines, PORTS, IRQ);
    assert_string_equal(told, "");
    assert_true(model[0].mcr & MCR_DTR && model[0].ier & IER_MODEM);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(none_of_the_lines_of_an_irq_ever_waits_for_an_edge_that_does_not_come),
        TEST(output_that_was_cut_does_not_leave_the_next_waiting),
        TEST(a_transmitter_that_is_empty_at_once_is_given_more_but_not_without_end),
        TEST(a_line_without_room_for_input_has_the_other_end_wait),
        TEST(where_the_carrier_never_changes_somebody_is_there),
        TEST(who_comes_is_another_than_who_was_there),
        TEST(who_called_is_hung_up_on_when_all_is_out_and_the_next_may_call),
        TEST(what_one_who_left_was_to_be_shown_is_not_shown_to_the_next),
        TEST(the_size_is_asked_for_when_somebody_comes_and_when_it_rings),
        TEST(what_changed_before_the_line_began_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
