/* From the CP volume to the directory in force: reads the volume's head, tries its directories from the newest on,
 * falls back to the built-in one. */
#pragma once
#include <stdbool.h>

#include "cp/device/disk.h"
#include "cp/directory/directory.h"

extern struct directory directory; /* the one in force */

/* Told what is not as it should be: a message number and its texts. */
typedef void directory_tell_message(void *context, unsigned number, const char *a, const char *b);

/* Begins reading; `disk` may be NULL. `poll` asks for a call of directory_load_poll(), perhaps before this returns. */
void directory_load(struct disk *disk, directory_tell_message *tell, void *context, void (*poll)(void));
/* True once, when a directory is in force. */
bool directory_load_poll(void);
/* The users of `directory` are those CP has, and nothing is remembered of any. */
void directory_begin(void);
