/* In: a snapshot that is no more. Out: a message for whose it was. */
#include "cp/session/snapshot_tell.h"

#include "cp/session/record.h"
#include "cp/session/response.h"
#include "cp/session/session.h"
#include "cp/session/turn.h"
#include "cp/snapshot/snapshot.h"
#include "lib/format.h"

/* A screen that is nearly full is left to what its owner is shown: SNAPSHOT LIST tells too. */
enum { BEHIND = 1024 };

void snapshot_tell_lost(const char *owner, unsigned vdev, const struct snapshot *snapshot, bool failed)
{
    struct session *s = session_find(owner);
    char disk[5], number[12];
    if (!s || ring_used(&s->output.ring) >= BEHIND)
        return;
    format_text(disk, sizeof disk, "%04X", vdev);
    format_text(number, sizeof number, "%u", (unsigned)snapshot->number);
    record_vain(s, "SNAPSHOT %s OF %s LOST", number, disk);
    response_error(&(struct response){.session = s}, "SNP", 9114, disk, number,
                   failed ? "and all others: the area failed" : "as its area is full");
    turn_wanted = true;
}
