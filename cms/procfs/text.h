/* Within this room: a text that grows, and the files that are made of one when they are opened. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "cms/process/thread.h"

struct text {
    char *at;
    size_t used, room;
    bool failed; /* there was no storage */
};
void text_add(struct text *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_add_bytes(struct text *, const char *bytes, size_t count);

/* A file of /proc, or of each process: `p` is NULL for the former. */
struct proc_file {
    const char *name;
    void (*write)(struct text *, struct process *p);
};
extern const struct proc_file proc_machine_files[], proc_process_files[];
extern const unsigned proc_machine_count, proc_process_count;
/* Where an open file is in the tree, or what it is: "pipe:[3]". */
void proc_file_target(struct text *, struct file *);
