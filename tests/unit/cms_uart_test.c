/* CMS' console: bytes in order, by calls of CP and the transmitter; nothing is asked of CP while it has no room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cms/cpu/cpu.h"

static uint64_t now;
static uint8_t fake_in8(uint16_t port);
static void fake_out8(uint16_t port, uint8_t value);
static void fake_out8_run(uint16_t port, const void *from, uint32_t bytes);
static void fake_interrupts(void) {}
static uint64_t fake_tsc(void) { return now += 10; }
#define cpu_in8 fake_in8
#define cpu_out8 fake_out8
#define cpu_out8_run fake_out8_run
#define cpu_interrupts_on fake_interrupts
#define cpu_interrupts_off fake_interrupts
#define cpu_tsc fake_tsc
/* tests/unit/fake/cms_machine.c has these of its own */
#define cms_terminal_write uart_write
#define cms_terminal_read uart_read
#define cms_terminal_wait uart_wait
#define cms_terminal_drain uart_drain
#define cms_terminal_watch uart_watch
#define cms_terminal_rang uart_rang
#include "cms/driver/uart.c"

enum { PORT = 0x3f8, SHOWN = 16384, PATTERN = 251 };

static char shown[SHOWN];
static unsigned shown_bytes, calls, looks, call_room;
static bool offered, empty;
static void (*at_tick)(void);
static unsigned room_after_sleep;

volatile uint32_t change_count;
void trap_set_irq(unsigned irq, void (*handler)(void *), void *context) { (void)irq, (void)handler, (void)context; }
void pic_enable(unsigned irq) { (void)irq; }
void sleep_on_tick(void (*then)(void)) { at_tick = then; }
void sleep_tick(void) {}
bool cp_is_there(void) { return true; }
bool cp_offers(uint32_t assist) { return offered && assist == DIAGNOSE_ASSIST_CONSOLE; }
uint32_t cp_tsc_khz(void) { return 0; }

static void show(const void *bytes, uint32_t count)
{
    assert_true(empty); /* else it would overtake what is in the transmitter */
    assert_true(shown_bytes + count <= SHOWN);
    memcpy(shown + shown_bytes, bytes, count);
    shown_bytes += count;
}

int32_t cp_console(const void *bytes, uint32_t count)
{
    if (!offered)
        return -1;
    uint32_t taken = count < call_room ? count : call_room;
    calls++;
    show(bytes, taken);
    call_room -= taken;
    return (int32_t)taken;
}

static uint8_t fake_in8(uint16_t port)
{
    looks += port == PORT + LINE_STATUS;
    return port == PORT + LINE_STATUS ? empty * LSR_TRANSMIT_EMPTY : port == PORT + INTERRUPT_ID ? IIR_NONE : 0;
}

static void fake_out8(uint16_t port, uint8_t value) { (void)port, (void)value; }

/* Where CP has room, it takes what the transmitter sends at once. */
static void fake_out8_run(uint16_t port, const void *from, uint32_t bytes)
{
    assert_int_equal(port, PORT + DATA);
    assert_in_range(bytes, 1, FIFO);
    show(from, bytes);
    empty = false;
}

static void becomes_empty(unsigned with_room)
{
    empty = true;
    call_room = with_room;
    interrupt(NULL);
}

void cms_sleep(bool bounded)
{
    assert_true(bounded);
    becomes_empty(room_after_sleep);
}

static int begin(void **state)
{
    (void)state;
    shown_bytes = calls = looks = call_room = 0;
    offered = empty = true;
    uart_start(PORT, 4);
    return 0;
}

static char pattern(unsigned at) { return (char)(at % PATTERN); }

static void write_pattern(unsigned bytes)
{
    char text[SHOWN];
    for (unsigned i = 0; i < bytes; i++)
        text[i] = pattern(i);
    uart_write(text, bytes);
}

static void assert_shown(unsigned bytes)
{
    assert_int_equal(shown_bytes, bytes);
    for (unsigned i = 0; i < bytes; i++)
        assert_int_equal(shown[i], pattern(i));
}

static void cp_is_not_called_while_the_transmitter_waits_for_it(void **state)
{
    (void)state;
    call_room = 100;
    write_pattern(300);
    assert_shown(100 + FIFO);
    assert_int_equal(calls, 1);
    unsigned before = looks;
    at_tick();
    uart_flush();
    assert_int_equal(looks, before + 2);
    assert_int_equal(calls, 1);
    assert_true(enabled & IER_TRANSMIT);
    becomes_empty(1000);
    assert_shown(300);
    assert_int_equal(calls, 2);
    assert_false(enabled & IER_TRANSMIT);
}

static void a_lost_interrupt_costs_no_more_than_a_tick(void **state)
{
    (void)state;
    write_pattern(300);
    assert_shown(FIFO);
    empty = true;
    call_room = 1000;
    at_tick();
    assert_shown(300);
}

static void without_such_calls_the_transmitter_takes_all(void **state)
{
    (void)state;
    offered = false;
    write_pattern(40);
    assert_shown(16);
    becomes_empty(0);
    assert_shown(32);
    becomes_empty(0);
    assert_shown(40);
    assert_false(enabled & IER_TRANSMIT);
}

static void more_than_the_ring_holds_waits_for_room(void **state)
{
    (void)state;
    for (room_after_sleep = 0; room_after_sleep < 3000; room_after_sleep += 700) {
        begin(state);
        write_pattern(5 * RING + 1);
        while (enabled & IER_TRANSMIT)
            becomes_empty(room_after_sleep);
        assert_shown(5 * RING + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(cp_is_not_called_while_the_transmitter_waits_for_it, begin),
        cmocka_unit_test_setup(a_lost_interrupt_costs_no_more_than_a_tick, begin),
        cmocka_unit_test_setup(without_such_calls_the_transmitter_takes_all, begin),
        cmocka_unit_test_setup(more_than_the_ring_holds_waits_for_room, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
