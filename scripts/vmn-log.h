/* The emulator's log, and what it said itself, kept beyond the end of the run directory. One at a time.
 *
 * Where others may write too somebody may have put a link, or a file of theirs, in the log's way: what is there already
 * is written to only if it is a regular file of the user's own that has no other name. */
#pragma once

/* NULL, or why it cannot be kept there. */
const char *log_open(const char *path);
/* One by a name that nobody could know before, beside the run directory: the name, or NULL. */
const char *log_new(const char *directory);
/* Out of the run directory's files; nothing if none is open. */
void log_write(const char *directory);
