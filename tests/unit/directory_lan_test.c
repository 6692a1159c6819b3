/* What the directory says of networks: LANs, NICs, who may be coupled to what. */
#include "tests/unit/directory_scene.h"

#include "cp/network/lan.h"

#define NIC "/users/ALICE/nic@600"

static const char both[] = "SYSTEM NET1\0MAINT PLAY";

static void with_lans(void)
{
    make_good(NULL);
    add("/", "lans");
    add("/lans", "NET1");
    add("/lans", "OUT");
    set_cell("/lans/OUT", "uplink", 0);
    add("/users/ALICE", "nic@600");
    set_bytes(NIC, "lan", both, sizeof both);
}

static int each(void **state) { return (void)state, with_lans(), 0; }

static void without_an_entry_there_is_none(void **state)
{
    (void)state;
    make_good(NULL);
    assert_int_equal(parse(), 0);
    assert_int_equal(directory.lans, 0);
    assert_int_equal(directory_find(&directory, "ALICE")->machine.nics, 0);
    assert_int_equal(directory_find(&directory, "ALICE")->lans, 0);
    assert_false(directory_may_couple(directory_find(&directory, "ALICE"), 0, "SYSTEM", "NET1"));
    assert_false(directory_may_couple(directory_find(&directory, "ALICE"), 0, "ALICE", "NET1"));
}

static void a_good_one_gives_what_it_says(void **state)
{
    uint8_t mac[MAC];
    (void)state;
    set_cell(NIC, "vlan", 4094);
    set_cell(NIC, "rate", 100);
    set_bytes(NIC, "trunk", "", 0);
    add("/users/ALICE", "nic@601");
    set_bytes("/users/ALICE/nic@601", "lan", "SYSTEM OUT", sizeof "SYSTEM OUT");
    set_text("/users/ALICE/nic@601", "mac", "02-00-00-00-00-aa");
    set_cell("/users/ALICE", "lans", 4);
    set_cell("/lans/OUT", "native-vlan", 7);
    set_bytes("/lans/OUT", "isolated", "", 0);
    assert_int_equal(parse(), 0);
    const struct user *alice = directory_find(&directory, "ALICE");
    assert_int_equal(alice->machine.nics, 2);
    assert_int_equal(alice->lans, 4);
    unsigned first = alice->machine.nic[0].vdev == 0x600 ? 0 : 1;
    const struct machine_nic *nic = &alice->machine.nic[first], *other = &alice->machine.nic[!first];
    assert_int_equal(nic->vlan, 4094);
    assert_int_equal(nic->rate, 100);
    assert_true(nic->trunk && !other->trunk);
    mac_of("ALICE", 0x600, mac);
    assert_memory_equal(nic->mac, mac, MAC);
    assert_memory_equal(other->mac, ((uint8_t[]){2, 0, 0, 0, 0, 0xaa}), MAC);
    assert_true(directory_may_couple(alice, first, "SYSTEM", "NET1"));
    assert_true(directory_may_couple(alice, first, "MAINT", "PLAY"));
    assert_true(directory_may_couple(alice, first, "ALICE", "ANY"));
    assert_false(directory_may_couple(alice, first, "SYSTEM", "OUT"));
    assert_true(directory_may_couple(alice, !first, "SYSTEM", "OUT"));
    assert_false(directory_may_couple(alice, 2, "ALICE", "ANY"));
    const struct directory_lan *out = directory_find_lan(&directory, "OUT");
    assert_true(out->uplink && out->isolated && out->native == 7 && out->number == 0);
    assert_false(directory_find_lan(&directory, "NET1")->uplink);
    assert_null(directory_find_lan(&directory, "NET"));
    struct user taken; /* at LOGON */
    directory_take(&taken, alice);
    assert_memory_equal(taken.machine.nic, alice->machine.nic, sizeof taken.machine.nic);
}

static void a_pool_gives_each_an_address_of_their_own(void **state)
{
    fdt32_t range[2] = {cpu_to_fdt32(1), cpu_to_fdt32(3)};
    uint8_t mac[MAC];
    (void)state;
    add("/users", "POO");
    set_text("/users/POO", "password", "NOLOG");
    set_text("/users/POO", "classes", "G");
    set_cell("/users/POO", "storage", 32);
    set_bytes("/users/POO", "pool", (const char *)range, sizeof range);
    add("/users/POO", "nic@600");
    set_bytes("/users/POO/nic@600", "lan", both, sizeof both);
    assert_int_equal(parse(), 0);
    static const char *const id[] = {"POO00001", "POO00002", "POO00003"};
    for (unsigned i = 0; i < 3; i++) {
        mac_of(id[i], 0x600, mac);
        assert_memory_equal(directory_find(&directory, id[i])->machine.nic[0].mac, mac, MAC);
        assert_true(directory_may_couple(directory_find(&directory, id[i]), 0, "SYSTEM", "NET1"));
    }
    set_text("/users/POO/nic@600", "mac", "02-00-00-00-00-01");
    assert_fault("/users/POO/pool: is for users whose NICs have no mac");
}

/* Among others, of entries that the fault leaves incomplete. */
static void assert_told(const char *expected)
{
    assert_int_not_equal(parse(), 0);
    if (!strstr(told, expected))
        fail_msg("expected \"%s\", was told:\n%s", expected, told);
}

static void each_fault_of_a_nic_is_told(void **state)
{
    (void)state;
    fdt_delprop(blob, node_at(NIC), "lan");
    assert_told(NIC "/lan: is missing");
    with_lans();
    set_text(NIC, "lan", "NET1");
    assert_told(NIC "/lan: has no owner and name of a LAN");
    set_text(NIC, "lan", "SYSTEM  NET1");
    assert_told(NIC "/lan: has no owner and name of a LAN");
    set_text(NIC, "lan", "SYSTEM NONE");
    assert_told(NIC ": is for a LAN of the system's that is not in the directory");
    with_lans();
    set_text(NIC, "mac", "01-00-00-00-00-00");
    assert_told(NIC "/mac: is no address of a station");
    set_cell(NIC, "vlan", 4095);
    assert_told(NIC "/vlan: is not one cell of 0 to 4094");
    set_cell(NIC, "rate", 0);
    assert_told(NIC "/rate: is not one cell of 1 to");
    with_lans();
    add("/users/ALICE", "nic@191"); /* a disk's */
    set_bytes("/users/ALICE/nic@191", "lan", both, sizeof both);
    assert_told("/users/ALICE/nic@191: this device number is there twice");
    with_lans();
    add("/users/ALICE", "nic@601");
    add("/users/ALICE", "nic@602");
    assert_told("is one NIC more than the 2 a machine can have");
    with_lans();
    add("/users/ALICE", "nic@X");
    assert_told("/users/ALICE/nic@X: has no device number");
    with_lans();
    set_cell("/users/ALICE", "lans", 5);
    assert_told("/users/ALICE/lans: is not one cell of 0 to 4");
}

static void each_fault_of_a_lan_is_told(void **state)
{
    char name[16];
    (void)state;
    set_cell("/lans/NET1", "uplink", 0);
    assert_told(": has the uplink of another LAN");
    set_cell("/lans/NET1", "uplink", 4);
    assert_told("/lans/NET1/uplink: is not one cell of 0 to 3");
    with_lans();
    add("/lans", "TOOLONGNAME");
    assert_told("/lans/TOOLONGNAME: its name is not 1 to 8 characters");
    with_lans();
    set_cell("/lans/NET1", "native-vlan", 5000);
    assert_told("/lans/NET1/native-vlan: is not one cell of 0 to 4094");
    with_lans();
    for (unsigned i = 0; i < DIRECTORY_LANS; i++) {
        snprintf(name, sizeof name, "L%u", i);
        add("/lans", name);
    }
    assert_told("is one LAN too many for this CP");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(without_an_entry_there_is_none, each),
        cmocka_unit_test_setup(a_good_one_gives_what_it_says, each),
        cmocka_unit_test_setup(a_pool_gives_each_an_address_of_their_own, each),
        cmocka_unit_test_setup(each_fault_of_a_nic_is_told, each),
        cmocka_unit_test_setup(each_fault_of_a_lan_is_told, each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
