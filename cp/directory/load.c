/* Loading the directory. In: the CP volume. Out: `directory`, and messages about what could not be used. */
#include "cp/directory/load.h"

#include <string.h>

#include "cp/directory/reader.h"
#include "cp/directory/rows.h"
#include "cp/directory/volume.h"

static struct directory_rows rows;
struct directory directory = DIRECTORY_IN(rows);

struct directory_source directory_source;
uint64_t directory_changes;

static _Alignas(4096) uint8_t head[VOLUME_HEAD_BYTES]; /* stays: the directory points into it */

static enum { IDLE, READING, ARRIVED, JUDGING, BEGINNING, IN_FORCE } phase;
static int read_status;
static struct volume_facts facts;
static struct directory_reader reader;
static unsigned judged; /* of the volume's directories */
static unsigned begun;  /* users of whom is kept what is to be */
static struct disk *volume;
static uint64_t disk_blocks;
static directory_tell_message *tell;
static void *tell_context;
static void (*want_poll)(void);

static void arrived(struct disk_request *request, int status)
{
    (void)request;
    read_status = status;
    phase = ARRIVED;
    want_poll();
}

static void say(unsigned number, const char *a, const char *b) { tell(tell_context, number, a, b); }

static void fault(void *context, const char *path, const char *reason)
{
    (void)context;
    say(9031, path, reason);
}

static uint32_t other_slot(char slot) { return slot == 'A' ? VOLUME_SLOT_B : VOLUME_SLOT_A; }

static void use_builtin(void)
{
    directory_builtin(&directory);
    say(9032, "", "");
    phase = BEGINNING;
}

/* The newest that has not been judged. */
static void judge_next(void)
{
    if (judged == 2 || !facts.blob[judged]) {
        use_builtin();
        return;
    }
    directory_read_begin(&reader, &directory, facts.blob[judged], facts.bytes[judged], VOLUME_FIRST_MINIDISK,
                         facts.blocks, fault, NULL);
    phase = JUDGING;
}

static void end_judging(void)
{
    char slot[2] = {facts.slot[judged], 0};
    struct directory_source *source = &directory_source;
    if (reader.faults) {
        say(9030, slot, "its directory is refused");
        judged++;
        judge_next();
        return;
    }
    source->blob = facts.blob[judged];
    source->bytes = facts.bytes[judged];
    source->next_slot = other_slot(slot[0]);
    phase = BEGINNING;
}

static void use_volume(void)
{
    const char *why = !disk_blocks  ? "there is no disk"
                      : read_status ? "its first blocks cannot be read"
                                    : volume_examine(head, disk_blocks, &facts);
    if (why) {
        say(9033, why, "");
        use_builtin();
        return;
    }
    for (unsigned i = 0; i < 2; i++)
        if (facts.slot_fault[i] && (i == 0 || facts.sequence[0] > 1)) /* B is empty until the first replacement */
            say(9030, i ? "B" : "A", facts.slot_fault[i]);
    directory_source = (struct directory_source){.disk = volume, .blocks = facts.blocks, .sequence = facts.sequence[0],
                                                 .next_slot = other_slot(facts.slot[0])};
    judge_next();
}

void directory_load(struct disk *disk, directory_tell_message *tell_message, void *context, void (*poll)(void))
{
    static struct disk_segment segment = {head, sizeof head};
    static struct disk_request request = {.op = DISK_READ,
                                          .sectors = VOLUME_HEAD_BYTES / DISK_SECTOR_BYTES,
                                          .segment = &segment,
                                          .segments = 1,
                                          .done = arrived};
    tell = tell_message;
    tell_context = context;
    want_poll = poll;
    volume = disk;
    directory_source = (struct directory_source){0};
    judged = begun = 0;
    phase = ARRIVED;
    read_status = -1;
    want_poll();
    disk_blocks = disk ? disk->sectors / (VOLUME_BLOCK / DISK_SECTOR_BYTES) : 0;
    if (disk_blocks < VOLUME_FIRST_MINIDISK)
        return;
    request.sector = 0;
    phase = READING;
    if (disk->submit(disk, &request))
        phase = ARRIVED;
}

static bool keep_on(bool (*over)(void))
{
    while (begun < directory.users) {
        struct user_kept *kept = kept_row(begun);
        memset(kept, 0, sizeof *kept);
        directory_user(&directory, begun++)->kept = kept;
        if (over && over())
            break;
    }
    return begun == directory.users;
}

void directory_begin(void)
{
    begun = 0;
    keep_on(NULL);
}

bool directory_load_poll(bool (*over)(void))
{
    if (phase == ARRIVED)
        use_volume();
    else if (phase == JUDGING && directory_read_on(&reader, over))
        end_judging();
    else if (phase == BEGINNING && keep_on(over))
        phase = IN_FORCE;
    else if (phase != JUDGING && phase != BEGINNING)
        return false;
    if (phase != IN_FORCE)
        want_poll();
    return phase == IN_FORCE;
}
