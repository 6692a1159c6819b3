/* Keeps saved systems on the volume: reads what is there at the start, then writes what is saved and takes
 * away what is purged, one at a time. Each step ends with a request under way, with more work queued, or at rest. */
#include "cp/ipl/nss_store.h"

#include <string.h>

#include "cp/ipl/nss_store_step.h"
#include "cp/time/work.h"
#include "lib/crc32.h"

struct nss_store nss_store;

struct nss_slot nss_slots[NSS_SYSTEMS];
static _Alignas(8) struct nss_sector sectors[NSS_SYSTEMS][2];
_Alignas(8) struct nss_index nss_index_block;
struct disk_segment nss_segment[NSS_BATCH];
static struct disk_request request;

static void go_on(struct work *);
static struct work work = {.step = go_on};

static void done(struct disk_request *r, int status)
{
    (void)r;
    nss_store.under_way = false;
    nss_store.status = status;
    work_begin(&work);
}

static void submit(enum disk_op op, uint64_t sector, unsigned segments, void (*next)(void))
{
    uint32_t bytes = 0;
    for (unsigned i = 0; i < segments; i++)
        bytes += nss_segment[i].bytes;
    request = (struct disk_request){.op = op, .sector = sector, .sectors = bytes / NSS_SECTOR, .done = done};
    request.segment = segments ? nss_segment : NULL;
    request.segments = segments;
    nss_store.under_way = true;
    nss_store.next = next;
    int refused = nss_store.disk->submit(nss_store.disk, &request);
    if (refused)
        done(&request, refused);
}

void nss_store_move(enum disk_op op, uint64_t sector, void *data, uint32_t bytes, void (*next)(void))
{
    nss_segment[0] = (struct disk_segment){data, bytes};
    submit(op, sector, 1, next);
}

/* Blocks of the system at hand, counted from its first. */
uint64_t nss_store_sector_of(const struct nss *n, uint32_t block)
{
    return ((uint64_t)NSS_FIRST_DATA + n->start + block) * NSS_BLOCK_SECTORS;
}

void nss_store_then(void (*next)(void))
{
    nss_store.next = next;
    work_begin(&work);
}

/* ---- a batch of pages -------------------------------------------------------------------------------------------- */

static uint32_t first_page_block(const struct nss *n) { return 1 + nss_index_blocks(n->pages); }

void nss_store_submit_batch(enum disk_op op, void (*next)(void))
{
    struct nss *n = nss_store.nss;
    submit(op, nss_store_sector_of(n, first_page_block(n) + nss_store.page), nss_store.in_batch, next);
}

void nss_store_add_to_batch(void *page) { nss_segment[nss_store.in_batch++] = (struct disk_segment){page, NSS_BLOCK}; }

/* ---- the table --------------------------------------------------------------------------------------------------- */

static bool is_kept(const struct nss_slot *s) { return s->sector.kept; }

static bool apart(const struct nss_sector *a, const struct nss_sector *b)
{
    return a->start + nss_blocks(a->pages) <= b->start || b->start + nss_blocks(b->pages) <= a->start;
}

static bool any_byte(const void *at, size_t bytes)
{
    for (const uint8_t *b = at; bytes--; b++)
        if (*b)
            return true;
    return false;
}

static bool good(const struct nss_sector *s)
{
    return nss_sector_good(s, nss_store.blocks) && s->serial < NSS_SERIAL_MAX && s->sequence < NSS_SERIAL_MAX;
}

/* NULL, or what is wrong with the system that the slot tells of. */
static const char *why_not(unsigned slot)
{
    for (unsigned i = 0; i < slot; i++)
        if (is_kept(&nss_slots[i]) && !apart(&nss_slots[i].sector, &nss_slots[slot].sector))
            return "its blocks are another's";
    return NULL;
}

static void take_system(unsigned slot)
{
    const struct nss_sector *s = &nss_slots[slot].sector;
    struct nss *n = nss_row();
    if (!n)
        return; /* there are rows for all slots */
    n->class = NSS_READING;
    n->definition = s->definition;
    memcpy(n->by, s->by, sizeof n->by);
    n->serial = s->serial;
    n->saved_us = s->saved_us;
    n->pages = s->pages;
    n->start = s->start;
    n->slot = (int)slot;
    if (s->serial > nss_last_serial)
        nss_last_serial = s->serial;
    nss_store.nss = n;
    const char *why = why_not(slot);
    if (why)
        nss_end_reading(why);
}

static void take_slot(unsigned slot)
{
    bool first = good(&sectors[slot][0]), second = good(&sectors[slot][1]);
    char name[] = "number 00";
    if (!first && !second) {
        name[7] = (char)('0' + slot / 10), name[8] = (char)('0' + slot % 10);
        if (any_byte(sectors[slot], sizeof sectors[slot]))
            nss_store.lost(name, "what is known of it is damaged");
        return;
    }
    nss_slots[slot].second = second && (!first || sectors[slot][1].sequence > sectors[slot][0].sequence);
    nss_slots[slot].sector = sectors[slot][nss_slots[slot].second];
    if (is_kept(&nss_slots[slot]))
        take_system(slot);
}

static void take_table(void)
{
    if (nss_store.status) {
        nss_store.lost("of all", "the table cannot be read");
        nss_store.disk = NULL;
        nss_store.reading = false;
        nss_store.next = NULL;
        return;
    }
    while (nss_store.slot < NSS_SYSTEMS) {
        take_slot(nss_store.slot++);
        if (work_over())
            break;
    }
    nss_store_then(nss_store.slot < NSS_SYSTEMS ? take_table : nss_store_look_for_more);
}

void nss_start(struct disk *area, void (*lost)(const char *name, const char *why))
{
    uint64_t blocks = area ? area->sectors / NSS_BLOCK_SECTORS : 0;
    memset(&nss_store, 0, sizeof nss_store);
    memset(nss_slots, 0, sizeof nss_slots);
    nss_forget();
    nss_store.lost = lost;
    if (blocks <= NSS_FIRST_DATA || area->read_only)
        return;
    blocks -= NSS_FIRST_DATA;
    nss_store.disk = area;
    nss_store.blocks = blocks < NSS_DATA_MAX ? (uint32_t)blocks : NSS_DATA_MAX;
    nss_store.reading = true;
    nss_store_move(DISK_READ, 0, sectors, sizeof sectors, take_table);
}

bool nss_reading(void) { return nss_store.reading; }
bool nss_has_volume(void) { return nss_store.disk; }
bool nss_store_idle(void) { return !nss_store.next; }

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static void end_writing(void)
{
    nss_end_keeping(nss_store.nss, nss_store.status != 0);
    nss_store_then(nss_store_look_for_more);
}

static void write_slot(bool kept, void (*next)(void))
{
    struct nss *n = nss_store.nss;
    struct nss_slot *s = &nss_slots[n->slot];
    uint64_t sequence = s->sector.sequence + 1; /* also after a write that failed, and to the same sector */
    s->sector = (struct nss_sector){.sequence = sequence, .serial = n->serial, .saved_us = n->saved_us, .kept = kept,
                                    .start = n->start, .pages = n->pages, .definition = n->definition};
    memcpy(s->sector.by, n->by, sizeof s->sector.by);
    nss_sector_seal(&s->sector);
    nss_store_move(DISK_WRITE, (unsigned)n->slot * 2 + !s->second, &s->sector, NSS_SECTOR, next);
}

static void flush_slot(void (*next)(void))
{
    struct nss_slot *s = &nss_slots[nss_store.nss->slot];
    if (nss_store.status) {
        next();
        return;
    }
    s->second = !s->second;
    submit(DISK_FLUSH, 0, 0, next);
}

static void flush_told(void) { flush_slot(end_writing); }

static void tell_of_it(void)
{
    if (nss_store.status)
        end_writing();
    else
        write_slot(true, flush_told);
}

static void write_pages(void)
{
    struct nss *n = nss_store.nss;
    nss_store.page += nss_store.in_batch;
    nss_store.in_batch = 0;
    if (nss_store.status) {
        end_writing();
        return;
    }
    for (void *page; nss_store.in_batch < NSS_BATCH && (page = nss_page(n, &nss_store.address));) {
        nss_store_add_to_batch(page);
        nss_store.address += PAGE_SIZE;
    }
    if (nss_store.in_batch)
        nss_store_submit_batch(DISK_WRITE, write_pages);
    else
        submit(DISK_FLUSH, 0, 0, tell_of_it);
}

static void fill_index(void);

static void write_index(void)
{
    uint64_t sector = nss_store_sector_of(nss_store.nss, 1 + nss_store.index++);
    nss_index_seal(&nss_index_block, nss_store.nss->serial);
    nss_store_move(DISK_WRITE, sector, &nss_index_block, NSS_BLOCK, fill_index);
}

/* A block of the index at a time; behind the last one, the pages. */
static void fill_index(void)
{
    void *page = NULL;
    if (nss_store.status) {
        end_writing();
        return;
    }
    if (!nss_store.at)
        memset(&nss_index_block, 0, sizeof nss_index_block);
    while (nss_store.at < NSS_INDEX && (page = nss_page(nss_store.nss, &nss_store.index_address))) {
        nss_index_block.entry[nss_store.at++] =
            (struct nss_entry){(uint32_t)(nss_store.index_address >> PAGE_SHIFT), crc32_of(page, NSS_BLOCK)};
        nss_index_block.count = nss_store.at;
        nss_store.index_address += PAGE_SIZE;
        if (work_over())
            break;
    }
    if (page && nss_store.at < NSS_INDEX) {
        nss_store_then(fill_index);
    } else if (nss_store.at) {
        nss_store.at = 0;
        write_index();
    } else {
        write_pages();
    }
}

static void write_system(void)
{
    struct nss *n = nss_store.nss;
    nss_store.page = nss_store.in_batch = nss_store.at = nss_store.index = 0;
    nss_store.address = nss_store.index_address = 0;
    nss_head_seal(n->head, n->serial);
    nss_store_move(DISK_WRITE, nss_store_sector_of(n, 0), n->head, NSS_BLOCK, fill_index);
}

static void end_purging(void)
{
    if (!nss_store.status) {
        nss_store.nss->slot = -1;
        nss_store_then(nss_store_look_for_more);
    } else {
        nss_store.next = NULL; /* again when there is more to do */
    }
}

static void flush_purged(void) { flush_slot(end_purging); }

static void take_away(void) { write_slot(false, flush_purged); }

/* ---- what is next ------------------------------------------------------------------------------------------------ */

static bool superseded(const struct nss *n)
{
    for (struct nss *other = NULL; (other = nss_next(other));)
        if (other->class == NSS_ACTIVE && other->serial > n->serial &&
            !strcmp(other->definition.name, n->definition.name))
            return true;
    return false;
}

static struct nss *any(enum nss_class class)
{
    struct nss *found = NULL; /* the newest first: what it replaces is not read */
    for (struct nss *n = NULL; (n = nss_next(n));)
        if (n->class == class && (class != NSS_PURGED || n->slot >= 0) && (!found || n->serial > found->serial))
            found = n;
    return found;
}

void nss_store_look_for_more(void)
{
    nss_store.next = NULL;
    if ((nss_store.nss = any(NSS_READING))) {
        if (superseded(nss_store.nss))
            nss_store.nss->class = NSS_PURGED, nss_store_then(nss_store_look_for_more);
        else
            nss_read_system();
    } else if (nss_store.reading = false, (nss_store.nss = any(NSS_KEEPING))) {
        write_system();
    } else if ((nss_store.nss = any(NSS_PURGED))) {
        take_away();
    }
}

static void go_on(struct work *w)
{
    (void)w;
    if (!nss_store.under_way && nss_store.next)
        nss_store.next();
}

void nss_store_wake(void)
{
    if (nss_store.disk && !nss_store.next)
        nss_store_then(nss_store_look_for_more);
}

/* What is purged has its blocks until the table on the volume says that it is gone. */
static bool room_at(uint32_t start, uint32_t blocks, uint32_t *behind)
{
    for (struct nss *n = NULL; (n = nss_next(n));)
        if (n->slot >= 0 && start < n->start + nss_blocks(n->pages) && n->start < start + blocks) {
            *behind = n->start + nss_blocks(n->pages);
            return false;
        }
    return blocks <= nss_store.blocks && start <= nss_store.blocks - blocks;
}

static int free_slot(void)
{
    for (unsigned i = 0; i < NSS_SYSTEMS; i++) {
        bool taken = false;
        for (struct nss *n = NULL; (n = nss_next(n)) && !taken;)
            taken = n->slot == (int)i;
        if (!taken)
            return (int)i;
    }
    return -1;
}

const char *nss_keep(struct nss *n)
{
    uint32_t start = 0, blocks = nss_blocks(n->pages);
    int slot = free_slot();
    if (slot < 0)
        return "the volume keeps no more systems";
    for (uint32_t behind = 0; !room_at(start, blocks, &behind); start = behind, behind = 0)
        if (!behind)
            return "the area of the volume has no room for it";
    n->slot = slot;
    n->start = start;
    n->class = NSS_KEEPING;
    nss_store_wake();
    return NULL;
}
