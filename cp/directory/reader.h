/* Between the directory's parser and its checker: whoever finds a fault tells it here. */
#pragma once
#include "cp/directory/directory.h"

struct directory_reader {
    struct directory *directory;
    const void *blob;
    uint32_t first_block, volume_blocks;
    directory_fault *fault;
    void *context;
    unsigned faults;
    char path[96]; /* of what is being read */
    size_t path_length;
};

void directory_tell(struct directory_reader *, const char *path, const char *reason);

/* What only shows when all is read: duplicates, extents, links. */
void directory_check(struct directory_reader *);
