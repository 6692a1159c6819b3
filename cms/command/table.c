/* All commands.  Those of other rooms come from their own tables. */
#include <string.h>

#include "cms/command/builtin.h"
#include "cms/console/console.h"

static int halt(const struct arguments *a) { (void)a; return 0; }
static int halt_typing(const struct arguments *a) { (void)a; cms_console_set_typing(false); return 0; }
static int resume_typing(const struct arguments *a) { (void)a; cms_console_set_typing(true); return 0; }

static const struct command builtin_commands[] = {
    {"*", 1, halt, "* text",
     "A comment: nothing is done.\n", READS_WORDS},
    {"ACCESS", 2, cms_access, "ACCESS [vdev [fm[/ext]]] [(FORCERO]",
     "Makes the files of the disk at virtual device number vdev (default 191)\n"
     "available under the file mode letter fm (default A).  With /ext the disk is\n"
     "read-only and extends the disk accessed as ext.\n"
     "FORCERO accesses a disk read-only that could be written.\n"
     "A disk that could not be accessed leaves the file mode as it was.\n", READS_WORDS},
    {"CP", 2, cms_cp, "CP command",
     "Hands the command to CP and shows what CP answers.  The return code is CP's.\n", READS_REST},
    {"FORMAT", 6, cms_format, "FORMAT vdev fm [(BLKSIZE 512|1K|2K|4K]",
     "Writes an empty file system on the disk, after asking, and accesses it as fm.\n"
     "All its files are lost.\n"
     "BLKSIZE is the size of its blocks; without it, 4096 bytes.\n", READS_WORDS},
    {"HELP", 1, cms_help, "HELP [[CMS|CP] MENU|command|message] | MESSAGE|MSG message",
     "Shows all commands, what one does, or what a message means: of CMS, else of CP.\n"
     "HELP CP MENU shows CP's commands; MESSAGE, or MSG, says that what follows is no\n"
     "command.\n"
     "CP and CMS have commands of the same name, such as QUERY: CMS or CP says whose\n"
     "is meant.\n"
     "A message is named as it is shown (DMSACP723I, HCPLNM104E), or by its number\n"
     "(723I, 723).\n", READS_WORDS},
    {"HT", 2, halt_typing, "HT",
     "Immediate command: the running command goes on, but its output is not shown,\n"
     "until RT or its end.\n", READS_WORDS},
    {"HX", 2, halt, "HX",
     "Immediate command: ends the running command, and forgets what else stood in its\n"
     "line.\n", READS_WORDS},
    {"HI", 2, halt, "HI",
     "Immediate command: ends the running command.\n", READS_WORDS},
    {"IDENTIFY", 2, cms_identify, "IDENTIFY [([SHORTDATE|FULLDATE|ISODATE] [STACK] [FIFO|LIFO]]",
     "Tells your user ID, the node, the date, the time, its zone and the day.  STACK,\n"
     "FIFO or LIFO: onto the program stack, last or first, not to the terminal.\n", READS_WORDS},
    {"QUERY", 1, cms_query, "QUERY ACCESSED [fm] | CMSLEVEL | DISK [fm|*|MAX|R/W]\n"
                            "QUERY PROGRAM | SEARCH | SYNONYM [SYSTEM|USER|ALL] | TIME | USERID\n"
                            "QUERY ABBREV | EMSG | FULLSCREEN | IMPCP | IMPEX | LINEND | RDYMSG\n"
                            "option: [([STACK] [FIFO|LIFO]]",
     "PROGRAM: the registers of the last program that a fault ended.\n"
     "Tells what disks are accessed, or how a setting stands.  DISK R/W: those that\n"
     "can be written; MAX: the one of them with most room.  What CMS does not know,\n"
     "CP is asked: HELP CP QUERY.  STACK, FIFO or LIFO: what CMS tells goes onto the\n"
     "program stack, last or first, and not to the terminal.\n", READS_WORDS},
    {"RELEASE", 3, cms_release, "RELEASE vdev|fm [(DET]",
     "Ends the access to a disk.  DET also detaches the device from the machine.\n", READS_WORDS},
    {"RT", 2, resume_typing, "RT",
     "Immediate command: output is shown again after HT.\n", READS_WORDS},
    {"SET", 3, cms_set, "SET ABBREV ON|OFF | EMSG ON|OFF|CODE|TEXT | FULLSCREEN ON|OFF\n"
                        "SET IMPCP ON|OFF | IMPEX ON|OFF | LINEND char|OFF | RDYMSG LMSG|SMSG",
     "ABBREV: commands may be abbreviated.  EMSG: how messages are shown.\n"
     "FULLSCREEN: FILELIST, RDRLIST, PEEK and HELP show what they have full screen;\n"
     "OFF: in lines, as they come.\n"
     "IMPCP: unknown commands go to CP.  IMPEX: EXECs run by their name alone.\n"
     "LINEND: the character that separates commands in a line.\n"
     "RDYMSG: the Ready message with times and the clock, or without.\n"
     "What CMS does not know, CP sets: HELP CP SET.\n", READS_WORDS},
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
