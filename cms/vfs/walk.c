/* From a path to what it names: path_resolution(7). */
#include <errno.h>
#include <string.h>

#include "cms/vfs/tree.h"

struct walker {
    struct spot *spot;
    const char *rest; /* of the path, or of `text`, where symbolic links are put in */
    unsigned links;
    unsigned walk;
};

/* The path with a link's target in it. Two, since one is read while the other is written. Nobody sleeps meanwhile. */
static char text[2][2 * VFS_PATH_MAX];
static char target[VFS_PATH_MAX];

static int start_at(const struct vfs_from *from, const char *path, struct node **node)
{
    if (*path == '/') {
        *node = vfs_root();
        return 0;
    }
    if (from->at == ABI_AT_FDCWD) {
        *node = from->place->directory;
    } else {
        struct file *f = from->at >= 0 && from->files ? files_get(from->files, (unsigned)from->at) : NULL;
        if (!f)
            return -EBADF;
        *node = node_of(f);
        if (!*node || (*path && !node_is(*node, ABI_S_IFDIR)))
            return -ENOTDIR;
    }
    node_hold(*node);
    return 0;
}

/* Puts `next` (held) in the place of where the walk is. */
static void step(struct spot *s, struct node *next)
{
    node_let_go(s->node);
    s->node = next;
}

static void forget_last(struct spot *s)
{
    node_let_go(s->parent);
    s->parent = NULL;
    s->last[0] = 0;
}

/* The next name of the path into s->last; its length, 0: there is none, or -ENAMETOOLONG. */
static int next_name(struct walker *w, size_t *length)
{
    while (*w->rest == '/')
        w->rest++;
    for (*length = 0; w->rest[*length] && w->rest[*length] != '/'; ++*length)
        ;
    return *length > VFS_NAME_MAX ? -ENAMETOOLONG : 0;
}

/* The link that the walk stands on takes its target's place in the path. */
static int follow(struct walker *w)
{
    struct spot *s = w->spot;
    if (++w->links > VFS_LINKS_MAX)
        return -ELOOP;
    struct node *to_node = NULL;
    int jumped = s->node->operations->jump ? s->node->operations->jump(s->node, &to_node) : -ENOENT;
    if (jumped != -ENOENT) {
        if (!jumped) {
            step(s, to_node);
            forget_last(s);
        }
        return jumped;
    }
    int64_t n = s->node->operations->target ? s->node->operations->target(s->node, target, sizeof target) : -EINVAL;
    if (n <= 0)
        return n ? (int)n : -ENOENT;
    size_t rest = strlen(w->rest);
    char *to = text[w->links & 1];
    if ((size_t)n + rest + 1 > sizeof text[0] || n == sizeof target)
        return -ENAMETOOLONG;
    memcpy(to, target, (size_t)n);
    memcpy(to + n, w->rest, rest + 1);
    w->rest = to;
    if (*to == '/') {
        step(s, vfs_root());
    } else {
        node_hold(s->parent);
        step(s, s->parent);
    }
    forget_last(s);
    return 0;
}

/* Is there nothing but slashes behind? */
static bool at_end(const struct walker *w)
{
    const char *c = w->rest;
    while (*c == '/')
        c++;
    return !*c;
}

static int enter(struct walker *w, size_t length)
{
    struct spot *s = w->spot;
    struct node *child;
    if (!s->node || !node_is(s->node, ABI_S_IFDIR))
        return s->node ? -ENOTDIR : -ENOENT;
    if (length == 1 && w->rest[0] == '.') {
        forget_last(s);
        return 0;
    }
    if (length == 2 && !memcmp(w->rest, "..", 2)) {
        forget_last(s);
        step(s, tree_parent(s->node));
        return 0;
    }
    node_let_go(s->parent);
    s->parent = s->node;
    s->node = NULL;
    memcpy(s->last, w->rest, length);
    s->last[length] = 0;
    int status = tree_child(s->parent, s->last, &child);
    if (status && status != -ENOENT)
        return status;
    s->node = status ? NULL : child;
    return 0;
}

static int go(struct walker *w)
{
    size_t length;
    for (;;) {
        int status = cms_work();
        if (!status)
            status = next_name(w, &length);
        if (status || !length)
            return status;
        status = enter(w, length);
        w->rest += length;
        if (status)
            return status;
        w->spot->slash = *w->rest == '/';
        bool last = at_end(w);
        if (w->spot->node && node_is(w->spot->node, ABI_S_IFLNK) &&
            (!last || w->walk & WALK_FOLLOW || w->spot->slash)) {
            status = follow(w);
            if (status)
                return status;
        }
    }
}

int tree_walk(const struct vfs_from *from, const char *path, unsigned walk, struct spot *spot)
{
    struct walker w = {.spot = spot, .rest = path, .walk = walk};
    *spot = (struct spot){0};
    if (!*path && !(walk & WALK_EMPTY))
        return -ENOENT;
    if (strnlen(path, VFS_PATH_MAX) == VFS_PATH_MAX)
        return -ENAMETOOLONG;
    int status = start_at(from, path, &spot->node);
    if (!status)
        status = go(&w);
    if (!status && spot->node && spot->slash && !node_is(spot->node, ABI_S_IFDIR))
        status = -ENOTDIR;
    if (status)
        spot_leave(spot);
    return status;
}

void spot_leave(struct spot *s)
{
    node_let_go(s->parent);
    node_let_go(s->node);
    *s = (struct spot){0};
}
