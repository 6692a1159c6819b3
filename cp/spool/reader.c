/* Readers. In: files of a user's reader queue, a block at a time. Out: their records, and the next block is on its way
 * while those of one are taken. */
#include <string.h>

#include "cp/spool/unit.h"

enum { SECTORS_A_BLOCK = SPOOL_BLOCK / SPOOL_SECTOR };

/* As many as there may be files. */
static struct reader {
    char user[9]; /* "": it is free */
    struct spool_file *file;
    uint8_t *block;
    uint32_t index;          /* of the block */
    unsigned at;             /* how far its records are taken */
    enum { EMPTY, COMING, CAME, GOOD, BAD } state;
    bool abandoned; /* closed while a block was coming */
    bool looks;     /* at a file that is held for nobody: it may have become another one, */
    uint64_t id;    /* which has not this */
    struct disk_request request;
    struct disk_segment segment;
} readers[SPOOL_FILES];

/* NULL: there is none. "": a free one. */
static struct reader *reader_of(const char *user)
{
    for (struct reader *r = readers; r < readers + SPOOL_FILES; r++)
        if (!strcmp(r->user, user))
            return r;
    return NULL;
}

static void forget(struct reader *r)
{
    frame_free(&spool_account, r->block);
    *r->user = 0;
}

static void done(struct disk_request *request, int status)
{
    struct reader *r = request->owner;
    r->state = status ? BAD : CAME;
    if (r->abandoned)
        forget(r);
    spool_tell();
}

/* The next block, if there is one. */
static void fetch(struct reader *r)
{
    struct disk *disk = spool_disk();
    r->at = 0;
    r->state = EMPTY;
    if (r->index == r->file->blocks)
        return;
    r->segment = (struct disk_segment){r->block, SPOOL_BLOCK};
    uint64_t at = SPOOL_FIRST_DATA + (uint64_t)spool_file_block(r->file, r->index);
    r->request = (struct disk_request){.op = DISK_READ, .sector = at * SECTORS_A_BLOCK, .sectors = SECTORS_A_BLOCK,
                                       .segment = &r->segment, .segments = 1, .done = done, .owner = r};
    r->state = COMING;
    if (disk->submit(disk, &r->request))
        r->state = BAD;
}

struct spool_file *spool_reader_close(const struct spool_user *user)
{
    struct reader *r = reader_of(user->id);
    if (!r || r->abandoned)
        return NULL;
    struct spool_file *f = r->file;
    if (!r->looks)
        spool_use(f, false);
    if (r->state == COMING)
        r->abandoned = true;
    else
        forget(r);
    return f;
}

/* The first that is not held, of the class the reader reads. */
static struct spool_file *find_first(const struct spool_user *user)
{
    char class = user->unit[SPOOL_RDR].class;
    struct spool_file *f = spool_next(user->id, NULL, SPOOL_RDR, INT64_MIN);
    while (f && (f->hold || (class != '*' && class != f->class)))
        f = spool_next(user->id, NULL, SPOOL_RDR, f->order);
    return f;
}

static enum spool_io open(const struct spool_user *user, struct reader **made, unsigned spoolid)
{
    struct spool_file *f = spoolid ? spool_find(user->id, spoolid) : find_first(user);
    struct reader *r = reader_of("");
    if (!f || f->queue != SPOOL_RDR)
        return SPOOL_NONE;
    uint8_t *block = r ? frame_alloc(&spool_account) : NULL;
    if (!block)
        return SPOOL_BUSY;
    spool_use(f, true);
    *r = (struct reader){.file = f, .block = block};
    memcpy(r->user, user->id, sizeof r->user);
    fetch(r);
    *made = r;
    return SPOOL_OK;
}

enum spool_io spool_look(const struct spool_user *user, struct spool_file *f)
{
    if (reader_of(user->id))
        spool_reader_close(user);
    if (reader_of(user->id))
        return SPOOL_BUSY;
    struct reader *r = reader_of("");
    uint8_t *block = r ? frame_alloc(&spool_account) : NULL;
    if (!block)
        return SPOOL_BUSY;
    *r = (struct reader){.file = f, .block = block, .looks = true, .id = f->id};
    memcpy(r->user, user->id, sizeof r->user);
    fetch(r);
    return SPOOL_OK;
}

/* Whole records, as many as there is room for. */
static unsigned take(struct reader *r, uint8_t *to, unsigned room)
{
    const struct spool_block *block = (const void *)r->block;
    const uint8_t *records = (const uint8_t *)(block + 1);
    unsigned taken = 0;
    for (unsigned count = 0; r->at < block->bytes && count < SPOOL_AT_ONCE; count++) {
        unsigned size = SPOOL_LENGTH + (unsigned)spool_record_length(records + r->at, block->bytes - r->at);
        if (taken + size > room)
            break;
        memcpy(to + taken, records + r->at, size);
        taken += size;
        r->at += size;
    }
    return taken;
}

static enum spool_io read_block(struct reader *r, struct spool_reading *reading, void *to)
{
    unsigned room = reading->bytes;
    if (r->state == CAME)
        r->state = spool_block_good(r->block, r->file->id, r->index) ? GOOD : BAD;
    if (r->state == COMING || r->state == BAD) {
        reading->bytes = 0;
        return r->state == BAD ? SPOOL_BROKEN : SPOOL_BUSY;
    }
    reading->bytes = r->state == GOOD ? take(r, to, room) : 0;
    if (r->state == GOOD && r->at < ((const struct spool_block *)(const void *)r->block)->bytes && !reading->bytes)
        return SPOOL_LENGTH_BAD;
    if (r->state == GOOD && r->at == ((const struct spool_block *)(const void *)r->block)->bytes) {
        r->index++;
        fetch(r);
    }
    reading->end = r->state == EMPTY;
    return SPOOL_OK;
}

enum spool_io spool_read(const struct spool_user *user, struct spool_reading *reading, void *to)
{
    struct reader *r = reader_of(user->id);
    enum spool_io io = SPOOL_OK;
    reading->end = false;
    if (r && !r->abandoned && reading->spoolid && reading->spoolid != r->file->spoolid) {
        spool_reader_close(user);
        r = reader_of(user->id);
    }
    if (!r)
        io = open(user, &r, reading->spoolid);
    else if (r->abandoned)
        io = SPOOL_BUSY;
    else if (r->looks && (r->file->id != r->id || spool_find(r->file->owner, r->file->spoolid) != r->file))
        io = SPOOL_NONE;
    if (io != SPOOL_OK) {
        reading->bytes = 0;
        return io;
    }
    reading->spoolid = r->file->spoolid;
    return read_block(r, reading, to);
}
