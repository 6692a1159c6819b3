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

static void put_name(char to[9], const char *name)
{
    memset(to, 0, 9);
    memcpy(to, name, strnlen(name, 8));
}

/* ---- spoolids ---------------------------------------------------------------------------------------------------- */

/* The last one that each had who had one lately: as many as there may be owners of files. */
static struct last_given {
    char owner[9];
    uint16_t spoolid;
    uint32_t given;
} last_given[SPOOL_FILES];
static uint32_t given_count;

/* The owner's; if there is none, that of whoever had theirs longest ago. */
static struct last_given *last_of(const char *owner)
{
    struct last_given *oldest = last_given;
    for (struct last_given *l = last_given; l < last_given + SPOOL_FILES; l++) {
        if (!strcmp(l->owner, owner))
            return l;
        if (given_count - l->given > given_count - oldest->given)
            oldest = l;
    }
    return oldest;
}

/* What the volume says was given once, to a file that is there or has gone. */
static void remember_given(const struct spool_file *f)
{
    char owner[9];
    put_name(owner, f->owner);
    if ((int32_t)(f->given - given_count) > 0)
        given_count = f->given;
    struct last_given *l = last_of(owner);
    if (*owner && f->spoolid <= SPOOL_ID_MAX && (strcmp(l->owner, owner) || (int32_t)(f->given - l->given) >= 0)) {
        *l = (struct last_given){.spoolid = f->spoolid, .given = f->given};
        put_name(l->owner, owner);
    }
}

/* The next one that is free, round and round: so that one who still has the number of a file that is gone does not
 * come to another with it. */
static void give_spoolid(struct spool_file *f, const char *owner)
{
    bool taken[SPOOL_FILES + 1] = {false};
    struct last_given *l = last_of(owner);
    unsigned last = strcmp(l->owner, owner) ? 0 : l->spoolid, ahead = 0;
    for (const struct spool_slot *s = spool_slots; s < spool_slots + SPOOL_FILES; s++) {
        unsigned away = (s->file.spoolid + SPOOL_ID_MAX - last - 1) % SPOOL_ID_MAX;
        if ((s->state == SLOT_THERE || s->state == SLOT_OPEN) && away <= SPOOL_FILES && &s->file != f &&
            !strcmp(s->file.owner, owner))
            taken[away] = true;
    }
    while (taken[ahead])
        ahead++;
    f->spoolid = (uint16_t)((last + ahead) % SPOOL_ID_MAX + 1);
    f->given = ++given_count;
    put_name(f->owner, owner);
    remember_given(f);
}

/* Of a file that was never found by it. */
static void take_spoolid_back(const struct spool_file *f)
{
    struct last_given *l = last_of(f->owner);
    if (!strcmp(l->owner, f->owner) && l->spoolid == f->spoolid)
        l->spoolid--;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

void spool_table_clear(uint32_t data_blocks)
{
    memset(last_given, 0, sizeof last_given);
    given_count = 0;
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
    s->file.given = f->given;
    remember_given(f);
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

uint64_t spool_transfer(struct spool_file *f, const char *owner, enum spool_queue queue)
{
    struct spool_slot *s = slot_of(f);
    s->journey = (struct spool_journey){.queue = f->queue, .was = f->spoolid};
    put_name(s->journey.from, f->owner);
    s->arrives = true;
    if (strcmp(f->owner, owner))
        give_spoolid(f, owner);
    f->order = last_order() + 1;
    f->queue = queue;
    return spool_change(f);
}

/* ---- new files --------------------------------------------------------------------------------------------------- */

/* The one whose spoolid was given longest ago: the volume remembers the others. NULL: none is free. */
static struct spool_slot *free_slot(void)
{
    struct spool_slot *found = NULL;
    for (struct spool_slot *s = spool_slots; s < spool_slots + SPOOL_FILES; s++)
        if (s->state == SLOT_FREE && (!found || given_count - s->file.given > given_count - found->file.given))
            found = s;
    return found;
}

struct spool_file *spool_create(const char *origin)
{
    struct spool_slot *s = free_slot();
    struct share share = share_of(origin);
    if (!s || share.files >= share.free_files)
        return NULL;
    uint64_t sequence = s->file.sequence;
    s->file = (struct spool_file){.sequence = sequence, .id = ++spool_last_id, .class = 'A', .copies = 1};
    put_name(s->file.origin, origin);
    give_spoolid(&s->file, origin);
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

void spool_abandon(struct spool_file *f)
{
    take_spoolid_back(f);
    spool_slot_free(slot_of(f));
}

uint64_t spool_commit(struct spool_file *f, const char *owner, enum spool_queue queue)
{
    struct spool_slot *s = slot_of(f);
    f->state = SPOOL_KEPT;
    f->queue = f->device;
    s->fresh = true;
    s->born = spool_last_ticket + 1;
    s->state = SLOT_THERE;
    if (strcmp(f->owner, owner))
        take_spoolid_back(f);
    return spool_transfer(f, owner, queue);
}
