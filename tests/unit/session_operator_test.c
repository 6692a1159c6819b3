/* What the operator is told of CP's disk: that it fails, where, whose, and not too often. */
#include "tests/unit/session_scene.h"

#include "cp/minidisk/link.h"
#include "cp/session/operator.h"

static struct disk_request request;
static _Alignas(8) uint8_t sector[DISK_SECTOR_BYTES];
static int last_status;

static void done(struct disk_request *r, int status)
{
    (void)r;
    last_status = status;
}

/* ALICE's machine asks for one sector of block `block` of her 191, which the medium gives or not. */
static void alice_does(enum disk_op op, uint32_t block, bool fails)
{
    static struct disk_segment segment = {sector, sizeof sector};
    struct disk *disk = &link_find(session_find("ALICE")->user, 0x191)->minidisk.disk;
    request = (struct disk_request){.op = op, .done = done};
    if (op != DISK_FLUSH) {
        request.sector = block * (VOLUME_BLOCK / DISK_SECTOR_BYTES);
        request.sectors = request.segments = 1;
        request.segment = &segment;
    }
    scene_disk.fail = fails;
    assert_int_equal(disk->submit(disk, &request), 0);
    turn();
    scene_disk.fail = false;
    assert_int_equal(last_status, fails ? -EIO : 0);
}

static int alice_and_operator(void **state)
{
    scene_reset(state);
    operator_watch_disk(&scene_disk.disk);
    fake_clock_advance(60ull * 1000000000);
    logon(0, "ALICE");
    logon(2, "OPERATOR");
    for (int i = 0; i < 3; i++)
        shown(i);
    return 0;
}

static void assert_told(unsigned line, const char *what)
{
    static const char head[] = "HCPERP9060W Volume VMN001: ";
    const char *text = shown(line), *first = strstr(text, head);
    if (!what) {
        assert_null(first);
        return;
    }
    if (!first || strncmp(first + strlen(head), what, strlen(what)))
        fail_msg("not \"%s\": %s", what, text);
    assert_null(strstr(first + 1, head));
}

static void what_fails_is_told_by_block_and_minidisk_to_the_operator_alone(void **state)
{
    (void)state;
    alice_does(DISK_WRITE, 7, true);
    assert_told(2, "a write of block 207, of ALICE 0191 failed\r\n");
    assert_told(0, NULL);
    alice_does(DISK_READ, 0, true);
    assert_told(2, "a read of block 200, of ALICE 0191 failed\r\n");
    alice_does(DISK_FLUSH, 0, true);
    assert_told(2, "a flush failed\r\n");
}

static void many_failures_are_one_line_until_one_has_worked(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        alice_does(DISK_WRITE, 1, true);
    assert_told(2, "a write of block 201, ");
    fake_clock_advance(100ull * 1000000000);
    alice_does(DISK_READ, 1, false); /* says nothing of writing */
    alice_does(DISK_WRITE, 1, true);
    assert_told(2, NULL);
    alice_does(DISK_WRITE, 1, false);
    alice_does(DISK_WRITE, 2, true);
    assert_told(2, "a write of block 202, ");
}

static void a_disk_that_works_and_fails_by_turns_is_a_line_a_minute(void **state)
{
    (void)state;
    for (int i = 0; i < 30; i++) {
        alice_does(DISK_WRITE, 1, true);
        alice_does(DISK_WRITE, 1, false);
    }
    assert_told(2, "a write of block 201, ");
    fake_clock_advance(60ull * 1000000000);
    alice_does(DISK_WRITE, 1, true);
    assert_told(2, "a write of block 201, ");
}

static void without_an_operator_the_first_terminal_is_told(void **state)
{
    (void)state;
    type(2, "LOGOFF\r");
    alice_does(DISK_WRITE, 1, true);
    assert_told(0, "a write of block 201, of ALICE 0191 failed\r\n");
}

static void a_disconnected_operators_machine_is_not_stopped_by_it(void **state)
{
    (void)state;
    type(2, "DISC\r");
    for (int i = 0; i < 5000; i++) {
        alice_does(DISK_WRITE, 1, false);
        fake_clock_advance(61ull * 1000000000);
        alice_does(DISK_WRITE, 1, true);
    }
    assert_int_equal(vm_output(vm_of("OPERATOR"), 0, (const uint8_t *)"mine", 4), 4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, alice_and_operator)
    static const struct CMUnitTest tests[] = {
        TEST(what_fails_is_told_by_block_and_minidisk_to_the_operator_alone),
        TEST(many_failures_are_one_line_until_one_has_worked),
        TEST(a_disk_that_works_and_fails_by_turns_is_a_line_a_minute),
        TEST(without_an_operator_the_first_terminal_is_told),
        TEST(a_disconnected_operators_machine_is_not_stopped_by_it),
    };
    scene_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
