/* DIAGNOSE of the directory: a machine gets it and gives another, and every wrong length, address and order. */
#include "tests/unit/replace_scene.h"

enum { AT = 0x3000, RAM = 2 << 20 };

static uint64_t call(const char *user, uint64_t rbx, uint64_t rcx, uint64_t rdx, uint64_t rsi)
{
    struct vm *vm = vm_of(user);
    uint64_t *gpr = vm->vcpu.gpr;
    gpr[RAX] = DIAGNOSE_DIRECTORY, gpr[RBX] = rbx, gpr[RCX] = rcx, gpr[RDX] = rdx, gpr[RSI] = rsi;
    return vm_diagnose(vm);
}

static void a_machine_of_class_b_gets_the_directory_and_gives_another(void **state)
{
    static uint8_t got[2 * sizeof blob];
    enum { PIECE = 500 };
    const uint64_t *gpr = vm_of("MAINT")->vcpu.gpr;
    uint64_t at = 0;
    (void)state;
    do {
        assert_int_equal(call("MAINT", AT, PIECE, DIAGNOSE_DIRECTORY_GET, at), DIAGNOSE_OK);
        assert_int_equal(gpr[RBX], fdt_totalsize(packed));
        assert_int_equal(guest_read(&vm_of("MAINT")->storage, gpa(AT), got + at, gpr[RCX]), GUEST_OK);
        at += gpr[RCX];
    } while (gpr[RCX]);
    assert_int_equal(at, fdt_totalsize(packed));
    assert_memory_equal(got, packed, at);
    for (uint64_t put = 0; put < at; put += PIECE) {
        assert_int_equal(guest_write(&vm_of("MAINT")->storage, gpa(AT), got + put, PIECE), GUEST_OK);
        assert_int_equal(call("MAINT", AT, at - put < PIECE ? at - put : PIECE, DIAGNOSE_DIRECTORY_PUT, put),
                         DIAGNOSE_OK);
    }
    assert_answer("MAINT", "DIRECTORY REPLACE", 0, "REPLACED: 4 USERS");
    assert_int_equal(call("MAINT", AT, PIECE, DIAGNOSE_DIRECTORY_GET, 0), DIAGNOSE_OK);
    assert_int_equal(gpr[RDX], directory_changes);
}

static void what_a_call_may_not_say_changes_nothing(void **state)
{
    (void)state;
    logon(1, "ALICE");
    logon(2, "OPERATOR");
    assert_int_equal(call("ALICE", AT, 100, DIAGNOSE_DIRECTORY_GET, 0), DIAGNOSE_NO_CLASS);
    assert_int_equal(call("ALICE", AT, 100, DIAGNOSE_DIRECTORY_PUT, 0), DIAGNOSE_NO_CLASS);
    assert_answer("ALICE", "DIRECTORY REPLACE", 9016, "HCPCMD9016E");
    assert_int_equal(call("MAINT", AT, 0, DIAGNOSE_DIRECTORY_GET, 0), DIAGNOSE_BAD_LENGTH);
    assert_int_equal(call("MAINT", AT, 4097, DIAGNOSE_DIRECTORY_PUT, 0), DIAGNOSE_BAD_LENGTH);
    assert_int_equal(call("MAINT", AT, 100, 2, 0), DIAGNOSE_BAD_LENGTH);
    assert_int_equal(call("MAINT", RAM - 50, 100, DIAGNOSE_DIRECTORY_GET, 0), DIAGNOSE_BAD_ADDRESS);
    assert_int_equal(call("MAINT", UINT64_MAX - 5, 100, DIAGNOSE_DIRECTORY_PUT, 0), DIAGNOSE_BAD_ADDRESS);
    assert_int_equal(call("MAINT", AT, 100, DIAGNOSE_DIRECTORY_GET, UINT64_MAX), DIAGNOSE_OK);
    assert_int_equal(vm_of("MAINT")->vcpu.gpr[RCX], 0);
    assert_int_equal(call("MAINT", AT, 100, DIAGNOSE_DIRECTORY_PUT, 0), DIAGNOSE_OK);
    assert_int_equal(call("MAINT", AT, 100, DIAGNOSE_DIRECTORY_PUT, 99), DIAGNOSE_NO_DIRECTORY);
    assert_int_equal(call("MAINT", AT, 100, DIAGNOSE_DIRECTORY_PUT, 100), DIAGNOSE_OK);
    for (uint64_t at = 200; at + 4096 <= VOLUME_DIRECTORY_MAX; at += 4096)
        assert_int_equal(call("MAINT", AT, 4096, DIAGNOSE_DIRECTORY_PUT, at), DIAGNOSE_OK);
    assert_int_equal(call("MAINT", AT, 4096, DIAGNOSE_DIRECTORY_PUT, (VOLUME_DIRECTORY_MAX - 200) / 4096 * 4096 + 200),
                     DIAGNOSE_BAD_LENGTH);
    session_find("OPERATOR")->own.classes |= CLASS('B');
    assert_int_equal(call("OPERATOR", AT, 100, DIAGNOSE_DIRECTORY_PUT, 0), DIAGNOSE_OK); /* it is hers now */
    assert_int_equal(call("MAINT", AT, 100, DIAGNOSE_DIRECTORY_PUT, 100), DIAGNOSE_NO_DIRECTORY);
    assert_answer("MAINT", "DIRECTORY CHECK", 9039, "HCPDIR9039E Directory not replaced: none was given\n");
    begin_replacing();
    assert_int_equal(call("OPERATOR", AT, 100, DIAGNOSE_DIRECTORY_PUT, 0), DIAGNOSE_BUSY);
    assert_answer("OPERATOR", "DIRECTORY CHECK", 9039, "HCPDIR9039E Directory not replaced: another is being judged\n");
    end_replacing();
    assert_answer("MAINT", "DIRECTORY", 26, "HCPDIR026E");
    assert_answer("MAINT", "DIRECTORY SWAP", 2, "HCPDIR002E Invalid operand - SWAP\n");
    assert_answer("MAINT", "DIRECTORY CHECK X", 3, "HCPDIR003E");
    struct directory_source source = directory_source;
    directory_source.blob = NULL;
    assert_int_equal(call("MAINT", AT, 100, DIAGNOSE_DIRECTORY_GET, 0), DIAGNOSE_NO_DIRECTORY);
    directory_source = source;
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_machine_of_class_b_gets_the_directory_and_gives_another),
        TEST(what_a_call_may_not_say_changes_nothing),
    };
    scene_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
