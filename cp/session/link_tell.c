/* In: a link that was refused or is less than was asked for. Out: who is in the way. */
#include "cp/session/link_tell.h"

#include "cp/directory/load.h"
#include "cp/minidisk/link.h"
#include "cp/session/response.h"
#include "lib/format.h"

static void count_text(char out[24], unsigned count, const char *one)
{
    if (count == 1)
        format_text(out, 24, "%s", one);
    else
        format_text(out, 24, "%u users", count);
}

unsigned link_tell_forced(struct response *r, const struct directory_disk *disk, const struct user *user, unsigned vdev)
{
    struct link_others others = link_others(disk, user);
    char number[5], who[24];
    format_text(number, sizeof number, "%04X", vdev);
    count_text(who, others.writers ? others.writers : others.readers, others.writers ? others.writer : others.reader);
    return response_error(r, "LNM", others.writers ? 101 : 102, number, who);
}

unsigned link_tell_refused(struct response *r, const struct directory_disk *disk)
{
    struct link_others others = link_others(disk, NULL);
    char number[5], who[24];
    format_text(number, sizeof number, "%04X", disk->vdev);
    count_text(who, others.writers ? others.writers : others.readers, others.writers ? others.writer : others.reader);
    const char *owner = directory_user(&directory, disk->user)->id;
    return response_error(r, "LNM", others.writers ? 104 : 103, owner, number, who);
}
