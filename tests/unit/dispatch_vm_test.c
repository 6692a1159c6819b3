/* A virtual machine's storage: what becomes of it at DEFINE STORAGE and at the end, with and without disk requests that
 * may still write into it. The machine's devices and the processor are fakes; frames and storage are CP's own. */
#include "tests/unit/dispatch_vm_scene.h"

static void a_destroyed_machine_gives_every_frame_back(void **state)
{
    (void)state;
    vm_destroy(make());
    assert_null(vm_list);
    work_all();
    assert_int_equal(frame_available(), frames_before);
}

static void storage_goes_back_a_little_at_a_time_and_at_once_when_it_is_wanted(void **state)
{
    struct vm *vm = make(), *other;
    (void)state;
    vm_destroy(vm);
    assert_true(frame_available() + 16 > frames_before); /* it can be had, but for the struct itself */
    work_run();
    assert_true(grave_frames() > 0);
    assert_true(work_waits());
    other = vm_create(&(struct machine_config){.userid = "BOB", .storage_bytes = ARENA});
    for (uint64_t at = 0; at < ARENA && guest_pointer(&other->storage, gpa(at), NULL); at += PAGE_SIZE) {}
    assert_int_equal(grave_frames(), 0);
    vm_destroy(other);
    assert_true(work_all() > 1);
    assert_int_equal(frame_available(), frames_before);
}

static void a_machine_nothing_was_put_into_is_cleared_without_a_burial(void **state)
{
    struct vm *vm = vm_create(&(struct machine_config){.userid = "ALICE", .storage_bytes = 4 * MIB});
    (void)state;
    assert_int_equal(vm_define_storage(vm, 4 * MIB), 0);
    uint64_t frames = vm->storage.account.frames;
    assert_int_equal(vm_define_storage(vm, 2 * MIB), 0);
    assert_int_equal(grave_frames(), 0);
    assert_false(work_waits());
    assert_int_equal(vm->storage.account.frames, frames);
    assert_false(guest_is_ram(&vm->storage, gpa(2 * MIB)));
    assert_int_equal(size_at_reset, 2 * MIB);
    assert_int_equal(guest_fill(&vm->storage, gpa(0), 1, 1), GUEST_OK);
    assert_int_equal(vm_define_storage(vm, 2 * MIB), 0);
    assert_int_equal(byte_at(vm, 0), 0);
    vm_destroy(vm);
    work_all();
    assert_int_equal(frame_available(), frames_before);
}

static void tables_that_lead_nowhere_are_buried_fast(void **state)
{
    struct vm *vm = vm_create(&(struct machine_config){.userid = "ALICE", .storage_bytes = 4 * MIB});
    unsigned entries = 0;
    (void)state;
    assert_int_equal(guest_fill(&vm->storage, gpa(MIB), 1, 1), GUEST_OK);
    vm_destroy(vm);
    for (; grave_frames(); entries++)
        grave_work(1);
    assert_in_range(entries, 8, 4 * 512 / 8); /* of four tables, whose entries map nothing but for one */
    work_all();
    assert_int_equal(frame_available(), frames_before);
}

static void a_burial_is_at_the_machines_expense_until_it_is_gone(void **state)
{
    struct vm *vm = make();
    const struct debt *its = &vm->machine.disk_user.debt;
    (void)state;
    vm_destroy(vm);
    work_run();
    assert_true(grave_frames() > 0);
    assert_ptr_equal(debtor, its);
    work_all();
    assert_int_equal(frame_available(), frames_before);
    assert_null(debtor); /* or the time of the last step would be written where it was */
}

static void a_machine_is_made_of_what_is_in_a_grave(void **state)
{
    struct vm *vm = vm_create(&(struct machine_config){.userid = "BOB", .storage_bytes = ARENA}), *other;
    (void)state;
    for (uint64_t at = 0; at < ARENA && guest_pointer(&vm->storage, gpa(at), NULL); at += PAGE_SIZE) {}
    assert_null(frame_alloc(&frame_cp_account));
    vm_destroy(vm);
    assert_true(grave_frames() > 0);
    other = make(); /* its struct needs frames in a row */
    vm_destroy(other);
    work_all();
    assert_int_equal(frame_available(), frames_before);
}

static void a_machine_whose_limit_its_own_graves_have_used_up_gets_them(void **state)
{
    struct vm *vm = make();
    (void)state;
    vm->storage.account.limit = vm->storage.account.frames;
    assert_int_equal(vm_define_storage(vm, 2 * MIB), 0);
    assert_int_equal(guest_fill(&vm->storage, gpa(0), 1, 2 * MIB), GUEST_OK);
    assert_true(vm->storage.account.frames <= vm->storage.account.limit);
    vm_destroy(vm);
    work_all();
    assert_int_equal(frame_available(), frames_before);
}

static void storage_defined_anew_is_clear_and_has_its_size_everywhere(void **state)
{
    struct vm *vm = make();
    (void)state;
    assert_int_equal(vm_define_storage(vm, 2 * MIB), 0);
    assert_int_equal(byte_at(vm, 0x1000), 0);
    assert_false(guest_is_ram(&vm->storage, gpa(2 * MIB)));
    assert_int_equal(vm->config.storage_bytes, 2 * MIB);
    assert_int_equal(size_at_reset, 2 * MIB);
    assert_int_equal(vm->storage.account.limit, 2048);
    vm_destroy(vm);
    work_all();
    assert_int_equal(frame_available(), frames_before);
}

static void storage_is_not_replaced_under_a_disk_request(void **state)
{
    struct vm *vm = make();
    unsigned resets = machine_resets, flushed = flushes;
    (void)state;
    in_flight = 1;
    assert_int_equal(vm_define_storage(vm, 2 * MIB), -EBUSY);
    assert_int_equal(byte_at(vm, 0x1000), 0x5A);
    assert_int_equal(vm->storage.bytes, 4 * MIB);
    assert_int_equal(vm->config.storage_bytes, 4 * MIB);
    assert_int_equal(machine_resets, resets);
    assert_int_equal(flushes, flushed);
    in_flight = 0;
    assert_int_equal(vm_define_storage(vm, 2 * MIB), 0);
    vm_destroy(vm);
    work_all();
    assert_int_equal(frame_available(), frames_before);
}

static void a_machine_outlives_its_disk_requests_unseen(void **state)
{
    struct vm *vm = make(), *other;
    const void *target = guest_pointer(&vm->storage, gpa(0x1000), NULL);
    (void)state;
    in_flight = 1;
    vm_destroy(vm);
    assert_null(vm_list);
    assert_true(frame_available() < frames_before - 2 * MIB / PAGE_SIZE);
    other = make(); /* and none of its frames serves another meanwhile */
    for (uint64_t at = 0; at < 2 * MIB; at += PAGE_SIZE)
        assert_ptr_not_equal(guest_pointer(&other->storage, gpa(at), NULL), target);
    in_flight = 0;
    vm_destroy(other);
    work_all();
    assert_int_equal(frame_available(), frames_before);
}

static void making_a_machine_first_buries_those_that_are_done(void **state)
{
    struct vm *vm = make();
    (void)state;
    in_flight = 1;
    vm_destroy(vm);
    in_flight = 0;
    vm = make();
    vm_destroy(vm);
    work_all();
    assert_int_equal(frame_available(), frames_before);
    for (unsigned i = 0; i < 20; i++) { /* more than there is room for at once */
        vm = make();
        in_flight = 1;
        vm_destroy(vm);
        work_all();
        in_flight = 0;
    }
    vm_destroy(make());
    work_all();
    assert_int_equal(frame_available(), frames_before);
}

static void a_machine_is_made_changed_or_ended_in_nobodys_turn(void **state)
{
    const struct machine_config config = {.userid = "BOB", .storage_bytes = 4 * MIB, .frame_limit = 2048};
    struct vm *vm = make();
    (void)state;
    vm_turn = vm;
    assert_true(FAKE_PANICS(vm_create(&config)));
    assert_true(FAKE_PANICS(vm_reset(vm)));
    assert_true(FAKE_PANICS(vm_define_storage(vm, MIB)));
    assert_true(FAKE_PANICS(vm_destroy(vm)));
    vm_turn = NULL;
    vm_destroy(vm);
    work_all();
    assert_int_equal(frame_available(), frames_before);
}

static void after_a_reset_a_machine_goes_to_the_address_that_is_said(void **state)
{
    struct vm *vm = make();
    (void)state;
    assert_true(vm_is_at_reset(vm));
    vm_go_to(vm, 0x1000);
    assert_false(vm_is_at_reset(vm));
    assert_int_equal(cs_selector, 0);
    assert_int_equal(cs_base, 0);
    assert_int_equal(rip, 0x1000);
    cs_selector = 0x20, cs_base = 0x200; /* a program's own: it is at home there */
    vm_go_to(vm, 0x30);
    assert_int_equal(cs_selector, 0x20);
    assert_int_equal(cs_base, 0x200);
    assert_int_equal(rip, 0x30);
    vm_destroy(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(after_a_reset_a_machine_goes_to_the_address_that_is_said, start),
        cmocka_unit_test_setup(a_destroyed_machine_gives_every_frame_back, start),
        cmocka_unit_test_setup(storage_goes_back_a_little_at_a_time_and_at_once_when_it_is_wanted, start),
        cmocka_unit_test_setup(a_machine_nothing_was_put_into_is_cleared_without_a_burial, start),
        cmocka_unit_test_setup(tables_that_lead_nowhere_are_buried_fast, start),
        cmocka_unit_test_setup(a_burial_is_at_the_machines_expense_until_it_is_gone, start),
        cmocka_unit_test_setup(a_machine_is_made_of_what_is_in_a_grave, start),
        cmocka_unit_test_setup(a_machine_whose_limit_its_own_graves_have_used_up_gets_them, start),
        cmocka_unit_test_setup(storage_defined_anew_is_clear_and_has_its_size_everywhere, start),
        cmocka_unit_test_setup(storage_is_not_replaced_under_a_disk_request, start),
        cmocka_unit_test_setup(a_machine_outlives_its_disk_requests_unseen, start),
        cmocka_unit_test_setup(a_machine_is_made_changed_or_ended_in_nobodys_turn, start),
        cmocka_unit_test_setup(making_a_machine_first_buries_those_that_are_done, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
