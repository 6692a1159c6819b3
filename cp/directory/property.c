/* The directory's properties. In: a value nobody vouches for. Out: a field of the directory, or a reason. */
#include "cp/directory/property.h"

#include <libfdt.h>
#include <string.h>

#include "cp/credential/sha512_crypt.h"
#include "cp/directory/ssh_key.h"

enum { POOL_HIGHEST = 99999, PARM_MAX = 64 };

/* ---- values ----------------------------------------------------------------------------------------------------- */

static const char *text_of(struct value v) /* one string that fills the property; NULL: it is not */
{
    return v.bytes && strnlen(v.at, v.bytes) == v.bytes - 1 ? v.at : NULL;
}

static bool cells_of(struct value v, unsigned count, uint32_t *out)
{
    if (v.bytes != count * sizeof *out)
        return false;
    for (unsigned i = 0; i < count; i++)
        out[i] = fdt32_ld((const fdt32_t *)(const void *)v.at + i);
    return true;
}

static bool is_list(struct value v) /* strings, each ended */ { return v.bytes && !v.at[v.bytes - 1]; }

static bool is_plain(const char *text, size_t most)
{
    size_t length = strnlen(text, most + 1);
    for (size_t i = 0; i < length; i++)
        if (text[i] < 0x20 || text[i] > 0x7e)
            return false;
    return length <= most;
}

static const char *take_flag(struct value v, bool *flag)
{
    *flag = true;
    return v.bytes ? "takes no value" : NULL;
}

static const char *take_mode(struct value v, enum link_mode *mode)
{
    const char *text = text_of(v);
    return text && link_mode_parse(text, strlen(text), mode) ? NULL : "is none of R RR W WR M MR MW";
}

/* ---- properties of a user --------------------------------------------------------------------------------------- */

static const char *take_userid(struct row *row, struct value v)
{
    const char *text = text_of(v);
    if (!text || !directory_name_valid(text, strlen(text)))
        return "is not 1 to 8 characters of A-Z 0-9 @ # $ _ -";
    memcpy(row->user->id, text, strlen(text) + 1);
    return NULL;
}

static const char *take_password(struct row *row, struct value v)
{
    const char *text = text_of(v);
    if (!text || (strcmp(text, "NOLOG") && !sha512_crypt_valid(text)))
        return "is neither a sha512-crypt string ($6$...) nor NOLOG";
    row->user->password = text;
    return NULL;
}

static const char *take_classes(struct row *row, struct value v)
{
    const char *text = text_of(v);
    if (!text || !*text)
        return "is no string of class letters";
    for (; *text; text++) {
        if (*text < 'A' || *text > 'H')
            return "has a letter that is no privilege class A to H";
        row->user->classes |= CLASS(*text);
    }
    return NULL;
}

static const char *take_mib(struct value v, uint64_t *bytes)
{
    uint32_t mib;
    if (!cells_of(v, 1, &mib) || !mib || mib > MACHINE_STORAGE_MAX_MIB)
        return "is not one cell of 1 to 1048576 (MiB)";
    *bytes = (uint64_t)mib << 20;
    return NULL;
}

static const char *take_storage(struct row *row, struct value v)
{
    return take_mib(v, &row->user->machine.storage_bytes);
}

static const char *take_maximum(struct row *row, struct value v)
{
    return take_mib(v, &row->user->machine.storage_maximum);
}

static const char *take_ipl(struct row *row, struct value v)
{
    row->user->ipl = text_of(v);
    return row->user->ipl && directory_name_valid(row->user->ipl, strlen(row->user->ipl)) ? NULL
                                                                                          : "is no name of a system";
}

static const char *take_parm(struct row *row, struct value v)
{
    const char *text = text_of(v);
    if (!text || !is_plain(text, PARM_MAX))
        return "is no printable string of up to 64 characters";
    row->user->parm = text;
    return NULL;
}

static const char *take_nesting(struct row *row, struct value v)
{
    const char *text = text_of(v);
    bool known = text && nest_mode_parse(text, strlen(text), &row->user->machine.nesting);
    return known ? NULL : "is none of off, trap, shadow, memory";
}

static const char *take_grant(struct row *row, struct value v, enum machine_grant grant)
{
    row->user->machine.grants |= 1u << grant;
    return v.bytes ? "takes no value" : NULL;
}

#define FLAG(name, property) \
    static const char *take_##name(struct row *row, struct value v) { return take_grant(row, v, GRANT_##name); }
#include "cp/device/grants.def"

static const char *take_forbidden(struct row *row, struct value v)
{
    char *to = row->user->machine.forbidden;
    if (v.bytes > MACHINE_FORBIDDEN)
        return "has more than 47 characters";
    for (unsigned i = 0; i < v.bytes; i++) /* the names, judged below, with blanks for what ends them */
        to[i] = v.at[i] ? v.at[i] : ' ';
    if (v.bytes)
        to[v.bytes - 1] = 0;
    return NULL;
}

static const char *take_lines(struct row *row, struct value v)
{
    uint32_t lines;
    if (!cells_of(v, 1, &lines) || lines < 1 || lines > MACHINE_UARTS)
        return "is not one cell of 1 to 4";
    row->user->machine.uarts = lines;
    return NULL;
}

static const char *take_share(struct row *row, struct value v)
{
    const char *text = text_of(v);
    bool good = text && share_parse(text, &row->user->machine.share);
    return good ? NULL : "is neither RELATIVE 1 to 10000 nor ABSOLUTE 0.1% to 100%";
}

static const char *take_idle(struct row *row, struct value v)
{
    uint32_t minutes;
    if (!cells_of(v, 1, &minutes) || minutes < DIRECTORY_IDLE_LEAST || minutes > DIRECTORY_IDLE_MOST)
        return "is not one cell of 2 to 10080 (minutes)";
    row->user->idle = minutes;
    return NULL;
}

static const char *judge_name(const char *text)
{
    bool valid = directory_name_valid(text, strlen(text));
    return valid ? NULL : "has a name that is not 1 to 8 characters of A-Z 0-9 @ # $ _ -";
}

static const char *take_list(struct value v, const char **strings, unsigned *bytes)
{
    *strings = v.at;
    *bytes = v.bytes;
    return NULL;
}

static const char *take_xautolog(struct row *row, struct value v)
{
    return take_list(v, &row->user->xautolog, &row->user->xautolog_bytes);
}

static const char *take_namesave(struct row *row, struct value v)
{
    return take_list(v, &row->user->namesave, &row->user->namesave_bytes);
}

static const char *take_spool_from(struct row *row, struct value v)
{
    return take_list(v, &row->user->spool_from, &row->user->spool_from_bytes);
}

static const char *take_group(struct row *row, struct value v)
{
    row->user->group = text_of(v);
    bool good = row->user->group && directory_name_valid(row->user->group, strlen(row->user->group));
    return good ? NULL : "is not 1 to 8 characters of A-Z 0-9 @ # $ _ -";
}

static const char *take_ssh_keys(struct row *row, struct value v)
{
    return take_list(v, &row->user->ssh_keys, &row->user->ssh_keys_bytes);
}

static const char *take_pool(struct row *row, struct value v)
{
    if (!cells_of(v, 2, row->user->pool))
        return "is not two cells: the lowest and the highest number";
    if (!row->user->pool[0] || row->user->pool[0] > row->user->pool[1] || row->user->pool[1] > POOL_HIGHEST)
        return "is no range of 1 to 99999";
    return NULL;
}

static const char *take_lans(struct row *row, struct value v)
{
    uint32_t lans;
    if (!cells_of(v, 1, &lans) || lans > DIRECTORY_LANS_OF_A_USER)
        return "is not one cell of 0 to 4";
    row->user->lans = (uint8_t)lans;
    return NULL;
}

const struct property directory_user_properties[] = {
    {"userid", take_userid, false, NULL},
    {"password", take_password, true, NULL},
    {"classes", take_classes, true, NULL},
    {"storage", take_storage, true, NULL},
    {"maximum", take_maximum, false, NULL},
    {"ipl", take_ipl, false, NULL},
    {"parm", take_parm, false, NULL},
    {"nesting", take_nesting, false, NULL},
#define FLAG(name, property) {property, take_##name, false, NULL},
#include "cp/device/grants.def"
    {"forbidden", take_forbidden, false, judge_name},
    {"lines", take_lines, false, NULL},
    {"share", take_share, false, NULL},
    {"idle", take_idle, false, NULL},
    {"xautolog", take_xautolog, false, judge_name},
    {"ssh-keys", take_ssh_keys, false, ssh_key_fault},
    {"group", take_group, false, NULL},
    {"spool-from", take_spool_from, false, judge_name},
    {"namesave", take_namesave, false, judge_name},
    {"pool", take_pool, false, NULL},
    {"lans", take_lans, false, NULL},
    {0},
};

/* ---- properties of a minidisk and of a link --------------------------------------------------------------------- */

static const char *take_range(struct value v, struct directory_range *range)
{
    uint32_t cells[2];
    if (!cells_of(v, 2, cells))
        return "is not two cells: first block and blocks of 4 KiB";
    *range = (struct directory_range){cells[0], cells[1]};
    return cells[1] ? NULL : "has no blocks";
}

static const char *take_extent(struct row *row, struct value v)
{
    struct directory_range range = {0};
    const char *why = take_range(v, &range);
    row->disk->start = range.start;
    row->disk->blocks = range.blocks;
    return why;
}

static const char *take_snapshots(struct row *row, struct value v)
{
    const char *why = take_range(v, &row->disk->snapshots);
    if (!why && row->disk->snapshots.blocks < DIRECTORY_SNAPSHOTS_LEAST)
        why = "has less than 3 blocks";
    if (!why && row->disk->snapshots.blocks > DIRECTORY_SNAPSHOTS_MOST)
        why = "has more than 131072 blocks";
    return why;
}

static const char *take_disk_mode(struct row *row, struct value v) { return take_mode(v, &row->disk->mode); }
static const char *take_overlap(struct row *row, struct value v) { return take_flag(v, &row->disk->overlap); }

/* LINK compares it at once, so it must be the cheapest kind. */
static bool is_link_password(const char *text)
{
    return !strcmp(text, "ALL") || (!strncmp(text, "$6$rounds=1000$", 15) && sha512_crypt_valid(text));
}

static const char *take_passwords(struct row *row, struct value v)
{
    unsigned count = 0;
    if (!is_list(v))
        return "is no list of strings";
    for (const char *at = v.at; at < v.at + v.bytes; at += strlen(at) + 1, count++) {
        if (count == PASSWORDS)
            return "has more than three strings: read, write, multiple";
        if (*at && !is_link_password(at))
            return "has a string that is neither empty, nor ALL, nor $6$rounds=1000$...";
        row->disk->password[count] = *at ? at : NULL;
    }
    return NULL;
}

const struct property directory_disk_properties[] = {
    {"extent", take_extent, true, NULL},
    {"mode", take_disk_mode, false, NULL},
    {"passwords", take_passwords, false, NULL},
    {"overlap", take_overlap, false, NULL},
    {"snapshots", take_snapshots, false, NULL},
    {0},
};

static const char *take_link_user(struct row *row, struct value v)
{
    row->link->owner = text_of(v);
    return row->link->owner && directory_name_valid(row->link->owner, strlen(row->link->owner)) ? NULL
                                                                                                : "is no user ID";
}

static const char *take_link_vdev(struct row *row, struct value v)
{
    uint32_t vdev;
    if (!cells_of(v, 1, &vdev) || vdev > 0xffff)
        return "is not one cell of 0 to 0xffff";
    row->link->owner_vdev = vdev;
    return NULL;
}

static const char *take_link_mode(struct row *row, struct value v) { return take_mode(v, &row->link->mode); }

const struct property directory_link_properties[] = {
    {"user", take_link_user, true, NULL},
    {"vdev", take_link_vdev, true, NULL},
    {"mode", take_link_mode, false, NULL},
    {0},
};

static const char *take_area(struct row *row, struct value v) { return take_range(v, row->area); }

const struct property directory_area_properties[] = {
    {"extent", take_area, true, NULL},
    {0},
};

static const char *take_compatible(struct row *row, struct value v)
{
    const char *text = text_of(v);
    (void)row;
    return text && !strcmp(text, "vmn,directory") ? NULL : "is not \"vmn,directory\"";
}

static const char *take_volume(struct row *row, struct value v)
{
    const char *text = text_of(v);
    if (!text || strlen(text) >= sizeof row->directory->volid || !directory_name_valid(text, strlen(text)))
        return "is not 1 to 6 characters of A-Z 0-9 @ # $ _ -";
    memcpy(row->directory->volid, text, strlen(text) + 1);
    return NULL;
}

const struct property directory_root_properties[] = {
    {"compatible", take_compatible, true, NULL},
    {"volume", take_volume, false, NULL},
    {0},
};
const struct property directory_no_properties[] = {{0}};
