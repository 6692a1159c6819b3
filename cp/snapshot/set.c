/* Sets. In: requests of a minidisk, and orders. Out: requests of the volume, one thing after another. */
#include "cp/snapshot/set.h"

#include <string.h>

#include "cp/storage/frame.h"

_Static_assert(sizeof(struct snapshot_set) <= PAGE_SIZE, "a set is a frame");

void (*snapshot_lost)(const char *owner, unsigned vdev, const struct snapshot *, bool failed);

static struct snapshot_set *sets;

/* ---- the latest answers ------------------------------------------------------------------------------------------ */

enum { ANSWERS = 16 };
static struct {
    uint64_t order;
    bool given;
    struct snapshot_answer answer;
} answers[ANSWERS];
static uint64_t orders;

const struct snapshot_answer *snapshot_answered(uint64_t order)
{
    static const struct snapshot_answer gone = {.result = SNAPSHOT_FAILED};
    unsigned i = order % ANSWERS;
    if (answers[i].order != order)
        return &gone;
    return answers[i].given ? &answers[i].answer : NULL;
}

/* A place nobody's order is under way for; NULL: there is none. */
static struct snapshot_answer *answer_take(uint64_t *order)
{
    for (unsigned tries = 0; tries < ANSWERS; tries++) {
        unsigned i = ++orders % ANSWERS;
        if (answers[i].order && !answers[i].given)
            continue;
        answers[i].order = *order = orders;
        answers[i].given = false;
        memset(&answers[i].answer, 0, sizeof answers[i].answer);
        return &answers[i].answer;
    }
    return NULL;
}

/* ---- where things are -------------------------------------------------------------------------------------------- */

static uint64_t volume_sector(uint32_t block) { return (uint64_t)block * SNAPSHOT_SECTORS; }

uint64_t snapshot_live_sector(const struct snapshot_set *s, uint32_t block)
{
    return volume_sector(s->disk.start + block);
}

uint64_t snapshot_slot_sector(const struct snapshot_set *s, uint32_t slot)
{
    return volume_sector(s->area.start + 1 + snapshot_map_blocks(s->area.blocks) + slot);
}

uint64_t snapshot_map_sector(const struct snapshot_set *s, uint32_t index)
{
    return volume_sector(s->area.start + 1) + index;
}

int snapshot_index(const struct snapshot_head *h, uint32_t number)
{
    for (unsigned i = 0; i < h->count; i++)
        if (h->snapshot[i].number == number)
            return (int)i;
    return -1;
}

bool snapshot_unkept(const struct snapshot_set *s, uint32_t block)
{
    return s->head.count && !snapshot_map_has(&s->map, block, snapshot_youngest(s));
}

/* ---- routines ---------------------------------------------------------------------------------------------------- */

static void done(struct disk_request *r, int status)
{
    struct snapshot_set *s = r->owner;
    s->under_way = false;
    s->status = status;
    work_begin(&s->work);
}

/* Copies come in their turn among users' requests. */
static struct disk_user turns;

static enum snapshot_next submit(struct snapshot_set *s)
{
    s->request.user = &turns;
    s->request.done = done;
    s->request.owner = s;
    s->under_way = true;
    int refused = s->volume->submit(s->volume, &s->request);
    if (refused)
        done(&s->request, refused);
    return NEXT_WAIT;
}

static bool frame_there(struct snapshot_set *s, unsigned i)
{
    return s->frame[i] || (s->frame[i] = frame_alloc(&frame_cp_account));
}

static enum snapshot_next no_storage(struct snapshot_set *s)
{
    s->request.owner = s;
    done(&s->request, -ENOMEM);
    return NEXT_WAIT;
}

enum snapshot_next snapshot_io(struct snapshot_set *s, enum disk_op op, uint64_t sector, uint32_t sectors,
                               unsigned first_frame)
{
    unsigned n = 0;
    for (uint32_t left = sectors * SNAPSHOT_SECTOR; left; n++) {
        uint32_t bytes = left < SNAPSHOT_BLOCK ? left : SNAPSHOT_BLOCK;
        if (!frame_there(s, first_frame + n))
            return no_storage(s);
        s->segment[n] = (struct disk_segment){s->frame[first_frame + n], bytes};
        left -= bytes;
    }
    s->request = (struct disk_request){
        .op = op, .sector = sector, .sectors = sectors, .segment = s->segment, .segments = n};
    return submit(s);
}

enum snapshot_next snapshot_flush(struct snapshot_set *s)
{
    s->request = (struct disk_request){.op = DISK_FLUSH};
    return submit(s);
}

enum snapshot_next snapshot_call(struct snapshot_set *s, snapshot_routine *routine)
{
    s->doing[s->depth].routine = routine;
    s->doing[s->depth++].phase = 0;
    s->status = 0;
    return NEXT_AGAIN;
}

enum snapshot_next snapshot_end(struct snapshot_set *s, int status)
{
    s->status = status;
    return NEXT_DONE;
}

void snapshot_finish(struct snapshot_set *s, int status)
{
    struct disk_request *r = s->first;
    s->first = r->next;
    if (!s->first)
        s->last = &s->first;
    disk_request_work(r);
    r->done(r, status);
}

/* ---- which is next ----------------------------------------------------------------------------------------------- */

static void close_frames(struct snapshot_set *s)
{
    for (unsigned i = 0; i < SNAPSHOT_BATCH; i++)
        if (s->frame[i])
            frame_free(&frame_cp_account, s->frame[i]);
}

static void forget(struct snapshot_set *s)
{
    struct snapshot_set **at = &sets;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    work_cancel(&s->work);
    close_frames(s);
    frame_free(&frame_cp_account, s);
}

/* Everybody has closed it. Who comes meanwhile has it read anew. */
static enum snapshot_next drop(struct snapshot_set *s, unsigned *phase)
{
    (void)phase;
    if (s->mapped && snapshot_map_drop(&s->map, &s->at))
        return NEXT_AGAIN;
    s->mapped = false;
    s->state = SET_UNREAD;
    s->draft = s->draft_of = 0;
    return snapshot_end(s, 0);
}

static void pass(struct snapshot_set *, struct disk_request *);

/* Requests that need no routine: all but writes that have to wait for a copy, and those of views. */
static bool passes(const struct snapshot_set *s, const struct disk_request *r)
{
    uint32_t first = (uint32_t)(r->sector / SNAPSHOT_SECTORS);
    if (r->turn != SNAPSHOT_LIVE || s->state == SET_UNREAD || s->state == SET_STUCK)
        return false;
    if (r->op != DISK_WRITE)
        return true;
    if (s->state == SET_DAMAGED)
        return !s->head.count; /* the head is not ours, and never will be */
    for (uint32_t b = first; s->head.count && b <= (r->sector + r->sectors - 1) / SNAPSHOT_SECTORS; b++)
        if (snapshot_unkept(s, b))
            return false;
    return true;
}

static void pass_first(struct snapshot_set *s)
{
    struct disk_request *r = s->first;
    s->first = r->next;
    if (!s->first)
        s->last = &s->first;
    pass(s, r);
}

static void order_done(struct snapshot_set *s)
{
    s->asked = false;
    *s->last = s->after;
    if (s->after)
        s->last = s->after_last;
    s->after = NULL;
    s->after_last = &s->after;
    answers[s->order_id % ANSWERS].given = true;
}

/* The next routine; NULL: there is nothing to do. */
static snapshot_routine *choose(struct snapshot_set *s)
{
    bool wanted = s->users || s->first || s->asked;
    if (s->state == SET_UNREAD && wanted)
        return snapshot_load;
    if (s->first)
        return s->first->turn ? snapshot_serve_view : snapshot_serve_write;
    if (s->asked)
        return s->writing                              ? NULL
               : s->state == SET_READY && !s->mapped ? snapshot_load_map
                                                      : snapshot_serve_order;
    return wanted || s->writing || s->state == SET_UNREAD ? NULL : drop;
}

/* One step. False: there is nothing to do till something comes. */
static bool step(struct snapshot_set *s)
{
    if (!s->depth) {
        if (s->first && passes(s, s->first)) {
            pass_first(s);
            return true;
        }
        snapshot_routine *next = choose(s);
        s->at = s->sector = 0;
        if (next)
            snapshot_call(s, next);
        return next != NULL;
    }
    unsigned top = s->depth - 1;
    snapshot_routine *routine = s->doing[top].routine;
    enum snapshot_next then = routine(s, &s->doing[top].phase);
    if (then == NEXT_DONE)
        s->depth = top;
    if (then == NEXT_DONE && routine == snapshot_serve_order)
        order_done(s);
    return then != NEXT_WAIT;
}

static void go_on(struct work *w)
{
    struct snapshot_set *s = w->owner;
    while (!s->under_way && step(s))
        if (work_over()) {
            work_begin(&s->work);
            return;
        }
    if (!s->under_way && !s->depth && !s->users && !s->first && !s->asked && !s->writing)
        forget(s);
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

static void written(struct disk_request *r)
{
    struct snapshot_set *s = r->hand;
    s->writing--;
    if (!s->writing && (s->asked || !s->users))
        work_begin(&s->work);
}

/* The volume has it from here on, in its own sectors. */
static int hand_on(struct snapshot_set *s, struct disk_request *r)
{
    bool write = r->op == DISK_WRITE;
    uint64_t sector = r->sector;
    r->hand = s;
    r->handed = write ? written : NULL;
    r->turn = 0;
    if (r->op != DISK_FLUSH)
        r->sector += volume_sector(s->disk.start);
    int refused = s->volume->submit(s->volume, r);
    if (!refused)
        s->writing += write;
    else
        r->sector = sector, r->handed = NULL;
    return refused;
}

static void pass(struct snapshot_set *s, struct disk_request *r)
{
    int refused = hand_on(s, r);
    if (refused)
        r->done(r, refused);
}

int snapshot_submit(struct snapshot_set *s, uint32_t view, struct disk_request *r)
{
    r->turn = view;
    r->handed = NULL;
    if (!s->depth && !s->first && !s->asked && passes(s, r))
        return hand_on(s, r);
    r->next = NULL;
    if (s->asked) {
        *s->after_last = r;
        s->after_last = &r->next;
    } else {
        *s->last = r;
        s->last = &r->next;
    }
    work_begin(&s->work);
    return 0;
}

uint64_t snapshot_ask(struct snapshot_set *s, const struct snapshot_order *order)
{
    if (s->asked || !(s->answer = answer_take(&s->order_id)))
        return 0;
    s->asked = true;
    s->order = *order;
    work_begin(&s->work);
    return s->order_id;
}

/* ---- who has it -------------------------------------------------------------------------------------------------- */

static unsigned *users_of(struct snapshot_set *s, uint32_t view)
{
    for (unsigned i = 0; i < SNAPSHOT_VIEWS; i++)
        if (s->view[i].users && s->view[i].view == view)
            return &s->view[i].users;
    for (unsigned i = 0; i < SNAPSHOT_VIEWS; i++)
        if (!s->view[i].users) {
            s->view[i].view = view;
            return &s->view[i].users;
        }
    return NULL;
}

bool snapshot_viewed(const struct snapshot_set *s, uint32_t view)
{
    for (unsigned i = 0; i < SNAPSHOT_VIEWS; i++)
        if (s->view[i].users && s->view[i].view == view)
            return true;
    return false;
}

static struct snapshot_set *make(struct disk *volume, const struct directory_disk *disk, const char *owner)
{
    struct snapshot_set *s = frame_alloc(&frame_cp_account);
    if (!s)
        return NULL;
    s->volume = volume;
    memcpy(s->owner, owner, strnlen(owner, sizeof s->owner - 1));
    s->vdev = disk->vdev;
    s->disk = (struct directory_range){disk->start, disk->blocks};
    s->area = disk->snapshots;
    s->map.slots = snapshot_slots(s->area.blocks);
    s->last = &s->first;
    s->after_last = &s->after;
    s->work = (struct work){.step = go_on, .owner = s};
    for (unsigned i = 0; i < SNAPSHOT_FRAMES_LEAST; i++)
        if (!frame_there(s, i)) {
            close_frames(s);
            frame_free(&frame_cp_account, s);
            return NULL;
        }
    s->next = sets;
    sets = s;
    return s;
}

static bool lies_within(const struct disk *volume, const struct directory_range *range)
{
    return range->blocks && volume_sector(range->start) + volume_sector(range->blocks) <= volume->sectors;
}

struct snapshot_set *snapshot_open(struct disk *volume, const struct directory_disk *disk, const char *owner,
                                   uint32_t view)
{
    struct snapshot_set *s = sets;
    while (s && (s->disk.start != disk->start || s->area.start != disk->snapshots.start))
        s = s->next;
    if (!s && (!lies_within(volume, &disk->snapshots) ||
               !lies_within(volume, &(struct directory_range){disk->start, disk->blocks}) ||
               !(s = make(volume, disk, owner))))
        return NULL;
    unsigned *users = users_of(s, view);
    if (!users)
        return NULL;
    ++*users;
    s->users++;
    work_begin(&s->work);
    return s;
}

void snapshot_close(struct snapshot_set *s, uint32_t view)
{
    --*users_of(s, view);
    s->users--;
    work_begin(&s->work);
}

bool snapshot_idle(void) { return !sets; }
