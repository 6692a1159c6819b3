/* A set from within: its requests, and the routines that serve them.
 *
 * A set does one thing at a time. What it does is a routine: a function that is called again and again, with the phase
 * it is in, until it is DONE; in between it asks for a transfer, whose status it then finds, or calls another routine.
 * So a write that has to wait for a copy is served in its turn, and one that has not goes straight on if nothing is
 * being done. */
#pragma once
#include "cp/snapshot/map.h"
#include "cp/snapshot/snapshot.h"
#include "cp/time/work.h"

enum { SNAPSHOT_BATCH = 16, SNAPSHOT_FRAMES_LEAST = 2, SNAPSHOT_DEPTH = 6, SNAPSHOT_VIEWS = SNAPSHOTS + 3 };

enum snapshot_next { NEXT_DONE, NEXT_AGAIN, NEXT_WAIT };
typedef enum snapshot_next snapshot_routine(struct snapshot_set *, unsigned *phase);

struct snapshot_set {
    struct snapshot_set *next;
    struct disk *volume;
    char owner[DIRECTORY_NAME + 1];
    uint16_t vdev;
    struct directory_range disk, area;
    unsigned users; /* who has it open, live or a view */
    struct {
        uint32_t view;
        unsigned users;
    } view[SNAPSHOT_VIEWS];

    /* UNREAD: nothing is known yet. DAMAGED: the area cannot be believed, and has not been disowned: the next write
     * does. STUCK: the minidisk is between two states, and whoever wants it is told that it fails. */
    enum { SET_UNREAD, SET_READY, SET_DAMAGED, SET_STUCK } state;
    const char *why; /* DAMAGED, STUCK */
    struct snapshot_head head;
    struct snapshot_map map;
    uint32_t draft, draft_of; /* keeper of the draft's copies and the snapshot it is of; 0: there is none */

    struct disk_request *first, **last; /* they wait, those that came later in `after` */
    struct disk_request *after, **after_last;
    unsigned writing; /* the minidisk's writes that the volume has */

    bool mapped; /* there is a map, or a part of it; none is needed where there is no snapshot */
    bool asked;
    uint64_t order_id;
    struct snapshot_order order;
    struct snapshot_answer *answer;

    struct work work;
    unsigned depth;
    struct {
        snapshot_routine *routine;
        unsigned phase;
    } doing[SNAPSHOT_DEPTH];
    int status; /* of the last transfer, or routine */
    bool under_way;
    struct disk_request request;
    struct disk_segment segment[SNAPSHOT_BATCH];
    void *frame[SNAPSHOT_BATCH]; /* the first SNAPSHOT_FRAMES_LEAST are there, the others when they are wanted */

    /* of the routines */
    uint32_t at, sweep, sweep_to; /* where they are; which serves, and what it falls to */
    unsigned batch, moved, gathered;
    uint32_t block[SNAPSHOT_BATCH], slot[SNAPSHOT_BATCH];
    uint64_t from[SNAPSHOT_BATCH], to[SNAPSHOT_BATCH]; /* sectors of the volume */
    uint32_t sector;                                   /* of the request at hand: how many are done with */
    uint32_t target;
    struct snapshot_head before;
};

/* ---- for routines (set.c) ----------------------------------------------------------------------------------------
 * */

/* A transfer of the first bytes of the set's frames; routines return what it returns. */
enum snapshot_next snapshot_io(struct snapshot_set *, enum disk_op, uint64_t sector, uint32_t sectors,
                               unsigned first_frame);
enum snapshot_next snapshot_flush(struct snapshot_set *);
enum snapshot_next snapshot_call(struct snapshot_set *, snapshot_routine *);
enum snapshot_next snapshot_end(struct snapshot_set *, int status); /* DONE */
/* The first request is done with. */
void snapshot_finish(struct snapshot_set *, int status);

uint64_t snapshot_live_sector(const struct snapshot_set *, uint32_t block);
uint64_t snapshot_slot_sector(const struct snapshot_set *, uint32_t slot);
uint64_t snapshot_map_sector(const struct snapshot_set *, uint32_t index);

static inline uint32_t snapshot_youngest(const struct snapshot_set *s)
{
    return s->head.count ? s->head.snapshot[s->head.count - 1].number : 0;
}
/* Index of the snapshot; -1: there is none. */
int snapshot_index(const struct snapshot_head *, uint32_t number);
bool snapshot_viewed(const struct snapshot_set *, uint32_t view);
/* Whether the block has to be copied before it is written. */
bool snapshot_unkept(const struct snapshot_set *, uint32_t block);

/* ---- routines ----------------------------------------------------------------------------------------------------
 * */

snapshot_routine snapshot_load;  /* the area; the state is another then */
snapshot_routine snapshot_load_map; /* what it left out: likewise */
snapshot_routine snapshot_put_head; /* the head to the medium */
snapshot_routine snapshot_move;  /* the batch's blocks of `from` to `to` */
snapshot_routine snapshot_keep;  /* the batch's blocks of the minidisk, for the youngest. @pre there is room */
snapshot_routine snapshot_put_map; /* the map's sectors of the batch's slots */
snapshot_routine snapshot_fall;  /* what serves `sweep` serves `sweep_to`, or is free; all are free if `sweep` is 0 */
snapshot_routine snapshot_fresh; /* the map without copies, in storage */
snapshot_routine snapshot_restore; /* the minidisk becomes head.restore, with head.draft; as often as it is called */
snapshot_routine snapshot_give_up; /* what gives way; -ENOSPC: there is nothing */
snapshot_routine snapshot_disown; /* all that the area holds */
snapshot_routine snapshot_serve_write, snapshot_serve_view; /* the first request */
snapshot_routine snapshot_serve_order;
