/* Within this room: one file of a minidisk that programs have, and its way to and from the disk. */
#pragma once
#include "cms/kernel/mode.h"
#include "cms/minidisk/name.h"
#include "cms/vfs/node.h"
#include "cms/vfs/pages.h"

struct letter {
    struct node node; /* the directory */
    struct node_system system;
    struct node *passing; /* names kept in storage; NULL: none yet */
    char letter;
};

struct mini_file {
    struct node node;
    struct space_object object;
    struct letter *letter;
    struct mini_file *next; /* of those that are in use */
    struct cms_name name;
    uint32_t generation;         /* of the access it was found by */
    struct edf_file_facts facts; /* as on the disk; of a new file only what is to be */
    struct pages pages;
    struct edf_reader *reader; /* brings pages of an F file; NULL: all that counts is in `pages` */
    uint32_t promised;         /* blocks of the disk, for what it will be when it is stored */
    int64_t lines;             /* newlines of what was read or written as lines, at most */
    int64_t changed;           /* ns since 1970, where that is another than the disk's; 0: it is not */
    bool fresh;                /* not on the disk yet */
    bool loaded;               /* `pages` has, or can fetch, what the file holds */
    bool dirty;                /* and it is another than the disk's */
    bool emptied;              /* the format may be another, too */
    bool removed;              /* it has no name any more */
    bool dated;                /* `changed` was asked for */
};

static inline struct mini_file *mini_of(struct node *n) { return (struct mini_file *)n; }

int mini_errno(enum edf_status);
/* The disk the file is on; NULL: another was accessed since, or none, or its device has gone. */
struct edf_disk *mini_disk(const struct mini_file *);
/* load.c */
int mini_load(struct mini_file *);
void mini_unload(struct mini_file *);
int mini_size(struct mini_file *, uint64_t *size); /* without loading it, where that is possible */
void mini_sizes_reset(void);
/* store.c: writes it under a name, as one commit; it is then no longer dirty. */
int mini_store(struct mini_file *, const struct cms_name *);
/* Has the disk keep room, beside the old file, for so many bytes with so many lines in them. 0; -ENOSPC and what was
 * promised before stands, -EIO: the disk has gone. Less is always to be had. */
int mini_promise(struct mini_file *, uint64_t size, int64_t lines);
void mini_promise_nothing(struct mini_file *);
/* node.c */
extern const struct node_operations mini_operations;
extern const struct space_object_operations mini_object_operations;
int mini_commit(struct mini_file *); /* if it is dirty; it stays so when that fails */
void mini_give_up(struct mini_file *); /* the disk has the old file, or none, and so have programs */
/* directory.c */
void mini_unlist(struct mini_file *);
void mini_lost(const struct mini_file *, int error);
int64_t mini_date_to_ns(const struct edf_date *);
struct edf_date mini_date_of_ns(int64_t ns);

/* text.c, pure: what of bytes is lines. */
struct line_judge {
    uint64_t length; /* of the line so far */
    bool blank, bad; /* nothing but blanks so far; it cannot be records */
};
void line_judge_begin(struct line_judge *);
void line_judge_bytes(struct line_judge *, const char *bytes, size_t count);
bool line_judge_end(const struct line_judge *); /* all of it can be records */
/* The bytes of a record as a line, without newline: those that count. */
uint32_t line_of_record(const uint8_t *record, uint32_t length);
