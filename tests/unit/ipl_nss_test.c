/* Systems saved by command: what of a machine is kept, what becomes of it on a volume that fails or is cut off, and who
 * has room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cp/dispatch/vm.h"
#include "cp/ipl/nss_store.h"
#include "cp/storage/grave.h"
#include "cp/time/work.h"
#include "tests/unit/fake/disk_work.h"

enum { MIB = 1 << 20, ARENA = 64, AREA_DATA = 60, AREA_BLOCKS = NSS_FIRST_DATA + AREA_DATA, SECTORS_A_BLOCK = 8 };

static struct fake_disk area;
static struct vm vm;
static struct guest_storage user;
static bool at_reset;
static unsigned in_flight;
static const char *cpu_refuses;
static char told[256];

/* ---- what is around it ------------------------------------------------------------------------------------------- */

void vm_bury(void) { while (grave_yield(NULL)) {} }
bool vm_is_at_reset(struct vm *v) { return v == &vm && at_reset; }
unsigned machine_in_flight(const struct machine *m) { return (void)m, in_flight; }

const char *cpu_state_get(struct vm *v, struct cpu_state *s)
{
    *s = (struct cpu_state){.gpr = {[RBX] = v->vcpu.gpr[RBX]}};
    return cpu_refuses;
}

static void lost(const char *name, const char *why)
{
    size_t at = strlen(told);
    snprintf(told + at, sizeof told - at, "%s: %s\n", name, why);
}

static void settle(void) { fake_disk_settle(&area); }

/* As after power on. */
static void restart(void)
{
    *told = 0;
    nss_start(&area.disk, lost);
    settle();
}

static void put(uint64_t page, const char *text)
{
    assert_int_equal(guest_write(&vm.storage, gpa(page * PAGE_SIZE), text, strlen(text) + 1), GUEST_OK);
}

static int begin(void **state)
{
    static void *arena;
    (void)state;
    if (!arena) {
        arena = aligned_alloc(PAGE_SIZE, (size_t)ARENA * MIB);
        frame_add(hpa((uint64_t)(uintptr_t)arena), (uint64_t)ARENA * MIB);
    }
    fake_disk_init(&area, (uint64_t)AREA_BLOCKS * SECTORS_A_BLOCK, false);
    memset(area.medium, 0, (size_t)AREA_BLOCKS * NSS_BLOCK);
    memset(&vm, 0, sizeof vm);
    guest_storage_init(&vm.storage, 8 * MIB, 0);
    guest_storage_init(&user, 8 * MIB, 0);
    at_reset = false;
    in_flight = 0;
    cpu_refuses = NULL;
    restart();
    return 0;
}

static int end(void **state)
{
    (void)state;
    guest_storage_free(&vm.storage);
    guest_storage_free(&user);
    settle();
    nss_forget();
    vm_bury();
    assert_int_equal(frame_available(), frame_total());
    fake_disk_free(&area);
    return 0;
}

static const char *define(const char *name, uint32_t first, uint32_t last)
{
    struct nss_definition d = {.ranges = 1, .min_pages = last + 1, .range = {{first, last, 1}}};
    snprintf(d.name, sizeof d.name, "%s", name);
    return nss_define(&d, "OPERATOR");
}

static const char *why;

/* What comes of it when nothing cuts it short; *why says why not. */
static enum nss_outcome save_on(const char *name)
{
    enum nss_outcome outcome;
    why = "";
    do {
        work_slice();
        outcome = nss_save(&vm, name, "OPERATOR", &why);
        settle();
    } while (outcome == NSS_MORE || outcome == NSS_BUSY);
    return outcome;
}

static enum nss_outcome save(const char *name)
{
    assert_null(define(name, 0, 0x3FF));
    return save_on(name);
}

/* The text on a page of a system, as a machine that maps it has it; NULL: no such system. */
static const char *text_of(const char *name, uint64_t page)
{
    static char text[32];
    struct nss *n = nss_find(name);
    uint64_t at = page * PAGE_SIZE;
    const void *found = n ? nss_page(n, &at) : NULL;
    snprintf(text, sizeof text, "%s", found && at == page * PAGE_SIZE ? (const char *)found : "");
    return n ? text : NULL;
}

/* ---- what is kept ------------------------------------------------------------------------------------------------ */

static void pages_and_cpu_are_kept_as_they_were_and_zeros_are_not(void **state)
{
    (void)state;
    vm.vcpu.gpr[RBX] = 0x1234;
    put(1, "one");
    put(0x300, "far");
    put(0x401, "beyond the range");
    put(2, "");
    assert_int_equal(save("POINT"), NSS_SAVED);
    put(1, "changed since");
    for (unsigned turn = 0; turn < 2; turn++) {
        struct nss *n = nss_find("POINT");
        assert_non_null(n);
        assert_int_equal(n->pages, 2);
        assert_int_equal(n->head->cpu.gpr[RBX], 0x1234);
        assert_string_equal(n->by, "OPERATOR");
        assert_string_equal(text_of("POINT", 1), "one");
        assert_string_equal(text_of("POINT", 0x300), "far");
        assert_string_equal(text_of("POINT", 0x401), "");
        assert_null(nss_of_class("POINT", NSS_SKELETON));
        restart();
        assert_string_equal(told, "");
    }
}

static void ranges_say_what_is_kept(void **state)
{
    struct nss_definition d = {.name = "POINT", .ranges = 3, .min_pages = 0x500,
                               .range = {{0x10, 0x1F, 1}, {0, 0xF, 0}, {0x400, 0x400, 1}}};
    (void)state;
    for (unsigned page = 0; page < 0x500; page++)
        put(page, "x");
    assert_null(nss_define(&d, "OPERATOR"));
    assert_int_equal(save_on("POINT"), NSS_SAVED);
    assert_int_equal(nss_find("POINT")->pages, 17);
    for (unsigned page = 0; page < 0x500; page++)
        assert_string_equal(text_of("POINT", page), (page >= 0x10 && page < 0x20) || page == 0x400 ? "x" : "");
}

static void many_pages_take_several_blocks_of_numbers(void **state)
{
    char text[16];
    (void)state;
    fake_disk_free(&area);
    fake_disk_init(&area, 3000ull * SECTORS_A_BLOCK, false);
    memset(area.medium, 0, 3000ull * NSS_BLOCK);
    restart();
    for (unsigned count = 2 * NSS_INDEX - 1; count <= 2 * NSS_INDEX + 1; count++) {
        nss_purge("POINT");
        settle();
        for (unsigned page = 0; page < count; page++) {
            snprintf(text, sizeof text, "%u of %u", page, count);
            put(page, text);
        }
        assert_null(define("POINT", 0, 0x7FF));
        assert_int_equal(save_on("POINT"), NSS_SAVED);
        restart();
        assert_string_equal(told, "");
        assert_int_equal(nss_find("POINT")->pages, count);
        for (unsigned page = 0; page < count; page++) {
            snprintf(text, sizeof text, "%u of %u", page, count);
            assert_string_equal(text_of("POINT", page), text);
        }
    }
}

static void without_an_area_a_system_lasts_as_long_as_cp(void **state)
{
    (void)state;
    nss_start(NULL, lost);
    put(1, "one");
    assert_int_equal(save("POINT"), NSS_SAVED);
    assert_string_equal(text_of("POINT", 1), "one");
    restart();
    assert_null(nss_find("POINT"));
}

static void who_has_a_purged_system_keeps_it_till_they_let_it_go(void **state)
{
    (void)state;
    put(1, "one");
    assert_int_equal(save("POINT"), NSS_SAVED);
    struct nss *n = nss_find("POINT");
    share_begin(&user, &n->storage);
    assert_int_equal(share_map(&user, gpa(0)), GUEST_OK);
    assert_true(nss_purge("POINT"));
    assert_false(nss_purge("POINT"));
    settle();
    assert_null(nss_find("POINT"));
    assert_ptr_equal(nss_of_class("POINT", NSS_PURGED), n);
    assert_string_equal(guest_pointer(&user, gpa(PAGE_SIZE), NULL), "one");
    guest_storage_renew(&user, 8 * MIB);
    vm_bury();
    assert_null(nss_of_class("POINT", NSS_PURGED));
    restart();
    assert_null(nss_find("POINT"));
}

static void what_is_replaced_stays_with_who_has_it(void **state)
{
    (void)state;
    put(1, "old");
    assert_int_equal(save("POINT"), NSS_SAVED);
    struct nss *old = nss_find("POINT");
    share_begin(&user, &old->storage);
    assert_int_equal(share_map(&user, gpa(0)), GUEST_OK);
    put(1, "new");
    assert_int_equal(save("POINT"), NSS_SAVED);
    assert_int_equal(old->class, NSS_PURGED);
    assert_string_equal(guest_pointer(&user, gpa(PAGE_SIZE), NULL), "old");
    assert_string_equal(text_of("POINT", 1), "new");
}

/* ---- the volume -------------------------------------------------------------------------------------------------- */

/* Begins to save, and stops when `writes` and flushes have been done. False: it was done before. */
static bool cut_after(const char *name, unsigned requests)
{
    enum nss_outcome outcome;
    assert_null(define(name, 0, 0x3FF));
    do {
        work_slice();
        outcome = nss_save(&vm, name, "OPERATOR", &why);
        work_all();
        if (!area.first)
            continue;
        if (!requests--)
            break;
        fake_disk_done_first(&area);
    } while (outcome == NSS_MORE || area.first);
    bool cut = area.first;
    uint8_t *medium = malloc((size_t)AREA_BLOCKS * NSS_BLOCK);
    memcpy(medium, area.medium, (size_t)AREA_BLOCKS * NSS_BLOCK);
    settle(); /* what memory has goes on, and is forgotten */
    memcpy(area.medium, medium, (size_t)AREA_BLOCKS * NSS_BLOCK);
    free(medium);
    return cut;
}

static void a_cut_at_any_write_leaves_the_old_or_the_new(void **state)
{
    unsigned cuts = 0, olds = 0;
    (void)state;
    for (bool cut = true; cut; cuts++) {
        end(NULL);
        begin(NULL);
        put(1, "old 1");
        put(2, "old 2");
        assert_int_equal(save("POINT"), NSS_SAVED);
        put(1, "new 1");
        put(3, "new 3");
        cut = cut_after("POINT", cuts);
        restart();
        assert_string_equal(told, "");
        bool is_old = !strcmp(text_of("POINT", 1), "old 1");
        assert_string_equal(text_of("POINT", 1), is_old ? "old 1" : "new 1");
        assert_string_equal(text_of("POINT", 3), is_old ? "" : "new 3");
        olds += is_old;
        restart(); /* and what was left over is gone for good */
        assert_string_equal(text_of("POINT", 1), is_old ? "old 1" : "new 1");
    }
    assert_in_range(olds, 5, cuts - 2);
}

static void a_damaged_block_costs_its_system_only(void **state)
{
    unsigned hurt = 0;
    (void)state;
    put(1, "one");
    assert_int_equal(save("A"), NSS_SAVED);
    put(1, "two");
    assert_int_equal(save("B"), NSS_SAVED);
    uint8_t *good = malloc((size_t)AREA_BLOCKS * NSS_BLOCK);
    memcpy(good, area.medium, (size_t)AREA_BLOCKS * NSS_BLOCK);
    for (unsigned at = 0; at < AREA_BLOCKS * (unsigned)NSS_BLOCK; at += 256) {
        memcpy(area.medium, good, (size_t)AREA_BLOCKS * NSS_BLOCK);
        area.medium[at + 17] ^= 4;
        restart();
        const char *a = text_of("A", 1), *b;
        assert_true(!a || !strcmp(a, "one"));
        b = text_of("B", 1);
        assert_true(!b || !strcmp(b, "two"));
        assert_true(a || b);
        a = text_of("A", 1);
        if (!a || !b)
            assert_non_null(strstr(told, "damaged"));
        hurt += !a || !b;
    }
    assert_in_range(hurt, 2 * 3 * 16, 2 * 3 * 16 + 4); /* head, numbers and page of each, and the table */
    free(good);
}

static void what_is_damaged_keeps_its_place_till_it_is_purged(void **state)
{
    (void)state;
    put(1, "one");
    assert_int_equal(save("A"), NSS_SAVED);
    area.medium[(NSS_FIRST_DATA + 2) * NSS_BLOCK + 100] ^= 1;
    restart();
    assert_string_equal(told, "A: a block of it is damaged\n");
    assert_non_null(nss_of_class("A", NSS_DAMAGED));
    assert_true(nss_purge("A"));
    settle();
    restart();
    assert_string_equal(told, "");
}

static void a_volume_that_fails_refuses_and_all_is_as_before(void **state)
{
    (void)state;
    put(1, "old");
    assert_int_equal(save("POINT"), NSS_SAVED);
    put(1, "new");
    area.fail = true;
    assert_int_equal(save("POINT"), NSS_REFUSED);
    assert_string_equal(why, "the volume failed");
    assert_string_equal(text_of("POINT", 1), "old");
    assert_non_null(nss_of_class("POINT", NSS_SKELETON));
    area.fail = false;
    nss_store_wake();
    settle();
    restart();
    assert_string_equal(text_of("POINT", 1), "old");
    assert_int_equal(save("POINT"), NSS_SAVED);
    assert_string_equal(text_of("POINT", 1), "new");
}

/* ---- room -------------------------------------------------------------------------------------------------------- */

static void what_does_not_fit_is_refused_and_says_why(void **state)
{
    char name[] = "A";
    (void)state;
    assert_int_equal(save_on("NONE"), NSS_REFUSED);
    assert_string_equal(why, "it is not defined");
    at_reset = true;
    assert_int_equal(save("A"), NSS_REFUSED);
    assert_string_equal(why, "nothing runs in the machine");
    at_reset = false;
    cpu_refuses = "an event";
    assert_int_equal(save("A"), NSS_REFUSED);
    assert_string_equal(why, "an event");
    cpu_refuses = NULL;
    assert_null(define("A", 0, 0x800));
    assert_int_equal(save_on("A"), NSS_REFUSED);
    assert_string_equal(why, "the machine's storage ends below its pages");
    for (unsigned page = 0; page < AREA_DATA; page++)
        put(page, "x");
    assert_int_equal(save("A"), NSS_REFUSED);
    assert_string_equal(why, "the area of the volume has no room for it");
    guest_storage_renew(&vm.storage, 8 * MIB);
    put(1, "x");
    for (unsigned i = 0; i < NSS_SYSTEMS; i++, name[0]++)
        assert_int_equal(save(name), NSS_SAVED);
    assert_int_equal(save(name), NSS_REFUSED);
    assert_string_equal(why, "the volume keeps no more systems");
    assert_true(nss_purge("C"));
    settle();
    assert_int_equal(save(name), NSS_SAVED);
}

static void systems_take_no_more_than_their_part_of_the_frames(void **state)
{
    (void)state;
    nss_start(NULL, lost);
    guest_storage_renew(&vm.storage, 16 * MIB);
    for (unsigned page = 0; page < 0x900; page++)
        put(page, "x");
    assert_null(define("A", 0, 0x7FF)); /* with its tables more than an eighth of 64 MiB */
    assert_int_equal(save_on("A"), NSS_REFUSED);
    assert_string_equal(why, "saved systems may take no more page frames");
    vm_bury();
    assert_null(define("A", 0, 0x6FF));
    assert_int_equal(save_on("A"), NSS_SAVED);
    assert_null(define("B", 0, 0x1FF));
    assert_int_equal(save_on("B"), NSS_REFUSED);
    assert_true(nss_purge("A"));
    assert_int_equal(save_on("B"), NSS_SAVED);
}

static void what_systems_hold_is_in_nobodys_share(void **state)
{
    struct frame_account one;
    (void)state;
    nss_start(NULL, lost);
    assert_true(frame_account_open(&one, 0, FRAME_USER));
    uint64_t before = frame_share();
    put(1, "x");
    put(2, "y");
    assert_int_equal(save("A"), NSS_SAVED);
    assert_int_equal(frame_share(), before - nss_find("A")->storage.account.frames);
    frame_account_close(&one);
}

static void a_machine_that_goes_while_it_is_saved_leaves_nothing(void **state)
{
    (void)state;
    put(1, "old");
    assert_int_equal(save("POINT"), NSS_SAVED);
    put(1, "new");
    assert_null(define("POINT", 0, 0x3FF));
    assert_int_equal(nss_save(&vm, "POINT", "OPERATOR", &why), NSS_MORE);
    nss_save_cancel(&vm);
    settle();
    assert_string_equal(text_of("POINT", 1), "old");
    assert_int_equal(save("POINT"), NSS_SAVED); /* and nobody waits for it */
    assert_string_equal(text_of("POINT", 1), "new");
}

static void disks_are_waited_for(void **state)
{
    (void)state;
    put(1, "x");
    assert_null(define("POINT", 0, 1));
    in_flight = 1;
    assert_int_equal(nss_save(&vm, "POINT", "OPERATOR", &why), NSS_BUSY);
    in_flight = 0;
    assert_int_equal(save_on("POINT"), NSS_SAVED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pages_and_cpu_are_kept_as_they_were_and_zeros_are_not),
        TEST(ranges_say_what_is_kept),
        TEST(many_pages_take_several_blocks_of_numbers),
        TEST(without_an_area_a_system_lasts_as_long_as_cp),
        TEST(who_has_a_purged_system_keeps_it_till_they_let_it_go),
        TEST(what_is_replaced_stays_with_who_has_it),
        TEST(a_cut_at_any_write_leaves_the_old_or_the_new),
        TEST(a_damaged_block_costs_its_system_only),
        TEST(what_is_damaged_keeps_its_place_till_it_is_purged),
        TEST(a_volume_that_fails_refuses_and_all_is_as_before),
        TEST(what_does_not_fit_is_refused_and_says_why),
        TEST(systems_take_no_more_than_their_part_of_the_frames),
        TEST(what_systems_hold_is_in_nobodys_share),
        TEST(a_machine_that_goes_while_it_is_saved_leaves_nothing),
        TEST(disks_are_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
