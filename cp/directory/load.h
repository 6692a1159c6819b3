/* From the CP volume to the directory in force: reads the volume's head, tries its directories from the newest on,
 * falls back to the built-in one. */
#pragma once
#include <stdbool.h>

#include "cp/device/disk.h"

/* Told what is not as it should be: a message number and its texts. */
typedef void directory_tell_message(void *context, unsigned number, const char *a, const char *b);

/* Begins reading; `disk` may be NULL. */
void directory_load(struct disk *disk, directory_tell_message *tell, void *context);
/* True once, when a directory is in force. */
bool directory_load_poll(void);
