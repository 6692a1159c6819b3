/* Within this room: an image that is read, its blocks in storage, and its nodes. */
#pragma once
#include "cms/erofs/erofs.h"
#include "cms/erofs/layout.h"
#include "cms/kernel/disk.h"

enum { BUCKETS = 64 };

struct image {
    struct erofs_super super;
    struct node_system system;
    struct disk *disk;
    uint32_t generation;
    void ***tables; /* frames of frames: block n is tables[n / 512][n % 512]; NULL: not in storage */
    size_t table_count;
    size_t rover;   /* block at which the search for one to give up goes on */
    unsigned nodes; /* alive; with the last the image goes, if it is no longer the current one */
    bool current;
    struct ero_node *bucket[BUCKETS];
    struct image *next;
};

struct ero_node {
    struct node node;
    struct space_object object;
    struct image *image;
    struct erofs_inode inode;
    void *tail; /* a frame with the inline end, once it was mapped; NULL: none */
    struct ero_node *next;
};

static inline struct ero_node *ero_of(struct node *n) { return (struct ero_node *)n; }

/* block.c. The frame of a block, with one user more; `run`: so many blocks from it on are likely to be wanted. */
int image_block(struct image *, uint64_t block, uint64_t run, void **frame);
int image_bytes(struct image *, uint64_t at, void *to, size_t bytes); /* -EIO beyond the end, too */
bool image_is_there(const struct image *);
bool image_give_up(struct image *); /* a block nobody else uses */
void image_free_blocks(struct image *);
/* node.c. The node of an inode, with one user more. */
int image_node(struct image *, uint64_t inode, struct node **);
/* directory.c */
int ero_lookup(struct node *, const char *name, struct node **child);
struct node *ero_parent(struct node *);
int ero_entry(struct node *, struct listing *, struct vfs_entry *);
/* The piece of a file at `offset`, which reaches to the end of its block or of the file: 0, or an errno. The frame has
 * one user more; the bytes are `*bytes` at `*at`. Beyond the end *bytes is 0, and there is no frame. */
int ero_piece(struct ero_node *, uint64_t offset, void **frame, const char **at, size_t *bytes);
/* erofs.c. If nobody needs it any more. */
void image_drop(struct image *);
