/* Looking things up in the directory, and the directory of last resort. */
#include "cp/directory/directory.h"

#include <string.h>

static const char *const mode_names[LINK_MODES] = {"R", "RR", "W", "WR", "M", "MR", "MW"};

const char *const directory_area_names[AREAS] = {[AREA_SPOOL] = "spool", [AREA_AUDIT] = "audit", [AREA_NSS] = "nss"};

bool link_mode_parse(const char *text, size_t length, enum link_mode *mode)
{
    for (unsigned i = 0; i < LINK_MODES; i++) {
        if (strlen(mode_names[i]) == length && !memcmp(mode_names[i], text, length)) {
            *mode = i;
            return true;
        }
    }
    return false;
}

bool directory_name_valid(const char *name, size_t length) { return userid_is(name, length); }

const struct user *directory_find(const struct directory *d, const char *id)
{
    for (unsigned i = 0; i < d->users; i++)
        if (!strcmp(d->user[i].id, id))
            return &d->user[i];
    return NULL;
}

const struct directory_disk *directory_find_disk(const struct directory *d, const struct user *owner, unsigned vdev)
{
    for (unsigned i = 0; i < d->disks; i++)
        if (&d->user[d->disk[i].user] == owner && d->disk[i].vdev == vdev)
            return &d->disk[i];
    return NULL;
}

static bool is_listed(const char *at, unsigned bytes, const char *id)
{
    for (const char *end = at + bytes; at < end; at += strlen(at) + 1)
        if (!strcmp(at, id) || !strcmp(at, "ANY"))
            return true;
    return false;
}

bool directory_may_autolog(const struct user *target, const char *by)
{
    return is_listed(target->xautolog, target->xautolog_bytes, by);
}

bool directory_may_ipl(const struct user *user, const char *system)
{
    return user->namesave && is_listed(user->namesave, user->namesave_bytes, system);
}

bool directory_may_send(const struct user *from, const struct user *to)
{
    bool same = to->group && from->group && !strcmp(to->group, from->group), open = !to->group && !to->spool_from;
    return from == to || same || open || (to->spool_from && is_listed(to->spool_from, to->spool_from_bytes, from->id));
}

void directory_machine(struct user *user)
{
    struct machine_config *machine = &user->machine;
    machine->userid = user->id;
    machine->frame_limit = machine_config_frames(machine->storage_maximum);
    machine->rank = user->classes & CLASS('A') ? FRAME_OPERATOR : FRAME_USER;
}

void directory_take(struct user *user, const struct user *row)
{
    memset(user, 0, sizeof *user);
    memcpy(user->id, row->id, sizeof user->id);
    user->kept = row->kept;
    user->classes = row->classes;
    user->machine = row->machine;
    user->idle = row->idle;
    user->machine.userid = user->id;
}

void directory_clear(struct directory *d)
{
    d->users = d->disks = d->links = 0;
    memset(d->area, 0, sizeof d->area);
    memset(d->volid, 0, sizeof d->volid);
}

void directory_builtin(struct directory *d)
{
    directory_clear(d);
    d->users = 1;
    d->user[0] = (struct user){
        .id = "OPERATOR",
        .password = "$6$rounds=1000$vmn.operator$HWc4um251Re545SxvnhU5kIsfS6Oiv4YGcVlEl7H/ckkN98.hpZT/4uoWAX0"
                    "ttXTGATf3Zp8wg6n7lIqsbjTs1",
        .classes = CLASS('A') | CLASS('B') | CLASS('C') | CLASS('E') | CLASS('G'),
        .ipl = "CMS",
        .parm = "",
        .machine = {.storage_bytes = 32 << 20, .storage_maximum = 64 << 20, .uarts = MACHINE_UARTS,
                    .nesting = NEST_MEMORY},
        .xautolog = "",
    };
    directory_machine(&d->user[0]);
    memcpy(d->volid, "NOVOL", 6);
}
