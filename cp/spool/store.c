/* Keeps the spool's table on disk. In: what is dirty. Out: sectors, and tickets that are kept.
 *
 * A round: what new files hold is flushed, then the table tells of everything that is dirty, then that is flushed, and
 * all tickets from before the round are kept. Only then are the blocks of files that have gone free for others, so
 * that none is overwritten that the disk still calls a file's. */
#include <string.h>

#include "cp/spool/table.h"
#include "cp/time/work.h"

enum {
    SECTORS_A_BLOCK = SPOOL_BLOCK / SPOOL_SECTOR,
    READ = 8 * SPOOL_BLOCK, /* bytes of the table at a time */
    SLOTS_A_READ = READ / (2 * SPOOL_SECTOR),
};

static struct {
    struct disk *disk;
    enum { NOT_THERE, LOADING, READY } state;
    const char *why_not;
    enum { RESTS, FLUSHES_DATA, WRITES, FLUSHES_TABLE, SETTLES } phase;
    bool under_way; /* the request */
    int status;     /* of the last one */
    unsigned slot;  /* being read or written */
    unsigned damaged;
    uint64_t round;                    /* the tickets up to this one are kept at its end */
    uint64_t kept;                     /* likewise of the last round */
    uint64_t failed_from, failed_to;   /* of the last rounds in a row that failed */
    bool failed;                       /* the round at hand */
} store;

uint64_t spool_news;
static void (*tell_news)(void);
static spool_arrival *tell_arrived;

static _Alignas(8) uint8_t buffer[READ];
static struct disk_segment segment = {buffer, READ};
static struct disk_request request;

static void go_on(struct work *);
static struct work work = {.step = go_on};

static void done(struct disk_request *r, int status)
{
    (void)r;
    store.under_way = false;
    store.status = status;
    work_begin(&work);
}

static void submit(enum disk_op op, uint64_t sector, uint32_t sectors)
{
    segment.bytes = sectors * SPOOL_SECTOR;
    request = (struct disk_request){.op = op, .sector = sector, .sectors = sectors, .done = done};
    if (op != DISK_FLUSH)
        request.segment = &segment, request.segments = 1;
    store.under_way = true;
    int refused = store.disk->submit(store.disk, &request);
    if (refused)
        done(&request, refused);
}

void spool_tell(void)
{
    spool_news++;
    tell_news();
}

/* ---- reading the table ------------------------------------------------------------------------------------------- */

static void read_slots(void) { submit(DISK_READ, store.slot * 2, SLOTS_A_READ * 2); }

/* As many as there is time for, at least one: what a made-up file claims may take long to compare with what others
 * have. */
static void take_slots(void)
{
    const struct spool_file *sectors = (const void *)buffer;
    do {
        unsigned at = store.slot % SLOTS_A_READ;
        store.damaged += store.status || !spool_table_take(store.slot, sectors + (size_t)at * 2);
        store.slot++;
    } while (store.slot % SLOTS_A_READ && !work_over());
    if (store.slot == SPOOL_FILES) {
        store.state = READY;
        spool_tell();
    } else if (store.slot % SLOTS_A_READ) {
        work_begin(&work);
    } else {
        read_slots();
    }
}

void spool_start(struct disk *disk, void (*on_news)(void), spool_arrival *arrived)
{
    uint64_t blocks = disk ? disk->sectors / SECTORS_A_BLOCK : 0;
    memset(&store, 0, sizeof store);
    tell_news = on_news;
    tell_arrived = arrived;
    store.disk = disk;
    store.why_not = !disk                        ? "the directory gives it no area of a volume"
                    : blocks <= SPOOL_FIRST_DATA ? "its area is too small"
                    : disk->read_only            ? "its volume is read-only"
                                                 : NULL;
    blocks -= store.why_not ? blocks : SPOOL_FIRST_DATA;
    spool_table_clear(blocks < SPOOL_DATA_MAX ? (uint32_t)blocks : SPOOL_DATA_MAX);
    if (store.why_not)
        return;
    store.state = LOADING;
    read_slots();
}

const char *spool_obstacle(void)
{
    return store.state == READY     ? NULL
           : store.state == LOADING ? "it is being read"
           : store.why_not          ? store.why_not
                                    : "there is no CP volume";
}

bool spool_starts(void) { return store.state != READY && !store.why_not; }
unsigned spool_damaged(void) { return store.damaged; }
struct disk *spool_disk(void) { return store.disk; }

/* ---- writing it -------------------------------------------------------------------------------------------------- */

static bool in_round(const struct spool_slot *s) { return s->dirty && s->born <= store.round; }

/* True: some slot of the round is fresh. `flushed`: and none is any more. */
static bool any_fresh(bool flushed)
{
    bool any = false;
    for (struct spool_slot *s = spool_slots; s < spool_slots + SPOOL_FILES; s++)
        if (in_round(s) && s->fresh) {
            any = true;
            s->fresh = !flushed;
        }
    return any;
}

/* For each change somebody may wait, also for one that the round under way has written though it came later. */
static bool any_behind(void) { return spool_last_ticket != store.kept; }

/* The next sector, or, behind the last, the flush. */
static void write_slot(void)
{
    store.phase = WRITES;
    while (store.slot < SPOOL_FILES && !in_round(&spool_slots[store.slot]))
        store.slot++;
    if (store.slot == SPOOL_FILES) {
        store.phase = FLUSHES_TABLE;
        submit(DISK_FLUSH, 0, 0);
        return;
    }
    struct spool_slot *s = &spool_slots[store.slot];
    s->file.sequence++;
    memcpy(buffer, &s->file, sizeof s->file);
    spool_file_seal((struct spool_file *)(void *)buffer);
    s->dirty = false;
    s->written = true;
    submit(DISK_WRITE, store.slot * 2 + !s->newest, 1);
}

static void begin_round(void)
{
    store.round = spool_last_ticket;
    store.slot = 0;
    store.failed = false;
    if (any_fresh(false)) {
        store.phase = FLUSHES_DATA;
        submit(DISK_FLUSH, 0, 0);
    } else {
        write_slot();
    }
}

static void settle(struct spool_slot *s)
{
    if (s->written && store.failed)
        s->dirty = true; /* again with the next change, and to the same sector */
    else if (s->written)
        s->newest = !s->newest;
    s->written = false;
    if (store.failed || s->dirty || s->born > store.round)
        return;
    if (s->state == SLOT_GOING) {
        spool_slot_free(s);
    } else if (s->arrives) {
        s->arrives = false;
        tell_arrived(&s->file, &s->journey);
    }
}

static void end_round(void)
{
    store.phase = SETTLES;
    for (; store.slot < SPOOL_FILES; store.slot++) {
        settle(&spool_slots[store.slot]);
        if (work_over()) {
            store.slot++;
            work_begin(&work);
            return;
        }
    }
    if (store.failed) {
        if (store.failed_to != store.kept)
            store.failed_from = store.kept + 1;
        store.failed_to = store.round;
    }
    store.kept = store.round;
    store.phase = RESTS;
    spool_tell();
    if (any_behind())
        begin_round();
}

/* A request came back. */
static void answered(void)
{
    store.failed |= store.status != 0;
    if (store.phase == WRITES && !store.failed) {
        store.slot++;
        write_slot();
    } else if (store.phase == FLUSHES_DATA && !store.failed) {
        any_fresh(true);
        write_slot();
    } else { /* the table is flushed; or something failed, and a table that tells of lost data is worse than none */
        store.slot = 0;
        end_round();
    }
}

static void go_on(struct work *w)
{
    (void)w;
    if (store.under_way)
        return;
    if (store.state == LOADING)
        take_slots();
    else if (store.phase == RESTS)
        begin_round();
    else if (store.phase == SETTLES)
        end_round();
    else
        answered();
}

void spool_store_wake(void)
{
    if (store.phase == RESTS)
        work_begin(&work);
}

enum spool_outcome spool_outcome(uint64_t ticket)
{
    if (!ticket)
        return SPOOL_DONE;
    if (ticket > store.kept)
        return SPOOL_PENDING;
    return ticket >= store.failed_from && ticket <= store.failed_to ? SPOOL_FAILED : SPOOL_DONE;
}

bool spool_idle(void) { return store.state != LOADING && store.phase == RESTS && !any_behind(); }
