/* The directories of minidisks, and which of their files are in use. */
#include <errno.h>
#include <string.h>

#include "cms/kernel/heap.h"
#include "cms/minidisk/file.h"
#include "cms/minidisk/minidisk.h"
#include "cms/tmpfs/tmpfs.h"
#include "cms/vfs/vfs.h"

enum { LETTERS = 26, DEVICE = 64, BLOCK_TYPE = 0x5346444d };

static struct letter letters[LETTERS];
static struct mini_file *in_use;

static struct letter *letter_of(struct node *n) { return (struct letter *)n; }

/* The disk, if that letter is accessed. */
static struct mode *mode_of(struct letter *l)
{
    struct mode *mode = cms_mode_find(l->letter);
    if (mode)
        l->system.read_only = mode->read_only;
    return mode;
}

void mini_unlist(struct mini_file *m)
{
    struct mini_file **at = &in_use;
    while (*at && *at != m)
        at = &(*at)->next;
    if (*at)
        *at = m->next;
}

static bool same_name(const struct cms_name *a, const struct cms_name *b)
{
    return !strcmp(a->name, b->name) && !strcmp(a->type, b->type);
}

static struct mini_file *find_in_use(struct letter *l, uint32_t generation, const struct cms_name *name)
{
    struct mini_file *m = in_use;
    while (m && (m->letter != l || m->generation != generation || m->removed || !same_name(&m->name, name)))
        m = m->next;
    return m;
}

/* ---- names ----------------------------------------------------------------------------------------------------- */

static uint64_t number_of(const struct cms_name *name)
{
    uint64_t hash = 0xcbf29ce484222325;
    const char *parts[] = {name->name, " ", name->type};
    for (unsigned p = 0; p < 3; p++)
        for (const char *c = parts[p]; *c; c++)
            hash = (hash ^ (uint8_t)*c) * 0x100000001b3;
    return hash >> 1 | 1ull << 62;
}

static bool executes(const struct edf_file_facts *f)
{
    static const char *const types[] = {NAME_TYPE_PROGRAM, "EXEC", "M68K"};
    bool is = f->mode_number == '2';
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        is = is || !strcmp(f->type, types[i]);
    return is;
}

static struct mini_file *make(struct letter *l, const struct mode *mode, const struct cms_name *name)
{
    struct mini_file *m = cms_heap_allocate_system(sizeof *m);
    if (!m)
        return NULL;
    *m = (struct mini_file){.node = {.operations = &mini_operations,
                                     .system = &l->system,
                                     .number = number_of(name),
                                     .mode = ABI_S_IFREG | 0644,
                                     .users = 1},
                            .object = {&mini_object_operations},
                            .letter = l,
                            .name = *name,
                            .generation = mode->generation,
                            .next = in_use};
    in_use = m;
    return m;
}

static int find(struct letter *l, const struct mode *mode, const struct cms_name *name, struct node **child)
{
    struct edf_file_facts facts;
    struct mini_file *m = find_in_use(l, mode->generation, name);
    if (m) {
        node_hold(&m->node);
        *child = &m->node;
        return 0;
    }
    enum edf_status status = edf_find(mode->disk, name->name, name->type, &facts);
    if (status)
        return mini_errno(status);
    m = make(l, mode, name);
    if (!m)
        return -ENOMEM;
    m->facts = facts;
    if (executes(&facts))
        m->node.mode |= 0111;
    *child = &m->node;
    return 0;
}

static int lookup(struct node *n, const char *path_name, struct node **child)
{
    struct letter *l = letter_of(n);
    struct mode *mode = mode_of(l);
    struct cms_name forms[NAME_FORMS];
    if (!mode)
        return -ENOENT;
    if (name_is_passing(path_name))
        return l->passing ? l->passing->operations->lookup(l->passing, path_name, child) : -ENOENT;
    unsigned count = name_forms(path_name, forms);
    int status = -ENOENT;
    for (unsigned i = 0; i < count && status == -ENOENT; i++)
        status = find(l, mode, &forms[i], child);
    return status;
}

/* ---- listing --------------------------------------------------------------------------------------------------- */

struct snapshot {
    uint32_t count;
    struct cms_name name[];
};
static const uint64_t PASSING = 1ull << 40; /* positions of names in storage, in a listing */

static bool is_shown(const struct edf_file_facts *f) { return edf_name_valid(f->name) && edf_name_valid(f->type); }

/* Fills it with names, or only counts them: of the disk, and of files that are not there yet. */
static uint32_t take_names(struct letter *l, const struct mode *mode, struct snapshot *s, uint32_t most)
{
    struct edf_file_facts f;
    uint32_t position = 0, count = 0;
    while (edf_next(mode->disk, &position, NULL, NULL, &f) == EDF_OK) {
        if (!is_shown(&f))
            continue;
        if (s && count < most) {
            memcpy(s->name[count].name, f.name, sizeof f.name);
            memcpy(s->name[count].type, f.type, sizeof f.type);
        }
        count++;
    }
    for (struct mini_file *m = in_use; m; m = m->next) {
        if (m->letter != l || m->generation != mode->generation || !m->fresh || m->removed)
            continue;
        if (s && count < most)
            s->name[count] = m->name;
        count++;
    }
    return count;
}

static int take_snapshot(struct letter *l, const struct mode *mode, struct listing *at)
{
    uint32_t count = take_names(l, mode, NULL, 0);
    cms_heap_free(at->kept);
    struct snapshot *s = cms_heap_allocate(sizeof *s + count * sizeof *s->name);
    at->kept = s;
    if (!s)
        return -ENOMEM;
    s->count = count;
    take_names(l, mode, s, count);
    return 0;
}

/* A MODULE is shown without its type as long as no FILE has that name. */
static bool is_alone(const struct mode *mode, const struct cms_name *name)
{
    struct edf_file_facts f;
    if (!name_may_be_alone(name))
        return false;
    return !strcmp(name->type, NAME_TYPE) || edf_find(mode->disk, name->name, NAME_TYPE, &f) != EDF_OK;
}

static int passing_entry(struct letter *l, struct listing *at, struct vfs_entry *e)
{
    struct listing inner = {.at = at->at - PASSING};
    int found = l->passing ? l->passing->operations->entry(l->passing, &inner, e) : 0;
    at->at = inner.at + PASSING;
    return found;
}

static int entry(struct node *n, struct listing *at, struct vfs_entry *e)
{
    struct letter *l = letter_of(n);
    struct mode *mode = mode_of(l);
    if (!mode)
        return 0;
    int status = !at->at || !at->kept ? take_snapshot(l, mode, at) : 0;
    if (status)
        return status;
    struct snapshot *s = at->kept;
    if (at->at >= s->count && at->at < PASSING)
        at->at = PASSING;
    if (at->at >= PASSING)
        return passing_entry(l, at, e);
    const struct cms_name *name = &s->name[at->at++];
    *e = (struct vfs_entry){.number = number_of(name), .type = ABI_S_IFREG};
    name_show(name, is_alone(mode, name), e->name);
    return 1;
}

/* ---- changes --------------------------------------------------------------------------------------------------- */

static int create(struct node *n, const char *path_name, uint32_t node_mode, struct node **child)
{
    struct letter *l = letter_of(n);
    struct mode *mode = mode_of(l);
    struct cms_name name;
    bool program = node_mode & 0111;
    if (!mode)
        return -EIO;
    if ((node_mode & ABI_S_IFMT) != ABI_S_IFREG)
        return -EPERM;
    if (name_is_passing(path_name)) {
        if (!l->passing)
            l->passing = tmpfs_directory(&l->system, 0755);
        return l->passing ? l->passing->operations->create(l->passing, path_name, node_mode, child) : -ENOSPC;
    }
    int status = name_make(path_name, program, &name);
    if (status)
        return status;
    struct mini_file *m = make(l, mode, &name);
    if (!m)
        return -ENOMEM;
    m->fresh = m->dirty = m->loaded = true;
    m->facts = (struct edf_file_facts){.mode_number = program ? '2' : '1', .recfm = 'V'};
    m->node.mode = node_mode;
    status = mini_promise(m, 0, 0);
    if (status) {
        m->removed = true;
        node_let_go(&m->node);
        return status;
    }
    *child = &m->node;
    return 0;
}

/* Who has it open goes on seeing what it held. */
static int keep_for_users(struct mini_file *m) { return m->node.users > 1 && !m->fresh ? mini_load(m) : 0; }

static int remove_file(struct mini_file *m)
{
    struct edf_disk *disk = mini_disk(m);
    int status = keep_for_users(m);
    if (!status && !m->fresh)
        status = disk ? mini_errno(edf_erase(disk, m->name.name, m->name.type)) : -EIO;
    if (!status) {
        mini_promise_nothing(m);
        m->removed = true;
    }
    return status;
}

static int remove_name(struct node *n, const char *path_name, struct node *child)
{
    struct letter *l = letter_of(n);
    if (tmpfs_is(child))
        return l->passing->operations->remove(l->passing, path_name, child);
    return remove_file(mini_of(child));
}

static int copy_all(struct node *from, struct node *to)
{
    static char piece[512];
    struct io_buffer io;
    for (uint64_t at = 0;;) {
        io_buffer_begin(&io, piece, sizeof piece);
        int64_t n = from->operations->read(from, &io.io, at);
        if (n <= 0)
            return (int)n;
        io_buffer_begin(&io, piece, (size_t)n);
        int64_t written = to->operations->write(to, &io.io, at);
        if (written < n)
            return written < 0 ? (int)written : -ENOSPC;
        at += (uint64_t)n;
    }
}

/* A file of storage becomes one of the disk. */
static int bring_in(struct letter *l, const char *path_name, struct node *from, const char *new_name, struct node *old)
{
    struct node *to = old;
    int status =
        old ? old->operations->truncate(old, 0) : create(&l->node, new_name, ABI_S_IFREG | (from->mode & 0777), &to);
    if (status)
        return status;
    int copied = copy_all(from, to);
    status = copied ? copied : mini_commit(mini_of(to));
    if (status) /* then nothing of it is kept */
        mini_give_up(mini_of(to));
    if (!old)
        node_let_go(to);
    if (status)
        return status;
    return l->passing->operations->remove(l->passing, path_name, from);
}

/* Over a file that is there: written under its name in one commit, then the old name goes. A cut between the two leaves
 * both. */
static int rename_over(struct mini_file *m, struct mini_file *old, const struct cms_name *name)
{
    struct edf_disk *disk = mini_disk(m);
    int status = keep_for_users(old);
    if (!status)
        status = mini_store(m, name);
    if (status)
        return status;
    mini_promise_nothing(old);
    old->removed = true;
    return mini_errno(edf_erase(disk, m->name.name, m->name.type));
}

static int rename_file(struct mini_file *m, struct node *old, const char *new_name)
{
    struct cms_name name;
    struct edf_disk *disk = mini_disk(m);
    int status = name_make(new_name, !strcmp(m->name.type, NAME_TYPE_PROGRAM) || m->node.mode & 0111, &name);
    if (status)
        return status;
    if (!disk)
        return -EIO;
    status = mini_commit(m);
    if (old)
        name = mini_of(old)->name; /* which another case may have found */
    if (status || same_name(&name, &m->name))
        return status;
    status = old ? rename_over(m, mini_of(old), &name)
                 : mini_errno(edf_rename(disk, m->name.name, m->name.type, name.name, name.type));
    if (!status) {
        m->name = name;
        m->node.number = number_of(&name);
    }
    return status;
}

static int rename_name(struct node *n, const char *path_name, struct node *child, struct node *to, const char *new_name,
                       struct node *old)
{
    struct letter *l = letter_of(n);
    bool passing = name_is_passing(new_name);
    (void)to;
    if (tmpfs_is(child))
        return passing ? l->passing->operations->rename(l->passing, path_name, child, l->passing, new_name, old)
                       : bring_in(l, path_name, child, new_name, old);
    return passing ? -EXDEV : rename_file(mini_of(child), old, new_name);
}

/* ---- the whole ------------------------------------------------------------------------------------------------- */

static void statfs(struct node *n, struct vfs_statfs *s)
{
    struct letter *l = letter_of(n);
    struct mode *mode = mode_of(l);
    struct edf_disk_facts f;
    if (!mode)
        return;
    edf_disk_query(mode->disk, &f);
    s->type = BLOCK_TYPE;
    s->block_size = s->fragment_size = f.block_size;
    s->blocks = f.blocks;
    s->free = s->available = f.blocks - f.used - f.promised;
    s->files = f.files;
    s->name_max = NAME_SHOWN - 1;
}

static int sync_directory(struct node *n)
{
    int status = 0;
    for (struct mini_file *m = in_use; m; m = m->next) {
        int one = !n || &m->letter->node == n ? mini_commit(m) : 0;
        status = status ? status : one;
    }
    return status;
}

static int sync_all(void) { return sync_directory(NULL); }

/* ---- who has the disk accessed --------------------------------------------------------------------------------- */

static void save(const struct mode *mode) { sync_directory(&letters[mode->letter - 'A'].node); }

static unsigned open_files(const struct mode *mode)
{
    unsigned count = 0;
    for (const struct mini_file *m = in_use; m; m = m->next)
        count += m->letter->letter == mode->letter && m->generation == mode->generation;
    return count;
}

static const struct mode_users users = {open_files, save};

/* What could not be kept, until somebody says so: the first ones. */
enum { LOSSES = 8 };
static struct minidisk_loss losses[LOSSES];
static unsigned lost, told;

void mini_lost(const struct mini_file *m, int error)
{
    struct minidisk_loss *l = &losses[lost];
    if (lost == LOSSES)
        return;
    lost++;
    memcpy(l->name, m->name.name, sizeof l->name);
    memcpy(l->type, m->name.type, sizeof l->type);
    l->letter = m->letter->letter;
    l->error = -error;
}

const struct minidisk_loss *minidisk_next_loss(void)
{
    if (told < lost)
        return &losses[told++];
    lost = told = 0;
    return NULL;
}

static const struct node_operations operations = {
    .lookup = lookup,
    .entry = entry,
    .create = create,
    .remove = remove_name,
    .rename = rename_name,
    .statfs = statfs,
    .sync = sync_directory,
};

static struct node *top(const struct vfs_mount *mount)
{
    struct letter *l = &letters[mount->letter];
    if (!mode_of(l))
        return NULL;
    node_hold(&l->node);
    return &l->node;
}

void minidisk_files_reset(void)
{
    in_use = NULL;
    lost = told = 0;
    for (unsigned i = 0; i < LETTERS; i++)
        letters[i].passing = NULL;
    mini_sizes_reset();
}

void minidisk_files_start(void)
{
    static struct vfs_mount mounts[LETTERS];
    static char names[LETTERS][2];
    static struct vfs_syncer syncer = {.sync = sync_all};
    for (unsigned i = 0; i < LETTERS; i++) {
        letters[i] = (struct letter){.node = {.operations = &operations,
                                              .system = &letters[i].system,
                                              .users = 1,
                                              .mode = ABI_S_IFDIR | 0755,
                                              .number = 1},
                                     .system = {.device = DEVICE + i},
                                     .letter = (char)('A' + i)};
        names[i][0] = (char)('a' + i);
        mounts[i] = (struct vfs_mount){.name = names[i], .type = "edf", .top = top, .letter = i};
        vfs_mount(&mounts[i]);
    }
    vfs_on_sync(&syncer);
    cms_mode_set_users(&users);
}
