/* The spool commands, their syntax and their help. */
#include "cms/spool/spool.h"

const struct command spool_commands[] = {
    {"NAMES", 3, cms_spool_names, "NAMES [nickname]\n"
     "NAMES ADD nickname userid [AT node] [name]\n"
     "NAMES DELETE nickname",
     "Shows the nicknames of your file userid NAMES, or one, adds one (which replaces\n"
     "it), or takes one out.  SENDFILE, NOTE and TELL know them.\n", READS_WORDS},
    {"NOTE", 4, cms_spool_note, "NOTE {nickname|userid} ... [([FILE fn ft [fm]] [NOTEBOOK fn|NONOTEBOOK]]",
     "Sends a note to other users: the lines you type, up to an empty one, or those\n"
     "of a file.  RECEIVE adds it to their ALL NOTEBOOK; yours gets it too, or the\n"
     "one that NOTEBOOK names.\n", READS_WORDS},
    {"PEEK", 2, cms_spool_peek, "PEEK [spoolid] [(FOR n]",
     "Shows a file of your reader, the first unless a number says which, and leaves\n"
     "it there.  FOR n: so many records, 200 without it.\n", READS_WORDS},
    {"PRINT", 2, cms_spool_print, "PRINT fn ft [fm]",
     "Prints a file: its records go to your printer, or where CP SPOOL PRT says.\n", READS_WORDS},
    {"PUNCH", 2, cms_spool_punch, "PUNCH fn ft [fm] [(HEADER|NOHEADER]",
     "Punches a file of records of up to 80 bytes: they go to your punch, or to the\n"
     "reader that CP SPOOL PUN TO says, behind a :READ card with the file's name, but\n"
     "with NOHEADER.\n", READS_WORDS},
    {"RDRLIST", 4, cms_spool_rdrlist, "RDRLIST",
     "Lists the files in your reader.  PEEK shows one, RECEIVE takes it, CP PURGE RDR\n"
     "throws it away.\n", READS_WORDS},
    {"READCARD", 5, cms_spool_readcard, "READCARD fn ft [fm] | * [* [fm]]",
     "Reads the first file of your reader that is not held, as cards: they become a\n"
     "file of that name, which is replaced.  *: the name is that of the :READ card\n"
     "before them, or READCARD CMSUT1.\n", READS_WORDS},
    {"RECEIVE", 4, cms_spool_receive, "RECEIVE [spoolid] [fn [ft [fm]]] [(REPLACE|NOREPLACE]",
     "Takes a file from your reader, the first unless a number says which: one that\n"
     "SENDFILE has sent becomes what it was, another is read as READCARD does.\n"
     "Without fn and ft, or where they are =, its names stay; but a note is added to\n"
     "ALL NOTEBOOK.  REPLACE replaces a file of that name.\n", READS_WORDS},
    {"SENDFILE", 3, cms_spool_sendfile, "SENDFILE fn ft [fm] [TO] {nickname|userid}",
     "Sends a file to another user's reader, with its name, mode number, format and\n"
     "record length.  RECEIVE takes it there.\n", READS_WORDS},
    {"TELL", 4, cms_spool_tell, "TELL {nickname|userid} text",
     "Sends a message to a user who is logged on, as CP MESSAGE does.\n", READS_REST},
    {0},
};
