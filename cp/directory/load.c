/* Loading the directory. In: the CP volume. Out: `directory`, and messages about what could not be used. */
#include "cp/directory/load.h"

#include <string.h>

#include "cp/directory/volume.h"

static struct directory_rows rows;
struct directory directory = DIRECTORY_IN(rows);

struct user_kept directory_kept[DIRECTORY_KEPT];
struct directory_source directory_source;
uint64_t directory_changes;

static _Alignas(4096) uint8_t head[VOLUME_HEAD_BYTES]; /* stays: the directory points into it */

static enum { IDLE, READING, ARRIVED, IN_FORCE } phase;
static int read_status;
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

static bool use_newest(const struct volume_facts *facts)
{
    struct directory_source *source = &directory_source;
    *source = (struct directory_source){.disk = volume, .blocks = facts->blocks, .sequence = facts->sequence[0],
                                        .next_slot = other_slot(facts->slot[0])};
    for (unsigned i = 0; i < 2 && facts->blob[i]; i++) {
        char slot[2] = {facts->slot[i], 0};
        if (!directory_parse(&directory, facts->blob[i], facts->bytes[i], VOLUME_FIRST_MINIDISK, facts->blocks, fault,
                             NULL)) {
            source->blob = facts->blob[i];
            source->bytes = facts->bytes[i];
            source->next_slot = other_slot(slot[0]);
            return true;
        }
        say(9030, slot, "its directory is refused");
    }
    return false;
}

static bool use_volume(void)
{
    struct volume_facts facts;
    const char *why = !disk_blocks  ? "there is no disk"
                      : read_status ? "its first blocks cannot be read"
                                    : volume_examine(head, disk_blocks, &facts);
    if (why) {
        say(9033, why, "");
        return false;
    }
    for (unsigned i = 0; i < 2; i++)
        if (facts.slot_fault[i] && (i == 0 || facts.sequence[0] > 1)) /* B is empty until the first replacement */
            say(9030, i ? "B" : "A", facts.slot_fault[i]);
    return use_newest(&facts);
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

void directory_begin(void)
{
    memset(directory_kept, 0, sizeof directory_kept);
    for (unsigned i = 0; i < directory.users; i++)
        directory.user[i].kept = &directory_kept[i];
}

bool directory_load_poll(void)
{
    if (phase != ARRIVED)
        return false;
    phase = IN_FORCE;
    if (!use_volume()) {
        directory_builtin(&directory);
        say(9032, "", "");
    }
    directory_begin();
    return true;
}
