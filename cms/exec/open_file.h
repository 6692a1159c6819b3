/* The files EXECIO has open: they stay so from one EXECIO to the next, at the record where the last one ended, until
 * FINIS or until the line that was typed at the terminal has been obeyed. */
#pragma once
#include "cms/file/file.h"

struct open_file {
    struct open_file *next;
    struct file_found found; /* of a new file: its names and the mode */
    struct edf_reader *reader;
    struct edf_writer *writer;
    uint32_t record; /* the next one to be read, from 1; written: records that there are */
    uint32_t lrecl;  /* of what is written; F files only */
    char recfm;
};

/* The open file of these names on this disk, or NULL. */
struct open_file *open_file_find(const struct mode *, const char *name, const char *type);
/* One more in the list, with nothing open in it; NULL: no storage. */
struct open_file *open_file_add(const struct file_found *);
/* Closes it, makes what was written true, and forgets it. */
enum edf_status open_file_end(struct open_file *);
/* Closes all, for whoever ends last; the first status that is not EDF_OK. */
enum edf_status open_file_end_all(void);
