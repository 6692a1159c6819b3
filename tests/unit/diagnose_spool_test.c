/* DIAGNOSE of spooled devices: what a machine writes another reads, and every wrong pointer, length and number. */
#include "cp/diagnose.h"
#include "tests/unit/command_scene.h"

#include "cp/session/spool_tell.h"
#include "cp/spool/unit.h"

enum { AT = 0x3000, RAM = 2 << 20 };

static uint64_t call(const char *user, uint64_t code, uint64_t rbx, uint64_t rcx, uint64_t rdx, uint64_t rsi)
{
    struct vm *vm = vm_of(user);
    uint64_t *gpr = vm->vcpu.gpr;
    gpr[RAX] = code, gpr[RBX] = rbx, gpr[RCX] = rcx, gpr[RDX] = rdx, gpr[RSI] = rsi;
    return vm_diagnose(vm);
}

static void lay(const char *user, const void *bytes, unsigned count)
{
    assert_int_equal(guest_write(&vm_of(user)->storage, gpa(AT), bytes, count), GUEST_OK);
}

static uint64_t write(const char *user, const char *text)
{
    uint8_t record[100] = {(uint8_t)strlen(text), 0};
    memcpy(record + 2, text, strlen(text));
    lay(user, record, 2 + (unsigned)strlen(text));
    return call(user, DIAGNOSE_SPOOL_WRITE, AT, 2 + strlen(text), DIAGNOSE_PUNCH, 0);
}

/* Again while the disk is at work. */
static uint64_t read(const char *user, unsigned spoolid)
{
    uint64_t status = call(user, DIAGNOSE_SPOOL_READ, AT, 4096, spoolid, 0);
    for (int i = 0; status == DIAGNOSE_BUSY && i < 3; i++) {
        turn();
        status = call(user, DIAGNOSE_SPOOL_READ, AT, 4096, spoolid, 0);
    }
    return status;
}

static int begin(void **state)
{
    everybody(state);
    for (enum spool_queue q = 0; q < SPOOL_QUEUES; q++)
        for (struct spool_file *f; (f = spool_next(NULL, NULL, q, INT64_MIN)); turn())
            spool_purge(f);
    memset(scene_disk.medium + (size_t)800 * VOLUME_BLOCK, 0, (size_t)SPOOL_FIRST_DATA * SPOOL_BLOCK);
    spool_start(spool_disk(), spool_tell_news, spool_tell_arrival); /* spoolids begin anew */
    turn();
    return 0;
}

static void send_hello(void)
{
    assert_int_equal(write("BOB", "hello"), DIAGNOSE_OK);
    assert_int_equal(write("BOB", ""), DIAGNOSE_OK);
    assert_answer("BOB", "CLOSE PUN TO ALICE NAME HELLO TEXT", 0, "");
    turn();
}

static void what_one_machine_writes_another_reads(void **state)
{
    struct diagnose_spool_file file;
    uint8_t bytes[9];
    (void)state;
    send_hello();
    assert_shows(0, "RDR FILE 0001 SENT FROM BOB      PUN WAS 0001 RECS 0002 CPY  001 A NOHOLD NOKEEP");
    assert_shows(1, "PUN FILE 0001 SENT TO   ALICE    RDR AS  0001 RECS 0002 CPY  001 A NOHOLD NOKEEP");
    assert_int_equal(call("ALICE", DIAGNOSE_SPOOL_FILE, AT, sizeof file, DIAGNOSE_READER, 0), DIAGNOSE_OK);
    guest_read(&vm_of("ALICE")->storage, gpa(AT), &file, sizeof file);
    assert_int_equal(file.spoolid, 1);
    assert_int_equal(file.records, 2);
    assert_memory_equal(file.origin, "BOB     HELLO   TEXT    BOB     ", 32);
    assert_int_equal(read("ALICE", 0), DIAGNOSE_OK);
    assert_int_equal(vm_of("ALICE")->vcpu.gpr[RBX], 1);
    assert_int_equal(vm_of("ALICE")->vcpu.gpr[RCX], 9);
    assert_int_equal(vm_of("ALICE")->vcpu.gpr[RDX], 1);
    guest_read(&vm_of("ALICE")->storage, gpa(AT), bytes, sizeof bytes);
    assert_memory_equal(bytes, "\5\0hello\0\0", 9);
    assert_answer("ALICE", "CLOSE RDR", 0, "");
    assert_answer("ALICE", "QUERY RDR", 0, "NO RDR FILES");
    assert_int_equal(read("ALICE", 0), DIAGNOSE_NO_FILE);
}

static void what_points_astray_or_is_too_long_is_refused(void **state)
{
    static const uint64_t codes[] = {DIAGNOSE_SPOOL_WRITE, DIAGNOSE_SPOOL_READ};
    (void)state;
    send_hello();
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(call("ALICE", codes[i], AT, 0, DIAGNOSE_PUNCH, 0), DIAGNOSE_BAD_LENGTH);
        assert_int_equal(call("ALICE", codes[i], AT, 4097, DIAGNOSE_PUNCH, 0), DIAGNOSE_BAD_LENGTH);
        assert_int_equal(call("ALICE", codes[i], AT, UINT64_MAX, DIAGNOSE_PUNCH, 0), DIAGNOSE_BAD_LENGTH);
        assert_int_equal(call("ALICE", codes[i], RAM - 10, 11, DIAGNOSE_PUNCH, 0), DIAGNOSE_BAD_ADDRESS);
        assert_int_equal(call("ALICE", codes[i], UINT64_MAX - 4, 10, DIAGNOSE_PUNCH, 0), DIAGNOSE_BAD_ADDRESS);
    }
    assert_int_equal(call("ALICE", DIAGNOSE_SPOOL_FILE, AT, 79, 0, 0), DIAGNOSE_BAD_LENGTH);
    assert_int_equal(call("ALICE", DIAGNOSE_SPOOL_FILE, RAM - 79, UINT64_MAX, 0, 0), DIAGNOSE_BAD_ADDRESS);
    assert_int_equal(call("ALICE", DIAGNOSE_SPOOL_FILE, AT, 80, 0, 1), DIAGNOSE_NO_FILE); /* the last */
    assert_int_equal(call("ALICE", DIAGNOSE_SPOOL_FILE, AT, 80, 0, UINT64_MAX), DIAGNOSE_NO_FILE);
    assert_int_equal(call("ALICE", DIAGNOSE_SPOOL_FILE, AT, 80, UINT64_MAX, 0), DIAGNOSE_NO_FILE);
    assert_int_equal(call("ALICE", DIAGNOSE_SPOOL_WRITE, AT, 80, DIAGNOSE_READER, 0), DIAGNOSE_NO_FILE);
    assert_int_equal(call("ALICE", DIAGNOSE_SPOOL_WRITE, AT, 80, UINT64_MAX, 0), DIAGNOSE_NO_FILE);
    assert_int_equal(call("ALICE", DIAGNOSE_SPOOL_READ, AT, 80, UINT64_MAX, 0), DIAGNOSE_NO_FILE);
    assert_int_equal(read("ALICE", 2), DIAGNOSE_NO_FILE);
    lay("ALICE", "\377\377", 2);
    assert_int_equal(call("ALICE", DIAGNOSE_SPOOL_WRITE, AT, 2, DIAGNOSE_PUNCH, 0), DIAGNOSE_BAD_LENGTH);
    assert_int_equal(call("ALICE", DIAGNOSE_SPOOL_WRITE, AT, 1, DIAGNOSE_PUNCH, 0), DIAGNOSE_BAD_LENGTH);
    assert_int_equal(call("ALICE", DIAGNOSE_SPOOL_READ, AT, 1, 1, 0), DIAGNOSE_BUSY);
    turn();
    assert_int_equal(call("ALICE", DIAGNOSE_SPOOL_READ, AT, 6, 1, 0), DIAGNOSE_BAD_LENGTH);
    assert_int_equal(call("ALICE", DIAGNOSE_SPOOL_READ, AT, 7, 1, 0), DIAGNOSE_OK);
    assert_answer("ALICE", "CLOSE PUN PURGE", 0, "");
    assert_answer("ALICE", "CLOSE RDR KEEP", 0, "");
}

static void damage_is_told_and_costs_one_file(void **state)
{
    (void)state;
    send_hello();
    send_hello();
    const struct spool_file *f = spool_find("ALICE", 1);
    scene_disk.medium[(800 + SPOOL_FIRST_DATA + (size_t)spool_file_block(f, 0)) * 4096 + 50] ^= 1;
    shown(0);
    assert_int_equal(read("ALICE", 1), DIAGNOSE_SPOOL_DAMAGED);
    assert_shows(0, "HCPSPL9082E Spool file 0001 cannot be read: a block of it is damaged");
    assert_int_equal(read("ALICE", 2), DIAGNOSE_OK);
    assert_answer("ALICE", "CLOSE RDR", 0, "");
    assert_answer("ALICE", "QUERY RDR ALL", 0, "BOB      0001 A PUN 00000002 001 NONE 11/21 ");
}

static void files_are_held_ordered_changed_and_given_away(void **state)
{
    (void)state;
    send_hello();
    send_hello();
    send_hello();
    assert_answer("ALICE", "ORDER RDR 3 2", 0, "0002 FILES ORDERED");
    assert_answer("ALICE", "CHANGE RDR 3 HOLD TOCLASS X COPY 7 NAME NEW NAME", 0, "0001 FILE CHANGED");
    assert_answer("ALICE", "QUERY RDR", 0,
                  "ORIGINID FILE CLASS RECORDS  CPY HOLD KEEP\n"
                  "BOB      0003 X PUN 00000002 007 USER OFF\n"
                  "BOB      0002 A PUN 00000002 001 NONE OFF\n"
                  "BOB      0001 A PUN 00000002 001 NONE OFF\n");
    assert_answer("ALICE", "QUERY RDR CLASS X", 0, "007 USER OFF\n");
    assert_int_equal(read("ALICE", 0), DIAGNOSE_OK);
    assert_int_equal(vm_of("ALICE")->vcpu.gpr[RBX], 2); /* 3 is held */
    assert_answer("ALICE", "CLOSE RDR HOLD", 0, "");
    assert_answer("ALICE", "TRANSFER RDR CLASS X TO OPERATOR PRT", 0, "0001 FILE TRANSFERRED");
    assert_answer("OPERATOR", "QUERY PRT 1", 0, "BOB      0001 X PUN 00000002 007 USER");
    assert_answer("OPERATOR", "PURGE PRT 1 99", 42, "0001 FILE PURGED");
    assert_answer("BOB", "TRANSFER RDR ALL FROM ALICE", 0, "0002 FILES TRANSFERRED");
    assert_answer("BOB", "QUERY FILES", 0, "FILES: 0002 RDR,   NO PRT,   NO PUN");
    assert_answer("BOB", "PURGE RDR ALL", 0, "0002 FILES PURGED");
    assert_answer("BOB", "PURGE RDR ALL", 0, "NO FILES PURGED");
}

static void a_file_that_comes_while_all_others_are_being_purged_stays(void **state)
{
    struct session *alice = session_find("ALICE");
    unsigned code = 0;
    (void)state;
    send_hello();
    send_hello();
    assert_answer("ALICE", "TRANSFER RDR 2 TO BOB", 0, "0001 FILE TRANSFERRED");
    turn();
    struct response r = {.session = alice, .buffer = answer, .size = sizeof answer, .machine_asks = true};
    work_slice();
    assert_int_equal(command_run(alice, &r, "PURGE RDR ALL"), 0);
    assert_int_equal(alice->state, SESSION_TASK); /* till the volume has it */
    spool_transfer(spool_next("BOB", NULL, SPOOL_RDR, INT64_MIN), "ALICE", SPOOL_RDR);
    alice->task.step(alice, &r, &code);
    rest_end(alice);
    assert_answer("ALICE", "QUERY FILES", 0, "FILES: 0001 RDR,");
}

static void a_device_keeps_what_spool_and_tag_say_until_logoff(void **state)
{
    (void)state;
    assert_answer("BOB", "SPOOL PUN TO ALICE CLASS Q HOLD COPY 3", 0, "");
    assert_answer("BOB", "TAG DEV PUN by hand", 0, "");
    assert_answer("BOB", "TAG QUERY DEV PUN", 0, "by hand");
    write("BOB", "x");
    assert_answer("BOB", "CLOSE PUN", 0, "");
    assert_answer("ALICE", "QUERY RDR", 0, "BOB      0001 Q PUN 00000001 003 USER OFF");
    assert_answer("ALICE", "TAG QUERY FILE 1", 0, "by hand");
    assert_answer("ALICE", "TAG FILE 1 seen", 0, "");
    assert_answer("ALICE", "TAG QUERY FILE 1", 0, "seen");
    write("BOB", "left open");
    type(1, "#CP LOGOFF\r");
    logon(1, "BOB");
    assert_shows(0, "RDR FILE 0002 SENT FROM BOB");
    assert_answer("BOB", "TAG QUERY DEV PUN", 0, "(VOID)");
    write("BOB", "x");
    assert_answer("BOB", "CLOSE PUN", 0, "");
    assert_answer("BOB", "QUERY PUN", 0, "BOB      0001 A PUN 00000001 001 NONE OFF");
    assert_answer("BOB", "PURGE PUN ALL", 0, "0001 FILE PURGED");
}

static void what_spool_said_of_devices_is_shown(void **state)
{
    (void)state;
    assert_answer("BOB", "QUERY VIRTUAL UR", 0,
                  "RDR  000C CL * NOCONT NOHOLD NOKEEP\n"
                  "PUN  000D CL A NOCONT NOHOLD NOKEEP COPY 001\n"
                  "     000D TO  BOB      PUN FOR BOB\n"
                  "PRT  000E CL A NOCONT NOHOLD NOKEEP COPY 001\n"
                  "     000E TO  BOB      PRT FOR BOB\n");
    assert_answer("BOB", "SPOOL PUN TO ALICE CLASS Q HOLD COPY 3 CONT", 0, "");
    assert_answer("BOB", "SPOOL PRT FOR ALICE KEEP", 0, "");
    assert_answer("BOB", "QUERY UR", 0,
                  "PUN  000D CL Q CONT   HOLD   NOKEEP COPY 003\n"
                  "     000D TO  ALICE    RDR FOR BOB\n"
                  "PRT  000E CL A NOCONT NOHOLD KEEP   COPY 001\n"
                  "     000E TO  ALICE    PRT FOR ALICE\n");
    assert_answer("BOB", "QUERY VIRTUAL 00D", 0, "PUN  000D CL Q");
    assert_answer("BOB", "SPOOL PUN OFF CLASS A NOHOLD COPY 1 NOCONT", 0, "");
    assert_answer("BOB", "SPOOL PRT FOR * NOKEEP", 0, "");
    assert_answer("BOB", "QUERY VIRTUAL 00E", 0,
                  "PRT  000E CL A NOCONT NOHOLD NOKEEP COPY 001\n     000E TO  BOB      PRT FOR BOB\n");
}

static void close_ends_no_file_of_a_device_that_continues(void **state)
{
    (void)state;
    assert_answer("BOB", "SPOOL PUN CONT TO ALICE", 0, "");
    write("BOB", "one");
    assert_answer("BOB", "CLOSE PUN NAME A B", 0, "");
    assert_answer("ALICE", "QUERY RDR", 0, "NO RDR FILES");
    write("BOB", "two");
    assert_answer("BOB", "SPOOL PUN NOCONT", 0, "");
    assert_answer("BOB", "CLOSE PUN NAME C D", 0, "");
    assert_answer("ALICE", "QUERY RDR ALL", 0, "BOB      0001 A PUN 00000002 001 NONE");
    assert_answer("BOB", "SPOOL PUN OFF FOR ALICE", 0, "");
    write("BOB", "hers");
    assert_answer("BOB", "CLOSE PUN", 0, "");
    assert_answer("BOB", "QUERY PUN", 0, "NO PUN FILES");
    assert_answer("ALICE", "QUERY PUN", 0, "BOB      0002 A PUN 00000001");
    assert_answer("BOB", "SPOOL PUN FOR *", 0, "");
}

static void class_d_has_others_files_and_is_recorded(void **state)
{
    struct user *staff = &session_find("OPERATOR")->own;
    (void)state;
    write("BOB", "x");
    assert_answer("BOB", "CLOSE PUN TO ALICE", 0, "");
    assert_answer("BOB", "QUERY RDR ALICE", 3, "");
    assert_answer("OPERATOR", "PURGE ALICE RDR ALL", 6, "");
    staff->classes |= CLASS('D');
    assert_answer("OPERATOR", "QUERY RDR ALICE", 0, "BOB      0001 A PUN 00000001");
    assert_answer("OPERATOR", "CHANGE ALICE RDR 1 TOCLASS Z", 0, "0001 FILE CHANGED");
    assert_answer("OPERATOR", "ORDER ALICE RDR 1", 0, "0001 FILE ORDERED");
    assert_answer("ALICE", "QUERY RDR", 0, "BOB      0001 Z PUN");
    assert_answer("OPERATOR", "TRANSFER ALICE RDR ALL TO BOB", 0, "0001 FILE TRANSFERRED");
    assert_answer("OPERATOR", "QUERY RDR BOB CLASS Z", 0, "BOB      0001 Z PUN");
    assert_answer("OPERATOR", "PURGE BOB RDR 1", 0, "0001 FILE PURGED");
    assert_answer("BOB", "QUERY RDR", 0, "NO RDR FILES");
    staff->classes |= CLASS('C');
    assert_answer("OPERATOR", "QUERY AUDIT 10", 0, "PURGE BOB RDR 1");
    assert_answer("OPERATOR", "QUERY AUDIT 10", 0, "TRANSFER ALICE RDR ALL TO BOB");
    assert_answer("OPERATOR", "PURGE BOB RDR 1", 42, "NO FILES PURGED");
    turn();
    assert_answer("OPERATOR", "QUERY AUDIT 1", 0, "PURGE BOB: 0 FILES, REFUSED 042");
    assert_answer("OPERATOR", "QUERY AUDIT 10", 0, "QUERY RDR ALICE");
    staff->classes &= ~CLASS('D');
}

static void files_of_who_is_not_in_the_directory_any_more_are_seen_and_had(void **state)
{
    struct user *staff = &session_find("OPERATOR")->own;
    (void)state;
    send_hello();
    struct spool_file *f = spool_find("ALICE", 1);
    spool_transfer(f, "GONE", SPOOL_RDR); /* as if DIRECTXA had taken GONE out since */
    turn();
    assert_answer("BOB", "QUERY RDR SYSTEM", 3, "HCPCQS003E");
    staff->classes |= CLASS('D');
    assert_answer("OPERATOR", "QUERY RDR SYSTEM", 0, "OWNERID  ORIGINID FILE CLASS RECORDS  CPY HOLD KEEP\n"
                                                     "GONE     BOB      0001 A PUN 00000002 001 NONE OFF\n");
    assert_answer("OPERATOR", "QUERY RDR SYSTEM ALL", 0, "GONE     BOB      0001 A PUN 00000002 001 NONE ");
    assert_answer("OPERATOR", "QUERY RDR SYSTEM HOLD", 0, "NO RDR FILES");
    assert_answer("OPERATOR", "QUERY FILES GONE", 0, "FILES: 0001 RDR,   NO PRT,   NO PUN");
    assert_answer("OPERATOR", "QUERY RDR GONE", 0, "BOB      0001 A PUN");
    assert_answer("OPERATOR", "CHANGE GONE RDR 1 CLASS C", 0, "0001 FILE CHANGED");
    assert_answer("OPERATOR", "TRANSFER GONE RDR 1 TO BOB", 0, "0001 FILE TRANSFERRED");
    assert_answer("OPERATOR", "QUERY RDR GONE", 53, "HCPCQS053E GONE not in CP directory"); /* and has none */
    spool_transfer(spool_find("BOB", 1), "GONE", SPOOL_RDR);
    assert_answer("OPERATOR", "PURGE GONE ALL", 0, "0001 FILE PURGED");
    assert_null(spool_next("GONE", NULL, SPOOL_RDR, INT64_MIN));
    staff->classes &= ~CLASS('D');
}

static void a_device_may_be_left_out_named_by_its_number_and_closed_by_spool(void **state)
{
    (void)state;
    write("BOB", "x");
    assert_answer("BOB", "SPOOL 00D TO ALICE CLASS C CLOSE", 0, "");
    assert_answer("ALICE", "QUERY RDR CLASS C NOHOLD ALL", 0, "BOB      0001 C PUN");
    assert_answer("ALICE", "QUERY RDR ALL CLASS D", 0, "NO RDR FILES");
    assert_answer("ALICE", "TRANSFER 1 TO BOB", 0, "0001 FILE TRANSFERRED");
    assert_answer("BOB", "TRANSFER ALL TO ALICE", 0, "0001 FILE TRANSFERRED");
    assert_answer("BOB", "TRANSFER CLASS C FROM ALICE", 0, "0001 FILE TRANSFERRED");
    write("BOB", "x");
    assert_answer("BOB", "SPOOL PUN OFF PURGE", 0, "");
    assert_answer("BOB", "CLOSE D", 0, "");
    assert_answer("BOB", "QUERY PUN", 0, "NO PUN FILES");
    write("BOB", "x");
    assert_answer("BOB", "CLOSE 00D", 0, "");
    assert_answer("BOB", "TAG DEV 000D some words", 0, "");
    assert_answer("BOB", "QUERY TAG DEV PUN", 0, "some words\n");
    assert_answer("BOB", "TAG DEV PUN", 0, "");
    assert_answer("BOB", "QUERY FILES", 0, "0001 PUN");
    assert_answer("BOB", "PURGE ALL", 0, "0002 FILES PURGED"); /* of all three */
    assert_answer("BOB", "QUERY FILES", 0, "FILES:   NO RDR,   NO PRT,   NO PUN");
    assert_answer("BOB", "SPOOL 00F TO ALICE", 6, "");
    assert_answer("BOB", "SPOOL PUN CLASS A", 0, "");
}

static void only_who_may_sends_files(void **state)
{
    struct user *a = (struct user *)directory_find(&directory, "ALICE");
    struct user *b = (struct user *)directory_find(&directory, "BOB");
    (void)state;
    a->group = "A";
    assert_answer("BOB", "SPOOL PUN TO ALICE", 9081, "HCPCSP9081E ALICE takes no files from you");
    b->group = "A";
    assert_answer("BOB", "SPOOL PUN TO ALICE", 0, "");
    b->group = "B";
    a->spool_from = "X\0BOB";
    a->spool_from_bytes = 6;
    assert_answer("BOB", "CLOSE PUN TO ALICE", 0, "");
    assert_answer("OPERATOR", "TRANSFER RDR ALL TO ALICE", 9081, "");
    a->spool_from_bytes = 2;
    assert_answer("BOB", "CLOSE PUN TO ALICE", 9081, "");
    a->group = b->group = a->spool_from = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_one_machine_writes_another_reads, begin),
        cmocka_unit_test_setup(what_points_astray_or_is_too_long_is_refused, begin),
        cmocka_unit_test_setup(damage_is_told_and_costs_one_file, begin),
        cmocka_unit_test_setup(files_are_held_ordered_changed_and_given_away, begin),
        cmocka_unit_test_setup(what_spool_said_of_devices_is_shown, begin),
        cmocka_unit_test_setup(close_ends_no_file_of_a_device_that_continues, begin),
        cmocka_unit_test_setup(class_d_has_others_files_and_is_recorded, begin),
        cmocka_unit_test_setup(a_file_that_comes_while_all_others_are_being_purged_stays, begin),
        cmocka_unit_test_setup(a_device_keeps_what_spool_and_tag_say_until_logoff, begin),
        cmocka_unit_test_setup(files_of_who_is_not_in_the_directory_any_more_are_seen_and_had, begin),
        cmocka_unit_test_setup(a_device_may_be_left_out_named_by_its_number_and_closed_by_spool, begin),
        cmocka_unit_test_setup(only_who_may_sends_files, begin),
    };
    scene_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
