/* A command line in words for a program: blanks separate, '...' and "..." hold together. */
#pragma once
#include <stddef.h>

enum { PROGRAM_WORDS_MAX = 500 };
/* Cuts up `line` in place; words[] ends with NULL. How many, or -1: there are more, or a quote has no end. */
int program_words(char *line, const char *words[PROGRAM_WORDS_MAX + 1]);
