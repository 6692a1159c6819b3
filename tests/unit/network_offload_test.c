/* What a driver leaves to be done to a frame: done right for who does not do it, left alone for who does, and refused
 * where it cannot be done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <string.h>

#include "cp/network/table.h"

enum { IP = 14, TCP = 34, DATA = 54, BYTES = 20000, MSS = 1448 };

static struct lan *lan;
static struct port from, to, uplink;
static struct frame_account account[3];
static uint8_t frame[ETHERNET_UNCUT + 100];

static void arrived(struct port *p) { (void)p; }

static struct port port_with(unsigned n)
{
    return (struct port){.mac = {2, 0, 0, 0, 0, (uint8_t)(n + 1)}, .arrived = arrived,
                         .queue = {.account = &account[n]}};
}

/* TCP of IPv4 with that many bytes of data, whose checksum is left to be done, as Linux leaves it. */
static struct offload tcp(unsigned data, unsigned mss)
{
    static const uint8_t head[] = {8, 0, 0x45, 0, 0, 0, 0xFF, 0xFE, 0x40, 0, 64, 6, 0, 0, 10, 1, 1, 1, 10, 1, 1, 2,
                                   0x12, 0x34, 0, 80, 0xFF, 0xFF, 0xFF, 0, 1, 2, 3, 4, 0x50, 0x99, 0x10, 0};

    memcpy(frame, to.mac, MAC);
    memcpy(frame + MAC, from.mac, MAC);
    memset(frame + 12, 0, 42);
    memcpy(frame + 12, head, sizeof head);
    for (unsigned i = 0; i < data; i++)
        frame[DATA + i] = (uint8_t)(i * 31 + i / 256);
    /* the sum of the pseudo header */
    uint32_t sum = 0x0A01 + 0x0101 + 0x0A01 + 0x0102 + 6 + 20 + data;
    sum = (sum & 0xFFFF) + (sum >> 16);
    frame[TCP + 16] = (uint8_t)(sum >> 8);
    frame[TCP + 17] = (uint8_t)sum;
    return (struct offload){.flags = 1, .gso_type = mss ? 1 : 0, .segment_bytes = (uint16_t)mss, .checksum_start = TCP,
                            .checksum_offset = 16};
}

/* As RFC 1071 says, in the plainest way. */
static uint32_t sum_of(const uint8_t *at, unsigned bytes)
{
    uint32_t sum = 0;

    for (unsigned i = 0; i < bytes; i++) {
        sum += i % 2 ? at[i] : at[i] << 8;
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    return sum;
}

static unsigned word(const uint8_t *at) { return (unsigned)at[0] << 8 | at[1]; }

/* Both checksums are right. */
static void assert_summed(const uint8_t *f, unsigned bytes)
{
    uint8_t pseudo[12];

    assert_int_equal(word(f + IP + 2), bytes - IP);
    assert_int_equal(sum_of(f + IP, 20), 0xFFFF);
    memcpy(pseudo, f + IP + 12, 8);
    pseudo[8] = 0, pseudo[9] = 6;
    pseudo[10] = (uint8_t)((bytes - TCP) >> 8), pseudo[11] = (uint8_t)(bytes - TCP);
    uint32_t sum = sum_of(pseudo, sizeof pseudo) + sum_of(f + TCP, bytes - TCP);
    assert_int_equal((sum & 0xFFFF) + (sum >> 16), 0xFFFF);
}

static int set_up(void **state)
{
    (void)state;
    lan = lan_define(LAN_SYSTEM, "NET");
    from = port_with(0);
    to = port_with(1);
    uplink = port_with(2);
    uplink.trunk = uplink.uplink = true;
    lan_join(lan, &from);
    lan_join(lan, &to);
    lan_join(lan, &uplink);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lan_end(lan);
    frame_queue_free(&to.queue);
    frame_queue_free(&uplink.queue);
    assert_int_equal(account[1].frames + account[2].frames, 0);
    return 0;
}

static void who_does_it_gets_the_frame_as_it_is(void **state)
{
    struct offload o = tcp(BYTES, MSS);
    unsigned bytes, at = 0;
    uint32_t run;

    (void)state;
    to.takes_checksum = to.takes_segments = true;
    assert_true(lan_send_offloaded(&from, frame, DATA + BYTES, &o));
    assert_int_equal(to.queue.count, 1);
    assert_non_null(frame_queue_first(&to.queue, &bytes));
    assert_int_equal(bytes, DATA + BYTES);
    assert_int_equal(frame_queue_offload(&to.queue)->segment_bytes, MSS);
    assert_int_equal(frame_queue_offload(&to.queue)->header_bytes, DATA);
    for (; at < bytes; at += run) {
        const uint8_t *piece = frame_queue_piece(&to.queue, at, &run);
        assert_true(run && at + run <= bytes);
        assert_memory_equal(piece, frame + at, run);
    }
    frame_queue_drop(&to.queue);
    assert_int_equal(to.queue.count, 0);
}

static void who_does_not_gets_segments_as_of_a_tcp(void **state)
{
    struct offload o = tcp(BYTES, MSS);
    unsigned bytes, data = 0, number = 0;
    const uint8_t *f;

    (void)state;
    assert_true(lan_send_offloaded(&from, frame, DATA + BYTES, &o));
    for (; (f = frame_queue_first(&to.queue, &bytes)); number++) {
        bool last = data + bytes - DATA == BYTES;
        assert_summed(f, bytes);
        assert_int_equal(bytes, last ? DATA + BYTES % MSS : DATA + MSS);
        assert_int_equal(word(f + IP + 4), (0xFFFE + number) & 0xFFFF);
        uint32_t sequence = word(f + TCP + 4) << 16 | word(f + TCP + 6);
        assert_int_equal(sequence, 0xFFFFFF00 + data);
        assert_int_equal(f[TCP + 13], (last ? 0x99 : 0x90) & (data ? 0x7F : 0xFF));
        assert_memory_equal(f + DATA, frame + DATA + data, bytes - DATA);
        assert_memory_equal(f, frame, 14);
        assert_int_equal(frame_queue_offload(&to.queue)->flags, 0);
        data += bytes - DATA;
        frame_queue_drop(&to.queue);
    }
    assert_int_equal(data, BYTES);
    assert_int_equal(number, (BYTES + MSS - 1) / MSS);
}

static void a_checksum_is_made_for_who_does_not_make_it(void **state)
{
    unsigned bytes;

    (void)state;
    for (unsigned data = 1; data < 100; data++) {
        struct offload o = tcp(data, 0);
        frame[IP + 3] = (uint8_t)(data + 40);
        frame[IP + 10] = frame[IP + 11] = 0;
        unsigned ip = ~sum_of(frame + IP, 20) & 0xFFFF;
        frame[IP + 10] = (uint8_t)(ip >> 8);
        frame[IP + 11] = (uint8_t)ip;
        assert_true(lan_send_offloaded(&from, frame, DATA + data, &o));
        const uint8_t *f = frame_queue_first(&to.queue, &bytes);
        assert_int_equal(bytes, DATA + data);
        assert_summed(f, bytes);
        frame_queue_drop(&to.queue);
    }
    to.takes_checksum = true;
    struct offload o = tcp(100, 0);
    lan_send_offloaded(&from, frame, DATA + 100, &o);
    assert_memory_equal(frame_queue_first(&to.queue, &bytes), frame, DATA + 100);
    assert_int_equal(frame_queue_offload(&to.queue)->checksum_start, TCP);
}

static void with_a_tag_it_is_made_too(void **state)
{
    struct offload o = tcp(2000, MSS);
    unsigned bytes;
    uint8_t untagged[ETHERNET_ROOM];

    (void)state;
    from.vlan = 10;
    uplink.takes_checksum = uplink.takes_segments = true;
    memset(frame, 4, MAC);
    assert_true(lan_send_offloaded(&from, frame, DATA + 2000, &o));
    assert_int_equal(uplink.queue.count, 2);
    const uint8_t *f = frame_queue_first(&uplink.queue, &bytes);
    assert_int_equal(bytes, DATA + MSS + 4);
    memcpy(untagged, f, 12);
    memcpy(untagged + 12, f + 16, bytes - 16);
    assert_summed(untagged, bytes - 4);
    frame_queue_clear(&uplink.queue);
    o = tcp(100, 0);
    memset(frame, 4, MAC);
    frame[IP + 3] = 140;
    unsigned ip = ~sum_of(frame + IP, 20) & 0xFFFF;
    frame[IP + 10] = (uint8_t)(ip >> 8);
    frame[IP + 11] = (uint8_t)ip;
    assert_true(lan_send_offloaded(&from, frame, DATA + 100, &o));
    f = frame_queue_first(&uplink.queue, &bytes);
    memcpy(untagged, f, 12);
    memcpy(untagged + 12, f + 16, bytes - 16);
    assert_summed(untagged, bytes - 4);
}

static void what_cannot_be_done_is_refused(void **state)
{
    static const struct {
        const char *what;
        struct offload offload;
        unsigned bytes, at;
        uint8_t byte;
    } bad[] = {
        {"flags of others", {3, 1, 0, MSS, TCP, 16}, DATA + BYTES, 0, 0},
        {"segments without a checksum", {0, 1, 0, MSS, TCP, 16}, DATA + BYTES, 0, 0},
        {"another kind of segments", {1, 4, 0, MSS, TCP, 16}, DATA + BYTES, 0, 0},
        {"segments of nothing", {1, 1, 0, 0, TCP, 16}, DATA + BYTES, 0, 0},
        {"segments that are too long", {1, 1, 0, 1461, TCP, 16}, DATA + BYTES, 0, 0},
        {"a checksum within the addresses", {1, 0, 0, 0, 13, 16}, 200, 0, 0},
        {"a checksum behind the end", {1, 0, 0, 0, 100, 99}, 200, 0, 0},
        {"a checksum far behind the end", {1, 0, 0, 0, 0xFFFF, 0xFFFF}, 200, 0, 0},
        {"another place of the checksum", {1, 1, 0, MSS, TCP, 17}, DATA + BYTES, 0, 0},
        {"another place of the header", {1, 1, 0, MSS, TCP + 4, 16}, DATA + BYTES, 0, 0},
        {"IPv6", {1, 1, 0, MSS, TCP, 16}, DATA + BYTES, IP, 0x65},
        {"a short header", {1, 1, 0, MSS, TCP, 16}, DATA + BYTES, IP, 0x44},
        {"UDP", {1, 1, 0, MSS, TCP, 16}, DATA + BYTES, IP + 9, 17},
        {"a short header of TCP", {1, 1, 0, MSS, TCP, 16}, DATA + BYTES, TCP + 12, 0x40},
        {"a header of TCP behind the end", {1, 1, 0, MSS, TCP, 16}, DATA + 3, TCP + 12, 0xF0},
        {"no data", {1, 1, 0, MSS, TCP, 16}, DATA, 0, 0},
        {"no header", {1, 1, 0, MSS, TCP, 16}, TCP + 10, 0, 0},
        {"a group", {1, 1, 0, MSS, TCP, 16}, DATA + BYTES, 0, 1},
        {"more than there can be", {1, 1, 0, MSS, TCP, 16}, ETHERNET_UNCUT + 1, 0, 0},
        {"a long frame that is not to be cut", {1, 0, 0, MSS, TCP, 16}, DATA + BYTES, 0, 0},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        tcp(BYTES, MSS);
        if (bad[i].byte)
            frame[bad[i].at] = bad[i].byte;
        if (lan_send_offloaded(&from, frame, bad[i].bytes, &bad[i].offload))
            fail_msg("%s", bad[i].what);
        assert_int_equal(to.queue.count + uplink.queue.count, 0);
    }
}

/* However small its segments are, and behind however many trunks somebody may be. */
static void cutting_has_an_end(void **state)
{
    struct offload o = tcp(60000, 48);

    (void)state;
    lan_send_offloaded(&from, frame, DATA + 60000, &o);
    assert_int_equal(to.queue.count, FRAME_QUEUE);
    assert_int_equal(to.received.discarded, 1);
    memset(frame, 4, MAC);
    to.trunk = true;
    frame_queue_clear(&to.queue);
    o = (struct offload){1, 1, 0, MSS, TCP, 16};
    for (unsigned i = 0; i < 2; i++)
        lan_send_offloaded(&from, frame, DATA + 60000, &o);
    assert_in_range(to.queue.count + uplink.queue.count, 100, FRAME_QUEUE * 2);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(who_does_it_gets_the_frame_as_it_is), T(who_does_not_gets_segments_as_of_a_tcp),
        T(a_checksum_is_made_for_who_does_not_make_it), T(with_a_tag_it_is_made_too),
        T(what_cannot_be_done_is_refused), T(cutting_has_an_end),
    };

    frame_add(hpa((uint64_t)(uintptr_t)aligned_alloc(4096, 4 << 20)), 4 << 20);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
