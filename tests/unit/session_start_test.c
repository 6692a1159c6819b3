/* How CP begins when its volume is not as it should be, and how it ends. Each test begins CP anew. */
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/session_scene.h"

enum { GOOD_A = 1, GOOD_B = 2, REFUSED_B = 4, NO_LABEL = 8, NO_DISK = 16 };

static void begin_with(unsigned what)
{
    static struct line *lines[1] = {&fake_line[0].line};
    uint8_t *b;
    fake_clock_reset(1000000000);
    fake_frames();
    scene_directory();
    fake_disk_init(&scene_disk, SCENE_BLOCKS * 8, false);
    b = scene_disk.medium + VOLUME_SLOT_B * VOLUME_BLOCK;
    if (!(what & NO_LABEL))
        volume_label_make(scene_disk.medium, "VMN001", SCENE_BLOCKS);
    if (what & GOOD_A)
        volume_slot_make(scene_disk.medium + VOLUME_SLOT_A * VOLUME_BLOCK, scene_blob, fdt_totalsize(scene_blob), 1);
    if (what & REFUSED_B)
        fdt_setprop_u32(scene_blob, fdt_path_offset(scene_blob, "/users/ALICE"), "storage", 0);
    if (what & (GOOD_B | REFUSED_B))
        volume_slot_make(b, scene_blob, fdt_totalsize(scene_blob), 2);
    user_start(what & NO_DISK ? NULL : &scene_disk.disk, lines, 1);
}

/* Or it would begin when somebody types: the event loop waits for interrupts where there is nothing to do at once. */
static void each_step_of_the_start_asks_for_the_next(void **state)
{
    unsigned steps = 0;
    (void)state;
    begin_with(GOOD_A | REFUSED_B);
    for (; ((struct terminal *)fake_line[0].line.owner)->session->state == SESSION_LOADING; steps++) {
        assert_true(scene_disk.first || work_waits());
        fake_disk_done_all(&scene_disk);
        work_run();
        user_poll();
    }
    assert_in_range(steps, 4, 1000);
    assert_shows(0, "VM/N ONLINE");
}

static void a_refused_directory_gives_way_to_the_one_before(void **state)
{
    (void)state;
    begin_with(GOOD_A | REFUSED_B);
    fake_type(0, "LOGON ALICE\rvmn\r"); /* typed before CP is ready */
    turn();
    const char *text = shown(0);
    assert_non_null(strstr(text, "HCPDIR9031W /users/ALICE/storage is not one cell of 1 to 1048576 (MiB)\r\n"));
    assert_non_null(strstr(text, "HCPDIR9030W Directory slot B is not used: its directory is refused\r\n"));
    assert_non_null(strstr(text, "VM/N ONLINE"));
    assert_non_null(session_find("ALICE"));
}

static void damage_is_told_and_the_other_slot_serves(void **state)
{
    (void)state;
    begin_with(GOOD_A | GOOD_B);
    scene_disk.medium[VOLUME_SLOT_B * VOLUME_BLOCK + 100] ^= 1;
    turn();
    assert_shows(0, "VM/N ONLINE");
    assert_non_null(directory_find(&directory, "ALICE"));
}

static void what_is_damaged_of_the_spools_table_is_told(void **state)
{
    (void)state;
    begin_with(GOOD_A);
    memset(scene_disk.medium + 800 * VOLUME_BLOCK, 'x', 5 * 1024);
    turn();
    assert_shows(0, "HCPSPL9084W 5 entries of the spool's table were damaged and dropped");
}

static const struct bad_volume {
    unsigned what;
    const char *text;
} bad_volumes[] = {
    {0, "HCPDIR9032W No directory can be used; the built-in one serves: OPERATOR only"},
    {NO_LABEL, "HCPDIR9033W No CP volume: no CP volume label"},
    {NO_DISK, "HCPDIR9033W No CP volume: there is no disk"},
};

static void without_any_directory_the_operator_gets_in(void **state)
{
    const struct bad_volume *row = *state;
    begin_with(row->what);
    turn();
    assert_shows(0, row->text);
    assert_int_equal(directory.users, 1);
    type(0, "LOGON OPERATOR NOIPL\r");
    type(0, "vmn\r");
    assert_non_null(session_find("OPERATOR"));
}

static void a_medium_that_fails_is_no_volume(void **state)
{
    (void)state;
    begin_with(GOOD_A);
    scene_disk.fail = true;
    turn();
    assert_shows(0, "HCPDIR9033W No CP volume: its first blocks cannot be read");
}

static const struct end {
    enum vm_stop why;
    uint32_t detail;
    const char *text;
} ends[] = {
    {VM_STOP_TEST_EXIT, 17, "VMN-EXIT 17\n"},
    {VM_STOP_TEST_EXIT, 124, "VMN-EXIT 124\n"},
    {VM_STOP_TEST_EXIT, 125, "VMN-EXIT 124\n"}, /* CP's own, which no machine can give */
    {VM_STOP_TEST_EXIT, 0x80000000, "VMN-EXIT 124\n"},
    {VM_STOP_TEST_EXIT, CP_EXIT_OTHER_BELOW, "VMN-EXIT 125\n"}, /* a CP in it says that of its machine */
    {VM_STOP_POWER_OFF, 0, "VMN-EXIT 0\n"},
    {VM_STOP_TRIPLE_FAULT, 0, "VMN-EXIT 125\n"},
};

static void one_machine_alone_ends_cp_with_its_status(void **state)
{
    const struct end *row = *state;
    size_t bytes;
    struct user_single single = {
        .image = scene_system(&bytes), .image_bytes = sizeof(uint32_t) * 9, .command_line = "a b"};
    assert_null(machine_config_read(&single.machine, "guest-memory=4"));
    fake_clock_reset(1000000000);
    fake_frames();
    user_start_single(&fake_line[0].line, &single);
    struct vm *vm = vm_of("VM");
    assert_non_null(vm);
    assert_int_equal(vm->state, VM_RUNNABLE);
    assert_true(machine_granted(&vm->config, GRANT_DEBUG_EXIT));
    assert_int_equal(vm_output(vm, 0, (const uint8_t *)"output\n", 7), 7);
    turn();
    assert_shows(0, "output\n");
    vm_stop(vm, row->why, row->detail);
    turn();
    assert_string_equal(fake_debug, row->text);
    assert_true(shutdown_done);
}

static void an_image_that_is_none_is_told(void **state)
{
    struct user_single single = {
        .image = "not an image", .image_bytes = 13, .command_line = ""};
    assert_null(machine_config_read(&single.machine, "guest-memory=4"));
    (void)state;
    fake_frames();
    user_start_single(&fake_line[0].line, &single);
    assert_shows(0, "HCPVMI9011E The image cannot be IPLed: ");
    assert_string_equal(fake_debug, "VMN-EXIT 125\n");
}

/* Under way; that of an area is its user's. */
static bool flush_of_the_volume(void)
{
    return scene_disk.waiting && scene_disk.first->op == DISK_FLUSH && !scene_disk.first->user;
}

static void shutdown_logs_off_flushes_and_only_then_asks_to_be_switched_off(void **state)
{
    (void)state;
    begin_with(GOOD_A);
    turn();
    shutdown_done = false;
    fake_type(0, "LOGON OPERATOR\rvmn\rSHUTDOWN\rLOGON OPERATOR\r"); /* the last for nobody any more */
    for (int i = 0; i < 500 && !flush_of_the_volume(); i++) {
        fake_disk_done_all(&scene_disk); /* of the audit log */
        fake_clock_advance(1000);
        work_run();
        user_poll();
    }
    assert_true(flush_of_the_volume());
    unsigned flushes = scene_disk.flushes;
    assert_int_equal(session_users(), 0);
    assert_false(shutdown_done);
    const char *text = strstr(shown(0), "SYSTEM SHUTDOWN STARTED BY OPERATOR\r\nCONNECT= ");
    assert_non_null(text);
    assert_null(strstr(text, "CP> "));
    assert_null(strstr(text, "ENTER PASSWORD"));
    turn();
    assert_int_equal(scene_disk.flushes, flushes + 1);
    assert_true(shutdown_done);
}

/* Nobody comes any more who should not see it. */
static void who_hangs_up_while_cp_ends_is_logged_off_all_the_same(void **state)
{
    struct line *line = &fake_line[0].line;
    (void)state;
    begin_with(GOOD_A);
    turn();
    fake_type(0, "LOGON OPERATOR\rvmn\r");
    turn();
    shown(0);
    shutdown_begin();
    line->carrier(line, false);
    turn();
    const char *text = shown(0);
    assert_non_null(strstr(text, "LOGOFF AT "));
    assert_null(strstr(text, "DISCONNECT AT "));
    turn();
    assert_true(shutdown_done);
}

static void the_one_machine_of_an_ipl_is_nobodys_to_leave(void **state)
{
    size_t bytes;
    struct line *line = &fake_line[0].line;
    struct user_single single = {
        .image = scene_system(&bytes), .image_bytes = sizeof(uint32_t) * 9, .command_line = ""};
    (void)state;
    assert_null(machine_config_read(&single.machine, "guest-memory=4"));
    fake_clock_reset(1000000000);
    fake_frames();
    user_start_single(line, &single);
    line->carrier(line, false);
    turn();
    assert_int_equal(vm_output(vm_of("VM"), 0, (const uint8_t *)"output\n", 7), 7);
    turn();
    assert_string_equal(shown(0), "output\n");
}

/* CP begins once in a process: each test gets one of its own. */
static int run_apart(const struct CMUnitTest *test)
{
    int status;
    fflush(NULL);
    pid_t child = fork();
    if (!child) {
        const struct CMUnitTest tests[] = {*test};
        exit(cmocka_run_group_tests(tests, NULL, NULL));
    }
    return waitpid(child, &status, 0) != child || status;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_step_of_the_start_asks_for_the_next),
        cmocka_unit_test(a_refused_directory_gives_way_to_the_one_before),
        cmocka_unit_test(damage_is_told_and_the_other_slot_serves),
        cmocka_unit_test(what_is_damaged_of_the_spools_table_is_told),
        cmocka_unit_test_prestate(without_any_directory_the_operator_gets_in, (void *)&bad_volumes[0]),
        cmocka_unit_test_prestate(without_any_directory_the_operator_gets_in, (void *)&bad_volumes[1]),
        cmocka_unit_test_prestate(without_any_directory_the_operator_gets_in, (void *)&bad_volumes[2]),
        cmocka_unit_test(a_medium_that_fails_is_no_volume),
        cmocka_unit_test(shutdown_logs_off_flushes_and_only_then_asks_to_be_switched_off),
        cmocka_unit_test_prestate(one_machine_alone_ends_cp_with_its_status, (void *)&ends[0]),
        cmocka_unit_test_prestate(one_machine_alone_ends_cp_with_its_status, (void *)&ends[1]),
        cmocka_unit_test_prestate(one_machine_alone_ends_cp_with_its_status, (void *)&ends[2]),
        cmocka_unit_test_prestate(one_machine_alone_ends_cp_with_its_status, (void *)&ends[3]),
        cmocka_unit_test_prestate(one_machine_alone_ends_cp_with_its_status, (void *)&ends[4]),
        cmocka_unit_test_prestate(one_machine_alone_ends_cp_with_its_status, (void *)&ends[5]),
        cmocka_unit_test_prestate(one_machine_alone_ends_cp_with_its_status, (void *)&ends[6]),
        cmocka_unit_test(an_image_that_is_none_is_told),
        cmocka_unit_test(who_hangs_up_while_cp_ends_is_logged_off_all_the_same),
        cmocka_unit_test(the_one_machine_of_an_ipl_is_nobodys_to_leave),
    };
    int failed = 0;
    for (unsigned i = 0; i < sizeof tests / sizeof *tests; i++)
        failed += run_apart(&tests[i]);
    return failed;
}
