/* What the file commands and PIPE share: fileids as typed, the files they mean on the accessed disks, options, and the
 * messages for what the file system answers. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cms/command/command.h"
#include "cms/edf/edf.h"
#include "cms/kernel/mode.h"

enum { FILE_ID_MAX = 24 };        /* "12345678 12345678 A1" and its NUL */
enum { FILE_LRECL_DEFAULT = 80 }; /* of an F file, where neither records nor the user say it */

/* A fileid as typed: name and type may be patterns (* and %) or, for output, contain = ; mode * is every letter. */
struct file_id {
    char name[9], type[9];
    char letter; /* 'A'..'Z' or '*' ; '=' for output */
    char number; /* '0'..'6', or 0: not given */
};

/* One file that was found. */
struct file_found {
    struct mode *mode;
    struct edf_file_facts facts;
};

/* A search under way; begin with {.id = ..., }. */
struct file_search {
    struct file_id id;
    bool writable;      /* only read/write disks, when the mode is * */
    struct mode *mode;  /* the disk being searched; NULL: not begun */
    uint32_t position, limit;
};

/* Reads `count` (2 or 3) words as name, type and mode; without a mode it is `default_letter`. 0, or the return code of
 * the message given. = is only taken if `output`. */
int cms_file_id_read(const char *module, const struct word *words, int count, char default_letter, bool output,
                     struct file_id *id);
/* The operands of a list, all there are: name and type that are left out mean all; the mode, A. As above. */
int cms_file_list_read(const char *module, const struct arguments *arguments, struct file_id *id);
/* A mode as typed: a letter or * (= if `output`), and perhaps a number. */
bool cms_file_mode_read(const struct word *word, bool output, char *letter, char *number);
/* "NAME TYPE A1" */
void cms_file_id_text(const struct file_id *id, char text[FILE_ID_MAX]);
void cms_file_found_text(const struct file_found *found, char text[FILE_ID_MAX]);
bool cms_file_is_pattern(const struct file_id *id);

/* 0, or the return code of the message given: the mode must be accessed, and read/write if `writable`. */
int cms_file_mode_check(const char *module, const struct file_id *id, bool writable);
/* The next file that matches, in search order; disks that extend the one named belong to it. Files that were made
 * after the search came to their disk are not found. */
bool cms_file_next(struct file_search *search, struct file_found *found);
/* The file last found was erased, and none was made: the search goes on where it leaves nothing out. */
void cms_file_erased(struct file_search *search);
/* The first file that matches, or message 002E (069E) and its return code. */
int cms_file_find(const char *module, const struct file_id *id, struct file_found *found);

/* The output fileid for an input file: = is replaced. 0, or the return code of the message given. */
int cms_file_output(const char *module, const struct file_id *output, const struct file_found *input,
                    struct file_id *result);

/* The message for a status of the file system other than EDF_OK and EDF_END, and its return code. */
int cms_file_failed(const char *module, enum edf_status status, const struct mode *mode, const char *fileid);

/* A packed file is nothing to show, run or edit. 0, or the return code of the message that it is one. */
int cms_file_refuse_packed(const char *module, const struct file_found *found);

/* ---- options ----------------------------------------------------------------------------------------------------- */

/* A row of a command's option table. Options of one group (not 0) exclude each other; `value`: a word follows. */
struct file_option {
    const char *name;
    uint8_t abbreviation;
    uint8_t group;
    bool value;
};

struct file_options {
    uint32_t given;               /* bit i: row i of the table */
    const struct word *value[32]; /* of row i */
};

/* At most 32 rows, ended by a name of NULL. 0, or the return code of the message given. */
int cms_file_options(const char *module, const struct arguments *arguments, const struct file_option *table,
                     struct file_options *options);
/* Records or columns, counted from 1. */
struct file_range {
    uint32_t first, last;
};
/* The value of COL: first, or first-last; without -last, that stays as it was. As cms_file_options. */
int cms_file_columns_read(const char *module, const struct word *word, struct file_range *columns);
/* Those of the commands, for Tab. */
extern const struct file_option *const cms_file_compare_options, *const cms_file_copyfile_options,
    *const cms_file_erase_options, *const cms_file_listfile_options, *const cms_file_rename_options,
    *const cms_file_synonym_options, *const cms_file_tape_options, *const cms_file_type_options;
/* The functions of TAPE; NULL after the last. */
const char *cms_file_tape_function(size_t index);
static inline bool file_option(const struct file_options *options, unsigned row)
{
    return options->given >> row & 1;
}

struct candidates;
/* Offers what may stand behind `count` words of a fileid, at most 3: names, types or modes of files that there are. */
void cms_file_complete(const struct word *words, int count, struct candidates *candidates);
/* Offers the names of files of this type. */
void cms_file_complete_type(const char *type, struct candidates *candidates);

/* ---- records ----------------------------------------------------------------------------------------------------- */

/* Shows a record on the console; control characters, which could command the terminal, are shown as full stops. */
void cms_file_show(const uint8_t *record, size_t length);

/* ---- the commands ------------------------------------------------------------------------------------------------ */
int cms_file_listfile(const struct arguments *arguments);
int cms_file_type(const struct arguments *arguments);
int cms_file_copyfile(const struct arguments *arguments);
int cms_file_erase(const struct arguments *arguments);
int cms_file_rename(const struct arguments *arguments);
int cms_file_state(const struct arguments *arguments);
int cms_file_statew(const struct arguments *arguments);
int cms_file_compare(const struct arguments *arguments);
int cms_file_ddr(const struct arguments *arguments);
int cms_file_filedef(const struct arguments *arguments);
int cms_file_snapshot(const struct arguments *arguments);
int cms_file_sort(const struct arguments *arguments);
int cms_file_synonym(const struct arguments *arguments);
int cms_file_tape(const struct arguments *arguments);
