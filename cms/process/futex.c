#include "cms/process/futex.h"

#include <errno.h>

struct sleeper {
    uint64_t key;
    uint32_t bits;
    bool woken;
    struct wait_queue queue;
    struct sleeper *next;
};
static struct sleeper *sleepers; /* in the order in which they came */

/* A word that is there at once, or after its page was brought in. */
static uint32_t *find_word(uint64_t address, bool write, uint64_t *key)
{
    return address % sizeof(uint32_t) ? NULL : space_word(process_space(process_current()), address, write, key);
}

static int no_word(uint64_t address)
{
    return address % sizeof(uint32_t) ? -EINVAL : -EFAULT;
}

static void take_out(struct sleeper *s)
{
    struct sleeper **at = &sleepers;
    while (*at && *at != s)
        at = &(*at)->next;
    if (*at)
        *at = s->next;
}

static void append(struct sleeper *s)
{
    struct sleeper **at = &sleepers;
    while (*at)
        at = &(*at)->next;
    s->next = NULL;
    *at = s;
}

int futex_wait(uint64_t address, uint32_t value, uint32_t bits, uint64_t deadline)
{
    struct sleeper self = {.bits = bits};
    int error = 0;

    if (!bits)
        return -EINVAL;
    const uint32_t *word = find_word(address, false, &self.key);
    if (!word)
        return no_word(address);
    if (*word != value)
        return -EAGAIN;
    append(&self);
    while (!self.woken && !error)
        error = cms_wait(&self.queue, deadline);
    take_out(&self);
    return self.woken ? 0 : error;
}

static unsigned wake(uint64_t key, uint32_t most, uint32_t bits)
{
    unsigned count = 0;
    for (struct sleeper *s = sleepers, *next; s && count < most; s = next) {
        next = s->next;
        if (s->key != key || !(s->bits & bits))
            continue;
        take_out(s);
        s->woken = true;
        cms_wake(&s->queue);
        count++;
    }
    return count;
}

int futex_wake(uint64_t address, uint32_t most, uint32_t bits)
{
    uint64_t key;
    if (!bits)
        return -EINVAL;
    if (!find_word(address, false, &key))
        return no_word(address);
    return (int)wake(key, most, bits);
}

int futex_requeue(uint64_t address, uint32_t most, uint64_t to, uint32_t more, const uint32_t *compare)
{
    uint64_t key, to_key;
    if (!find_word(to, false, &to_key))
        return no_word(to);
    const uint32_t *word = find_word(address, false, &key);
    if (!word)
        return no_word(address);
    if (compare && *word != *compare)
        return -EAGAIN;
    unsigned count = wake(key, most, (uint32_t)FUTEX_ANY), moved = 0;
    for (struct sleeper *s = sleepers; s && moved < more; s = s->next)
        if (s->key == key) {
            s->key = to_key;
            moved++;
        }
    return (int)(count + moved);
}

/* futex(2), FUTEX_WAKE_OP: an operation, a comparison, and an argument of 12 bits for each. */
struct operation {
    unsigned kind, comparison;
    int32_t argument, compared;
};

static int32_t signed12(uint32_t value)
{
    return (int32_t)(value << 20) >> 20;
}

static struct operation decode(uint32_t code)
{
    enum { SHIFTED = 8 };
    struct operation o = {code >> 28 & 15, code >> 24 & 15, signed12(code >> 12), signed12(code)};
    if (o.kind & SHIFTED) {
        o.kind &= ~(unsigned)SHIFTED;
        o.argument = (int32_t)(1u << (o.argument & 31));
    }
    return o;
}

static uint32_t apply(const struct operation *o, uint32_t old)
{
    uint32_t argument = (uint32_t)o->argument;
    switch (o->kind) {
    case 0: return argument;
    case 1: return old + argument;
    case 2: return old | argument;
    case 3: return old & ~argument;
    default: return old ^ argument;
    }
}

static bool compares(const struct operation *o, int32_t old)
{
    switch (o->comparison) {
    case 0: return old == o->compared;
    case 1: return old != o->compared;
    case 2: return old < o->compared;
    case 3: return old <= o->compared;
    case 4: return old > o->compared;
    default: return old >= o->compared;
    }
}

int futex_wake_operation(uint64_t address, uint32_t most, uint64_t second, uint32_t more, uint32_t code)
{
    struct operation o = decode(code);
    uint64_t key, second_key;

    if (o.kind > 4 || o.comparison > 5)
        return -ENOSYS;
    if (!find_word(address, false, &key))
        return no_word(address);
    uint32_t *word = find_word(second, true, &second_key);
    if (!word)
        return no_word(second);
    uint32_t old = *word;
    *word = apply(&o, old);
    unsigned count = wake(key, most, (uint32_t)FUTEX_ANY);
    if (compares(&o, (int32_t)old))
        count += wake(second_key, more, (uint32_t)FUTEX_ANY);
    return (int)count;
}

/* ---- the end of a thread ----------------------------------------------------------------------------------------- */

enum { OWNER_DIED = 0x40000000, OWNER = 0x3fffffff, ROBUST_MOST = 2048 };
static const uint32_t WAITERS = 0x80000000;

static void owner_dies(const struct thread *t, uint64_t address)
{
    uint64_t key;
    uint32_t *word = find_word(address, true, &key);
    if (!word || (*word & OWNER) != (uint32_t)t->id)
        return;
    uint32_t old = *word;
    *word = (old & WAITERS) | OWNER_DIED;
    if (old & WAITERS)
        wake(key, 1, (uint32_t)FUTEX_ANY);
}

/* struct robust_list_head: the list's first, what to add to an entry to find its word, and one that is being taken. The
 * list is the program's, and may have no end. */
static void give_up_robust(struct thread *t)
{
    struct space *space = process_space(t->process);
    uint64_t head[3], entry;

    if (!t->robust_list || space_copy_in(space, head, t->robust_list, sizeof head))
        return;
    entry = head[0];
    for (unsigned i = 0; i < ROBUST_MOST && (entry & ~1ull) != t->robust_list; i++) {
        uint64_t at = entry & ~1ull;
        if (space_copy_in(space, &entry, at, sizeof entry))
            break;
        if (at != (head[2] & ~1ull))
            owner_dies(t, at + head[1]);
    }
    if (head[2] & ~1ull)
        owner_dies(t, (head[2] & ~1ull) + head[1]);
}

void futex_thread_ends(struct thread *t)
{
    struct space *space = process_space(t->process);
    const int32_t none = 0;

    if (!space)
        return;
    give_up_robust(t);
    t->robust_list = 0;
    if (t->clear_child_id && !space_copy_out(space, t->clear_child_id, &none, sizeof none))
        futex_wake(t->clear_child_id, 1, (uint32_t)FUTEX_ANY);
    t->clear_child_id = 0;
}

void futex_forget_all(void)
{
    sleepers = NULL;
}
