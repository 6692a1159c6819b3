/* Within this room: what is mounted where, and paths. */
#pragma once
#include "cms/vfs/node.h"
#include "cms/vfs/vfs.h"

enum { FRAME_SIZE_OF_STAT = 4096 };

void tree_look_for_root(void);           /* it may have come, or be another */
struct node *tree_parent(struct node *); /* one user more; the root's is itself */
bool tree_is_mounted(struct node *directory, const char *name);
/* The `at`th mount in that directory and those behind it: 1, or 0 at the end. */
int tree_mounted_entry(struct node *directory, uint64_t at, struct vfs_entry *);
/* What a name in a directory means; one user more. */
int tree_child(struct node *directory, const char *name, struct node **child);

struct place {
    struct node *directory;
    uint32_t umask;
    unsigned users;
};

/* Where a path led. `parent` and `last` are of its last name; parent is NULL where that is /, . or .. */
struct spot {
    struct node *parent, *node; /* node NULL: nothing has that name */
    char last[VFS_NAME_MAX + 1];
    bool slash; /* behind the last name: it must be a directory */
};
enum walk { WALK_FOLLOW = 1, WALK_EMPTY = 2 /* "" is where it would start */ };
/* 0 with a spot to be freed by spot_leave, also when its node is NULL; or a negative errno and nothing to free. */
int tree_walk(const struct vfs_from *, const char *path, unsigned walk, struct spot *);
void spot_leave(struct spot *);
