/* From the CP volume to the directory in force: reads the volume's head, tries its directories from the newest on,
 * falls back to the built-in one. */
#pragma once
#include <stdbool.h>

#include "cp/device/disk.h"
#include "cp/directory/directory.h"

extern struct directory directory; /* the one in force */
extern uint64_t directory_changes; /* how often that has become another */

/* Where it is from, and where the next is to go. */
struct directory_source {
    const void *blob; /* NULL: the built-in one */
    uint32_t bytes;
    struct disk *disk; /* the volume's; NULL: there is none */
    uint32_t blocks;   /* of the volume */
    uint32_t next_slot; /* its first block */
    uint64_t sequence; /* the highest there is */
};
extern struct directory_source directory_source;

/* Told what is not as it should be: a message number and its texts. */
typedef void directory_tell_message(void *context, unsigned number, const char *a, const char *b);

/* Begins reading; `disk` may be NULL. `poll` asks for a call of directory_load_poll(), perhaps before this returns. */
void directory_load(struct disk *disk, directory_tell_message *tell, void *context, void (*poll)(void));
/* Goes on, until `over` says that it is time to stop, and asks for another call. True once, when a directory is in
 * force. */
bool directory_load_poll(bool (*over)(void));
/* The users of `directory` are those CP has, and nothing is remembered of any. */
void directory_begin(void);
