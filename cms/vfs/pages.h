/* What a file holds, in frames: for files in storage, and for those of minidisks while they are changed. Pages that
 * were never written are zeroes, or what `fetch` brings. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cms/kernel/frame.h"
#include "cms/vfs/io.h"

enum { PAGES_DIRECT = 4, PAGES_IN_FRAME = FRAME_SIZE / sizeof(void *) };
static const uint64_t PAGES_SIZE_MAX = (uint64_t)PAGES_IN_FRAME * PAGES_IN_FRAME * FRAME_SIZE; /* 1 GiB */

/* Frames that all files of one kind may have together, those of their names and nodes included. */
struct pages_budget {
    size_t limit, used;
};
static inline size_t pages_budget_left(const struct pages_budget *b)
{
    return b->used < b->limit ? b->limit - b->used : 0;
}

struct pages {
    uint64_t size;               /* bytes */
    void *direct[PAGES_DIRECT];  /* the first pages, also by `table` were there one */
    void ***table;               /* a frame of frames of pages; NULL: none */
    size_t count;                /* frames, those of tables included */
    struct pages_budget *budget; /* NULL: no limit but storage */
    /* Brings a page that is not there (a frame with one user); a negative errno. NULL: zeroes. */
    int (*fetch)(struct pages *, uint64_t index, void **frame);
};

/* The page, made or fetched where it is not there; it stays this file's. 0, -ENOSPC, -ENOMEM or fetch's errno. */
int pages_frame(struct pages *, uint64_t index, void **frame);
/* The page if it is there; NULL: it is not. */
void *pages_look(const struct pages *, uint64_t index);
/* Counts of bytes, or a negative errno when nothing was moved. pages_write makes the file longer where needed. */
int64_t pages_read(struct pages *, struct io *, uint64_t offset);
int64_t pages_write(struct pages *, struct io *, uint64_t offset);
int pages_resize(struct pages *, uint64_t size); /* -EFBIG */
void pages_free(struct pages *);                 /* all of them; the size is then 0 */
