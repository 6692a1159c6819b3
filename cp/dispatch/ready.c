/* Owns the heap. Every machine is before those below it, and of the two ways down from it the right one is the shorter,
 * so that a way that keeps right is short; rank: its length, the machine itself included. */
#include "cp/dispatch/ready.h"

#include <stddef.h>

static struct vm *top;

static bool before(const struct vm *a, const struct vm *b)
{
    return a->vruntime < b->vruntime || (a->vruntime == b->vruntime && a->place.number > b->place.number);
}

static unsigned rank(const struct vm *vm) { return vm ? vm->place.rank : 0; }

static void settle(struct vm *vm)
{
    struct ready_place *p = &vm->place;
    if (rank(p->left) < rank(p->right)) {
        struct vm *left = p->left;
        p->left = p->right;
        p->right = left;
    }
    p->rank = rank(p->right) + 1;
}

static struct vm *meld(struct vm *a, struct vm *b)
{
    if (!a || !b)
        return a ? a : b;
    struct vm *first = before(b, a) ? b : a, *other = first == a ? b : a;
    first->place.right = meld(first->place.right, other);
    first->place.right->place.up = first;
    settle(first);
    return first;
}

struct vm *ready_first(void) { return top; }

bool ready_several(void) { return top && top->place.left; }

static void put(struct vm *vm, uint64_t number)
{
    vm->place = (struct ready_place){.rank = 1, .number = number};
    top = meld(top, vm);
    top->place.up = NULL;
}

void ready_add(struct vm *vm)
{
    static uint64_t number;
    put(vm, ++number);
}

void ready_remove(struct vm *vm)
{
    struct vm *up = vm->place.up, *below = meld(vm->place.left, vm->place.right);
    if (below)
        below->place.up = up;
    if (!up)
        top = below;
    else if (up->place.left == vm)
        up->place.left = below;
    else
        up->place.right = below;
    for (unsigned was; up; up = up->place.up) {
        was = rank(up);
        settle(up);
        if (was == rank(up))
            break;
    }
}

void ready_had(struct vm *vm, uint64_t vruntime)
{
    ready_remove(vm);
    vm->vruntime = vruntime;
    put(vm, vm->place.number);
}
