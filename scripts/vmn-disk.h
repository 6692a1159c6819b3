/* The file that is the machine's disk, as others may treat it while the machine runs. */
#pragma once

/* Opens RUN-DIRECTORY/disk, a link to it; nothing to do where there is none. `place`: the directory. */
void disk_open(int place);
/* NULL, or in one sentence what has happened to the file since the last look. */
const char *disk_look(void);
/* Prints who holds a lock on that file; the exit status. */
int disk_print_holder(const char *path);
