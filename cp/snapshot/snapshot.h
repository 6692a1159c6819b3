/* Snapshots: what a minidisk was at some moment, kept on an area of the volume at the cost of what changed since.
 *
 * Whoever has the minidisk, under whatever number, hands its requests to its set. Before a block is written over for
 * the first time since a snapshot was taken, the set copies it into the area and has the map tell of it, and only
 * then lets the write go on; a power cut between any two writes loses nothing. What a snapshot holds can be read as a
 * disk, and the minidisk made again what it was, which is wholly so or not at all. Between the two there is the
 * draft: a snapshot that may be written, and is what the minidisk then becomes.
 *
 * Where the area is full the write goes on all the same: the draft gives way, then the oldest snapshot. */
#pragma once
#include "cp/device/disk.h"
#include "cp/directory/directory.h"
#include "cp/snapshot/format.h"

struct snapshot_set;

/* The set of a minidisk that has an area; whose it is, is for news. It is read from the volume behind the first that
 * comes, and goes when everybody has closed it. `view` is SNAPSHOT_LIVE, or what an answer named. NULL: there is no
 * storage, or the area does not lie in the volume. */
enum { SNAPSHOT_LIVE = 0 };
#define SNAPSHOT_ASKED UINT32_MAX /* of whoever only asks: no view */
struct snapshot_set *snapshot_open(struct disk *volume, const struct directory_disk *, const char *owner,
                                   uint32_t view);
void snapshot_close(struct snapshot_set *, uint32_t view);

/* A request in the minidisk's sectors, which disk_request_check has found sound, in the terms of struct disk. */
int snapshot_submit(struct snapshot_set *, uint32_t view, struct disk_request *);

/* ---- what users ask for ------------------------------------------------------------------------------------------
 * */

enum snapshot_deed {
    SNAPSHOT_LIST,
    SNAPSHOT_TAKE,
    SNAPSHOT_DELETE,
    SNAPSHOT_CLEAR,   /* all of them; of a damaged area, too */
    SNAPSHOT_LOOK,    /* its view is to be linked */
    SNAPSHOT_EDIT,    /* likewise that of a new draft of it */
    SNAPSHOT_RESTORE, /* the minidisk becomes it */
    SNAPSHOT_ADOPT,   /* the minidisk becomes the draft */
};

struct snapshot_order {
    enum snapshot_deed deed;
    /* Which: the one of the number, or else of the name, or else the last of those taken from..to (Unix seconds). */
    uint32_t number;
    char name[SNAPSHOT_NAME + 1]; /* of TAKE: of the new one, or "" */
    uint64_t from, to;
    uint64_t now;
};

enum snapshot_result {
    SNAPSHOT_OK,
    SNAPSHOT_NONE,      /* there is no such snapshot, or no draft */
    SNAPSHOT_NAMED,     /* there is one of that name */
    SNAPSHOT_TOO_MANY,
    SNAPSHOT_FULL,      /* the area; nothing has changed */
    SNAPSHOT_IN_USE,    /* somebody has the minidisk (RESTORE, ADOPT), the snapshot, or the draft */
    SNAPSHOT_READ_ONLY, /* the volume */
    SNAPSHOT_DAMAGED,   /* what the area holds */
    SNAPSHOT_FAILED,    /* the medium did */
};

/* How it ended, and what there is then. */
struct snapshot_answer {
    enum snapshot_result result;
    uint32_t view;   /* LOOK, EDIT: to be opened; else number of what was taken, deleted or restored */
    const char *why; /* DAMAGED */
    struct snapshot_head head;
    uint32_t cost[SNAPSHOTS]; /* copies that go with each snapshot, if it is deleted and has none before it */
    uint32_t draft_cost, slots, unused;
};

/* What it is to be known by; 0: another order is under way, ask again. The set may be closed meanwhile. */
uint64_t snapshot_ask(struct snapshot_set *, const struct snapshot_order *);
/* NULL: not yet. The answer is there till sixteen others have been given; then, as of an order that never was, it is
 * FAILED. */
const struct snapshot_answer *snapshot_answered(uint64_t order);

/* Told of a snapshot that was given up for lack of room, or since the medium failed; NULL: nobody is. */
extern void (*snapshot_lost)(const char *owner, unsigned vdev, const struct snapshot *, bool failed);

bool snapshot_idle(void); /* no set is there: nobody has one, and nothing is under way */
