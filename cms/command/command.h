/* The command level's contract with everyone who writes a command.
 *
 * A command is one row in its room's table (struct command, ended by a row whose name is NULL); the tables are listed
 * in cms/command/table.c.  A command gets its operands already cut up, writes through cms/console/output.h, complains
 * through cms_message (messages.h), finds disks through cms/kernel/mode.h, and returns 0 or what cms_message gave. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cms/command/help_text.h"

enum {
    COMMAND_LINE_MAX = 4096,  /* bytes of a command line, without its NUL */
    COMMAND_WORDS_MAX = 40,   /* operands, and as many options */
    COMMAND_HALTED = INT32_MIN, /* what a command returns when HX stopped it; no message of its own. No EXEC's code */
};

/* One blank-delimited word of a command line. */
struct word {
    char text[9];        /* folded to upper case and cut to 8 characters, the CMS token */
    const char *raw;     /* where it begins in the line as typed; not NUL-terminated */
    uint16_t raw_length; /* its length as typed */
};

/* A command line as CMS sees it: NAME operand... ( option... ).
 * A parenthesis is a word delimiter wherever it stands; what follows a closing one is ignored. */
struct arguments {
    const char *line;               /* the whole line as typed, NUL-terminated */
    const char *rest;               /* what follows the command's name and one blank, as typed: for PIPE, CP */
    int count;                      /* operands, the command's name not counted */
    int option_count;
    bool has_options;               /* there was an opening parenthesis */
    bool too_many;                  /* words beyond COMMAND_WORDS_MAX were dropped: who reads words is refused */
    struct word name;
    struct word operand[COMMAND_WORDS_MAX];
    struct word option[COMMAND_WORDS_MAX];
};

enum command_reads {
    READS_WORDS, /* `operand` and `option`, which are all there are */
    READS_REST,  /* `rest`, however many words that has */
};

struct command {
    const char *name;                              /* upper case */
    uint8_t abbreviation;                          /* least number of characters that name it */
    int (*run)(const struct arguments *arguments); /* returns the return code */
    const char *synopsis;                          /* HELP_TEXT: operands and options, in the manual's notation */
    const char *help;                              /* HELP_TEXT: lines, each ended by a newline */
    enum command_reads reads;
};

/* Cuts up a line; false if it holds no command name.  The result points into `line`, which must outlive it. */
bool cms_parse(const char *line, struct arguments *arguments);

/* True if `word` (upper case) is `name` or an abbreviation of it of at least `least` characters. */
bool cms_abbreviates(const char *word, const char *name, size_t least);

/* The same of a word of a command line, whole as typed: one longer than its token is an abbreviation of nothing
 * shorter. */
bool cms_word_is(const struct word *word, const char *name, size_t least);
/* The word whole as typed, but upper case, for a message: until the next call. */
const char *cms_typed(const struct word *word);

/* Reads a whole decimal (or X-less hexadecimal) word as typed; false if it is not a number or does not fit 32 bits. */
bool cms_number(const struct word *word, uint32_t *value);
bool cms_hex(const struct word *word, uint32_t *value);

/* Obeys one line as if it had been typed: EXECs if IMPEX is on, CMS commands, files, CP if IMPCP is on, programs.
 * Returns the return code, -3 when nobody knows the command.  May be called by a command (PIPE's CMS stage), nested at
 * most 8 deep. */
int cms_obey(const char *line);
/* The same as ADDRESS COMMAND has it: CMS' commands and programs by their whole names, nothing else. */
int cms_obey_command(const char *line);

/* Seams: true if the line's first word names an EXEC, another file of a minidisk that something runs, or a program of
 * the root image, which has then run and left *rc. The last are looked for where neither CMS nor CP know the command:
 * many have the names of CP's. */
bool cms_implied_exec(const struct arguments *arguments, int *rc);
bool cms_implied_file(const struct arguments *arguments, int *rc);
bool cms_implied_program(const struct arguments *arguments, int *rc);

/* Seam, cms/xedit's: shows a list or a text full screen, by the panel of that name, which is given `line`. False: the
 * terminal or the root image does not have it, the user does not want it, or the output is captured. */
bool cms_full_screen(const char *panel, const char *line, int *rc);
bool cms_has_full_screen(void);

/* True once HX was typed: a command that loops asks at least once a file, a record or a block, and then cleans up and
 * returns COMMAND_HALTED. */
bool cms_halted(void);

/* Reads one line the user types, without its end, NUL-terminated; prompts are the caller's.  Returns its length,
 * or -1 after HX.  A null line is length 0. */
int cms_read(char *line, size_t size);

/* The tables of the rooms that bring commands. */
extern const struct command file_commands[]; /* cms/file */
extern const struct command pipe_commands[]; /* cms/pipe */
extern const struct command spool_commands[]; /* cms/spool */
extern const struct command directory_commands[]; /* cms/directory */
extern const struct command exec_commands[]; /* cms/exec */
extern const struct command eel_commands[]; /* cms/eel */
extern const struct command xedit_commands[]; /* cms/xedit */

/* QUERY PROGRAM: the registers of the last program that died of what it did (cms/program). */
int cms_query_program(const struct arguments *arguments);
/* After an abend: no program runs any more (cms/program). */
void cms_program_recover(void);
/* The line typed at the terminal has been obeyed: what its commands left open for one another is closed (cms/exec). */
void cms_exec_line_ends(void);
/* The HELP command (cms/help). */
int cms_help(const struct arguments *arguments);
/* Shows the HELP file of a stage (cms/pipe): 0, or the return code of the message that there is none. */
int cms_pipe_explain(const char *name);
