/* The heap of ready machines against a list of them: who is first, whatever comes, goes and has had more; and that a
 * thousand cost hardly more than a few. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cp/dispatch/ready.h"

enum { MACHINES = 1000, STEPS = 40000, RANDOM = 24 };

static struct vm machine[MACHINES];
static bool in[MACHINES];
static uint64_t came[MACHINES], coming;

static struct vm *least(unsigned *count)
{
    unsigned best = MACHINES;
    *count = 0;
    for (unsigned i = 0; i < MACHINES; i++) {
        if (!in[i])
            continue;
        ++*count;
        if (best == MACHINES || machine[i].vruntime < machine[best].vruntime ||
            (machine[i].vruntime == machine[best].vruntime && came[i] > came[best]))
            best = i;
    }
    return best == MACHINES ? NULL : &machine[best];
}

static void come(unsigned i)
{
    ready_add(&machine[i]);
    in[i] = true;
    came[i] = ++coming;
}

static void go(unsigned i)
{
    ready_remove(&machine[i]);
    in[i] = false;
}

/* How long the way to the right is; each machine is before those, is where its machine says, and leans left. */
static unsigned depth(const struct vm *vm, const struct vm *up)
{
    if (!vm)
        return 0;
    const struct ready_place *p = &vm->place;
    assert_ptr_equal(p->up, up);
    assert_true(!up || up->vruntime <= vm->vruntime);
    unsigned left = p->left ? p->left->place.rank : 0, right = p->right ? p->right->place.rank : 0;
    assert_true(left >= right);
    assert_int_equal(p->rank, right + 1);
    depth(p->left, vm);
    depth(p->right, vm);
    return p->rank;
}

static void the_first_is_who_has_had_least(void **state)
{
    unsigned count;
    (void)state;
    srand(1);
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned i = (unsigned)rand() % (step % 4000 < 2000 ? RANDOM : MACHINES);
        if (in[i] && rand() % 2) {
            ready_had(&machine[i], machine[i].vruntime + (unsigned)rand() % 4);
            continue;
        }
        if (in[i])
            go(i);
        if (rand() % 3) {
            machine[i].vruntime += (unsigned)rand() % 4;
            come(i);
        }
        if (step % 16)
            continue;
        const struct vm *expected = least(&count);
        assert_ptr_equal(ready_first(), expected);
        assert_int_equal(ready_several(), count > 1);
    }
    depth(ready_first(), NULL);
    for (unsigned i = 0; i < MACHINES; i++)
        if (in[i])
            go(i);
    assert_null(ready_first());
}

/* Ten steps would do for a thousand. */
static void no_way_to_the_right_is_longer_than_their_number_has_digits(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MACHINES; i++) {
        machine[i].vruntime = i;
        come(i);
        assert_in_range(depth(ready_first(), NULL), 1, 10);
    }
    for (unsigned i = 0; i < MACHINES; i++) {
        assert_ptr_equal(ready_first(), &machine[i]);
        go(i);
        assert_true(depth(ready_first(), NULL) <= 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_is_who_has_had_least),
        cmocka_unit_test(no_way_to_the_right_is_longer_than_their_number_has_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
