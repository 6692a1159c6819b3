/* What CP's command line says of the machine of --ipl, and what every row of the table of grants brings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "cp/device/grant.h"
#include "cp/device/machine.h"
#include "tests/unit/fake/clock.h"
#include "tests/unit/sources.h"

enum { LOADS = 16 };

static struct machine_config config;

/* ---- the command line -------------------------------------------------------------------------------------------- */

static void a_line_without_a_word_of_the_machine_gives_the_usual_one(void **state)
{
    (void)state;
    memset(&config, 0xff, sizeof config);
    assert_null(machine_config_read(&config, "/boot/cp.elf ipl logon=X guest-memory"));
    assert_int_equal(config.storage_bytes, 64 << 20);
    assert_int_equal(config.storage_maximum, 64 << 20);
    assert_int_equal(config.frame_limit, 16384 + 64 + 1024);
    assert_int_equal(config.uarts, 1);
    assert_int_equal(config.nesting, NEST_MEMORY);
    assert_null(machine_config_read(&config, ""));
    assert_int_equal(config.nesting, NEST_MEMORY);
}

static void it_has_every_device_that_can_be_granted_and_nothing_is_withheld(void **state)
{
    (void)state;
    assert_null(machine_config_read(&config, "ipl"));
    for (unsigned i = 0; i < GRANTS; i++)
        assert_int_equal(machine_granted(&config, i), machine_grants[i].device != NULL);
}

static void a_line_says_storage_and_nesting_in_any_order(void **state)
{
    (void)state;
    assert_null(machine_config_read(&config, "cp nesting=trap  ipl guest-memory=2048"));
    assert_int_equal(config.storage_bytes, UINT64_C(2048) << 20);
    assert_int_equal(config.storage_maximum, UINT64_C(2048) << 20);
    assert_int_equal(config.nesting, NEST_TRAP);
    assert_null(machine_config_read(&config, "guest-memory=1 nesting=off"));
    assert_int_equal(config.storage_bytes, 1 << 20);
    assert_int_equal(config.nesting, NEST_OFF);
    assert_null(machine_config_read(&config, "guest-memory=1048576"));
    assert_int_equal(config.storage_bytes, UINT64_C(1) << 40);
}

static void a_word_that_asks_for_what_there_is_not_is_given_back(void **state)
{
    static const char *const words[] = {
        "nesting=", "nesting=on", "nesting=shadows", "nesting=trap,off", "guest-memory=", "guest-memory=0",
        "guest-memory=1048577", "guest-memory=99999999999999999999", "guest-memory=64M", "guest-memory=-1",
    };
    (void)state;
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
        char line[80] = "ipl ";
        assert_string_equal(machine_config_read(&config, strcat(line, words[i])), words[i]);
    }
}

/* ---- the table of grants ----------------------------------------------------------------------------------------- */

static void every_mode_of_nesting_is_found_by_its_whole_name_only(void **state)
{
    enum nest_mode mode;
    (void)state;
    for (unsigned i = 0; i < NEST_MODES; i++) {
        const char *name = nest_mode_names[i].lower;
        mode = NEST_MODES;
        assert_true(nest_mode_parse(name, strlen(name), &mode));
        assert_int_equal(mode, i);
        assert_false(nest_mode_parse(name, strlen(name) - 1, &mode));
        assert_false(nest_mode_parse(nest_mode_names[i].upper, strlen(name), &mode));
    }
}

static void the_devices_granted_are_gone_through_in_order_and_no_others(void **state)
{
    unsigned at, found = 0;
    (void)state;
    config = (struct machine_config){.grants = ~0u};
    for (at = 0; grant_device(&config, &at); at++, found++)
        assert_ptr_equal(grant_device(&config, &at), machine_grants[at].device);
    assert_int_equal(at, GRANTS);
    for (unsigned i = 0; i < GRANTS; i++)
        found -= machine_grants[i].device != NULL;
    assert_int_equal(found, 0);
    config.grants = 0;
    at = 0;
    assert_null(grant_device(&config, &at));
}

static bool claimed(const struct bus *bus, uint16_t port)
{
    for (unsigned i = 0; i < bus->port_ranges; i++)
        if (port >= bus->ports[i].first && port <= bus->ports[i].last)
            return true;
    return false;
}

static void on_event(void *context, enum machine_event what, uint32_t detail)
{
    (void)context, (void)what, (void)detail;
}

static uint64_t tsc(void *context, uint64_t now) { return (void)context, now; }

static unsigned on_output(void *context, unsigned n, const uint8_t *bytes, unsigned count)
{
    return (void)context, (void)n, (void)bytes, count;
}

/* What the tree says of it is where it is, and of a machine without it there is nothing. */
static void every_granted_device_is_at_the_ports_its_nodes_name_and_only_if_granted(void **state)
{
    static struct machine machine;
    static struct guest_storage storage;
    const struct machine_host host = {NULL, on_event, on_output, tsc, 40, NULL};
    (void)state;
    fake_clock_reset(1000000000);
    guest_storage_init(&storage, 1 << 20, 0);
    for (unsigned i = 0; i < GRANTS; i++)
        for (unsigned granted = 0; granted < 2 && machine_grants[i].device; granted++) {
            config = (struct machine_config){.uarts = 1, .grants = granted << i};
            machine_init(&machine, &host, &storage, &config);
            machine_reset(&machine);
            const struct device_node *nodes = machine_grants[i].device->node;
            for (const struct device_node *n = nodes; n < nodes + GRANTED_NODES; n++)
                for (unsigned port = n->port; n->name && port < n->port + n->ports; port++)
                    assert_int_equal(claimed(&machine.bus, port), granted);
            machine_free(&machine);
        }
}

/* Loads of its ports, of which each may change the next. */
static void load_ports(struct bus *bus, const struct device_node *nodes, uint32_t seen[GRANTED_NODES][LOADS])
{
    for (unsigned n = 0; n < GRANTED_NODES && nodes[n].name; n++)
        for (unsigned i = 0; i < LOADS; i++)
            seen[n][i] = bus_port_read(bus, nodes[n].port + i % nodes[n].ports, 1);
}

static void every_granted_device_is_as_at_first_after_a_reset(void **state)
{
    static struct machine machine;
    static struct guest_storage storage;
    const struct machine_host host = {NULL, on_event, on_output, tsc, 40, NULL};
    (void)state;
    fake_clock_reset(1000000000);
    guest_storage_init(&storage, 1 << 20, 0);
    for (unsigned i = 0; i < GRANTS; i++) {
        uint32_t seen[2][GRANTED_NODES][LOADS] = {0};
        if (!machine_grants[i].device)
            continue;
        const struct device_node *nodes = machine_grants[i].device->node;
        config = (struct machine_config){.uarts = 1, .grants = 1u << i};
        machine_init(&machine, &host, &storage, &config);
        machine_reset(&machine);
        load_ports(&machine.bus, nodes, seen[0]);
        for (unsigned n = 0; n < GRANTED_NODES && nodes[n].name; n++)
            for (unsigned port = 0; port < nodes[n].ports; port++)
                bus_port_write(&machine.bus, nodes[n].port + port, 1, 0xA5);
        machine_reset(&machine);
        load_ports(&machine.bus, nodes, seen[1]);
        if (memcmp(seen[0], seen[1], sizeof seen[0]))
            fail_msg("%s keeps something over a reset", machine_grants[i].property);
        machine_free(&machine);
    }
}

static void people_are_told_of_every_grant(void **state)
{
    static const char *const where[] = {"docs/machine.md", "images/directory.dts"};
    (void)state;
    for (unsigned n = 0; n < 2; n++) {
        sources_read(where[n]);
        for (unsigned i = 0; i < GRANTS; i++)
            if (!sources_have(machine_grants[i].property))
                fail_msg("%s does not name %s", where[n], machine_grants[i].property);
        sources_forget(state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_without_a_word_of_the_machine_gives_the_usual_one),
        cmocka_unit_test(it_has_every_device_that_can_be_granted_and_nothing_is_withheld),
        cmocka_unit_test(a_line_says_storage_and_nesting_in_any_order),
        cmocka_unit_test(a_word_that_asks_for_what_there_is_not_is_given_back),
        cmocka_unit_test(every_mode_of_nesting_is_found_by_its_whole_name_only),
        cmocka_unit_test(the_devices_granted_are_gone_through_in_order_and_no_others),
        cmocka_unit_test(every_granted_device_is_at_the_ports_its_nodes_name_and_only_if_granted),
        cmocka_unit_test(every_granted_device_is_as_at_first_after_a_reset),
        cmocka_unit_test_teardown(people_are_told_of_every_grant, sources_forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
