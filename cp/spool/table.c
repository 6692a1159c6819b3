/* The table of spool files. In: what the area says, what commands and units want. Out: who has what, which blocks are
 * whose, and to store.c what is to be kept. */
#include "cp/spool/table.h"

#include <string.h>

struct spool_slot spool_slots[SPOOL_FILES];
uint64_t spool_last_ticket, spool_last_id;
uint32_t spool_data_blocks;

/* Nobody gets so far by sending files: there is always room for one more before and behind. */
static const int64_t ORDER_MOST = (int64_t)1 << 40;

static uint8_t used_blocks[SPOOL_DATA_MAX / 8];
static uint32_t free_blocks;

static struct spool_slot *slot_of(const struct spool_file *f)
{
    return &spool_slots[(const struct spool_slot *)(const void *)f - spool_slots];
}

/* ---- blocks ------------------------------------------------------------------------------------------------------ */

static bool block_used(uint32_t block) { return used_blocks[block / 8] >> block % 8 & 1; }

static void block_set(uint32_t block, bool used)
{
    used_blocks[block / 8] ^= (block_used(block) != used) << block % 8;
    free_blocks += used ? -1u : 1u;
}

static void set_blocks(const struct spool_file *f, bool used)
{
    for (const struct spool_piece *p = f->piece; p < f->piece + f->pieces; p++)
        for (uint32_t b = p->start; b < (uint32_t)p->start + p->blocks; b++)
            block_set(b, used);
}

static bool blocks_free(const struct spool_file *f)
{
    for (const struct spool_piece *p = f->piece; p < f->piece + f->pieces; p++)
        for (uint32_t b = p->start; b < (uint32_t)p->start + p->blocks; b++)
            if (block_used(b))
                return false;
    return true;
}

/* Behind the last one if that is free, so that a file has few pieces; else where eight are, else any. */
static uint32_t find_block(const struct spool_file *f)
{
    const struct spool_piece *last = f->pieces ? &f->piece[f->pieces - 1] : NULL;
    uint32_t next = last ? (uint32_t)last->start + last->blocks : spool_data_blocks;
    if (next < spool_data_blocks && !block_used(next))
        return next;
    for (uint32_t at = 0; at + 8 <= spool_data_blocks; at += 8)
        if (!used_blocks[at / 8])
            return at;
    for (uint32_t at = 0; at < spool_data_blocks; at++)
        if (used_blocks[at / 8] == 0xff)
            at |= 7;
        else if (!block_used(at))
            return at;
    return spool_data_blocks;
}

/* ---- places ------------------------------------------------------------------------------------------------------ */

/* What a user has made may be as much as is left free, in files and in blocks: so nobody can take all of it, and a
 * second one still half of what the first has left. */
struct share {
    uint32_t blocks, files, free_files;
};

static struct share share_of(const char *origin)
{
    struct share share = {0};
    for (struct spool_slot *s = spool_slots; s < spool_slots + SPOOL_FILES; s++) {
        share.free_files += s->state == SLOT_FREE;
        if (s->state != SLOT_FREE && !strcmp(s->file.origin, origin))
            share.files++, share.blocks += s->file.blocks;
    }
    return share;
}

void spool_table_clear(uint32_t data_blocks)
{
    memset(spool_slots, 0, sizeof spool_slots);
    memset(used_blocks, 0, sizeof used_blocks);
    spool_data_blocks = free_blocks = data_blocks;
    spool_last_id = spool_last_ticket = 0;
}

void spool_slot_free(struct spool_slot *s)
{
    set_blocks(&s->file, false);
    s->file.blocks = s->file.pieces = 0;
    s->file.state = SPOOL_GONE;
    s->state = SLOT_FREE;
    s->dirty = s->arrives = s->used = s->fresh = s->written = false;
}

static bool pieces_apart(const struct spool_file *f)
{
    for (unsigned i = 0; i < f->pieces; i++)
        for (unsigned j = 0; j < i; j++)
            if (f->piece[i].start < f->piece[j].start + f->piece[j].blocks &&
                f->piece[j].start < f->piece[i].start + f->piece[i].blocks)
                return false;
    return true;
}

static bool is_blank(const struct spool_file *f)
{
    static const struct spool_file blank;
    return !memcmp(f, &blank, sizeof blank);
}

bool spool_table_take(unsigned slot, const struct spool_file sectors[2])
{
    struct spool_slot *s = &spool_slots[slot];
    bool good[2] = {spool_file_good(&sectors[0], spool_data_blocks), spool_file_good(&sectors[1], spool_data_blocks)};
    if (!good[0] && !good[1])
        return is_blank(&sectors[0]) && is_blank(&sectors[1]);
    s->newest = !good[0] || (good[1] && (int64_t)(sectors[1].sequence - sectors[0].sequence) > 0);
    const struct spool_file *f = &sectors[s->newest];
    if (f->id > spool_last_id)
        spool_last_id = f->id;
    s->file.sequence = f->sequence;
    if (f->state == SPOOL_GONE)
        return true;
    if (!pieces_apart(f) || !blocks_free(f) || spool_find(f->owner, f->spoolid))
        return false;
    s->file = *f;
    if (f->order < -ORDER_MOST || f->order > ORDER_MOST)
        s->file.order = 0;
    s->state = SLOT_THERE;
    set_blocks(f, true);
    return true;
}

/* ---- finding ----------------------------------------------------------------------------------------------------- */

struct spool_file *spool_next(const char *owner, const char *origin, enum spool_queue queue, int64_t order)
{
    struct spool_file *found = NULL;
    for (struct spool_slot *s = spool_slots; s < spool_slots + SPOOL_FILES; s++)
        if (s->state == SLOT_THERE && s->file.queue == queue && s->file.order > order &&
            (!found || s->file.order < found->order) && (!owner || !strcmp(s->file.owner, owner)) &&
            (!origin || !strcmp(s->file.origin, origin)))
            found = &s->file;
    return found;
}

struct spool_file *spool_find(const char *owner, unsigned spoolid)
{
    for (struct spool_slot *s = spool_slots; s < spool_slots + SPOOL_FILES; s++)
        if (s->state == SLOT_THERE && s->file.spoolid == spoolid && !strcmp(s->file.owner, owner))
            return &s->file;
    return NULL;
}

unsigned spool_count(const char *owner, enum spool_queue queue)
{
    unsigned count = 0;
    for (struct spool_slot *s = spool_slots; s < spool_slots + SPOOL_FILES; s++)
        count += s->state == SLOT_THERE && s->file.queue == queue && !strcmp(s->file.owner, owner);
    return count;
}

bool spool_in_use(const struct spool_file *f) { return slot_of(f)->used; }
void spool_use(struct spool_file *f, bool used) { slot_of(f)->used = used; }

/* The one after the highest that the user has, then the lowest that is free. */
static unsigned next_spoolid(const char *owner)
{
    bool taken[SPOOL_FILES + 1] = {false};
    unsigned highest = 0, id = 1;
    for (struct spool_slot *s = spool_slots; s < spool_slots + SPOOL_FILES; s++) {
        if ((s->state != SLOT_THERE && s->state != SLOT_OPEN) || strcmp(s->file.owner, owner))
            continue;
        highest = s->file.spoolid > highest ? s->file.spoolid : highest;
        if (s->file.spoolid <= SPOOL_FILES)
            taken[s->file.spoolid] = true;
    }
    while (id < SPOOL_FILES && taken[id])
        id++;
    return highest < SPOOL_ID_MAX ? highest + 1 : id;
}

static int64_t last_order(void)
{
    int64_t last = 0;
    for (struct spool_slot *s = spool_slots; s < spool_slots + SPOOL_FILES; s++)
        if (s->state == SLOT_THERE && s->file.order > last)
            last = s->file.order;
    return last;
}

int64_t spool_first_order(void)
{
    int64_t first = 0;
    for (struct spool_slot *s = spool_slots; s < spool_slots + SPOOL_FILES; s++)
        if (s->state == SLOT_THERE && s->file.order < first)
            first = s->file.order;
    return first - 1;
}

/* ---- changing ---------------------------------------------------------------------------------------------------- */

uint64_t spool_change(struct spool_file *f)
{
    slot_of(f)->dirty = true;
    spool_last_ticket++;
    spool_store_wake();
    return spool_last_ticket;
}

uint64_t spool_purge(struct spool_file *f)
{
    slot_of(f)->state = SLOT_GOING;
    f->state = SPOOL_GONE;
    return spool_change(f);
}

static void put_name(char to[9], const char *name)
{
    memset(to, 0, 9);
    memcpy(to, name, strnlen(name, 8));
}

uint64_t spool_transfer(struct spool_file *f, const char *owner, enum spool_queue queue)
{
    struct spool_slot *s = slot_of(f);
    s->journey = (struct spool_journey){.queue = f->queue, .was = f->spoolid};
    put_name(s->journey.from, f->owner);
    s->arrives = true;
    if (strcmp(f->owner, owner)) {
        f->spoolid = (uint16_t)next_spoolid(owner);
        put_name(f->owner, owner);
    }
    f->order = last_order() + 1;
    f->queue = queue;
    return spool_change(f);
}

/* ---- new files --------------------------------------------------------------------------------------------------- */

struct spool_file *spool_create(const char *origin)
{
    struct spool_slot *s = spool_slots;
    struct share share = share_of(origin);
    while (s < spool_slots + SPOOL_FILES && s->state != SLOT_FREE)
        s++;
    if (s == spool_slots + SPOOL_FILES || share.files >= share.free_files)
        return NULL;
    uint64_t sequence = s->file.sequence;
    s->file = (struct spool_file){.sequence = sequence, .id = ++spool_last_id, .class = 'A', .copies = 1};
    put_name(s->file.origin, origin);
    s->file.spoolid = (uint16_t)next_spoolid(origin);
    put_name(s->file.owner, origin);
    s->state = SLOT_OPEN;
    return &s->file;
}

bool spool_extend(struct spool_file *f)
{
    struct spool_piece *last = f->pieces ? &f->piece[f->pieces - 1] : NULL;
    uint32_t block = find_block(f);
    if (block == spool_data_blocks || share_of(f->origin).blocks >= free_blocks)
        return false;
    if (last && block == (uint32_t)last->start + last->blocks)
        last->blocks++;
    else if (f->pieces < SPOOL_PIECES)
        f->piece[f->pieces++] = (struct spool_piece){(uint16_t)block, 1};
    else
        return false;
    f->blocks++;
    block_set(block, true);
    return true;
}

void spool_abandon(struct spool_file *f) { spool_slot_free(slot_of(f)); }

uint64_t spool_commit(struct spool_file *f, const char *owner, enum spool_queue queue)
{
    struct spool_slot *s = slot_of(f);
    f->state = SPOOL_KEPT;
    f->queue = f->device;
    s->fresh = true;
    s->born = spool_last_ticket + 1;
    s->state = SLOT_THERE;
    return spool_transfer(f, owner, queue);
}
