/* Commands that run programs of the root image, and what Tab offers behind them. */
#include "cms/command/complete.h"
#include "cms/xedit/xedit.h"

const struct command xedit_commands[] = {
    {"FILELIST", 5, cms_filelist, HELP_TEXT("FILELIST [fn [ft [fm]]] [(APPEND|FILELIST] [PROFILE name]]"),
     HELP_TEXT("Lists files full screen; where there is none (SET FULLSCREEN OFF), in lines as\n"
               "LISTFILE does.  Commands typed in front of files, one or many, are obeyed when\n"
               "Enter is pressed; what each returned is shown there: * for 0, *28 for 28.\n"
               "/ in such a command stands for the file, fn ft fm; /n /t /m for its name, type\n"
               "and mode, also together (/nt); /o for nothing.  Where none of them stands, the\n"
               "file follows the command, or stands before its options.\n"
               "(FILELIST lists the files that the file fn ft fm names, as LISTFILE's CMS EXEC\n"
               "does.  In a list, FILELIST fn ft fm (APPEND on the command line adds files.\n"
               "PROFFLST XEDIT, or what PROFILE names, is a macro that is run first.\n"
               "A / alone makes the file's line the first; = is the last command once more; ?\n"
               "shows it.  DISCARD erases the file.  F1 HELP, F2 refreshes the list, F3 leaves,\n"
               "F4 sorts by type, F5 by date, F6 by size, F7 F8 page, F9 lists all files of the\n"
               "same name, F11 edits the file with XEDIT, F12 moves between the list and the\n"
               "command line, which takes XEDIT's commands, and CMS' where XEDIT has none;\n"
               "SNAME STYPE SMODE SLREC SREC SSIZE SDATE sort by what they name, HX leaves.\n"), READS_WORDS},
    {"XEDIT", 1, cms_xedit, HELP_TEXT("XEDIT fn ft [fm] [(PROFILE name|NOPROFIL]"),
     HELP_TEXT("Edits the file, full screen, with XEDIT's commands and prefix area; a new one\n"
               "is made on disk A, or on fm.  FILE saves it and leaves, QUIT leaves.  PROFILE\n"
               "XEDIT is run first, or the macro named; fn XEDIT are macros, in REXX.  A\n"
               "command that XEDIT does not have is CMS', or CP's, as are CMS command and CP\n"
               "command; what they show stays until a key is pressed.  SET IMPCMSCP OFF ends\n"
               "that.  The editor is THE: its command HELP tells more.\n"), READS_WORDS},
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

static void filelist_options(const struct arguments *typed, struct candidates *c)
{
    static const char *const words[] = {"APPEND", "FILELIST", "PROFILE", NULL};
    (void)typed;
    candidates_offer_all(c, words);
}

const struct command_completion xedit_completions[] = {
    {"FILELIST", one_file, filelist_options}, {"XEDIT", one_file, options}, {0}};
