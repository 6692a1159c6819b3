/* The files EXECIO has open: they stay so from one EXECIO to the next, at the record where the last one ended, until
 * FINIS or until the line that was typed at the terminal has been obeyed. */
#pragma once
#include "cms/file/file.h"

struct open_file {
    struct open_file *next;
    struct file_found found; /* of a new file: its names and the mode */
    struct edf_reader *reader;
    struct edf_writer *writer;
    struct edf_reader *rest; /* written in the midst: the old file, from the record on that is replaced next */
    uint32_t record; /* the next one to be read, from 1; written: the last that was */
    uint32_t lrecl;  /* of what is written; F files only */
    char recfm;
};

/* The open file of these names on this disk, or NULL. */
struct open_file *open_file_find(const struct mode *, const char *name, const char *type);
/* One more in the list, with nothing open in it; NULL: no storage. */
struct open_file *open_file_add(const struct file_found *);
/* Has its writer write the file anew, from record `line` on, which there is: records before it are copied, those that
 * are not replaced by the end follow then. @pre nothing is open in it */
enum edf_status open_file_rewrite(struct open_file *, uint32_t line);
/* A record is written in place of one of the old file. As on any CMS, what follows one of variable format that is now
 * of another length goes. */
enum edf_status open_file_replace(struct open_file *, uint32_t length);
/* Closes it, makes what was written true, and forgets it. */
enum edf_status open_file_end(struct open_file *);
/* Closes all, for whoever ends last; the first status that is not EDF_OK. */
enum edf_status open_file_end_all(void);
