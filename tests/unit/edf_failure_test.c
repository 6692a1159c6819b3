/* What goes wrong leaves the old state: disk full at every size, a device error at every call, memory refused at every
 * request. After each the disk is clean, holds what it held, and goes on working. */
#include "tests/unit/fake/edf_state.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct minidisk disk;
static struct edf_disk *accessed;

static void open_disk(uint32_t block_size, uint32_t blocks)
{
    minidisk_open(&disk, (uint64_t)blocks * (block_size / EDF_SECTOR));
    assert_int_equal(edf_format(&disk.device, &disk.host, block_size, "FAIL"), EDF_OK);
    accessed = edf_access_or_die(&disk, true);
}

static void close_disk(void)
{
    edf_release(accessed);
    assert_int_equal(edf_faults(&disk, true), 0);
    minidisk_close(&disk);
}

/* ---- disk full --------------------------------------------------------------------------------------------------- */

/* Fill the disk with files of `records`, then try to replace, append and create; then erase all, which must work. */
static void fill_and_empty(uint32_t block_size, uint32_t blocks, uint32_t records)
{
    char name[9];
    unsigned files = 0;
    enum edf_status status;
    open_disk(block_size, blocks);
    uint64_t state = edf_state(accessed);
    do {
        snprintf(name, sizeof name, "F%u", files % 10000);
        status = edf_put(accessed, name, "FILE", 'V', 100, records, files);
        if (status) {
            assert_int_equal(status, EDF_FULL);
            assert_true(edf_state(accessed) == state);
        } else {
            state = edf_state(accessed);
            files++;
        }
        assert_true(edf_state_of_device(&disk) == state);
    } while (!status);
    for (uint32_t more = 1; files && more < 3000; more = more * 3 + 1) {
        status = more & 1 ? edf_put(accessed, "F0", "FILE", 'F', 90, more, 1)
                          : edf_add(accessed, "F0", "FILE", 'V', 90, more, 1);
        if (status == EDF_OK)
            state = edf_state(accessed);
        else
            assert_true(status == EDF_FULL || status == EDF_BAD_RECORD);
        assert_true(edf_state(accessed) == state && edf_state_of_device(&disk) == state);
    }
    while (files--) {
        snprintf(name, sizeof name, "F%u", files % 10000);
        assert_int_equal(edf_erase(accessed, name, "FILE"), EDF_OK);
        assert_int_equal(edf_faults(&disk, true), 0);
    }
    close_disk();
}

static void a_full_disk_keeps_its_files_and_lets_them_be_erased(void **state)
{
    (void)state;
    for (uint32_t blocks = 8; blocks <= 60; blocks++)
        for (uint32_t records = 1; records <= 200; records = records * 4 + 1)
            fill_and_empty(512, blocks, records);
    for (uint32_t blocks = 8; blocks <= 20; blocks++)
        fill_and_empty(4096, blocks, 30);
}

/* The map itself takes several blocks here: 4096 blocks of 512 bytes a map block. */
static void a_full_disk_with_a_map_of_several_blocks_can_be_emptied(void **state)
{
    struct edf_writer *writer;
    static uint8_t record[512];
    enum edf_status status;
    unsigned files = 0;
    char name[9];
    (void)state;
    memset(record, 1, sizeof record);
    open_disk(512, 13000);
    do {
        snprintf(name, sizeof name, "F%u", files % 1000);
        assert_int_equal(edf_create(accessed, name, "FILE", '1', 'F', 512, EDF_NEW, &writer), EDF_OK);
        for (int i = 0; i < 900 && (status = edf_write(writer, record, 512)) == EDF_OK; i++)
            ;
        if (status)
            edf_abort(writer);
        else if (!(status = edf_commit(writer)))
            files++;
    } while (!status);
    assert_int_equal(status, EDF_FULL);
    assert_int_equal(edf_faults(&disk, true), 0);
    for (unsigned i = 0; i < files; i++) {
        snprintf(name, sizeof name, "F%u", i % 1000);
        assert_int_equal(edf_erase(accessed, name, "FILE"), EDF_OK);
    }
    close_disk();
}

/* ---- device errors and refused memory ---------------------------------------------------------------------------- */

static enum edf_status create(struct edf_disk *d) { return edf_put(d, "NEW", "FILE", 'V', 200, 40, 1); }
static enum edf_status replace(struct edf_disk *d) { return edf_put(d, "OLD", "FILE", 'F', 70, 60, 2); }
static enum edf_status append(struct edf_disk *d) { return edf_add(d, "OLD", "FILE", 'V', 100, 30, 3); }
static enum edf_status erase(struct edf_disk *d) { return edf_erase(d, "OLD", "FILE"); }
static enum edf_status rename_file(struct edf_disk *d) { return edf_rename(d, "OLD", "FILE", "NEW", "FILE"); }
static enum edf_status (*const operations[])(struct edf_disk *) = {create, replace, append, erase, rename_file};

static void prepare(void)
{
    char name[9];
    open_disk(512, 200);
    for (unsigned i = 0; i < 9; i++) {
        snprintf(name, sizeof name, "F%u", i % 10);
        assert_int_equal(edf_put(accessed, name, "FILE", 'V', 10, 2, i), EDF_OK);
    }
    assert_int_equal(edf_put(accessed, "OLD", "FILE", 'V', 100, 30, 1), EDF_OK);
    edf_release(accessed);
    accessed = edf_access_or_die(&disk, true); /* so that reading the map is among what can fail */
}

/* One operation whose call number `n` fails. True when it got that far. */
static bool fail_once(enum edf_status (*operation)(struct edf_disk *), unsigned n, bool on, bool late)
{
    struct edf_disk_facts facts;
    prepare();
    uint64_t old = edf_state(accessed);
    minidisk_reset(&disk);
    disk.fail_at = n;
    disk.fail_on = on;
    disk.fail_late = late;
    enum edf_status status = operation(accessed);
    bool failed = disk.calls >= n;
    minidisk_reset(&disk);
    if (failed) {
        assert_int_equal(status, EDF_IO);
        assert_true(edf_state(accessed) == old);
    }
    edf_disk_query(accessed, &facts);
    uint64_t on_device = edf_state_of_device(&disk);
    assert_true(on_device != 0);
    if (failed && facts.writable) {
        assert_true(on_device == old);
        assert_int_equal(operation(accessed), EDF_OK); /* it heals */
        assert_true(edf_state_of_device(&disk) == edf_state(accessed));
    } else if (failed) {
        assert_non_null(facts.fault); /* old or new, who knows: nothing is written until the disk is accessed again */
        assert_int_equal(operation(accessed), EDF_READ_ONLY);
    }
    close_disk();
    return failed;
}

static void a_device_error_at_any_call_leaves_the_old_state(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof operations / sizeof operations[0]; i++)
        for (unsigned how = 0; how < 4; how++) {
            unsigned n = 1;
            while (fail_once(operations[i], n, how & 1, how & 2))
                n++;
            assert_true(n > 5);
        }
}

/* What a writer has handed over may only be written when another one's blocks come: then nobody's are safe. */
static void an_error_that_a_writer_sees_fails_the_others_too(void **state)
{
    struct edf_writer *one, *other;
    static uint8_t record[512];
    (void)state;
    memset(record, 1, sizeof record);
    prepare();
    uint64_t old = edf_state(accessed);
    assert_int_equal(edf_create(accessed, "ONE", "FILE", '1', 'F', 512, EDF_NEW, &one), EDF_OK);
    assert_int_equal(edf_create(accessed, "OTHER", "FILE", '1', 'F', 512, EDF_NEW, &other), EDF_OK);
    assert_int_equal(edf_write(one, record, 512), EDF_OK);
    assert_int_equal(edf_write(one, record, 512), EDF_OK); /* the first one is handed over */
    minidisk_reset(&disk);
    disk.fail_at = 1;
    for (int i = 0; i < 100 && !disk.writes; i++)
        edf_write(other, record, 512);
    assert_int_equal(disk.calls, 1);
    minidisk_reset(&disk);
    assert_int_equal(edf_commit(other), EDF_IO);
    assert_int_equal(edf_commit(one), EDF_IO);
    assert_true(edf_state(accessed) == old && edf_state_of_device(&disk) == old);
    assert_int_equal(create(accessed), EDF_OK);
    close_disk();
}

/* A device whose driver lets others look at the disk while it works. */
static int (*quiet_write)(void *ctx, uint64_t sector, const void *buffer, uint32_t count);
static uint64_t before;
static unsigned looked;

static int write_and_look(void *ctx, uint64_t sector, const void *buffer, uint32_t count)
{
    assert_true(edf_state(accessed) == before);
    looked++;
    return quiet_write(ctx, sector, buffer, count);
}

static void whoever_looks_while_a_change_is_written_sees_the_old_state(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        prepare();
        before = edf_state(accessed);
        looked = 0;
        quiet_write = disk.device.write;
        disk.device.write = write_and_look;
        assert_int_equal(operations[i](accessed), EDF_OK);
        disk.device.write = quiet_write;
        assert_true(looked >= 3); /* directory, map, label */
        assert_true(edf_state(accessed) != before);
        close_disk();
    }
}

static void refused_memory_at_any_request_leaves_the_old_state(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        bool refused = true;
        for (unsigned n = 1; refused; n++) {
            prepare();
            uint64_t old = edf_state(accessed);
            minidisk_reset(&disk);
            disk.refuse_at = n;
            enum edf_status status = operations[i](accessed);
            refused = disk.requests >= n;
            minidisk_reset(&disk);
            assert_int_equal(status, refused ? EDF_NO_MEMORY : EDF_OK);
            if (refused)
                assert_true(edf_state(accessed) == old && edf_state_of_device(&disk) == old);
            close_disk();
        }
    }
}

static void access_and_check_survive_errors_and_refused_memory(void **state)
{
    struct edf_reason reason;
    (void)state;
    prepare();
    edf_release(accessed);
    for (unsigned n = 1;; n++) {
        minidisk_reset(&disk);
        disk.fail_at = n;
        enum edf_status status = edf_access(&disk.device, &disk.host, true, &accessed, &reason);
        if (!status)
            break;
        assert_int_equal(status, EDF_IO);
        assert_null(accessed);
        assert_non_null(reason.text);
        assert_int_equal(disk.in_use, 0);
    }
    edf_release(accessed);
    for (unsigned n = 1;; n++) {
        minidisk_reset(&disk);
        disk.refuse_at = n;
        enum edf_status status = edf_access(&disk.device, &disk.host, true, &accessed, &reason);
        if (!status)
            break;
        assert_int_equal(status, EDF_NO_MEMORY);
        assert_int_equal(disk.in_use, 0);
    }
    minidisk_reset(&disk);
    close_disk();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_disk_keeps_its_files_and_lets_them_be_erased),
        cmocka_unit_test(a_full_disk_with_a_map_of_several_blocks_can_be_emptied),
        cmocka_unit_test(a_device_error_at_any_call_leaves_the_old_state),
        cmocka_unit_test(an_error_that_a_writer_sees_fails_the_others_too),
        cmocka_unit_test(whoever_looks_while_a_change_is_written_sees_the_old_state),
        cmocka_unit_test(refused_memory_at_any_request_leaves_the_old_state),
        cmocka_unit_test(access_and_check_survive_errors_and_refused_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
