/* Reading the directory's tree. In: a blob nobody vouches for. Out: arrays, and every fault by path and reason.
 * What a node may hold is a table of properties; each row's function judges the value and says what is wrong with it. */
#include <libfdt.h>
#include <string.h>

#include "cp/user/directory_reader.h"
#include "cp/user/sha512_crypt.h"
#include "lib/format.h"

enum { PARM_MAX = 64 };

struct value {
    const char *at;
    unsigned bytes;
};

/* What a property's function writes to: the row being filled. */
struct row {
    struct directory *directory;
    struct user *user;
    struct directory_disk *disk;
    struct directory_link *link;
};

struct property {
    const char *name;
    const char *(*take)(struct row *, struct value); /* NULL: well; else the reason */
    bool required;
};

void directory_tell(struct directory_reader *r, const char *path, const char *reason)
{
    char printable[sizeof r->path];
    size_t i = 0;
    for (; path[i] && i < sizeof printable - 1; i++)
        printable[i] = path[i] >= 0x20 && path[i] < 0x7f ? path[i] : '?';
    printable[i] = 0;
    r->faults++;
    r->fault(r->context, printable, reason);
}

/* ---- values ------------------------------------------------------------------------------------------------------- */

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

static bool is_list(struct value v) /* strings, each ended */
{
    return v.bytes && !v.at[v.bytes - 1];
}

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

/* ---- properties of a user ------------------------------------------------------------------------------------------ */

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

static const char *take_mib(struct value v, uint32_t *mib)
{
    return cells_of(v, 1, mib) && *mib && *mib <= DIRECTORY_STORAGE_MAX_MIB ? NULL : "is not one cell of 1 to 1048576 (MiB)";
}

static const char *take_storage(struct row *row, struct value v) { return take_mib(v, &row->user->storage_mib); }
static const char *take_maximum(struct row *row, struct value v) { return take_mib(v, &row->user->maximum_mib); }

static const char *take_ipl(struct row *row, struct value v)
{
    row->user->ipl = text_of(v);
    return row->user->ipl && directory_name_valid(row->user->ipl, strlen(row->user->ipl)) ? NULL : "is no name of a system";
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
    static const char *const names[] = {[VM_NESTED_OFF] = "off", [VM_NESTED_TRAP] = "trap", [VM_NESTED_SHADOW] = "shadow"};
    const char *text = text_of(v);
    for (unsigned i = 0; text && i < sizeof names / sizeof *names; i++) {
        if (!strcmp(text, names[i])) {
            row->user->nesting = i;
            return NULL;
        }
    }
    return "is none of off, trap, shadow";
}

static const char *take_debug_exit(struct row *row, struct value v) { return take_flag(v, &row->user->debug_exit); }
static const char *take_no_diagnose(struct row *row, struct value v) { return take_flag(v, &row->user->no_diagnose); }

static const char *take_lines(struct row *row, struct value v)
{
    uint32_t lines;
    if (!cells_of(v, 1, &lines) || lines < 1 || lines > MACHINE_UARTS)
        return "is not one cell of 1 to 4";
    row->user->lines = lines;
    return NULL;
}

static const char *take_xautolog(struct row *row, struct value v)
{
    if (!is_list(v))
        return "is no list of strings";
    for (const char *at = v.at; at < v.at + v.bytes; at += strlen(at) + 1)
        if (!directory_name_valid(at, strlen(at)))
            return "has a name that is not 1 to 8 characters of A-Z 0-9 @ # $ _ -";
    row->user->xautolog = v.at;
    row->user->xautolog_bytes = v.bytes;
    return NULL;
}

static const struct property user_properties[] = {
    {"userid", take_userid, false},         {"password", take_password, true},      {"classes", take_classes, true},
    {"storage", take_storage, true},        {"maximum", take_maximum, false},       {"ipl", take_ipl, false},
    {"parm", take_parm, false},             {"nesting", take_nesting, false},       {"debug-exit", take_debug_exit, false},
    {"no-diagnose", take_no_diagnose, false}, {"lines", take_lines, false},         {"xautolog", take_xautolog, false},
    {0},
};

/* ---- properties of a minidisk and of a link ------------------------------------------------------------------------ */

static const char *take_extent(struct row *row, struct value v)
{
    uint32_t cells[2];
    if (!cells_of(v, 2, cells))
        return "is not two cells: first block and blocks of 4 KiB";
    row->disk->start = cells[0];
    row->disk->blocks = cells[1];
    return cells[1] ? NULL : "has no blocks";
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

static const struct property disk_properties[] = {
    {"extent", take_extent, true}, {"mode", take_disk_mode, false}, {"passwords", take_passwords, false},
    {"overlap", take_overlap, false}, {0},
};

static const char *take_link_user(struct row *row, struct value v)
{
    row->link->owner = text_of(v);
    return row->link->owner && directory_name_valid(row->link->owner, strlen(row->link->owner)) ? NULL : "is no user ID";
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

static const struct property link_properties[] = {
    {"user", take_link_user, true}, {"vdev", take_link_vdev, true}, {"mode", take_link_mode, false}, {0},
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

static const struct property root_properties[] = {
    {"compatible", take_compatible, true}, {"volume", take_volume, false}, {0},
};
static const struct property no_properties[] = {{0}};

/* ---- nodes ---------------------------------------------------------------------------------------------------------- */

static void tell_property(struct directory_reader *r, const char *name, const char *reason)
{
    char path[sizeof r->path];
    format_text(path, sizeof path, "%s/%s", r->path, name);
    directory_tell(r, path, reason);
}

static const struct property *property_find(const struct property *table, const char *name)
{
    for (; table->name; table++)
        if (!strcmp(table->name, name))
            return table;
    return NULL;
}

static void read_properties(struct directory_reader *r, int node, const struct property *table, struct row *row)
{
    int at;
    fdt_for_each_property_offset(at, r->blob, node) {
        const char *name;
        int bytes;
        const void *value = fdt_getprop_by_offset(r->blob, at, &name, &bytes);
        if (!value) {
            directory_tell(r, r->path, "holds a property that cannot be read");
            return;
        }
        const struct property *p = property_find(table, name);
        const char *reason = p ? p->take(row, (struct value){value, bytes}) : "is no property known here";
        if (reason)
            tell_property(r, name, reason);
    }
    for (const struct property *p = table; p->name; p++)
        if (p->required && !fdt_getprop(r->blob, node, p->name, NULL))
            tell_property(r, p->name, "is missing");
}

static size_t enter(struct directory_reader *r, const char *name)
{
    size_t before = r->path_length, room = sizeof r->path - before;
    size_t length = format_text(r->path + before, room, "/%s", name);
    r->path_length += length < room ? length : room - 1;
    return before;
}

static void leave(struct directory_reader *r, size_t before)
{
    r->path_length = before;
    r->path[before] = 0;
}

static void refuse_children(struct directory_reader *r, int node)
{
    int child;
    fdt_for_each_subnode(child, r->blob, node) {
        const char *name = fdt_get_name(r->blob, child, NULL);
        tell_property(r, name ? name : "?", "is no node known here");
    }
}

/* mdisk@191: the unit address is the virtual device number in hexadecimal. */
static bool read_vdev(const char *name, uint16_t *vdev)
{
    const char *at = strchr(name, '@');
    unsigned digits = 0, value = 0;
    for (at = at ? at + 1 : ""; *at; at++, digits++) {
        int digit = *at >= '0' && *at <= '9' ? *at - '0' : *at >= 'a' && *at <= 'f' ? *at - 'a' + 10 : -1;
        if (digit < 0 || digits == 4)
            return false;
        value = value << 4 | digit;
    }
    *vdev = value;
    return digits > 0;
}

static void read_disk(struct directory_reader *r, int node, const char *name, unsigned user)
{
    struct directory *d = r->directory;
    if (d->disks == DIRECTORY_DISKS) {
        directory_tell(r, r->path, "is one minidisk too many for this CP");
        return;
    }
    struct directory_disk *disk = &d->disk[d->disks++];
    *disk = (struct directory_disk){.user = user, .mode = LINK_MR};
    if (!read_vdev(name, &disk->vdev))
        directory_tell(r, r->path, "has no device number of 1 to 4 lower-case hexadecimal digits");
    read_properties(r, node, disk_properties, &(struct row){.disk = disk});
    refuse_children(r, node);
}

static void read_link(struct directory_reader *r, int node, const char *name, unsigned user)
{
    struct directory *d = r->directory;
    if (d->links == DIRECTORY_LINKS) {
        directory_tell(r, r->path, "is one link too many for this CP");
        return;
    }
    struct directory_link *link = &d->link[d->links++];
    *link = (struct directory_link){.user = user, .mode = LINK_RR};
    if (!read_vdev(name, &link->vdev))
        directory_tell(r, r->path, "has no device number of 1 to 4 lower-case hexadecimal digits");
    read_properties(r, node, link_properties, &(struct row){.link = link});
    refuse_children(r, node);
}

static void read_devices(struct directory_reader *r, int node, unsigned user)
{
    int child;
    fdt_for_each_subnode(child, r->blob, node) {
        const char *name = fdt_get_name(r->blob, child, NULL);
        size_t before = enter(r, name ? name : "?");
        if (name && !strncmp(name, "mdisk@", 6))
            read_disk(r, child, name, user);
        else if (name && !strncmp(name, "link@", 5))
            read_link(r, child, name, user);
        else
            directory_tell(r, r->path, "is no node known here");
        leave(r, before);
    }
}

static void read_user(struct directory_reader *r, int node, const char *name)
{
    struct directory *d = r->directory;
    if (d->users == DIRECTORY_USERS) {
        directory_tell(r, r->path, "is one user too many for this CP");
        return;
    }
    unsigned index = d->users++;
    struct user *user = &d->user[index];
    *user = (struct user){.lines = 1, .parm = "", .xautolog = "", .nesting = VM_NESTED_SHADOW};
    if (directory_name_valid(name, strlen(name)))
        memcpy(user->id, name, strlen(name) + 1);
    read_properties(r, node, user_properties, &(struct row){.user = user});
    if (!*user->id)
        directory_tell(r, r->path, "its name is not 1 to 8 characters of A-Z 0-9 @ # $ _ -");
    if (!user->maximum_mib)
        user->maximum_mib = user->storage_mib;
    if (user->storage_mib > user->maximum_mib)
        tell_property(r, "storage", "is more than maximum");
    read_devices(r, node, index);
}

static void read_users(struct directory_reader *r, int users)
{
    int node;
    read_properties(r, users, no_properties, &(struct row){0});
    fdt_for_each_subnode(node, r->blob, users) {
        const char *name = fdt_get_name(r->blob, node, NULL);
        size_t before = enter(r, name ? name : "?");
        read_user(r, node, name ? name : "?");
        leave(r, before);
    }
}

static void read_root(struct directory_reader *r)
{
    int node;
    bool found = false;
    read_properties(r, 0, root_properties, &(struct row){.directory = r->directory});
    fdt_for_each_subnode(node, r->blob, 0) {
        const char *name = fdt_get_name(r->blob, node, NULL);
        size_t before = enter(r, name ? name : "?");
        if (name && !strcmp(name, "users") && !found) {
            found = true;
            read_users(r, node);
        } else {
            directory_tell(r, r->path, "is no node known here");
        }
        leave(r, before);
    }
    if (!found)
        directory_tell(r, "/users", "is missing");
}

unsigned directory_parse(struct directory *directory, const void *blob, size_t bytes, uint32_t first_block,
                         uint32_t volume_blocks, directory_fault *fault, void *context)
{
    struct directory_reader r = {
        .directory = directory, .blob = blob, .first_block = first_block, .volume_blocks = volume_blocks,
        .fault = fault, .context = context};
    memset(directory, 0, sizeof *directory);
    memcpy(directory->volid, "VMN001", 7);
    int error = fdt_check_full(blob, bytes);
    if (error) {
        char reason[80];
        format_text(reason, sizeof reason, "is no sound device tree (%s)", fdt_strerror(error));
        directory_tell(&r, "/", reason);
        return r.faults;
    }
    read_root(&r);
    directory_check(&r);
    return r.faults;
}
