/* Looking things up in the directory, and the directory of last resort. */
#include "cp/directory/directory.h"

#include <string.h>

#include "cp/network/table.h"

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

/* ---- rows of users, and their names ------------------------------------------------------------------------------ */

_Static_assert(DIRECTORY_NAME == sizeof(uint64_t), "a name is a number");
_Static_assert(DIRECTORY_USERS < UINT16_MAX, "of a row, and 1");

/* Zeros behind its end. 0: it is no user's. */
static uint64_t number_of(const char *id)
{
    uint64_t number = 0;
    size_t length = strnlen(id, DIRECTORY_NAME + 1);
    if (length <= DIRECTORY_NAME)
        memcpy(&number, id, length);
    return number;
}

/* Names may have been chosen to have the same. Each of those has an entry in the blob, so there are some thousand. */
static uint16_t *hash_of(const struct directory *d, uint64_t name)
{
    return &d->rows->named[(name * 0x9E3779B97F4A7C15) >> 52];
}

static uint64_t name_of(const struct user *user)
{
    uint64_t number;
    memcpy(&number, user->id, sizeof number);
    return number;
}

struct user *directory_add(struct directory *d)
{
    if (d->users == DIRECTORY_USERS)
        return NULL;
    struct user **block = &d->rows->block[d->users / DIRECTORY_BLOCK];
    if (!*block && !(*block = directory_block()))
        return NULL;
    struct user *user = directory_user(d, d->users++);
    memset(user, 0, sizeof *user);
    return user;
}

const struct user *directory_find(const struct directory *d, const char *id)
{
    const struct user *found = NULL;
    uint64_t name = number_of(id);
    for (unsigned row = name ? *hash_of(d, name) : 0; row;) {
        const struct user *user = directory_user(d, row - 1);
        found = name_of(user) == name ? user : found;
        row = user->same_hash;
    }
    return found;
}

static void enter_verifier(struct directory *d, unsigned index)
{
    struct user *user = directory_user(d, index);
    bool its = directory_has_verifier(user);
    user->stand_in = its ? (uint16_t)(index + 1) : index ? directory_user(d, index - 1)->stand_in : 0;
    if (its && !d->secret)
        d->secret = user->password;
}

bool directory_enter(struct directory *d, unsigned index)
{
    struct user *user = directory_user(d, index);
    uint64_t name = number_of(user->id);
    memcpy(user->id, &name, sizeof name); /* zeros behind its end, wherever it was copied from */
    enter_verifier(d, index);
    if (directory_find(d, user->id))
        return false;
    uint16_t *first = hash_of(d, name);
    user->same_hash = *first;
    *first = (uint16_t)(index + 1);
    return true;
}

bool directory_has_verifier(const struct user *user)
{
    return user->password && strcmp(user->password, "NOLOG") != 0;
}

const char *directory_verifier_for(const struct directory *d, uint32_t number)
{
    unsigned row = d->users ? directory_user(d, number % d->users)->stand_in : 0;
    return row ? directory_user(d, row - 1)->password : d->secret;
}

/* ---- of one user ------------------------------------------------------------------------------------------------- */

const struct directory_disk *directory_find_disk(const struct directory *d, const struct user *owner, unsigned vdev)
{
    const struct directory_disk *disk = d->disk + owner->disk;
    for (unsigned i = 0; i < owner->disks; i++)
        if (disk[i].vdev == vdev)
            return &disk[i];
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

const struct directory_lan *directory_find_lan(const struct directory *d, const char *name)
{
    for (unsigned i = 0; i < d->lans; i++)
        if (!strcmp(d->lan[i].name, name))
            return &d->lan[i];
    return NULL;
}

bool directory_lan_name(const char *text, char owner[DIRECTORY_NAME + 1], char name[DIRECTORY_NAME + 1])
{
    size_t first = strcspn(text, " "), second = text[first] ? strlen(text + first + 1) : 0;
    if (!directory_name_valid(text, first) || !second || !directory_name_valid(text + first + 1, second))
        return false;
    memcpy(owner, text, first);
    owner[first] = 0;
    memcpy(name, text + first + 1, second + 1);
    return true;
}

bool directory_may_couple(const struct user *user, unsigned nic, const char *owner, const char *name)
{
    if (nic >= user->machine.nics)
        return false;
    const char *at = user->nic_lans[nic], *end = at + user->nic_lans_bytes[nic];
    char its_owner[DIRECTORY_NAME + 1], its_name[DIRECTORY_NAME + 1];
    for (; at < end; at += strlen(at) + 1)
        if (directory_lan_name(at, its_owner, its_name) && !strcmp(its_owner, owner) && !strcmp(its_name, name))
            return true;
    return !strcmp(owner, user->id) && strcmp(owner, LAN_SYSTEM); /* one of their own */
}

void directory_machine(struct user *user)
{
    struct machine_config *machine = &user->machine;
    machine->userid = user->id;
    machine->frame_limit = machine_config_frames(machine->storage_maximum);
    machine->rank = user->classes & CLASS('A') ? FRAME_OPERATOR : FRAME_USER;
    for (unsigned i = 0; i < machine->nics; i++)
        if (!user->nic_has_mac[i])
            mac_of(user->id, machine->nic[i].vdev, machine->nic[i].mac);
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
    d->users = d->disks = d->links = d->lans = 0;
    d->secret = NULL;
    memset(d->rows->named, 0, sizeof d->rows->named);
    memset(d->area, 0, sizeof d->area);
    memset(d->volid, 0, sizeof d->volid);
}

void directory_builtin(struct directory *d)
{
    directory_clear(d);
    struct user *user = directory_add(d);
    *user = (struct user){
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
    directory_machine(user);
    directory_enter(d, 0);
    memcpy(d->volid, "NOVOL", 6);
}
