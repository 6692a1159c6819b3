/* Open files, as open(2) makes them: what descriptors of any number of processes stand for. A kind of file is a table
 * of operations; one that is NULL answers with the errno the manual page gives for such a file. All may sleep and then
 * return -EINTR. Results are counts or negative errnos. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cms/kernel/wait.h"
#include "cms/space/space.h"
#include "cms/vfs/io.h"

struct file;
struct vfs_stat;  /* cms/vfs/abi.h: struct stat of x86-64 */
struct vfs_entry; /* cms/vfs/node.h */
struct node;

struct file_operations {
    int64_t (*read)(struct file *, struct io *, uint64_t offset);
    int64_t (*write)(struct file *, struct io *, uint64_t offset);
    int64_t (*seek)(struct file *, int64_t offset, int whence); /* NULL: a seekable file by its size, or -ESPIPE */
    int64_t (*control)(struct file *, struct space *, unsigned request, uint64_t argument); /* ioctl; NULL: -ENOTTY */
    unsigned (*poll)(struct file *, struct wait_queue **queue); /* POLL* that hold now, and what wakes; NULL: always */
    struct wait_queue *(*poll_also)(struct file *); /* what wakes too, where that is two; NULL: nothing */
    int (*stat)(struct file *, struct vfs_stat *);
    int (*truncate)(struct file *, uint64_t size);
    int (*sync)(struct file *);
    int (*next_entry)(struct file *, struct vfs_entry *); /* directories: 1, or 0 at the end */
    int (*map)(struct file *, struct space_object **);    /* with one more user */
    int (*last_close)(struct file *); /* gives up `own` */
};

/* Who looks at a file without keeping it open: told once, when its last user has gone, and no watch any more. */
struct file_watch {
    struct file_watch *next;
    struct file *file;
    void (*gone)(struct file_watch *);
};

struct file {
    const struct file_operations *operations;
    void *own;      /* the kind's */
    unsigned users; /* descriptors, mappings, calls under way */
    uint32_t flags; /* O_* that F_GETFL shows */
    uint64_t position;
    bool seekable;
    bool locked; /* has, or had, locks of its own (cms/vfs/lock.h) */
    int owner_process;        /* F_SETOWN */
    struct file_watch *watches;
    struct node *device_node; /* what it was opened of, where that is a device */
};

struct file *file_make(const struct file_operations *, void *own, uint32_t flags); /* one user; NULL: no storage */
void file_hold(struct file *);
void file_watch(struct file *, struct file_watch *);
void file_watch_ends(struct file_watch *);
int file_let_go(struct file *);
int64_t file_read(struct file *, struct io *);                     /* at its position */
int64_t file_read_at(struct file *, struct io *, uint64_t offset); /* pread */
int64_t file_write(struct file *, struct io *);
int64_t file_write_at(struct file *, struct io *, uint64_t offset);
int64_t file_append(struct file *, struct io *, bool moves); /* as with O_APPEND; does the position go with it? */

/* ---- descriptors ----------------------------------------------------------------------------------------------- */

enum { FILES_MAX = 1024 };
struct files; /* a table of descriptors */
struct files *files_make(void);
struct files *files_copy(const struct files *); /* fork */
void files_set_limit(struct files *, unsigned limit); /* RLIMIT_NOFILE: of new ones; at most FILES_MAX */
void files_hold(struct files *);                /* CLONE_FILES */
void files_let_go(struct files *);              /* the last closes all */
void files_close_on_exec(struct files *);
/* The lowest free one that is not below `least`; takes over one user of `file`, also when it fails. */
int files_add(struct files *, struct file *, unsigned least, bool close_on_exec);
int files_put(struct files *, unsigned descriptor, struct file *, bool close_on_exec); /* dup2 */
struct file *files_get(struct files *, unsigned descriptor); /* not held: valid until the caller next sleeps */
int files_close(struct files *, unsigned descriptor);
bool files_closes_on_exec(const struct files *, unsigned descriptor);
void files_set_close_on_exec(struct files *, unsigned descriptor, bool);
