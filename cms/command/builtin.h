/* The commands of this room, and what they share. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "cms/command/command.h"

int cms_access(const struct arguments *arguments);
int cms_release(const struct arguments *arguments);
int cms_format(const struct arguments *arguments);
int cms_query(const struct arguments *arguments);
int cms_set(const struct arguments *arguments);
int cms_cp(const struct arguments *arguments);
int cms_identify(const struct arguments *arguments);

/* "%-8s = value" for a setting named by `word`; false if it is none. */
bool cms_setting_query(const char *word);
bool cms_setting_known(const char *word);

/* Hands the line to CP and shows its response; the return code is CP's. -1: CP is not there. */
int cms_cp_line(const char *line);
/* Shows what CP's HELP says of it, with CP's return code; false if there is no CP, or it says nothing. */
bool cms_cp_help(const struct word *about, int *rc);
/* A QUERY or SET that CMS does not know: CP's if CP is there and IMPCP is on, else message 014E with the operand. */
int cms_cp_or_message(const struct arguments *arguments, const char *module);
/* An unknown command: CP's answer, or a program's, or "Unknown CP/CMS command" and -3. */
int cms_cp_implied(const struct arguments *arguments);

/* The command a name means: exact first, then by abbreviation if `abbreviations`; NULL: none. */
const struct command *cms_command_find(const char *name, bool abbreviations);
/* The same for a word as typed. */
const struct command *cms_command_of(const struct word *word, bool abbreviations);
/* All commands, in the order of the tables; NULL at the end. */
const struct command *cms_command_at(size_t index);
/* The index-th name of what QUERY and SET know, and of the values SET takes for `setting`; NULL after the last. */
const char *cms_query_name(size_t index);
const char *cms_setting_name(size_t index);
const char *cms_setting_value(const char *setting, size_t index);

