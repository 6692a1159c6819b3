/* What is done to a REXX source before Regina has it. ADDRESS COMMAND: Regina keeps the environment COMMAND for
 * programs of Linux and lets nobody else have it; in CMS it is CMS' own. So the symbol COMMAND (or the literal) behind
 * ADDRESS becomes 'COMMAND ', which Regina does not know and hands on. PARSE SOURCE becomes PARSE VALUE '...' WITH:
 * once a program that this one called has ended, Regina has no name for this one and falls over PARSE SOURCE. Lines
 * stay lines. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* `text` is malloc()ed, and may move; `says`: what PARSE SOURCE parses. */
void source_rewrite(char **text, size_t *length, const char *says);
/* Nothing but blanks and comments, with which Regina falls over a null pointer. */
bool source_is_empty(const char *text, size_t length);
