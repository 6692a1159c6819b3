/* A program with variables that gives PIPE commands, of 64 with at most 200 bytes; a name that begins with a digit is
 * not valid. And it knows programs that are stages: SCRIPT gives the commands that are its argument, with ; between
 * them, over and over, until one returns 12, or EXIT n. &X is the value of a variable; what another return code was is
 * RC, and ends it. TWICE puts each record twice. */
#pragma once

/* Forgets all variables, and offers itself. */
void fake_cms_variables_begin(void);
void fake_cms_variables_end(void);
/* "" if it is not set. */
const char *fake_cms_variable(const char *name);
void fake_cms_variable_set(const char *name, const char *value);
