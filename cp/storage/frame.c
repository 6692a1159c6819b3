/* Owns the accounts of page frames: who holds how many, who may have more, and what is kept back for whom. The frames
 * themselves are the pool's. */
#include "cp/storage/frame.h"

#include "cp/storage/grave.h"
#include "cp/storage/pool.h"

enum { BURIED_FOR_RUN = 1000 /* frames at most, so that whoever wants a run has an answer in time */ };
enum { PROMISE_MOST = 96, PROMISE_PART = 32, CP_MOST = 256, CP_PART = 64, OPERATORS = 2, EARLY_PART = 4 };

struct frame_account frame_cp_account = {.rank = FRAME_CP};
bool (*frame_short)(const struct frame_account *asker);

static uint64_t total, available;
static uint64_t kept[FRAME_RANKS]; /* what an account of this rank must leave */
static uint64_t promise_each, promised, opened; /* promised: to open accounts, and not yet taken */
static uint64_t common; /* held by accounts that are */

void frame_add(hpa_t start, uint64_t bytes)
{
    uint64_t added = pool_add((start.a + PAGE_MASK) & ~(uint64_t)PAGE_MASK, (start.a + bytes) & ~(uint64_t)PAGE_MASK);

    total += added;
    available += added;
}

/* ---- who may take ----------------------------------------------------------------------------------------------- */

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* What it has use of: the frames in graves are anybody's. */
static uint64_t living(const struct frame_account *account) { return account->frames - account->dying; }

uint64_t frame_account_living(const struct frame_account *account)
{
    uint64_t all = 0;
    for (; account; account = account->beside)
        all += living(account);
    return all;
}

/* What is promised to it and not yet taken. */
static uint64_t owed(const struct frame_account *account)
{
    return account->promise > living(account) ? account->promise - living(account) : 0;
}

void frame_keep(void)
{
    promise_each = least(PROMISE_MOST, available / PROMISE_PART);
    kept[FRAME_OPERATOR] = least(CP_MOST, available / CP_PART);
    kept[FRAME_USER] = kept[FRAME_OPERATOR] + OPERATORS * promise_each;
}

uint64_t frame_share(void)
{
    uint64_t others = frame_cp_account.frames + common + kept[FRAME_USER];
    return opened && total > others ? (total - others) / opened : 0;
}

/* Whether so many pages can be had without touching what is promised to others or kept back from this rank. */
static bool spares(uint64_t pages, uint64_t own, enum frame_rank rank)
{
    return frame_available() >= pages + promised - own + kept[rank];
}

/* May the account have `pages`, of which `own` are promised to it? Nobody gives for an account that holds more than its
 * share. */
static bool may_take(const struct frame_account *account, uint64_t pages, uint64_t own)
{
    if (pages <= own || spares(pages, own, account->rank))
        return true;
    return account->rank < FRAME_CP && !account->common && frame_account_living(account) + pages <= frame_share() &&
           frame_short && frame_short(account) && spares(pages, own, account->rank + 1);
}

static bool beyond_limit(const struct frame_account *account, uint64_t pages)
{
    uint64_t held = pages;
    for (const struct frame_account *a = account; a; a = a->beside)
        held += a->frames;
    return account->limit && held > account->limit;
}

bool frame_account_open(struct frame_account *account, uint64_t limit, enum frame_rank rank)
{
    uint64_t promise = limit ? least(limit, promise_each) : promise_each;
    *account = (struct frame_account){.limit = limit, .rank = rank};
    opened++;
    if (!may_take(account, promise, 0)) {
        opened--;
        return false;
    }
    account->promise = promise;
    promised += promise;
    return true;
}

void frame_account_open_beside(struct frame_account *account, const struct frame_account *other)
{
    *account = (struct frame_account){.limit = other->limit, .rank = other->rank, .beside = other};
}

void frame_account_close(struct frame_account *account)
{
    promised -= owed(account);
    opened -= !account->beside;
    account->beside = NULL;
    account->promise = 0;
}

/* Of `pages` given back, those the account is owed again are promised again. */
static void charge(struct frame_account *account, int64_t pages)
{
    promised -= owed(account);
    account->frames += (uint64_t)pages;
    common += account->common ? (uint64_t)pages : 0;
    promised += owed(account);
    available -= (uint64_t)pages;
}

void frame_dying(struct frame_account *account, int64_t pages)
{
    promised -= owed(account);
    account->dying += (uint64_t)pages;
    promised += owed(account);
}

/* ---- taking and giving back -------------------------------------------------------------------------------------- */

/* Where a limit or the pool says no, the dead give way: of the account, or of anybody. */
static void *take(struct frame_account *account, unsigned pages)
{
    void *first = NULL;
    bool can = true;

    for (unsigned buried = 0; can && !first && buried <= BURIED_FOR_RUN; buried++) {
        if (beyond_limit(account, pages))
            can = grave_yield(account);
        else if (!may_take(account, pages, owed(account)))
            can = false; /* what is in graves was counted */
        else if (!(first = pool_take(pages)))
            can = grave_yield(NULL);
    }
    if (first)
        charge(account, pages);
    return first;
}

void *frame_alloc_dirty(struct frame_account *account)
{
    return take(account, 1);
}

void *frame_alloc(struct frame_account *account)
{
    void *frame = frame_alloc_dirty(account);
    if (frame)
        frame_clear(frame);
    return frame;
}

void *frame_alloc_early(struct frame_account *account)
{
    bool plenty = frame_available() >= total / EARLY_PART && spares(1, owed(account), account->rank);

    return plenty && !beyond_limit(account, 1) ? frame_alloc(account) : NULL;
}

void frame_free(struct frame_account *account, void *frame)
{
    if (!frame)
        return;
    pool_give(frame, 1);
    charge(account, -1);
}

void *frame_alloc_run(struct frame_account *account, unsigned pages)
{
    void *first = pages ? take(account, pages) : NULL;
    if (!first)
        return NULL;
    for (unsigned i = 0; i < pages; i++)
        frame_clear((char *)first + ((uint64_t)i << PAGE_SHIFT));
    return first;
}

void frame_free_run(struct frame_account *account, void *first, unsigned pages)
{
    if (!first)
        return;
    pool_give(first, pages);
    charge(account, -(int64_t)pages);
}

uint64_t frame_total(void) { return total; }
uint64_t frame_available(void) { return available + grave_frames(); }
