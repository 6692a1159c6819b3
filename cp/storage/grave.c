/* Owns the graves. In: roots of page tables. Out: frames, one after another, as a walk
 * through the tables meets them. */
#include "cp/storage/grave.h"

#include <stddef.h>

#include "cp/storage/second_level.h"

enum { ENTRIES = 512, EIGHT = 8, ROOT = GRAVE_LEVELS - 1, LARGE = 1 << 7 };

#define ADDRESS_BITS 0x000ffffffffff000ull

_Static_assert(sizeof(struct grave) <= (ENTRIES - GRAVE_BOOKS_FROM) * sizeof(uint64_t),
               "the end of a root holds the books");

static struct grave *graves;
static uint64_t frames_in_all;

static void dig(struct grave *g, const struct grave *like, uint64_t *root, uint64_t frames)
{
    *g = *like;
    g->table[ROOT] = root;
    g->level = ROOT;
    frame_dying(g->account, (int64_t)frames);
    frames_in_all += frames;
    g->next = graves;
    graves = g;
}

void grave_storage(struct frame_account *account, uint64_t *root, uint64_t frames)
{
    dig((struct grave *)(void *)&root[GRAVE_BOOKS_FROM], &(struct grave){.account = account, .pages = true}, root,
        frames);
}

void grave_tables(struct frame_account *account, void *books, uint64_t *root, uint64_t frames)
{
    dig(books, &(struct grave){.account = account, .books = books}, root, frames);
}

static void give_back(struct frame_account *account, void *frame)
{
    frame_dying(account, -1);
    frame_free(account, frame);
    frames_in_all--;
}

/* The root is done, and with it the grave. */
static void close_grave(struct grave **at)
{
    struct grave g = **at;

    *at = g.next;
    give_back(g.account, g.table[ROOT]);
    if (g.books)
        give_back(g.account, g.books);
}

static unsigned end_of(const struct grave *g)
{
    return g->level == ROOT && !g->books ? GRAVE_BOOKS_FROM : ENTRIES;
}

/* What an entry that maps something leads to. */
static void descend(struct grave *g, uint64_t entry)
{
    void *below = frame_pointer(hpa(entry & ADDRESS_BITS));

    if ((g->level == 1 && (entry & LARGE)) || (!g->level && (entry & LEAF_SHARED)))
        return;
    if (!g->level || (g->level == 1 && !g->pages)) { /* nothing beneath that would go back */
        give_back(g->account, below);
        return;
    }
    g->level--;
    g->table[g->level] = below;
    g->at[g->level] = 0;
}

/* Past entries that map nothing, which most do: eight for one. Returns for how many that counts. */
static unsigned skip_unused(struct grave *g)
{
    const uint64_t *entry = g->table[g->level];
    unsigned from = g->at[g->level], at = from, end = end_of(g);

    for (; at + EIGHT <= end && !(entry[at] | entry[at + 1] | entry[at + 2] | entry[at + 3] | entry[at + 4] |
                                  entry[at + 5] | entry[at + 6] | entry[at + 7]);
         at += EIGHT) {}
    g->at[g->level] = (uint16_t)at;
    return (at - from) / EIGHT;
}

/* One entry, and those behind it that map nothing; or the end of a table. Returns how many that counts for. */
static unsigned go_on(struct grave **at)
{
    struct grave *g = *at;

    if (g->at[g->level] < end_of(g)) {
        uint64_t entry = g->table[g->level][g->at[g->level]++];
        unsigned skipped = skip_unused(g);
        if (entry)
            descend(g, entry);
        return 1 + skipped;
    }
    if (g->level == ROOT) {
        close_grave(at);
    } else {
        give_back(g->account, g->table[g->level++]);
    }
    return 1;
}

bool grave_work(unsigned entries)
{
    for (unsigned done = 0; graves && done < entries;)
        done += go_on(&graves);
    return graves;
}

struct debt *grave_debt(void) { return graves ? graves->account->debt : NULL; }

bool grave_yield(const struct frame_account *account)
{
    struct grave **at = &graves;
    uint64_t before = frames_in_all;

    while (*at && account && (*at)->account != account)
        at = &(*at)->next;
    if (!*at)
        return false;
    while (frames_in_all == before)
        go_on(at);
    return true;
}

uint64_t grave_frames(void) { return frames_in_all; }
