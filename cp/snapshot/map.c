/* In: copies. Out: which of them is a block's at a snapshot, and which slots are free. */
#include "cp/snapshot/map.h"

#include <errno.h>

#include "cp/storage/frame.h"

_Static_assert((int)PAGE_SIZE == (int)SNAPSHOT_BLOCK, "frames and blocks");

static uint32_t frames_of(uint32_t slots)
{
    return (slots + SNAPSHOT_ENTRIES_A_FRAME - 1) / SNAPSHOT_ENTRIES_A_FRAME;
}

struct snapshot_entry *snapshot_map_entry(const struct snapshot_map *m, uint32_t slot)
{
    return &m->entries[slot / SNAPSHOT_ENTRIES_A_FRAME][slot % SNAPSHOT_ENTRIES_A_FRAME];
}

static bool give_back(void *frame)
{
    if (frame)
        frame_free(&frame_cp_account, frame);
    return frame != NULL;
}

int snapshot_map_clear(struct snapshot_map *m, uint32_t *at)
{
    uint32_t i = (*at)++;
    m->unused = m->free = 0;
    if (!m->entries && !(m->entries = frame_alloc(&frame_cp_account)))
        return -ENOMEM;
    if (!m->heads && !(m->heads = frame_alloc(&frame_cp_account)))
        return -ENOMEM;
    if (i == SNAPSHOT_FRAMES)
        return 0;
    give_back(m->heads[i]);
    m->heads[i] = NULL;
    if (i < frames_of(m->slots)) {
        give_back(m->entries[i]);
        if (!(m->entries[i] = frame_alloc(&frame_cp_account)))
            return -ENOMEM;
    }
    return 1;
}

int snapshot_map_link_free(struct snapshot_map *m, uint32_t *at)
{
    uint32_t frames = frames_of(m->slots);
    if (*at == frames)
        return 0;
    uint32_t frame = frames - ++*at, first = frame * SNAPSHOT_ENTRIES_A_FRAME, end = first + SNAPSHOT_ENTRIES_A_FRAME;
    if (end > m->slots)
        end = m->slots;
    for (uint32_t slot = end; slot-- > first;)
        if (!snapshot_map_entry(m, slot)->keeper)
            snapshot_map_untake(m, slot);
    return 1;
}

int snapshot_map_drop(struct snapshot_map *m, uint32_t *at)
{
    uint32_t i = (*at)++;
    if (i < SNAPSHOT_FRAMES) {
        if (m->entries)
            give_back(m->entries[i]);
        if (m->heads)
            give_back(m->heads[i]);
        return 1;
    }
    give_back(m->entries);
    give_back(m->heads);
    *m = (struct snapshot_map){.slots = m->slots};
    return 0;
}

/* ---- the copies of a block --------------------------------------------------------------------------------------- */

static uint32_t *head_of(const struct snapshot_map *m, uint32_t block)
{
    uint32_t *frame = m->heads ? m->heads[block / SNAPSHOT_HEADS_A_FRAME] : NULL;
    return frame ? &frame[block % SNAPSHOT_HEADS_A_FRAME] : NULL;
}

static bool head_make(struct snapshot_map *m, uint32_t block)
{
    uint32_t **frame = &m->heads[block / SNAPSHOT_HEADS_A_FRAME];
    return *frame || (*frame = frame_alloc(&frame_cp_account));
}

static uint32_t first_of(const struct snapshot_map *m, uint32_t block)
{
    const uint32_t *head = head_of(m, block);
    return head ? *head : 0;
}

static uint32_t serving(const struct snapshot_map *m, uint32_t block, uint32_t serves)
{
    for (uint32_t at = first_of(m, block); at; at = snapshot_map_entry(m, at - 1)->next)
        if (snapshot_map_entry(m, at - 1)->serves == serves)
            return at - 1;
    return SNAPSHOT_NOWHERE;
}

bool snapshot_map_has(const struct snapshot_map *m, uint32_t block, uint32_t serves)
{
    return serving(m, block, serves) != SNAPSHOT_NOWHERE;
}

uint32_t snapshot_map_find(const struct snapshot_map *m, uint32_t block, uint32_t number, uint32_t draft)
{
    uint32_t found = draft ? serving(m, block, draft) : SNAPSHOT_NOWHERE, best = SNAPSHOT_DRAFT;
    if (found != SNAPSHOT_NOWHERE)
        return found;
    for (uint32_t at = first_of(m, block); at; at = snapshot_map_entry(m, at - 1)->next) {
        uint32_t serves = snapshot_map_entry(m, at - 1)->serves;
        if (serves >= number && serves < best)
            best = serves, found = at - 1;
    }
    return found;
}

static void enter(struct snapshot_map *m, uint32_t slot, struct snapshot_copy copy, uint32_t serves)
{
    uint32_t *head = head_of(m, copy.block);
    *snapshot_map_entry(m, slot) =
        (struct snapshot_entry){.block = copy.block, .keeper = copy.keeper, .serves = serves, .next = *head};
    *head = slot + 1;
}

static void unchain(struct snapshot_map *m, uint32_t slot)
{
    struct snapshot_entry *e = snapshot_map_entry(m, slot);
    uint32_t *at = head_of(m, e->block);
    while (*at != slot + 1)
        at = &snapshot_map_entry(m, *at - 1)->next;
    *at = e->next;
    *e = (struct snapshot_entry){0};
}

/* The youngest snapshot that is there of those up to the keeper; 0: none. */
static uint32_t floor_of(const struct snapshot_head *h, uint32_t keeper)
{
    uint32_t floor = 0;
    for (uint32_t i = 0; i < h->count && h->snapshot[i].number <= keeper; i++)
        floor = h->snapshot[i].number;
    return floor;
}

int snapshot_map_read(struct snapshot_map *m, const struct snapshot_head *h, uint32_t slot, struct snapshot_copy copy)
{
    bool draft = copy.keeper & SNAPSHOT_DRAFT;
    uint32_t serves = !draft ? floor_of(h, copy.keeper) : copy.keeper == h->draft ? copy.keeper : 0;
    if (!serves)
        return 0;
    uint32_t other = serving(m, copy.block, serves);
    if (other != SNAPSHOT_NOWHERE) {
        if (snapshot_map_entry(m, other)->keeper <= copy.keeper)
            return 0;
        unchain(m, other);
    } else if (!head_make(m, copy.block)) {
        return -ENOMEM;
    }
    enter(m, slot, copy, serves);
    return 0;
}

/* ---- slots ------------------------------------------------------------------------------------------------------- */

uint32_t snapshot_map_take(struct snapshot_map *m, uint32_t block)
{
    if (!m->free || !head_make(m, block))
        return SNAPSHOT_NOWHERE;
    uint32_t slot = m->free - 1;
    m->free = snapshot_map_entry(m, slot)->next;
    m->unused--;
    return slot;
}

void snapshot_map_untake(struct snapshot_map *m, uint32_t slot)
{
    *snapshot_map_entry(m, slot) = (struct snapshot_entry){.next = m->free};
    m->free = slot + 1;
    m->unused++;
}

void snapshot_map_add(struct snapshot_map *m, uint32_t slot, uint32_t block, uint32_t keeper)
{
    enter(m, slot, (struct snapshot_copy){block, keeper}, keeper);
}

void snapshot_map_remove(struct snapshot_map *m, uint32_t slot)
{
    unchain(m, slot);
    snapshot_map_untake(m, slot);
}

void snapshot_map_fall(struct snapshot_map *m, uint32_t slot, uint32_t number, uint32_t older)
{
    struct snapshot_entry *e = snapshot_map_entry(m, slot);
    if (!e->keeper || e->serves != number)
        return;
    if (older && !snapshot_map_has(m, e->block, older))
        e->serves = older;
    else
        snapshot_map_remove(m, slot);
}
