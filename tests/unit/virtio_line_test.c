/* Lines on a virtio console, with the test as the device: what is typed and written gets through whole, waits where
 * nobody takes it, and a device that lies is shut out without harm to anything but its lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cp/driver/virtio_console.h"

/* edge code, whose only way to hardware is faked below */
#include "cp/terminal/line.c"
#include "cp/driver/virtio_console.c"

enum { PORTS = 4, QUEUES = 2 * PORTS + 2, FIRST = 1, SECOND = 3 };
enum { DEVICE_READY, PORT_ADD, PORT_REMOVE, PORT_READY, CONSOLE_PORT, RESIZE, PORT_OPEN };

static struct virtio_console console;

/* ---- the device ------------------------------------------------------------------------------ */

static struct {
    const struct virtq *queue[QUEUES];
    uint16_t taken[QUEUES], doorbell[QUEUES];
    uint32_t config[3]; /* columns and rows, ports at most, emergency write */
    bool silent, reset, started, guest_open[PORTS];
} device;

bool virtio_pci_open(struct virtio_pci *v, struct pci_address a)
{
    v->at = a;
    v->device = (volatile uint8_t *)device.config;
    return true;
}

bool virtio_pci_negotiate(struct virtio_pci *v, uint32_t wanted, uint32_t *got)
{
    (void)v;
    *got = wanted;
    return true;
}

volatile uint16_t *virtio_pci_queue(struct virtio_pci *v, uint16_t index, const struct virtq *q)
{
    (void)v;
    assert_true(index < QUEUES);
    device.queue[index] = q;
    return &device.doorbell[index];
}

void virtio_pci_start(struct virtio_pci *v) { (void)v, device.started = true; }
void virtio_pci_reset(struct virtio_pci *v) { (void)v, device.reset = true; }

/* The next chain the driver offered; false: none. */
static bool get(unsigned index, uint16_t *head)
{
    const struct virtq *q = device.queue[index];

    if (q->available[1] == device.taken[index])
        return false;
    *head = q->available[2 + device.taken[index]++ % q->size];
    return true;
}

static void give(unsigned index, uint32_t id, uint32_t bytes)
{
    const struct virtq *q = device.queue[index];
    uint32_t *entry = (uint32_t *)(void *)(q->used + 2) + 2 * (q->used[1] % q->size);

    entry[0] = id;
    entry[1] = bytes;
    q->used[1]++;
}

static void *memory(unsigned index, uint16_t head)
{
    return (void *)(uintptr_t)device.queue[index]->descriptor[head].address;
}

/* False: the driver has no buffer there. */
static bool send_bytes(unsigned index, const void *bytes, uint32_t count)
{
    uint16_t head;

    if (!get(index, &head))
        return false;
    assert_true(count <= device.queue[index]->descriptor[head].bytes);
    memcpy(memory(index, head), bytes, count);
    give(index, head, count);
    return true;
}

static void tell(uint32_t port, uint16_t event, uint16_t value)
{
    assert_true(send_bytes(2, &(struct console_message){port, event, value}, sizeof(struct console_message)));
}

static void answer(const struct console_message *m)
{
    if (m->event == DEVICE_READY) {
        tell(FIRST, PORT_ADD, 1);
        tell(SECOND, PORT_ADD, 1);
    } else if (m->event == PORT_READY && m->port == FIRST) {
        tell(FIRST, PORT_OPEN, 1);
    } else if (m->event == PORT_OPEN) {
        device.guest_open[m->port] = m->value;
    }
}

/* The driver looks at the ISR whenever it waits: then the device has had time. */
void virtio_pci_acknowledge(struct virtio_pci *v)
{
    uint16_t head;

    (void)v;
    while (!device.silent && device.started && !device.reset && get(3, &head)) {
        answer(memory(3, head));
        give(3, head, 0);
    }
}

/* What the driver sent on a port, appended to `to`. */
static size_t collect(uint32_t port, char *to)
{
    unsigned index = queue_of(port) + 1u;
    size_t length = 0;
    uint16_t head;

    while (get(index, &head)) {
        uint32_t bytes = device.queue[index]->descriptor[head].bytes;
        memcpy(to + length, memory(index, head), bytes);
        length += bytes;
        give(index, head, 0);
        virtio_console_interrupt(&console);
    }
    to[length] = 0;
    return length;
}

/* ---- who uses the lines ----------------------------------------------------------------------- */

static struct user {
    char text[8192];
    uint32_t length, most, rooms;
    bool there;
} users[2];

static void input(struct line *l, uint8_t byte)
{
    struct user *u = l->owner;
    u->text[u->length++] = (char)byte;
    u->text[u->length] = 0;
}

static uint32_t ready(struct line *l) { return ((struct user *)l->owner)->most - ((struct user *)l->owner)->length; }
static void room(struct line *l) { ((struct user *)l->owner)->rooms++; }
static void carrier(struct line *l, bool there) { ((struct user *)l->owner)->there = there; }

static struct line *lines[3];

static int setup(void **state)
{
    uint32_t next = 0;

    (void)state;
    memset(&console, 0, sizeof console);
    memset(&device, 0, sizeof device);
    memset(users, 0, sizeof users);
    device.config[1] = PORTS;
    if (!virtio_console_probe(&console, (struct pci_address){0, 4, 0}))
        return -1;
    for (unsigned i = 0; i < 3; i++)
        lines[i] = virtio_console_line(&console, &next);
    for (unsigned i = 0; i < 2; i++) {
        users[i] = (struct user){.most = 8000, .there = true};
        *lines[i] = (struct line){.input = input, .ready = ready, .room = room, .carrier = carrier, .owner = &users[i]};
    }
    virtio_console_open_lines(&console);
    for (unsigned i = 0; i < PORTS; i++) /* one message is said at a time */
        virtio_console_interrupt(&console);
    return 0;
}

/* ---- a good device ------------------------------------------------------------------------------ */

static void its_ports_become_lines(void **state)
{
    (void)state;
    assert_ptr_equal(lines[0], &console.port[FIRST].line);
    assert_ptr_equal(lines[1], &console.port[SECOND].line);
    assert_null(lines[2]);
    assert_true(device.guest_open[FIRST] && device.guest_open[SECOND]);
    assert_true(users[0].there);
    assert_false(users[1].there);
}

static void what_is_written_comes_out_in_order(void **state)
{
    static char sent[65536], seen[65536];
    size_t total = 0, out = 0;

    (void)state;
    for (unsigned i = 0; total < 20000; i++) {
        char word[16];
        int length = snprintf(word, sizeof word, "%u,", i);
        uint32_t taken = line_write(lines[0], word, (uint32_t)length);

        memcpy(sent + total, word, taken);
        total += taken;
        if (taken < (uint32_t)length)
            out += collect(FIRST, seen + out);
    }
    out += collect(FIRST, seen + out);
    assert_int_equal(out, total);
    assert_memory_equal(seen, sent, total);
    assert_int_equal(line_room(lines[0]), LINE_OUTPUT_BYTES);
    assert_true(users[0].rooms > 0);
}

static void a_device_that_is_done_already_gets_more_before_it_interrupts(void **state)
{
    struct line *l = &console.port[FIRST].line;
    unsigned index = queue_of(FIRST) + 1u;
    uint16_t head;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(line_write(l, "more", 4), 4);
        assert_true(get(index, &head));
        assert_int_equal(device.queue[index]->descriptor[head].bytes, 4);
        give(index, head, 0);
    }
    virtio_console_interrupt(&console);
    assert_int_equal(line_queued(l), 0);
}

static void what_nobody_wants_yet_stays_with_the_device(void **state)
{
    char piece[100];
    unsigned sent = 0;

    (void)state;
    memset(piece, 'x', sizeof piece);
    users[0].most = 150;
    while (send_bytes(queue_of(FIRST), piece, sizeof piece))
        sent++;
    assert_int_equal(sent, VIRTIO_CONSOLE_INPUTS);
    virtio_console_interrupt(&console);
    assert_int_equal(users[0].length, 150);
    assert_true(lines[0]->held);
    virtio_console_interrupt(&console);
    assert_int_equal(users[0].length, 150);
    assert_true(send_bytes(queue_of(FIRST), "y", 1)); /* in place of the one that is taken */
    assert_false(send_bytes(queue_of(FIRST), "y", 1));
    users[0].most = 8000;
    line_resume(lines[0]);
    assert_int_equal(users[0].length, VIRTIO_CONSOLE_INPUTS * 100 + 1);
    assert_int_equal(users[0].text[users[0].length - 1], 'y');
    assert_false(lines[0]->held);
}

static void carrier_follows_the_device(void **state)
{
    (void)state;
    tell(SECOND, PORT_OPEN, 1);
    virtio_console_interrupt(&console);
    assert_true(users[1].there);
    tell(SECOND, PORT_OPEN, 0);
    assert_true(send_bytes(queue_of(SECOND), "left behind", 11));
    virtio_console_interrupt(&console);
    assert_false(users[1].there);
    assert_int_equal(users[1].length, 0);
    tell(SECOND, PORT_OPEN, 1);
    assert_true(send_bytes(queue_of(SECOND), "new", 3));
    virtio_console_interrupt(&console);
    assert_string_equal(users[1].text, "new");
}

/* The device drops what it has of who leaves; what it was not given yet must not be given to it any more. */
static void what_was_written_to_who_left_does_not_reach_who_comes(void **state)
{
    static char seen[8192];
    (void)state;
    line_write(lines[0], "on its way, ", 12);
    line_write(lines[0], "secret", 6);
    tell(FIRST, PORT_OPEN, 0);
    tell(FIRST, PORT_OPEN, 1);
    virtio_console_interrupt(&console);
    assert_int_equal(collect(FIRST, seen), 12); /* as if the device had not dropped it */
    assert_memory_equal(seen, "\0\0\0\0\0\0\0\0\0\0\0\0", 12);
    line_write(lines[0], "hello", 5);
    collect(FIRST, seen);
    assert_string_equal(seen, "hello");
    tell(FIRST, PORT_OPEN, 0); /* and no interrupt yet */
    tell(FIRST, PORT_OPEN, 1);
    users[0].there = false;
    line_write(lines[0], "secret", 6);
    assert_int_equal(collect(FIRST, seen), 0);
    assert_true(users[0].there);
    assert_int_equal(line_room(lines[0]), LINE_OUTPUT_BYTES);
}

/* As QEMU does with what it could not write all of when its other end closes. */
static void a_chain_the_device_lost_when_somebody_left_does_not_cost_the_line(void **state)
{
    static char seen[8192];
    uint16_t lost[VIRTIO_CONSOLE_OUTPUTS];
    const unsigned out = queue_of(FIRST) + 1u;

    (void)state;
    for (unsigned i = 0; i + 1 < VIRTIO_CONSOLE_OUTPUTS; i++) {
        assert_int_equal(line_write(lines[0], "secret", 6), 6);
        assert_true(get(out, &lost[i]));
        tell(FIRST, PORT_OPEN, 0);
        tell(FIRST, PORT_OPEN, 1);
        virtio_console_interrupt(&console);
        assert_memory_equal(memory(out, lost[i]), "\0\0\0\0\0\0", 6);
        assert_int_equal(line_room(lines[0]), LINE_OUTPUT_BYTES);
        line_write(lines[0], "hello", 5);
        collect(FIRST, seen);
        assert_string_equal(seen, "hello");
    }
    line_write(lines[0], "to nobody", 9);
    assert_true(get(out, &lost[VIRTIO_CONSOLE_OUTPUTS - 1]));
    tell(FIRST, PORT_OPEN, 0);
    tell(FIRST, PORT_OPEN, 1);
    virtio_console_interrupt(&console);
    line_write(lines[0], "hello ", 6); /* waits: the device has them all */
    assert_int_equal(collect(FIRST, seen), 0);
    give(out, lost[3], 0); /* what comes back late is not taken for what is sent */
    virtio_console_interrupt(&console);
    line_write(lines[0], "again", 5);
    give(out, lost[7], 0);
    virtio_console_interrupt(&console);
    assert_int_equal(line_room(lines[0]), LINE_OUTPUT_BYTES - 11);
    collect(FIRST, seen);
    assert_string_equal(seen, "hello again");
    assert_int_equal(line_room(lines[0]), LINE_OUTPUT_BYTES);
    assert_false(console.broken);
}

static void what_who_left_typed_is_not_typed_by_who_comes(void **state)
{
    char piece[100];
    (void)state;
    memset(piece, 'x', sizeof piece);
    users[0].most = 150;
    for (unsigned i = 0; i < 3; i++)
        assert_true(send_bytes(queue_of(FIRST), piece, sizeof piece));
    virtio_console_interrupt(&console);
    assert_true(lines[0]->held);
    tell(FIRST, PORT_OPEN, 0);
    tell(FIRST, PORT_OPEN, 1);
    users[0].most = 8000;
    virtio_console_interrupt(&console);
    assert_false(lines[0]->held);
    assert_int_equal(users[0].length, 150);
    assert_true(send_bytes(queue_of(FIRST), "new", 3));
    virtio_console_interrupt(&console);
    assert_string_equal(users[0].text + 150, "new");
    for (unsigned i = 0; i < VIRTIO_CONSOLE_INPUTS; i++)
        assert_true(send_bytes(queue_of(FIRST), "y", 1)); /* all buffers are the device's again */
    assert_false(send_bytes(queue_of(FIRST), "y", 1));
}

/* ---- a bad one ---------------------------------------------------------------------------------- */

static void assert_shut_out(void)
{
    virtio_console_interrupt(&console);
    assert_true(console.broken);
    assert_true(device.reset);
    for (unsigned i = 0; i < 2; i++) {
        assert_false(users[i].there);
        assert_int_equal(line_room(lines[i]), 0);
        assert_int_equal(line_write(lines[i], "x", 1), 0);
        line_resume(lines[i]);
        line_drain(lines[i]);
    }
    virtio_console_interrupt(&console);
}

static void any_queue_may_be_the_one_it_lies_on(void **state)
{
    static const unsigned index[] = {2, 3, 2 * FIRST + 2, 2 * FIRST + 3, 2 * SECOND + 2, 2 * SECOND + 3};

    for (unsigned i = 0; i < sizeof index / sizeof *index; i++) {
        assert_int_equal(setup(state), 0);
        give(index[i], 0xFFFF, 0);
        assert_shut_out();
    }
}

static void it_says_it_wrote_more_than_there_was_room(void **state)
{
    uint16_t head;

    (void)state;
    assert_true(get(queue_of(FIRST), &head));
    give(queue_of(FIRST), head, VIRTIO_CONSOLE_INPUT_BYTES + 1);
    assert_shut_out();
}

static void messages_that_make_no_sense_are_passed_over(void **state)
{
    (void)state;
    tell(77, PORT_OPEN, 1);
    tell(0, PORT_OPEN, 1);
    tell(FIRST, PORT_READY, 1);
    assert_true(send_bytes(2, "abc", 3));
    virtio_console_interrupt(&console);
    assert_false(console.broken);
    assert_int_equal(console.control.wrong, 4);
}

static void one_that_never_answers_is_given_up(void **state)
{
    (void)state;
    memset(&console, 0, sizeof console);
    memset(&device, 0, sizeof device);
    device.config[1] = PORTS;
    device.silent = true;
    assert_false(virtio_console_probe(&console, (struct pci_address){0, 4, 0}));
    assert_true(device.reset);
    device.config[1] = 0;
    assert_false(virtio_console_probe(&console, (struct pci_address){0, 4, 0}));
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(its_ports_become_lines),
        TEST(what_is_written_comes_out_in_order),
        TEST(a_device_that_is_done_already_gets_more_before_it_interrupts),
        TEST(what_nobody_wants_yet_stays_with_the_device),
        TEST(carrier_follows_the_device),
        TEST(what_was_written_to_who_left_does_not_reach_who_comes),
        TEST(a_chain_the_device_lost_when_somebody_left_does_not_cost_the_line),
        TEST(what_who_left_typed_is_not_typed_by_who_comes),
        TEST(any_queue_may_be_the_one_it_lies_on),
        TEST(it_says_it_wrote_more_than_there_was_room),
        TEST(messages_that_make_no_sense_are_passed_over),
        TEST(one_that_never_answers_is_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
