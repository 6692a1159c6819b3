/* One address space in a little storage; nothing may be left of it in the end. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "cms/kernel/heap.h"
#include "cms/space/internal.h"

enum { ARENA = 4 << 20, P = SPACE_PAGE, RW = SPACE_READ | SPACE_WRITE };
static const uint64_t AT = 0x400000, GIB = 1ull << 30;

static _Alignas(P) char arena[ARENA];
static struct space *s;

static int set_up(void **state)
{
    (void)state;
    cms_heap_start(arena, sizeof arena);
    space_forget_all();
    s = space_make();
    return !s;
}

static int tear_down(void **state)
{
    (void)state;
    space_let_go(s);
    assert_int_equal(cms_frames_in_use(), 0);
    assert_int_equal(cms_heap_in_use(), 0);
    return 0;
}

static inline int64_t map(uint64_t address, uint64_t length, unsigned access)
{
    return space_map(s, &(struct space_map){.address = address, .length = length, .access = access, .fixed = true});
}

static inline int64_t anywhere(uint64_t length)
{
    return space_map(s, &(struct space_map){.length = length, .access = RW});
}

static inline int64_t remap(struct space *in, uint64_t old, uint64_t old_length, uint64_t new_length, bool may_move,
                            bool fixed, uint64_t new_address)
{
    return space_remap(in, &(struct space_remap){old, old_length, new_length, new_address, may_move, fixed, false});
}

static inline bool touch(uint64_t address, enum space_access access)
{
    return space_fault(s, address, access) == SPACE_MENDED;
}

static inline int put8(struct space *to, uint64_t address, uint8_t value)
{
    return space_copy_out(to, address, &value, 1);
}

static inline int get8(struct space *from, uint64_t address)
{
    uint8_t value;
    int failed = space_copy_in(from, &value, address, 1);
    return failed ? failed : value;
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
