/* HELP files: "name HELPCMS" explains a command, "name HELPPIPE" a stage, "DMSnnns HELPMSG" a message, "component
 * HELPMENU" lists what a component has. They are looked for on all accessed disks, in search order, and then in the
 * root image, which has the system's: so a user may have others. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#define HELP_CMS  "HELPCMS"
#define HELP_PIPE "HELPPIPE"
#define HELP_MSG  "HELPMSG"
#define HELP_MENU "HELPMENU"

/* The name of the HELP file of what is called so, in upper case: cut to 8 characters, and what no name of a file may
 * hold is spelled (* is STAR). */
void cms_help_name(const char *what, char name[9]);
/* Shows a HELP file; false if there is none. *rc is 0, or the return code of the message that it cannot be
 * read, or COMMAND_HALTED. In a message's file only what `module` (three letters; NULL: any) gives is shown: a line
 * "DMSxxxnnn..." begins what module xxx gives, or, if that is mmm, all others do. */
bool cms_help_show(const char *what, const char *type, const char *module, int *rc);
/* Gives the message that there is no HELP for it, or that the HELP files are not accessed; its return code. */
int cms_help_missing(const char *what);
