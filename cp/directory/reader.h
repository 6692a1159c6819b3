/* Reading and judging a directory, a little at a time. Whoever finds a fault, the parser or the checker, tells it here.
 */
#pragma once
#include "cp/directory/property.h"

enum { READER_LEVELS = 4 /* root, users, a user, a device */ };

struct reader_level {
    const struct reader_node *node; /* what kind it is */
    size_t path_before;
    uint32_t seen; /* its properties, by row of the table */
    bool children; /* there are some, so that its properties are complete */
};

enum reader_stage { READER_TREE, READER_USERS, READER_DEVICES, READER_EXTENTS, READER_LINKS, READER_LANS, READER_DONE };

struct directory_reader {
    struct directory *directory;
    const void *blob;
    size_t bytes;
    uint32_t first_block, volume_blocks;
    directory_fault *fault;
    void *context;
    unsigned faults;
    enum reader_stage stage;
    unsigned index; /* what the stage looks at next */
    bool operator;  /* there is somebody of class A */

    int at;             /* the tag that comes next */
    unsigned depth;     /* levels there are */
    unsigned unknown;   /* nodes within one that is not known */
    bool users;         /* they were there */
    unsigned user;      /* whose entry is read */
    unsigned string;    /* of a list, how far its strings are judged */
    uint32_t pool_next; /* its member that is made next; 0: not begun */
    struct row row;
    struct reader_level level[READER_LEVELS];
    char path[96]; /* of what is being read */
    size_t path_length;
};

/* As directory_parse(), which has the same preconditions; the directory is being filled until it is done. */
void directory_read_begin(struct directory_reader *, struct directory *, const void *blob, size_t bytes,
                          uint32_t first_block, uint32_t volume_blocks, directory_fault *fault, void *context);
/* Goes on, until `over` says that it is time to stop (NULL: never). True: that was all, and the number of faults is
 * known. A step between two questions takes 100,000 instructions at most, whatever the blob holds. */
bool directory_read_on(struct directory_reader *, bool (*over)(void));

void directory_tell(struct directory_reader *, const char *path, const char *reason);

/* What only shows when all is read, duplicates, extents, links: one step. The stage goes on by it. */
void directory_check(struct directory_reader *);
