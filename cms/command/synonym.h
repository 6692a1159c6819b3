/* The user's own names of commands: what SYNONYM makes of a file, and what a line typed is looked up in. They last
 * until the next IPL. */
#pragma once
#include <stdbool.h>

#include "cms/command/command.h"

/* In: a record of a SYNONYM file, words: command, synonym, and the least number of its letters; without that, or with
 * 0, all are to be typed. False, and *wrong says what is: 'R' the record, 'S' there is no storage. A line of no words,
 * or one that begins with *, is passed over. */
bool cms_synonym_add(const char *record, char *wrong);
void cms_synonym_clear(void);
/* All that were added since the last call count from now on, instead of those before; or none of them does. */
void cms_synonym_use(bool good);
/* The command a typed word stands for, NULL: it is no synonym. */
const char *cms_synonym_find(const struct word *word, bool abbreviations);

/* Shows those of the user, those of CMS' own commands. */
int cms_synonym_show_user(const char *module);
void cms_synonym_show_system(void);
