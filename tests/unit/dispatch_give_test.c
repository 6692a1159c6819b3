/* A machine that holds most of all gives its storage back, a piece in each turn, when another lacks frames. */
#include "cp/dispatch/give.h"
#include "tests/unit/dispatch_vm_scene.h"

static unsigned told; /* vm_stopped: how often, and */
static enum vm_stop why;

static void stopped(struct vm *vm)
{
    told += vm->stop_unseen;
    why = vm->stop;
    vm->stop_unseen = false;
}

static struct vm *machine(unsigned mib)
{
    struct machine_config config = {.storage_bytes = (uint64_t)mib * MIB};
    struct vm *vm = vm_create(&config);
    assert_non_null(vm);
    vm_begin(vm);
    return vm;
}

/* Touches as much of its storage as it gets. */
static uint64_t touch(struct vm *vm)
{
    uint64_t at = 0;
    while (at < vm->storage.bytes && guest_pointer(&vm->storage, gpa(at), NULL))
        at += PAGE_SIZE;
    return at;
}

static int begin(void **state)
{
    static bool kept;
    start(state);
    if (!kept)
        frame_keep(), give_start();
    kept = true;
    told = 0;
    return 0;
}

static void turns(void)
{
    for (unsigned i = 0; i < 100; i++)
        give_turn();
}

static void a_machine_above_its_share_is_cleared_for_one_below(void **state)
{
    struct vm *alice = machine(1), *bob = machine(32);
    (void)state;
    assert_true(touch(bob) < 32 * MIB); /* he held most himself, and nobody gives for him */
    assert_int_equal(bob->state, VM_RUNNABLE);
    assert_int_equal(touch(alice), MIB);
    stopped(bob);
    assert_int_equal(told, 1);
    assert_int_equal(why, VM_STOP_TAKEN);
    assert_int_equal(bob->state, VM_STOPPED);
    assert_int_equal(alice->state, VM_RUNNABLE);
    turns();
    assert_false(bob->gives_back);
    assert_in_range(bob->storage.account.frames, 1, 32);
    assert_int_equal(byte_at(bob, 0x1000), 0);
    assert_int_equal(bob->storage.bytes, 32 * MIB);
    vm_destroy(alice);
    vm_destroy(bob);
    work_all();
    assert_int_equal(frame_available(), frames_before);
}

static void no_turn_takes_long(void **state)
{
    struct vm *alice = machine(1), *bob = machine(32);
    unsigned used = 0;
    (void)state;
    touch(bob);
    touch(alice);
    for (; bob->gives_back; used++) {
        uint64_t held = bob->storage.account.frames;
        give_turn();
        assert_true(held - bob->storage.account.frames <= 2 * 513);
    }
    assert_true(used >= 1);
    vm_destroy(alice);
    vm_destroy(bob);
}

static void storage_is_not_cleared_under_a_disk_request(void **state)
{
    struct vm *alice = machine(1), *bob = machine(32);
    (void)state;
    touch(bob);
    uint64_t held = bob->storage.account.frames;
    in_flight = 1;
    assert_int_equal(touch(alice), MIB); /* what is kept back serves meanwhile */
    turns();
    assert_int_equal(bob->storage.account.frames, held);
    in_flight = 0;
    turns();
    assert_true(bob->storage.account.frames < 32);
    vm_destroy(alice);
    vm_destroy(bob);
}

/* BEGIN, and disk requests that never end. */
static void who_goes_on_all_the_same_is_stopped_again_and_gives(void **state)
{
    struct vm *alice = machine(1), *bob = machine(32);
    (void)state;
    touch(bob);
    touch(alice);
    stopped(bob);
    for (unsigned i = 0; i < 10; i++) {
        in_flight = 1;
        reads_its_ring = i == 9;
        if (i < 5)
            vm_begin(bob);
        give_turn();
        assert_int_equal(bob->state, VM_STOPPED);
        stopped(bob);
        assert_int_equal(told, i < 5 ? i + 2 : 6);
    }
    turns();
    assert_true(bob->storage.account.frames < 32);
    vm_destroy(alice);
    vm_destroy(bob);
}

static void who_stopped_before_gives_as_well_and_is_told(void **state)
{
    struct vm *alice = machine(1), *bob = machine(32);
    (void)state;
    touch(bob);
    vm_stop(bob, VM_STOP_NO_FRAMES, 0);
    stopped(bob);
    assert_int_equal(byte_at(bob, 0), 0); /* his user may look around as long as nobody needs it */
    touch(alice);
    stopped(bob);
    assert_int_equal(told, 2);
    turns();
    assert_true(bob->storage.account.frames < 32);
    vm_destroy(alice);
    vm_destroy(bob);
}

static void logon_finds_room_when_one_holds_all(void **state)
{
    struct vm *bob = machine(32);
    (void)state;
    touch(bob);
    struct vm *alice = machine(1);
    assert_true(touch(alice) >= MIB / 2);
    assert_true(bob->gives_back);
    assert_int_equal(vm_define_storage(bob, 4 * MIB), 0); /* IPL, before the turns were over */
    assert_false(bob->gives_back);
    assert_int_equal(touch(alice), MIB);
    assert_int_equal(touch(bob), 4 * MIB);
    vm_destroy(bob);
    vm_destroy(alice);
    work_all();
    assert_int_equal(frame_available(), frames_before);
}

static void of_several_the_largest_gives_and_one_at_a_time(void **state)
{
    struct vm *alice = machine(1), *bob = machine(7), *carol = machine(32);
    (void)state;
    touch(bob);
    touch(carol);
    assert_int_equal(touch(alice), MIB);
    assert_true(carol->gives_back);
    assert_false(bob->gives_back);
    assert_int_equal(bob->state, VM_RUNNABLE);
    vm_destroy(carol); /* FORCE, before the turns were over */
    turns();
    vm_destroy(alice);
    vm_destroy(bob);
    work_all();
    assert_int_equal(frame_available(), frames_before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_machine_above_its_share_is_cleared_for_one_below, begin),
        cmocka_unit_test_setup(no_turn_takes_long, begin),
        cmocka_unit_test_setup(storage_is_not_cleared_under_a_disk_request, begin),
        cmocka_unit_test_setup(who_goes_on_all_the_same_is_stopped_again_and_gives, begin),
        cmocka_unit_test_setup(who_stopped_before_gives_as_well_and_is_told, begin),
        cmocka_unit_test_setup(logon_finds_room_when_one_holds_all, begin),
        cmocka_unit_test_setup(of_several_the_largest_gives_and_one_at_a_time, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
