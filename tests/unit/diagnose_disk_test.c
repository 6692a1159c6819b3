/* DIAGNOSE of disks: what is there, what a call asks the disk for, how it ends, and every wrong number and pointer. */
#include "cp/diagnose.h"
#include "tests/unit/session_scene.h"

enum { AT = 0x3000, RAM = 2 << 20, NUMBER = 7 };

static struct vm *vm;

static uint64_t call(uint64_t code, uint64_t rbx, uint64_t rcx, uint64_t rdx, uint64_t rsi, uint64_t rdi)
{
    uint64_t *gpr = vm->vcpu.gpr;
    gpr[RAX] = code, gpr[RBX] = rbx, gpr[RCX] = rcx, gpr[RDX] = rdx, gpr[RSI] = rsi, gpr[RDI] = rdi;
    return vm_diagnose(vm);
}

static uint64_t read(uint64_t at, uint64_t sectors) { return call(DIAGNOSE_BLOCK_IO, NUMBER, 5, at, sectors, 0); }

static int begin(void **state)
{
    scene_reset(state);
    logon(0, "ALICE");
    vm = vm_of("ALICE");
    fake_disk_call = (struct fake_disk_call){.facts = {.number = NUMBER, .sectors = 4096, .read_only = true}};
    return 0;
}

static void a_device_is_told_by_its_number(void **state)
{
    const uint64_t *gpr = vm->vcpu.gpr;
    (void)state;
    assert_int_equal(call(DIAGNOSE_DEVICE, 0x191, 1, 2, 3, 4), DIAGNOSE_OK);
    assert_int_equal(gpr[RBX], NUMBER);
    assert_int_equal(gpr[RCX], 4096);
    assert_int_equal(gpr[RDX], 1);
    assert_int_equal(call(DIAGNOSE_DEVICE, 0x192, 1, 2, 3, 4), DIAGNOSE_NO_DEVICE);
    assert_int_equal(gpr[RBX], 0x192);
    assert_int_equal(call(DIAGNOSE_DEVICE, 0x10191, 1, 2, 3, 4), DIAGNOSE_NO_DEVICE);
}

static void a_call_asks_the_disk_and_holds_the_machine(void **state)
{
    static const struct {
        enum diagnose_io io;
        enum disk_op op;
    } row[] = {{DIAGNOSE_IO_READ, DISK_READ}, {DIAGNOSE_IO_WRITE, DISK_WRITE}};
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        vm->held = false;
        assert_int_equal(call(DIAGNOSE_BLOCK_IO, NUMBER, 5, AT + 1, 3, row[i].io), DIAGNOSE_OK);
        assert_true(vm->held);
        assert_int_equal(fake_disk_call.number, NUMBER);
        assert_int_equal(fake_disk_call.op, row[i].op);
        assert_int_equal(fake_disk_call.sector, 5);
        assert_int_equal(fake_disk_call.at, AT + 1);
        assert_int_equal(fake_disk_call.bytes, 3 * 512);
    }
    vm->held = false;
    assert_int_equal(call(DIAGNOSE_BLOCK_IO, NUMBER, 1, UINT64_MAX, UINT64_MAX, DIAGNOSE_IO_FLUSH), DIAGNOSE_OK);
    assert_true(vm->held);
    assert_int_equal(fake_disk_call.op, DISK_FLUSH);
}

static void its_buffer_is_storage_and_not_too_long(void **state)
{
    (void)state;
    assert_int_equal(read(AT, 0), DIAGNOSE_BAD_LENGTH);
    assert_int_equal(read(0, DIAGNOSE_SECTORS_MAX + 1), DIAGNOSE_BAD_LENGTH);
    assert_int_equal(read(AT, UINT64_MAX), DIAGNOSE_BAD_LENGTH);
    assert_int_equal(read(AT, 1ull << 55), DIAGNOSE_BAD_LENGTH);
    assert_int_equal(read(RAM - 511, 1), DIAGNOSE_BAD_ADDRESS);
    assert_int_equal(read(UINT64_MAX - 100, 1), DIAGNOSE_BAD_ADDRESS);
    assert_int_equal(call(DIAGNOSE_BLOCK_IO, NUMBER, 5, AT, 1, 3), DIAGNOSE_BAD_CODE);
    assert_int_equal(call(DIAGNOSE_BLOCK_IO, NUMBER, 5, AT, 1, 1ull << 32), DIAGNOSE_BAD_CODE);
    assert_int_equal(fake_disk_call.calls, 0);
    assert_false(vm->held);
    assert_int_equal(read(RAM - 512, 1), DIAGNOSE_OK);
    assert_int_equal(read(0, DIAGNOSE_SECTORS_MAX), DIAGNOSE_OK);
    assert_int_equal(call(DIAGNOSE_BLOCK_IO, NUMBER | 1ull << 32, 5, AT, 1, 0), DIAGNOSE_OK);
    assert_int_equal(fake_disk_call.number, NUMBER | 1ull << 32); /* all of it */
}

static void what_the_disk_refuses_has_its_status_and_holds_nobody(void **state)
{
    static const struct {
        int failed;
        enum diagnose_status status;
    } row[] = {{-EINVAL, DIAGNOSE_BAD_LENGTH}, {-EROFS, DIAGNOSE_READ_ONLY}, {-EBUSY, DIAGNOSE_BUSY},
               {-ENODEV, DIAGNOSE_NO_DEVICE}, {-EIO, DIAGNOSE_IO_ERROR}};
    (void)state;
    for (unsigned i = 0; i < sizeof row / sizeof *row; i++) {
        fake_disk_call.fails = row[i].failed;
        assert_int_equal(read(AT, 1), row[i].status);
        assert_false(vm->held);
        assert_int_equal(vm_called(vm, (unsigned)-row[i].failed), row[i].status); /* or later, if it was taken */
    }
    assert_int_equal(vm_called(vm, 0), DIAGNOSE_OK);
}

static void who_is_offered_no_calls_has_none_of_these(void **state)
{
    (void)state;
    vm->config.grants |= 1u << GRANT_NO_DIAGNOSE;
    assert_int_equal(call(DIAGNOSE_DEVICE, 0x191, 1, 2, 3, 4), DIAGNOSE_NOT_OFFERED);
    assert_int_equal(read(AT, 1), DIAGNOSE_NOT_OFFERED);
    assert_int_equal(fake_disk_call.calls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_device_is_told_by_its_number, begin),
        cmocka_unit_test_setup(a_call_asks_the_disk_and_holds_the_machine, begin),
        cmocka_unit_test_setup(its_buffer_is_storage_and_not_too_long, begin),
        cmocka_unit_test_setup(what_the_disk_refuses_has_its_status_and_holds_nobody, begin),
        cmocka_unit_test_setup(who_is_offered_no_calls_has_none_of_these, begin),
    };
    scene_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
