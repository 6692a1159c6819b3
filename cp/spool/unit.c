/* Units of users, and what printers and punches do. In: records. Out: blocks of a file that is being made; at CLOSE a
 * file in somebody's queue. */
#include "cp/spool/unit.h"

#include <string.h>

#include "cp/time/work.h"

struct frame_account spool_account = {.rank = FRAME_USER};

enum { SECTORS_A_BLOCK = SPOOL_BLOCK / SPOOL_SECTOR };

/* As many as there may be files. */
static struct writer {
    char user[9]; /* "": it is free */
    enum spool_queue queue;
    struct spool_unit *unit; /* the user's; NULL: they have logged off since */
    struct spool_file *file;
    uint8_t *filling, *going; /* a block each; NULL: no frame yet */
    unsigned used, records;   /* of the block that is being filled */
    bool under_way, failed;   /* the other one; something that was on its way did not arrive */
    bool closing;
    char to[9], owner[9];
    bool purge;
    struct disk_request request;
    struct disk_segment segment;
    struct work work;
} writers[SPOOL_FILES];

/* NULL: there is none. "": a free one. */
static struct writer *writer_of(const char *user, enum spool_queue queue)
{
    for (struct writer *w = writers; w < writers + SPOOL_FILES; w++)
        if (!strcmp(w->user, user) && (!*user || w->queue == queue))
            return w;
    return NULL;
}

struct spool_user spool_host = {.id = SPOOL_HOST};

void spool_units_reset(struct spool_user *user, const char *id)
{
    memset(user->id, 0, sizeof user->id);
    memcpy(user->id, id, strnlen(id, sizeof user->id - 1));
    for (enum spool_queue q = 0; q < SPOOL_QUEUES; q++)
        user->unit[q] = (struct spool_unit){.class = q == SPOOL_RDR ? '*' : 'A', .copies = 1};
}

/* ---- blocks on their way ----------------------------------------------------------------------------------------- */

static void give_back(uint8_t **frame)
{
    if (*frame)
        frame_free(&spool_account, *frame);
    *frame = NULL;
}

static void finish(struct writer *w)
{
    struct spool_unit nobodys, *unit = w->unit ? w->unit : &nobodys;
    give_back(&w->filling);
    give_back(&w->going);
    unit->outcome = w->failed && !w->purge ? SPOOL_FAILED : SPOOL_DONE;
    if (w->failed || w->purge) {
        spool_abandon(w->file);
        spool_tell();
    } else {
        unit->ticket = spool_commit(w->file, *w->to ? w->to : w->owner, *w->to ? SPOOL_RDR : w->file->device);
        unit->spoolid = w->file->spoolid;
    }
    *w->user = 0;
}

static void done(struct disk_request *r, int status)
{
    struct writer *w = r->owner;
    w->under_way = false;
    w->failed |= status != 0;
    if (w->closing)
        work_begin(&w->work);
    spool_tell();
}

/* The block that is full, or the last one, goes; the other one is filled. @pre none is under way */
static void send(struct writer *w)
{
    uint8_t *block = w->filling;
    uint32_t index = w->file->blocks - 1u;
    struct disk *disk = spool_disk();
    w->filling = w->going;
    w->going = block;
    spool_block_seal(block, w->file->id, index, w->records, w->used);
    w->used = w->records = 0;
    w->segment = (struct disk_segment){block, SPOOL_BLOCK};
    uint64_t at = SPOOL_FIRST_DATA + (uint64_t)spool_file_block(w->file, index);
    w->request = (struct disk_request){.op = DISK_WRITE, .sector = at * SECTORS_A_BLOCK, .sectors = SECTORS_A_BLOCK,
                                       .segment = &w->segment, .segments = 1, .done = done, .owner = w};
    w->under_way = true;
    int refused = disk->submit(disk, &w->request);
    if (refused)
        done(&w->request, refused);
}

static void go_on_closing(struct work *work)
{
    struct writer *w = work->owner;
    if (w->under_way)
        return;
    if (w->used && !w->failed && !w->purge)
        send(w);
    else
        finish(w);
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static enum spool_io begin(struct spool_user *user, enum spool_queue queue, struct writer **made)
{
    struct writer *w = writer_of("", queue);
    struct spool_file *file = w ? spool_create(user->id) : NULL;
    if (!file)
        return SPOOL_NO_ROOM;
    *w = (struct writer){.queue = queue, .file = file, .work = {.step = go_on_closing, .owner = w}};
    w->filling = frame_alloc(&spool_account);
    w->going = frame_alloc(&spool_account);
    if (!w->filling || !w->going) {
        give_back(&w->filling);
        give_back(&w->going);
        spool_abandon(file);
        return SPOOL_BUSY;
    }
    file->device = (uint8_t)queue;
    w->unit = &user->unit[queue];
    memcpy(w->user, user->id, sizeof w->user);
    *made = w;
    return SPOOL_OK;
}

/* One record of `size` bytes with its length. */
static enum spool_io put(struct writer *w, const uint8_t *record, unsigned size)
{
    if (w->used + size > SPOOL_PAYLOAD) {
        if (w->under_way)
            return SPOOL_BUSY;
        send(w);
    }
    if (w->failed)
        return SPOOL_BROKEN;
    if (!w->used && !spool_extend(w->file))
        return SPOOL_NO_ROOM;
    memcpy(w->filling + sizeof(struct spool_block) + w->used, record, size);
    w->used += size;
    w->records++;
    w->file->records++;
    return SPOOL_OK;
}

enum spool_io spool_write(struct spool_user *user, enum spool_queue queue, const void *records, unsigned *bytes)
{
    struct writer *w = writer_of(user->id, queue);
    const uint8_t *at = records;
    unsigned given = *bytes, taken = 0, count = 0;
    enum spool_io io = !w ? begin(user, queue, &w) : w->closing ? SPOOL_BUSY : SPOOL_OK;
    *bytes = 0;
    while (io == SPOOL_OK && taken < given && count++ < SPOOL_AT_ONCE) {
        int length = spool_record_length(at + taken, given - taken);
        io = length < 0 ? SPOOL_LENGTH_BAD : put(w, at + taken, SPOOL_LENGTH + (unsigned)length);
        if (io == SPOOL_OK)
            taken += SPOOL_LENGTH + (unsigned)length;
    }
    *bytes = taken;
    return io;
}

/* ---- closing ----------------------------------------------------------------------------------------------------- */

static void copy_name(char to[9], const char *name)
{
    memset(to, 0, 9);
    memcpy(to, name, strnlen(name, 8));
}

bool spool_close(struct spool_user *user, enum spool_queue queue, const struct spool_close *how)
{
    struct writer *w = writer_of(user->id, queue);
    struct spool_unit *unit = &user->unit[queue];
    if (!w || w->closing)
        return false;
    struct spool_file *f = w->file;
    copy_name(w->to, *how->to ? how->to : unit->to);
    copy_name(f->name, how->name);
    copy_name(f->type, how->type);
    copy_name(w->owner, *unit->owner ? unit->owner : user->id);
    copy_name(f->dist, w->owner);
    memcpy(f->tag, unit->tag, sizeof f->tag);
    f->class = unit->class;
    f->copies = unit->copies;
    f->hold = how->hold < 0 ? unit->hold : (uint8_t)how->hold;
    f->keep = unit->keep;
    f->created = how->now;
    w->purge = how->purge;
    unit->ticket = 0;
    w->closing = true;
    work_begin(&w->work);
    return true;
}

enum spool_outcome spool_closed(const struct spool_user *user, enum spool_queue queue)
{
    const struct writer *w = writer_of(user->id, queue);
    const struct spool_unit *unit = &user->unit[queue];
    return w && w->closing ? SPOOL_PENDING : unit->ticket ? spool_outcome(unit->ticket) : unit->outcome;
}

void spool_units_close(struct spool_user *user)
{
    spool_reader_close(user);
    for (enum spool_queue q = SPOOL_PRT; q < SPOOL_QUEUES; q++) {
        spool_close(user, q, &(struct spool_close){.name = "", .type = "", .to = "", .hold = -1});
        struct writer *w = writer_of(user->id, q);
        if (w)
            w->unit = NULL;
    }
}

bool spool_units_idle(void)
{
    for (struct writer *w = writers; w < writers + SPOOL_FILES; w++)
        if (*w->user && (w->under_way || w->closing))
            return false;
    return true;
}
