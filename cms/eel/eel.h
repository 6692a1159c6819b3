/* EEL, the table of execution environments: what runs a file whose name is typed, and why.
 *
 * A rule says which environment files of a magic (their first bytes) or of a filetype have; the magic goes before. An
 * environment says how it is done. Both tables begin as CMS brings them and are the user's to change; the directory may
 * forbid an environment. In: a file's first bytes and its type. Out: what would run it. Pure. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "cms/command/command.h"
#include "cms/file/file.h"

enum {
    EEL_NAME = 8,
    EEL_PATH = 63,
    EEL_ARGUMENTS = 119,
    EEL_MAGIC_BYTES = 8192, /* a multiboot header is within as many */
    EEL_RULES = 48,
    EEL_ENVIRONMENTS = 24,
};

enum eel_kind {
    EEL_REXX,    /* CMS has it interpreted as an EXEC */
    EEL_NATIVE,  /* it is a program itself */
    EEL_PROGRAM, /* a program of Linux runs it or shows it */
    EEL_MACHINE, /* a virtual machine of its own on the same console */
};

struct eel_environment {
    char name[EEL_NAME + 1];
    enum eel_kind kind;
    bool own, forbidden;
    char path[EEL_PATH + 1];           /* EEL_PROGRAM */
    char arguments[EEL_ARGUMENTS + 1]; /* its words: %f stands for the file's path, and what was typed follows */
};

enum eel_by { EEL_BY_NOTHING, EEL_BY_MAGIC, EEL_BY_TYPE };

struct eel_rule {
    enum eel_by by;
    char name[EEL_NAME + 1]; /* of a magic, or a filetype */
    char environment[EEL_NAME + 1];
    bool own; /* the user's */
};

struct eel_verdict {
    const struct eel_environment *environment; /* NULL: nothing runs it */
    enum eel_by by;
    const char *magic;                          /* its name, NULL: none is known */
    const struct eel_environment *by_type;      /* which the filetype alone would have; NULL: none */
    bool disagree;                              /* both are there and are different */
};

/* The name of what a file begins with, NULL: nothing known. */
const char *cms_eel_magic(const void *first, size_t bytes);
/* The index-th magic's name, NULL behind the last. */
const char *cms_eel_magic_name(size_t index);
struct eel_verdict cms_eel_judge(const void *first, size_t bytes, const char *type);

/* The tables, in the order in which they count; NULL behind the last. */
const struct eel_rule *cms_eel_rule(size_t index);
const struct eel_environment *cms_eel_environment(size_t index);
const struct eel_environment *cms_eel_find(const char *name);
/* False: the table is full. The latest rule for a magic or type is the only one. */
bool cms_eel_set_rule(enum eel_by, const char *name, const char *environment);
bool cms_eel_define(const char *name, const char *path, const char *arguments);
/* What the user has said is taken back: it is as CMS brings it, or not there. False: they have said nothing. With an
 * environment go their rules that name it, if CMS has none of that name. */
bool cms_eel_reset_rule(enum eel_by, const char *name);
bool cms_eel_reset_environment(const char *name);
void cms_eel_reset(void); /* as CMS brings them; what is forbidden stays so */
/* What the directory forbids is asked for once; so is one more. What DEFINE makes is forbidden with LINUX, too. */
void cms_eel_forbid(const char *name);
bool cms_eel_forbids(const char *name);

/* ---- running ----------------------------------------------------------------------------------------------------- */

enum { EEL_WORDS = 64, EEL_TEXT = 6144 };
/* A program's arguments: pointers into `text`, ended by NULL. */
struct eel_line {
    const char *word[EEL_WORDS + 1];
    int count;
    size_t used;
    char text[EEL_TEXT];
};
/* Cuts up what was typed: blanks separate, '...' and "..." keep them, a backslash outside '...' makes the next
 * character plain. False: it does not fit, or a quotation does not end. */
bool cms_eel_add_words(struct eel_line *, const char *typed);
bool cms_eel_add_word(struct eel_line *, const char *word);
/* The environment's words with the file's path in them. */
bool cms_eel_add_template(struct eel_line *, const struct eel_environment *, const char *path);

int cms_eel(const struct arguments *);
/* The file that a name typed alone means, by the types that have a rule (EXEC excepted); false: none. */
bool cms_eel_find_file(const char *name, struct file_found *);
/* Runs it, after asking where the policy says so. Its return code, or that of a message. */
int cms_eel_run(const struct file_found *, const char *argument);

/* ---- seams, the program room's ----------------------------------------------------------------------------------- */

/* The file's path for programs: "/a/sunset.jpeg". */
enum { PROGRAM_PATH = 32 };
void cms_program_path(const struct file_found *, char path[PROGRAM_PATH]);
/* Up to `size` first bytes of the file as programs see it; a negative errno. */
int cms_program_peek(const struct file_found *, void *bytes, size_t size);
/* The program of Linux that a word typed means: a path, or a name in /bin as typed or in small letters. */
enum { PROGRAM_FOUND = 256 };
bool cms_program_find(const char *typed, char path[PROGRAM_FOUND]);
/* Runs a program to its end, on the terminal; `arguments` end with NULL. Its return code, or that of a message. */
int cms_program_start(const char *path, const char *const arguments[]);
/* Has CP run it as a system in a machine of its own on this console, till that ends. */
int cms_program_machine(const struct file_found *, const char *argument);
