/* Within this room: one file, directory or link in storage. */
#pragma once
#include "cms/vfs/node.h"
#include "cms/vfs/pages.h"

struct tmp_node {
    struct node node;
    struct pages pages; /* of a file, or a link's target */
    struct space_object object;
    struct tmp_entry *entries;
    struct tmp_node *parent; /* of a directory; held by its entry there, or, once that was removed, by itself */
    uint64_t last_serial, links;
    int64_t times[3]; /* read, changed, status: nanoseconds since 1970 */
    bool removed;     /* a directory: nothing is made in it any more */
};

struct tmp_entry {
    struct tmp_entry *next;
    struct tmp_node *node;
    uint64_t serial;
    char name[];
};

static inline struct tmp_node *tmp_of(struct node *n) { return (struct tmp_node *)n; }

extern struct pages_budget tmpfs_budget;
extern const struct node_operations tmp_operations;
extern const struct space_object_operations tmp_object_operations;
struct tmp_node *tmp_make(uint32_t mode, const struct node_system *);

int tmp_lookup(struct node *, const char *name, struct node **child);
struct node *tmp_parent(struct node *);
int tmp_entry(struct node *, struct listing *, struct vfs_entry *);
int tmp_create(struct node *, const char *name, uint32_t mode, struct node **child);
int tmp_symlink(struct node *, const char *name, const char *target);
int64_t tmp_target(struct node *, char *to, size_t size);
int tmp_link(struct node *, const char *name, struct node *file);
int tmp_remove(struct node *, const char *name, struct node *child);
int tmp_rename(struct node *, const char *name, struct node *child, struct node *to, const char *new_name,
               struct node *old);
int tmp_exchange(struct node *, const char *name, struct node *other, const char *other_name);
void tmp_forget(struct node *);
