/* The spool commands, their syntax and their help. */
#include "cms/spool/spool.h"

const struct command spool_commands[] = {
    {"NAMES", 3, cms_spool_names, HELP_TEXT("NAMES [nickname]\n"
                                            "NAMES ADD nickname userid [AT node] [name]\n"
                                            "NAMES ADD nickname LIST {nickname|userid} ...\n"
                                            "NAMES DELETE nickname"),
     HELP_TEXT("Shows the nicknames of your file userid NAMES, or one, adds one (which replaces\n"
               "it), or takes one out.  SENDFILE, NOTE and TELL know them; one that is a LIST\n"
               "stands for all that it names.  In a file that you write, an entry begins with\n"
               ":nick. and goes to the next; of two tags or entries alike the first counts.\n"), READS_WORDS},
    {"NOTE", 4, cms_spool_note,
     HELP_TEXT("NOTE {nickname|userid [AT node]} ... [(options]\n"
               "  options: [FILE fn ft [fm]] [NOTEBOOK fn|NONOTEBOOK] [REPLACE]"),
     HELP_TEXT("Sends a note to other users: the lines you type, up to an empty one, or those\n"
               "of a file.  RECEIVE adds it to their ALL NOTEBOOK; yours gets it too, or the\n"
               "one that NOTEBOOK names.  A note that could not be sent is your file userid\n"
               "NOTE: FILE with that sends it after all, REPLACE gives it up for another.\n"), READS_WORDS},
    {"PEEK", 2, cms_spool_peek, HELP_TEXT("PEEK [spoolid] [([FROM n] [FOR n|*] [EBCDIC]]"),
     HELP_TEXT("Shows a file of your reader, the first unless a number says which, and leaves\n"
               "it there.  FROM n: from that record on; FOR n: so many records, 200 without it,\n"
               "*: all.  EBCDIC: it is text of a system that has that code.\n"), READS_WORDS},
    {"PRINT", 2, cms_spool_print, HELP_TEXT("PRINT fn ft [fm]"),
     HELP_TEXT("Prints a file: its records go to your printer, or where CP SPOOL PRT says, as\n"
               "often as that says: CP SPOOL PRT COPY 2.\n"), READS_WORDS},
    {"PUNCH", 2, cms_spool_punch, HELP_TEXT("PUNCH fn ft [fm] [(HEADER|NOHEADER]"),
     HELP_TEXT("Punches a file of records of up to 80 bytes: they go to your punch, or to the\n"
               "reader that CP SPOOL PUN TO says, behind a :READ card with the file's name, but\n"
               "with NOHEADER.  CP SPOOL PUN CONT makes one deck of several, COPY 2 two of one.\n"), READS_WORDS},
    {"RDRLIST", 4, cms_spool_rdrlist, HELP_TEXT("RDRLIST"),
     HELP_TEXT("Lists the files in your reader, full screen where there is one.  In front of a\n"
               "file may be typed RECEIVE, PEEK, DISCARD, which throws it away, TRANSFER user,\n"
               "which sends it on, or any command: see HELP FILELIST.  In it / stands for the\n"
               "file's number, /n /t for its name and type, /u for its sender.\n"
               "F5 sorts by date, F6 by sender, F9 receives the file, F11 shows it (PEEK).\n"), READS_WORDS},
    {"READCARD", 5, cms_spool_readcard, HELP_TEXT("READCARD fn ft [fm] | * [* [fm]]"),
     HELP_TEXT("Reads the first file of your reader that is not held, as cards: they become a\n"
               "file of that name, which is replaced.  *: the name is that of the :READ card\n"
               "before them, and each such card in them begins another file; without one it is\n"
               "the name that the reader shows, or READCARD CMSUT1.\n"), READS_WORDS},
    {"RECEIVE", 4, cms_spool_receive, HELP_TEXT("RECEIVE [spoolid] [fn [ft [fm]]] [(options]\n"
                                                "  options: [REPLACE|NOREPLACE] [OLDDATE|NEWDATE] [EBCDIC]"),
     HELP_TEXT("Takes a file from your reader, the first that is not held unless a number says\n"
               "which: one that SENDFILE has sent, or TRANSMIT on MVS, becomes what it was,\n"
               "another is read as READCARD does.  Without fn and ft, or where they are =, its\n"
               "names stay; but a note is added to ALL NOTEBOOK.  Several files in one become\n"
               "several; fn and ft are for the first.  REPLACE replaces a file of that name.\n"
               "OLDDATE: the date it had there.  EBCDIC: it is text of a system that has that\n"
               "code; it becomes ASCII.  Who asked for an acknowledgement is sent one.\n"), READS_WORDS},
    {"RLIST", 2, cms_spool_rdrlist, HELP_TEXT("RLIST"), HELP_TEXT("Is RDRLIST.\n"), READS_WORDS},
    {"SENDFILE", 5, cms_spool_sendfile,
     HELP_TEXT("SENDFILE fn ft [fm] [TO] {nickname|userid [AT node]} ... [(ACK|NOACK]"),
     HELP_TEXT("Sends a file to other users' readers, with its name, mode number, format and\n"
               "record length; with * or % in fn or ft all files that match.  RECEIVE takes\n"
               "them there.  ACK: you are sent an acknowledgement when that is done.\n"), READS_WORDS},
    {"SFILE", 2, cms_spool_sendfile, HELP_TEXT("SFILE ..."), HELP_TEXT("Is SENDFILE.\n"), READS_WORDS},
    {"TELL", 4, cms_spool_tell, HELP_TEXT("TELL {nickname|userid [AT node]} text"),
     HELP_TEXT("Sends a message to a user who is logged on, or to all of a list, as CP MESSAGE\n"
               "does.\n"), READS_REST},
    {0},
};
