/* The seam to file systems: what a path can name, whoever keeps it. A file system makes nodes and operations over them;
 * the tree, paths, mounts and open files are this room's.
 *
 * A node stands for one file as long as somebody uses it: two lookups of one file give the same node. Nothing here
 * sleeps by cms_wait, so that a path that was looked up is still true when it is used. An operation that is NULL
 * answers with the errno in brackets. Names are 1 to VFS_NAME_MAX bytes, never . or .., without a slash. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cms/vfs/abi.h"
#include "cms/vfs/file.h"

struct node;
struct vfs_mount;

/* What a directory shows of one name. */
struct vfs_entry {
    uint64_t number;
    uint32_t type; /* ABI_S_IF... */
    uint64_t next; /* where the listing goes on behind it: d_off */
    char name[256];
};

/* Where a listing is: `at` is 0 at first, and the file system's own behind that. `kept` may hold what it has in the
 * heap for as long as the directory is open; it is freed by cms_heap_free. */
struct listing {
    uint64_t at;
    void *kept;
};

static const int64_t NODE_TIME_LEAVE __attribute__((unused)) = INT64_MIN; /* for set_times: as it is */

struct node_operations {
    /* directories */
    int (*lookup)(struct node *, const char *name, struct node **child); /* one user more; -ENOENT */
    struct node *(*parent)(struct node *);                             /* one user more; NULL at a file system's top */
    int (*entry)(struct node *, struct listing *, struct vfs_entry *); /* 1, or 0 at the end */
    int (*create)(struct node *, const char *name, uint32_t mode, struct node **child); /* file or directory; [EPERM] */
    int (*symlink)(struct node *, const char *name, const char *target);                /* [EPERM] */
    int (*link)(struct node *, const char *name, struct node *file);                    /* [EPERM] */
    int (*remove)(struct node *, const char *name, struct node *child);                 /* [EPERM] */
    /* Within one file system; what has the new name is replaced. `child` and `old` (may be NULL) are of these names,
     * and fit each other. [EPERM] */
    int (*rename)(struct node *, const char *name, struct node *child, struct node *to, const char *new_name,
                  struct node *old);
    /* What two names stand for becomes each other's; neither lies within the other. [EINVAL] */
    int (*exchange)(struct node *, const char *name, struct node *other, const char *other_name);
    /* all */
    void (*stat)(struct node *, struct vfs_stat *); /* size, blocks, links, times: what is not zero, one, the present */
    int (*set_mode)(struct node *, uint32_t mode);  /* [accepted, without effect] */
    int (*set_times)(struct node *, const int64_t ns[2]); /* NODE_TIME_LEAVE; [accepted] */
    void (*statfs)(struct node *, struct vfs_statfs *);
    void (*forget)(struct node *); /* nobody uses it any more */
    /* symbolic links that lead to a node whatever they say, with one user more; -ENOENT: to what they say */
    int (*jump)(struct node *, struct node **to); /* [-ENOENT] */
    /* symbolic links: bytes, at most size, not ended by NUL */
    int64_t (*target)(struct node *, char *to, size_t size);
    /* files */
    int (*open)(struct node *, struct file *); /* may put other operations and an own state (and let go of the node) */
    int64_t (*read)(struct node *, struct io *, uint64_t offset);  /* [EINVAL] */
    int64_t (*write)(struct node *, struct io *, uint64_t offset); /* [EINVAL] */
    int (*truncate)(struct node *, uint64_t size);                 /* [EINVAL] */
    int (*sync)(struct node *);                                    /* [nothing to do] */
    int (*closed)(struct node *);                                  /* an open file that could write is no more */
    int (*map)(struct node *, struct space_object **);             /* [ENODEV] */
};

struct node_system {
    uint64_t device; /* st_dev */
    bool read_only;
    bool image; /* the root image, which its user cannot change */
};

struct node {
    const struct node_operations *operations;
    const struct node_system *system;
    const struct vfs_mount *mount; /* it is the top of what is mounted there */
    uint64_t number, device_number;
    uint32_t mode;
    unsigned users;
    bool takes_name; /* linkat(2) may give it one although it has none: O_TMPFILE */
};

void node_hold(struct node *);
void node_let_go(struct node *); /* NULL is allowed */
/* Set: no file is executed but those of the root image, as if all else were mounted noexec. */
extern bool node_executes_image_only;
bool node_executes(const struct node *);
bool node_file_executes(const struct file *); /* what it was opened of */
static inline bool node_is(const struct node *n, uint32_t type) { return (n->mode & ABI_S_IFMT) == type; }

/* An open file over it, which has a user of its own of the node. */
int node_open(struct node *, uint32_t flags, struct file **);
/* The node of a file that was opened by a path, or NULL. Not held. */
struct node *node_of(const struct file *);
void node_fill_stat(struct node *, struct vfs_stat *);

/* ---- what is where --------------------------------------------------------------------------------------------- */

/* `top` gives the node (with one user more) that stands for `name` in the directory that `below` gives, or, where that
 * is NULL, in the root; or NULL: there is nothing now. Whoever mounts keeps the structure. */
struct vfs_mount {
    const char *name;
    const char *type; /* as /proc/mounts has it */
    struct node *(*top)(const struct vfs_mount *);
    struct node *(*below)(void);
    unsigned letter; /* the caller's own */
    struct vfs_mount *next;
};
void vfs_mount(struct vfs_mount *);
struct vfs_mount *vfs_mounts(void); /* in the order in which they were mounted */
/* `top` is asked whenever a place is made: a disk may come later, or another. One user more; NULL: it stays, or an
 * empty directory stands in. */
void vfs_set_root(struct node *(*top)(void));
struct node *vfs_root(void); /* one user more */

/* What vfs_sync has done for a file system. */
struct vfs_syncer {
    int (*sync)(void);
    struct vfs_syncer *next;
};
void vfs_on_sync(struct vfs_syncer *);

/* ---- devices --------------------------------------------------------------------------------------------------- */

/* /dev/NAME. A file opened of it has these operations; `open` (may be NULL) gives it a state of its own or refuses. */
struct device {
    const char *name;
    unsigned major, minor;
    const struct file_operations *operations;
    int (*open)(struct file *);
    struct device *next;
    struct node node; /* this room's */
};
void vfs_device(struct device *);
