/* Heap, calendar and the reading of the device tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libfdt.h>

#include "cms/kernel/clock.h"
#include "cms/kernel/heap.h"
#include "cms/kernel/machine.h"

enum { ARENA = 64 * 1024, TREE = 4096, IMAGE = 0x100000 };

static _Alignas(16) uint8_t arena[ARENA];

/* ---- heap ---------------------------------------------------------------------------------------------------- */

static void blocks_are_aligned_and_do_not_overlap(void **state)
{
    uint8_t *blocks[20];
    (void)state;
    cms_heap_start(arena + 3, ARENA - 3);
    for (int i = 0; i < 20; i++) {
        blocks[i] = cms_heap_allocate((size_t)i * 37 + 1);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % 16, 0);
        memset(blocks[i], i, (size_t)i * 37 + 1);
    }
    for (int i = 0; i < 20; i++)
        for (int j = 0; j < i * 37 + 1; j++)
            assert_int_equal(blocks[i][j], i);
}

static void a_request_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    cms_heap_start(arena, ARENA);
    assert_null(cms_heap_allocate(0));
    assert_null(cms_heap_allocate(ARENA));
    assert_null(cms_heap_allocate(SIZE_MAX));
    assert_null(cms_heap_allocate(SIZE_MAX - 20));
    void *all = cms_heap_allocate(ARENA - 16);
    assert_non_null(all);
    assert_null(cms_heap_allocate(1));
    cms_heap_free(all);
    assert_non_null(cms_heap_allocate(ARENA - 16));
}

static void the_unused_end_is_never_written(void **state)
{
    (void)state;
    memset(arena, 0xa5, ARENA);
    cms_heap_start(arena, ARENA);
    void *big = cms_heap_allocate(ARENA / 2);
    cms_heap_free(big);
    cms_heap_free(cms_heap_allocate(100));
    for (size_t i = 512; i < ARENA; i++)
        assert_int_equal(arena[i], 0xa5);
}

static void ending_a_command_frees_what_it_took_and_nothing_else(void **state)
{
    (void)state;
    cms_heap_start(arena, ARENA);
    char *system[10], *last = NULL;
    for (int i = 0; i < 10; i++) {
        assert_non_null(cms_heap_allocate(50));
        system[i] = cms_heap_allocate_system(100);
        memset(system[i], 'a' + i, 100);
        last = cms_heap_allocate((size_t)i * 10 + 1);
        assert_non_null(last);
    }
    cms_heap_free_commands();
    for (int i = 0; i < 10; i++) {
        assert_int_equal(system[i][99], 'a' + i);
        cms_heap_free(system[i]);
    }
    assert_int_equal(cms_heap_in_use(), 0);
    assert_non_null(cms_heap_allocate(ARENA - 16)); /* all of it is one piece again */
}

static void resizing_keeps_contents_and_owner(void **state)
{
    (void)state;
    cms_heap_start(arena, ARENA);
    char *p = cms_heap_allocate_system(10);
    memcpy(p, "123456789", 10);
    p = cms_heap_resize(p, 1000);
    assert_string_equal(p, "123456789");
    cms_heap_free_commands();
    assert_true(cms_heap_in_use() >= 1000);
    assert_null(cms_heap_resize(p, ARENA));
    assert_string_equal(p, "123456789");
    cms_heap_free(p);
    assert_int_equal(cms_heap_in_use(), 0);
}

static void random_use_never_loses_memory(void **state)
{
    uint8_t *held[64] = {0};
    size_t sizes[64] = {0};
    uint32_t seed = 7;
    (void)state;
    cms_heap_start(arena, ARENA);
    for (int i = 0; i < 100000; i++) {
        seed = seed * 1664525 + 1013904223;
        unsigned k = seed >> 26;
        if (held[k]) {
            for (size_t j = 0; j < sizes[k]; j++)
                assert_int_equal(held[k][j], (uint8_t)k);
            cms_heap_free(held[k]);
            held[k] = NULL;
        } else {
            sizes[k] = (seed >> 8 & 0x7ff) + 1;
            held[k] = seed & 1 ? cms_heap_allocate(sizes[k]) : cms_heap_allocate_system(sizes[k]);
            if (held[k])
                memset(held[k], (int)k, sizes[k]);
        }
    }
    for (int k = 0; k < 64; k++)
        cms_heap_free(held[k]);
    assert_int_equal(cms_heap_in_use(), 0);
    assert_non_null(cms_heap_allocate(ARENA - 16));
}

/* ---- calendar ------------------------------------------------------------------------------------------------ */

static void known_moments_have_their_dates(void **state)
{
    static const struct {
        uint64_t seconds;
        struct clock_date date;
    } known[] = {
        {0, {1970, 1, 1, 0, 0, 0, 4}},
        {951782400, {2000, 2, 29, 0, 0, 0, 2}},
        {1795269931, {2026, 11, 21, 14, 5, 31, 6}},
        {4102444799, {2099, 12, 31, 23, 59, 59, 4}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct clock_date d = cms_clock_split(known[i].seconds);
        assert_memory_equal(&d, &known[i].date, sizeof d);
        assert_int_equal(cms_clock_join(&d), known[i].seconds);
    }
}

static void every_day_splits_and_joins(void **state)
{
    (void)state;
    struct clock_date before = cms_clock_split(0);
    for (uint64_t day = 1; day < 130 * 366; day++) {
        struct clock_date d = cms_clock_split(day * 86400 + 1);
        assert_int_equal(cms_clock_join(&d), day * 86400 + 1);
        assert_int_equal(d.weekday, (before.weekday + 1) % 7);
        assert_true(d.day == before.day + 1 || d.day == 1);
        before = d;
    }
}

/* ---- machine ------------------------------------------------------------------------------------------------- */

static uint8_t tree[TREE];

/* A small machine; each argument can be bent by a test. */
struct plan {
    uint64_t ram_start, ram_size;
    uint32_t port, irq, space;
    const char *stdout_path;
    bool no_memory, no_irq;
};

static const struct plan usual = {.ram_size = 32 << 20, .port = 0x2f8, .irq = 3, .space = 1,
                                  .stdout_path = "/isa/serial@2f8:115200n8"};

static void write_uart(const struct plan *p)
{
    fdt32_t reg[3] = {cpu_to_fdt32(p->space), cpu_to_fdt32(p->port), cpu_to_fdt32(8)};
    fdt_begin_node(tree, "isa");
    fdt_property_u32(tree, "#address-cells", 2);
    fdt_property_u32(tree, "#size-cells", 1);
    fdt_begin_node(tree, "serial@3f8");
    fdt_property_string(tree, "compatible", "ns16550a");
    fdt_end_node(tree);
    fdt_begin_node(tree, "serial@2f8");
    fdt_property_string(tree, "compatible", "ns16550a");
    fdt_property(tree, "reg", reg, sizeof reg);
    if (!p->no_irq)
        fdt_property_u32(tree, "interrupts", p->irq);
    fdt_end_node(tree);
    fdt_end_node(tree);
}

static void write_tree(const struct plan *p)
{
    fdt64_t reg[2] = {cpu_to_fdt64(p->ram_start), cpu_to_fdt64(p->ram_size)};
    assert_int_equal(fdt_create(tree, sizeof tree), 0);
    fdt_finish_reservemap(tree);
    fdt_begin_node(tree, "");
    fdt_property_u32(tree, "#address-cells", 2);
    fdt_property_u32(tree, "#size-cells", 2);
    fdt_begin_node(tree, "chosen");
    fdt_property_string(tree, "bootargs", "NODISK");
    fdt_property_string(tree, "stdout-path", p->stdout_path);
    fdt_end_node(tree);
    fdt_begin_node(tree, "cpus");
    fdt_begin_node(tree, "cpu@0");
    fdt_property_string(tree, "device_type", "cpu");
    fdt_property_u32(tree, "timebase-frequency", 2500000000u);
    fdt_end_node(tree);
    fdt_end_node(tree);
    if (!p->no_memory) {
        fdt_begin_node(tree, "memory@0");
        fdt_property_string(tree, "device_type", "memory");
        fdt_property(tree, "reg", reg, sizeof reg);
        fdt_end_node(tree);
    }
    write_uart(p);
    fdt_end_node(tree);
    assert_int_equal(fdt_finish(tree), 0);
}

static const char *read_tree(struct machine *m)
{
    int where;
    cms_machine_default(m);
    return cms_machine_from_tree(tree, sizeof tree, IMAGE, m, &where);
}

static void a_tree_describes_the_machine(void **state)
{
    struct machine m;
    (void)state;
    write_tree(&usual);
    assert_null(read_tree(&m));
    assert_int_equal(m.ram_end, 32 << 20);
    assert_int_equal(m.uart_port, 0x2f8);
    assert_int_equal(m.uart_irq, 3);
    assert_int_equal(m.tsc_khz, 2500000);
    assert_string_equal(m.command_line, "NODISK");
}

static void what_cannot_be_honoured_is_said_and_leaves_the_default(void **state)
{
    struct plan bad[] = {usual, usual, usual, usual, usual};
    struct machine m;
    (void)state;
    bad[0].no_memory = true;
    bad[1].ram_start = 0x200000; /* the image is not in it */
    bad[2].space = 0;
    bad[3].irq = 16;
    bad[4].no_irq = true;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_tree(&bad[i]);
        assert_non_null(read_tree(&m));
        assert_int_equal(m.uart_port, 0x3f8);
        assert_string_equal(m.command_line, "");
    }
}

static void a_damaged_tree_is_refused_or_read_but_never_overrun(void **state)
{
    static uint8_t whole[TREE];
    struct machine m;
    uint32_t seed = 3;
    (void)state;
    write_tree(&usual);
    size_t size = fdt_totalsize(tree);
    memcpy(whole, tree, sizeof tree);
    for (size_t cut = 0; cut < size; cut += 7) {
        uint8_t *copy = malloc(cut + 1); /* exactly as long as it says, so that the sanitizer sees a step beyond */
        int where;
        memcpy(copy, whole, cut);
        cms_machine_default(&m);
        assert_non_null(cms_machine_from_tree(copy, cut, IMAGE, &m, &where));
        free(copy);
    }
    for (int i = 0; i < 20000; i++) {
        seed = seed * 1664525 + 1013904223;
        memcpy(tree, whole, sizeof tree);
        tree[(seed >> 8) % size] = (uint8_t)(seed >> 24);
        read_tree(&m);
    }
}

static uint64_t counted_ns;
uint64_t cms_clock_ns(void) { return counted_ns; }

/* A CMS that was saved goes on from the count it had, some other day. */
static void the_time_of_day_is_asked_for_again_where_the_machine_is_another(void **state)
{
    uint64_t known;
    (void)state;
    counted_ns = 5000;
    known = cms_clock_wall();
    counted_ns += 1000;
    assert_int_equal(cms_clock_wall(), known + 1000);
    cms_clock_moved();
    assert_int_equal(cms_clock_wall(), known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_aligned_and_do_not_overlap),
        cmocka_unit_test(a_request_that_does_not_fit_is_refused),
        cmocka_unit_test(the_unused_end_is_never_written),
        cmocka_unit_test(ending_a_command_frees_what_it_took_and_nothing_else),
        cmocka_unit_test(resizing_keeps_contents_and_owner),
        cmocka_unit_test(random_use_never_loses_memory),
        cmocka_unit_test(known_moments_have_their_dates),
        cmocka_unit_test(every_day_splits_and_joins),
        cmocka_unit_test(a_tree_describes_the_machine),
        cmocka_unit_test(what_cannot_be_honoured_is_said_and_leaves_the_default),
        cmocka_unit_test(a_damaged_tree_is_refused_or_read_but_never_overrun),
        cmocka_unit_test(the_time_of_day_is_asked_for_again_where_the_machine_is_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
