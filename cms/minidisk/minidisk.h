/* Accessed minidisks as directories: /a to /z.
 *
 * Names: PROFILE EXEC is profile.exec; a name without a dot has the filetype FILE, or MODULE where programs may execute
 * it (also another file's mode number 2 says that they may). Any case finds it; what has small letters on the disk is
 * shown as it is. Names that begin with a dot or end with ~ are kept in storage, until IPL. Others that CMS does not
 * allow are refused.
 *
 * Contents: a V file's records are lines, each with a newline behind it. As CMS has no empty record, a line of n blanks
 * is a record of n + 1. An F file's bytes are its records' bytes. What a program writes is kept V if it is lines (no
 * NUL, a newline at the end, none too long) and F otherwise: as F before with its record length, where the size still
 * fits that, else one record, or where that would be too long, records of one byte. Both come back byte for byte.
 *
 * A file is written as a whole when it is closed or synchronised: until then the old one stands, also if the power
 * goes. What write(2) accepts has its blocks promised, beside those of the old file, so that only a device can refuse
 * it later. A disk that is released is brought up to date before; from then on its files are -EIO. */
#pragma once

/* Mounts them; once. */
void minidisk_files_start(void);
/* After the heap was started anew: forgets everything, without giving anything back. */
void minidisk_files_reset(void);

/* A file that went without what programs had written to it: its last user is gone, and the disk did not take it. */
struct minidisk_loss {
    char name[9], type[9], letter;
    int error; /* errno */
};
/* The next that nobody was told of; NULL: there is none. */
const struct minidisk_loss *minidisk_next_loss(void);
