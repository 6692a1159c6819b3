/* All commands.  Those of other rooms come from their own tables. */
#include <string.h>

#include "cms/command/builtin.h"
#include "cms/console/console.h"

static int halt(const struct arguments *a) { (void)a; return 0; }
static int halt_typing(const struct arguments *a) { (void)a; cms_console_set_typing(false); return 0; }
static int resume_typing(const struct arguments *a) { (void)a; cms_console_set_typing(true); return 0; }

static const struct command builtin_commands[] = {
    {"*", 1, halt, HELP_TEXT("* text"),
     HELP_TEXT("A comment: nothing is done.\n"), READS_WORDS},
    {"ACCESS", 2, cms_access, HELP_TEXT("ACCESS [vdev [fm[/ext]]] [(FORCERO]"),
     HELP_TEXT("Makes the files of the disk at virtual device number vdev (default 191)\n"
               "available under the file mode letter fm (default A).  With /ext the disk is\n"
               "read-only and extends the disk accessed as ext.\n"
               "FORCERO accesses a disk read-only that could be written.\n"
               "A disk that could not be accessed leaves the file mode as it was.\n"), READS_WORDS},
    {"CP", 2, cms_cp, HELP_TEXT("CP command"),
     HELP_TEXT("Hands the command to CP and shows what CP answers.  The return code is CP's.\n"), READS_REST},
    {"FORMAT", 6, cms_format, HELP_TEXT("FORMAT vdev fm [(BLKSIZE 512|1K|2K|4K]"),
     HELP_TEXT("Writes an empty file system on the disk, after asking, and accesses it as fm.\n"
               "All its files are lost.\n"
               "BLKSIZE is the size of its blocks; without it, 4096 bytes.\n"), READS_WORDS},
    {"HELP", 1, cms_help, HELP_TEXT("HELP [[CMS|CP] MENU|command|message] | PIPE stage | MESSAGE|MSG message\n"
                                    "HELP component [MENU|name]"),
     HELP_TEXT("Shows all commands, what one does, or what a message means: of CMS, else of CP.\n"
               "HELP CP MENU shows CP's commands; MESSAGE, or MSG, says that what follows is no\n"
               "command.\n"
               "CP and CMS have commands of the same name, such as QUERY: CMS or CP says whose\n"
               "is meant.\n"
               "A message is named as it is shown (DMSACP723I, HCPLNM104E), or by its number\n"
               "(723I, 723).\n"
               "The texts are files: name HELPCMS, HELPPIPE, HELPMSG (DMS723I) and HELPMENU, of\n"
               "the system disk or any disk before it, so that files of your own go before.\n"
               "HELP component name shows your file name HELPcomp, HELP component MENU the file\n"
               "component HELPMENU.\n"), READS_WORDS},
    {"HT", 2, halt_typing, HELP_TEXT("HT"),
     HELP_TEXT("Immediate command: the running command goes on, but its output is not shown,\n"
               "until RT or its end.\n"), READS_WORDS},
    {"HX", 2, halt, HELP_TEXT("HX"),
     HELP_TEXT("Immediate command: ends the running command, and forgets what else stood in its\n"
               "line.\n"), READS_WORDS},
    {"HI", 2, halt, HELP_TEXT("HI"),
     HELP_TEXT("Immediate command: ends the running command.\n"), READS_WORDS},
    {"IDENTIFY", 2, cms_identify, HELP_TEXT("IDENTIFY [([SHORTDATE|FULLDATE|ISODATE] [STACK] [FIFO|LIFO]]"),
     HELP_TEXT("Tells your user ID, the node, the date, the time, its zone and the day.  STACK,\n"
               "FIFO or LIFO: onto the program stack, last or first, not to the terminal.\n"), READS_WORDS},
    {"QUERY", 1, cms_query, HELP_TEXT("QUERY ACCESSED [fm] | CMSLEVEL | DISK [fm|*|MAX|R/W]\n"
                                      "QUERY PROGRAM | SEARCH | SYNONYM [SYSTEM|USER|ALL] | TIME | USERID\n"
                                      "QUERY ABBREV | EMSG | FULLSCREEN | IMPCP | IMPEX | LINEND | RDYMSG\n"
                                      "option: [([STACK] [FIFO|LIFO]]"),
     HELP_TEXT("PROGRAM: the registers of the last program that a fault ended.\n"
               "Tells what disks are accessed, or how a setting stands.  DISK R/W: those that\n"
               "can be written; MAX: the one of them with most room.  What CMS does not know,\n"
               "CP is asked: HELP CP QUERY.  STACK, FIFO or LIFO: what CMS tells goes onto the\n"
               "program stack, last or first, and not to the terminal.\n"), READS_WORDS},
    {"RELEASE", 3, cms_release, HELP_TEXT("RELEASE vdev|fm [(DET]"),
     HELP_TEXT("Ends the access to a disk.  DET also detaches the device from the machine.\n"), READS_WORDS},
    {"RT", 2, resume_typing, HELP_TEXT("RT"),
     HELP_TEXT("Immediate command: output is shown again after HT.\n"), READS_WORDS},
    {"SET", 3, cms_set, HELP_TEXT("SET ABBREV ON|OFF | EMSG ON|OFF|CODE|TEXT | FULLSCREEN ON|OFF\n"
                                  "SET IMPCP ON|OFF | IMPEX ON|OFF | LINEND char|OFF | RDYMSG LMSG|SMSG"),
     HELP_TEXT("ABBREV: commands may be abbreviated.  EMSG: how messages are shown.\n"
               "FULLSCREEN: FILELIST, RDRLIST, PEEK and HELP show what they have full screen;\n"
               "OFF: in lines, as they come.\n"
               "IMPCP: unknown commands go to CP.  IMPEX: EXECs run by their name alone.\n"
               "LINEND: the character that separates commands in a line.\n"
               "RDYMSG: the Ready message with times and the clock, or without.\n"
               "What CMS does not know, CP sets: HELP CP SET.\n"), READS_WORDS},
    {0},
};

static const struct command *const tables[] = {builtin_commands, file_commands, pipe_commands, spool_commands,
                                               directory_commands, exec_commands, eel_commands,
                                               xedit_commands};

enum { TABLES = sizeof tables / sizeof *tables };

const struct command *cms_command_at(size_t index)
{
    for (int t = 0; t < TABLES; t++)
        for (const struct command *c = tables[t]; c && c->name; c++)
            if (!index--)
                return c;
    return NULL;
}

const struct command *cms_command_find(const char *name, bool abbreviations)
{
    const struct command *c, *found = NULL;
    for (size_t i = 0; (c = cms_command_at(i)); i++) {
        if (!strcmp(name, c->name))
            return c;
        if (!found && abbreviations && cms_abbreviates(name, c->name, c->abbreviation))
            found = c;
    }
    return found;
}

const struct command *cms_command_of(const struct word *word, bool abbreviations)
{
    const struct command *c = cms_command_find(word->text, abbreviations);
    return c && word->raw_length <= strlen(c->name) ? c : NULL;
}
