/* LANs: which frame gets to whom, and who pays for what nobody reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "cp/network/table.h"
#include "cp/network/uplink.h"
#include "cp/time/timer.h"

enum { A, B, C, TRUNK, U, PORTS }; /* three access ports, a machine's trunk, an uplink */

static struct lan *lan;
static struct port port[PORTS];
static struct frame_account account[PORTS];
static unsigned arrivals[PORTS], couplings[PORTS];
static uint8_t frame[2000];

static const uint8_t nobody[MAC] = {2, 9, 9, 9, 9, 9}, outside[MAC] = {4, 1, 1, 1, 1, 1},
                     all[MAC] = {255, 255, 255, 255, 255, 255};

static void arrived(struct port *p) { arrivals[p - port]++; }
static void coupled(struct port *p) { couplings[p - port]++; }

static int set_up(void **state)
{
    (void)state;
    lan = lan_define(LAN_SYSTEM, "NET");
    memset(account, 0, sizeof account);
    memset(arrivals, 0, sizeof arrivals);
    memset(couplings, 0, sizeof couplings);
    for (unsigned i = 0; i < PORTS; i++) {
        port[i] = (struct port){.mac = {2, 0, 0, 0, 0, (uint8_t)(i + 1)}, .trunk = i >= TRUNK, .uplink = i == U,
                                .arrived = arrived, .coupled = coupled, .queue = {.account = &account[i]}};
        assert_int_equal(lan_join(lan, &port[i]), 0);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lan_end(lan);
    for (unsigned i = 0; i < PORTS; i++) {
        assert_null(port[i].lan);
        frame_queue_free(&port[i].queue);
        assert_int_equal(account[i].frames, 0);
    }
    return 0;
}

/* A frame of that length, and whether it was one that the port may send. */
static bool send(unsigned from, const uint8_t to[MAC], const uint8_t source[MAC], unsigned bytes)
{
    for (unsigned i = 0; i < sizeof frame; i++)
        frame[i] = (uint8_t)(i * 7);
    memcpy(frame, to, MAC);
    memcpy(frame + MAC, source, MAC);
    frame[12] = 8;
    frame[13] = 0;
    return lan_send(&port[from], frame, bytes);
}

static bool send_tagged(unsigned from, const uint8_t to[MAC], const uint8_t source[MAC], unsigned vlan)
{
    send(from, to, source, 100);
    for (unsigned i = 0; i < PORTS; i++)
        frame_queue_clear(&port[i].queue);
    memcpy(frame + 12, (uint8_t[]){0x81, 0, (uint8_t)(vlan >> 8), (uint8_t)vlan, 8, 0}, 6);
    return lan_send(&port[from], frame, 104);
}

/* Which ports have a frame now, as letters; they have none afterwards. */
static const char *who(void)
{
    static char text[PORTS + 1];
    char *at = text;
    unsigned bytes;

    for (unsigned i = 0; i < PORTS; i++)
        if (frame_queue_first(&port[i].queue, &bytes)) {
            *at++ = "abctu"[i];
            frame_queue_clear(&port[i].queue);
        }
    *at = 0;
    return text;
}

#define MAC_OF(n) port[n].mac

static void a_frame_gets_to_its_owner_and_to_nobody_else(void **state)
{
    unsigned bytes;
    const uint8_t *got;

    (void)state;
    assert_true(send(A, MAC_OF(B), MAC_OF(A), 60));
    got = frame_queue_first(&port[B].queue, &bytes);
    assert_int_equal(bytes, 60);
    assert_memory_equal(got, frame, 60);
    assert_int_equal(arrivals[B], 1);
    assert_string_equal(who(), "b");
    send(A, MAC_OF(A), MAC_OF(A), 60);
    assert_string_equal(who(), "");
}

static void one_to_a_group_gets_to_all_others(void **state)
{
    (void)state;
    send(A, all, MAC_OF(A), 60);
    assert_string_equal(who(), "bctu");
    send(U, (uint8_t[]){1, 0, 0x5e, 0, 0, 1}, outside, 60);
    assert_string_equal(who(), "abct");
}

static void one_to_nobody_goes_behind_the_trunks_until_it_is_known_behind_which(void **state)
{
    (void)state;
    send(A, nobody, MAC_OF(A), 60);
    assert_string_equal(who(), "tu");
    send(TRUNK, MAC_OF(A), nobody, 60);
    assert_string_equal(who(), "a");
    send(A, nobody, MAC_OF(A), 60);
    assert_string_equal(who(), "t");
    send(U, MAC_OF(A), nobody, 60); /* it has moved */
    who();
    send(A, nobody, MAC_OF(A), 60);
    assert_string_equal(who(), "u");
    lan_leave(&port[U]);
    send(A, nobody, MAC_OF(A), 60);
    assert_string_equal(who(), "t");
}

static void an_uplink_has_no_address_of_its_own(void **state)
{
    (void)state;
    send(A, MAC_OF(U), MAC_OF(A), 60);
    assert_string_equal(who(), "tu");
    struct port same = {.queue = {.account = &account[A]}, .arrived = arrived};
    memcpy(same.mac, MAC_OF(U), MAC);
    assert_int_equal(lan_join(lan, &same), 0);
    lan_leave(&same);
}

static void a_source_that_is_not_ones_own_is_refused(void **state)
{
    (void)state;
    assert_false(send(A, MAC_OF(B), MAC_OF(C), 60));
    assert_false(send(A, MAC_OF(B), nobody, 60));
    assert_false(send(A, MAC_OF(B), all, 60));
    assert_false(send(TRUNK, MAC_OF(B), MAC_OF(C), 60));
    assert_false(send(U, MAC_OF(B), MAC_OF(A), 60));
    assert_string_equal(who(), "");
    assert_int_equal(port[A].sent.errors, 3);
    assert_int_equal(port[A].sent.frames, 0);
    assert_int_equal(port[B].received.discarded, 0);
}

static void frames_of_every_length_are_frames_or_errors(void **state)
{
    (void)state;
    for (unsigned bytes = 0; bytes < sizeof frame; bytes++) {
        bool good = bytes >= ETHERNET_HEADER && bytes <= ETHERNET_MOST;
        assert_int_equal(send(A, MAC_OF(B), MAC_OF(A), bytes), good);
        assert_string_equal(who(), good ? "b" : "");
    }
}

static void vlans_are_apart(void **state)
{
    (void)state;
    port[A].vlan = port[C].vlan = 10;
    send(A, MAC_OF(B), MAC_OF(A), 60);
    assert_string_equal(who(), "");
    send(A, MAC_OF(C), MAC_OF(A), 60);
    assert_string_equal(who(), "c");
    send(A, all, MAC_OF(A), 60);
    assert_string_equal(who(), "ctu");
    send(B, all, MAC_OF(B), 60);
    assert_string_equal(who(), "tu");
    assert_false(send_tagged(B, MAC_OF(A), MAC_OF(B), 10));
    frame[12] = 0x88, frame[13] = 0xA8; /* a provider's */
    assert_false(lan_send(&port[B], frame, 104));
    assert_string_equal(who(), "");
}

static void a_trunk_has_tags_but_for_its_native_vlan(void **state)
{
    unsigned bytes;
    const uint8_t *got;

    (void)state;
    port[A].vlan = 10;
    port[U].vlan = 20;
    send(A, outside, MAC_OF(A), ETHERNET_MOST);
    got = frame_queue_first(&port[U].queue, &bytes);
    assert_int_equal(bytes, ETHERNET_MOST + 4);
    assert_memory_equal(got, frame, 12);
    assert_memory_equal(got + 12, ((uint8_t[]){0x81, 0, 0, 10}), 4);
    assert_memory_equal(got + 16, frame + 12, ETHERNET_MOST - 12);
    who();
    assert_true(send_tagged(U, MAC_OF(A), outside, 10));
    got = frame_queue_first(&port[A].queue, &bytes);
    assert_int_equal(bytes, 100);
    assert_memory_equal(got + 12, frame + 16, 88);
    who();
    send(U, MAC_OF(A), outside, 60); /* of VLAN 20 */
    assert_string_equal(who(), "");
    port[A].vlan = 20;
    send(A, outside, MAC_OF(A), 60);
    assert_non_null(frame_queue_first(&port[U].queue, &bytes));
    assert_int_equal(bytes, 60);
    assert_false(send_tagged(U, MAC_OF(A), outside, 4095));
    assert_true(send_tagged(U, MAC_OF(A), outside, 0)); /* a priority, and no VLAN */
    assert_string_equal(who(), "a");
}

static void the_isolated_reach_trunks_only(void **state)
{
    (void)state;
    port[A].isolated = port[B].isolated = true;
    send(A, MAC_OF(B), MAC_OF(A), 60);
    assert_string_equal(who(), "");
    send(A, all, MAC_OF(A), 60);
    assert_string_equal(who(), "tu");
    send(U, MAC_OF(B), outside, 60);
    assert_string_equal(who(), "b");
}

static void who_reads_nothing_loses_their_own_and_costs_others_nothing(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        assert_true(send(A, all, MAC_OF(A), ETHERNET_MOST));
        frame_queue_clear(&port[C].queue);
    }
    assert_int_equal(port[B].queue.count, FRAME_QUEUE);
    assert_int_equal(port[B].received.discarded, 1000 - FRAME_QUEUE);
    assert_int_equal(arrivals[B], 1);
    assert_int_equal(arrivals[C], 1000);
    assert_int_equal(port[C].received.discarded, 0);
    assert_int_equal(account[B].frames, FRAME_QUEUE / FRAME_QUEUE_A_PAGE);
    assert_int_equal(account[A].frames, 0);
    assert_int_equal(account[C].frames, 1);
}

static void a_queue_keeps_the_order_and_the_bytes(void **state)
{
    unsigned sent = 0, taken = 0, bytes;

    (void)state;
    while (taken < 500) {
        for (unsigned i = 0; i < 7 && sent - taken < FRAME_QUEUE; i++)
            send(A, MAC_OF(B), MAC_OF(A), 60 + sent++);
        for (unsigned i = 0; i < 5; i++, taken++) {
            assert_non_null(frame_queue_first(&port[B].queue, &bytes));
            assert_int_equal(bytes, 60 + taken);
            frame_queue_drop(&port[B].queue);
        }
    }
}

static void without_storage_a_frame_is_lost_to_its_reader(void **state)
{
    (void)state;
    account[B].limit = 1;
    for (unsigned i = 0; i < 5; i++)
        send(A, MAC_OF(B), MAC_OF(A), 60);
    assert_int_equal(port[B].queue.count, 2);
    assert_int_equal(port[B].received.discarded, 3);
}

static void a_lan_takes_so_many_and_each_address_once(void **state)
{
    static struct port more[LAN_PORTS];
    unsigned n = 0;

    (void)state;
    struct port twin = {.arrived = arrived, .queue = {.account = &account[A]}};
    memcpy(twin.mac, MAC_OF(A), MAC);
    assert_int_equal(lan_join(lan, &twin), -EEXIST);
    assert_null(twin.lan);
    for (; n < LAN_PORTS; n++) {
        more[n] = (struct port){.mac = {2, 1, 0, 0, 0, (uint8_t)n},
                                .arrived = arrived, .queue = {.account = &account[A]}};
        if (lan_join(lan, &more[n]))
            break;
    }
    assert_int_equal(n, LAN_PORTS - PORTS);
    assert_int_equal(lan_join(lan, &more[n]), -ENOSPC);
    for (unsigned i = 0; i < n; i++)
        lan_leave(&more[i]);
    assert_int_equal(lan->ports, PORTS);
}

static void who_leaves_gets_and_sends_nothing(void **state)
{
    (void)state;
    send(A, MAC_OF(B), MAC_OF(A), 60);
    lan_leave(&port[B]);
    assert_int_equal(port[B].queue.count, 0);
    assert_int_equal(couplings[B], 2);
    send(A, MAC_OF(B), MAC_OF(A), 60);
    assert_string_equal(who(), "tu");
    send(B, MAC_OF(A), MAC_OF(B), 60);
    assert_string_equal(who(), "");
    assert_int_equal(port[B].sent.discarded, 1);
    lan_leave(&port[B]);
    assert_int_equal(couplings[B], 2);
}

static void a_rate_is_kept_behind_a_burst(void **state)
{
    uint64_t now = 5 * clock_hz, sent = 0, begun = now;

    (void)state;
    port[A].rate = 100;
    while (now < begun + 10 * clock_hz) {
        if (port_sends_from(&port[A]) <= now) {
            port_pay(&port[A], 1500, now);
            sent += 1500;
        } else {
            now = port_sends_from(&port[A]);
        }
    }
    assert_in_range(sent, 1000 << 10, (1000 << 10) + LAN_BURST + 1500);
    port[B].rate = 0;
    for (unsigned i = 0; i < 1000; i++)
        port_pay(&port[B], 1500, now);
    assert_in_range(port_sends_from(&port[B]), 0, now);
}

static void addresses_are_read_and_written(void **state)
{
    static const char *const bad[] = {"", "02-00-00-00-00", "02-00-00-00-00-0", "02-00-00-00-00-001",
                                      "02-00-00-00-00-0G", "01-00-00-00-00-01", "00-00-00-00-00-00", "020000000001",
                                      "02-00-00-00-00-01 "};
    uint8_t mac[MAC], other[MAC];
    char text[MAC_TEXT];

    (void)state;
    assert_true(mac_parse("02-ab:CD-00-fF-9a", mac));
    assert_string_equal(mac_text(mac, text), "02-AB-CD-00-FF-9A");
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(mac_parse(bad[i], mac));
    mac_of("ALICE", 0x600, mac);
    assert_int_equal(mac[0], 2);
    mac_of("ALICE", 0x600, other);
    assert_memory_equal(mac, other, MAC);
    mac_of("ALICE", 0x601, other);
    assert_memory_not_equal(mac, other, MAC);
    mac_of("BOB", 0x600, other);
    assert_memory_not_equal(mac, other, MAC);
}

static void lans_are_found_by_owner_and_name(void **state)
{
    struct lan *mine = lan_define("ALICE", "NET"), *more[LANS];
    unsigned n = 0;

    (void)state;
    assert_ptr_equal(lan_find("ALICE", "NET"), mine);
    assert_ptr_equal(lan_find(LAN_SYSTEM, "NET"), lan);
    assert_null(lan_find("BOB", "NET"));
    assert_int_equal(lan_count("ALICE"), 1);
    while ((more[n] = lan_define("BOB", "X")))
        n++;
    assert_int_equal(n, LANS - 2);
    while (n--)
        lan_end(more[n]);
    lan_end(mine);
    assert_ptr_equal(lan_next(NULL), lan);
    assert_null(lan_next(lan));
    for (unsigned i = 0; i < UPLINKS + 1; i++)
        uplink_add(&port[U]);
    assert_ptr_equal(uplink_port(UPLINKS - 1), &port[U]);
    assert_null(uplink_port(UPLINKS));
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_frame_gets_to_its_owner_and_to_nobody_else),
        T(one_to_a_group_gets_to_all_others),
        T(one_to_nobody_goes_behind_the_trunks_until_it_is_known_behind_which),
        T(an_uplink_has_no_address_of_its_own),
        T(a_source_that_is_not_ones_own_is_refused),
        T(frames_of_every_length_are_frames_or_errors),
        T(vlans_are_apart),
        T(a_trunk_has_tags_but_for_its_native_vlan),
        T(the_isolated_reach_trunks_only),
        T(who_reads_nothing_loses_their_own_and_costs_others_nothing),
        T(a_queue_keeps_the_order_and_the_bytes),
        T(without_storage_a_frame_is_lost_to_its_reader),
        T(a_lan_takes_so_many_and_each_address_once),
        T(who_leaves_gets_and_sends_nothing),
        T(a_rate_is_kept_behind_a_burst),
        T(addresses_are_read_and_written),
        T(lans_are_found_by_owner_and_name),
    };

    frame_add(hpa((uint64_t)(uintptr_t)aligned_alloc(4096, 4 << 20)), 4 << 20);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
