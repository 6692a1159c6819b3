#include "cms/vfs/lock_list.h"

#include <errno.h>
#include <stddef.h>

#include "cms/kernel/heap.h"

static unsigned count;

unsigned lock_list_count(void) { return count; }
void lock_list_forget(void) { count = 0; }

static struct lock *make(void)
{
    struct lock *l = count < LOCKS_MAX ? cms_heap_allocate(sizeof *l) : NULL;
    count += l != NULL;
    return l;
}

static void give_up(struct lock *l)
{
    count -= l != NULL;
    cms_heap_free(l);
}

static bool is_of(const struct lock *l, enum lock_kind kind, const void *owner)
{
    return l->kind == kind && l->owner == owner;
}

static bool overlap(const struct lock *a, const struct lock *b) { return a->first <= b->last && b->first <= a->last; }
static bool touch(const struct lock *a, const struct lock *b)
{
    return a->first <= b->last + 1 && b->first <= a->last + 1;
}

static bool excludes(const struct lock *l, const struct lock *want)
{
    return (l->kind == LOCK_OF_WHOLE) == (want->kind == LOCK_OF_WHOLE) && !is_of(l, want->kind, want->owner) &&
           (l->type == LOCK_EXCLUSIVE || want->type == LOCK_EXCLUSIVE) && overlap(l, want);
}

const struct lock *lock_list_conflict(const struct lock *list, const struct lock *want)
{
    const struct lock *l = want->type == LOCK_NONE ? NULL : list;
    while (l && !excludes(l, want))
        l = l->next;
    return l;
}

const struct lock *lock_list_of(const struct lock *list, enum lock_kind kind, const void *owner)
{
    while (list && !is_of(list, kind, owner))
        list = list->next;
    return list;
}

/* Lists are in the order of first bytes. */
static void insert(struct lock **at, struct lock *l)
{
    while (*at && (*at)->first < l->first)
        at = &(*at)->next;
    l->next = *at;
    *at = l;
}

static struct lock *take_out(struct lock **at)
{
    struct lock *l = *at;
    *at = l->next;
    return l;
}

/* What is left of a lock before and behind the range: it keeps one part, *spare becomes the other where there are two;
 * NULL: nothing is left. */
static struct lock *without(struct lock *l, const struct lock *range, struct lock **spare, struct lock **list)
{
    bool before = l->first < range->first, behind = l->last > range->last;
    if (before && behind) {
        **spare = *l;
        (*spare)->last = range->first - 1;
        insert(list, *spare);
        *spare = NULL;
    } else if (before) {
        l->last = range->first - 1;
    }
    if (behind)
        l->first = range->last + 1;
    return before || behind ? l : NULL;
}

static void make_room(struct lock **list, const struct lock *want, struct lock *joined, struct lock **spare)
{
    struct lock *left = NULL, *cut;
    for (struct lock **at = list; *at;) {
        struct lock *l = *at;
        bool same = l->type == want->type;
        if (!is_of(l, want->kind, want->owner) || !(same ? touch(l, want) : overlap(l, want))) {
            at = &l->next;
            continue;
        }
        take_out(at);
        if (same) {
            joined->first = l->first < joined->first ? l->first : joined->first;
            joined->last = l->last > joined->last ? l->last : joined->last;
            give_up(l);
        } else if ((cut = without(l, want, spare, &left))) {
            insert(&left, cut);
        } else {
            give_up(l);
        }
    }
    while (left)
        insert(list, take_out(&left));
}

static const struct lock *split_by(const struct lock *list, const struct lock *want)
{
    while (list && !(is_of(list, want->kind, want->owner) && list->type != want->type && list->first < want->first &&
                     list->last > want->last))
        list = list->next;
    return list;
}

int lock_list_set(struct lock **list, const struct lock *want)
{
    struct lock *lock = want->type == LOCK_NONE ? NULL : make();
    struct lock *spare = split_by(*list, want) ? make() : NULL;
    if ((!lock && want->type != LOCK_NONE) || (!spare && split_by(*list, want))) {
        give_up(lock);
        return -ENOLCK;
    }
    struct lock joined = *want;
    make_room(list, want, &joined, &spare);
    if (lock) {
        *lock = joined;
        insert(list, lock);
    }
    return 0;
}

bool lock_list_drop(struct lock **list, enum lock_kind kind, const void *owner)
{
    bool any = false;
    for (struct lock **at = list; *at;)
        if (is_of(*at, kind, owner)) {
            give_up(take_out(at));
            any = true;
        } else {
            at = &(*at)->next;
        }
    return any;
}
