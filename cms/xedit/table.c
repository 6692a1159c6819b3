/* Commands that run programs of the root image, and what Tab offers behind them. */
#include "cms/command/complete.h"
#include "cms/xedit/xedit.h"

const struct command xedit_commands[] = {
    {"XEDIT", 1, cms_xedit, "XEDIT fn ft [fm] [(PROFILE name|NOPROFIL]",
     "Edits the file, full screen, with XEDIT's commands and prefix area; a new one\n"
     "is made on disk A, or on fm.  FILE saves it and leaves, QUIT leaves.  PROFILE\n"
     "XEDIT is run first, or the macro named; fn XEDIT are macros, in REXX.  The\n"
     "editor is THE: its command HELP tells more.\n", READS_WORDS},
    {0},
};

static void one_file(const struct arguments *typed, struct candidates *c)
{
    cms_file_complete(typed->operand, typed->count, c);
}

static void options(const struct arguments *typed, struct candidates *c)
{
    static const char *const words[] = {"NOPROFIL", "PROFILE", NULL};
    (void)typed;
    candidates_offer_all(c, words);
}

const struct command_completion xedit_completions[] = {{"XEDIT", one_file, options}, {0}};
