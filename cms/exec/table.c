/* The commands of EXECs. */
#include "cms/exec/exec.h"
#include "cms/exec/open_file.h"

const struct command exec_commands[] = {
    {"EXEC", 2, cms_exec, HELP_TEXT("EXEC fn [argument]"),
     HELP_TEXT("Runs the REXX program fn EXEC, of the first accessed disk that has it.  With\n"
               "SET IMPEX ON its name alone does, where no command has that name.  What stands\n"
               "behind the name is its argument, as typed.  The return code that it leaves with\n"
               "stands in the Ready message; 20000 and more are REXX' own errors.\n"
               "An EXEC that begins with & or *, as the CMS EXEC of LISTFILE does, is one in\n"
               "CMS' first language: each line is a command.  In it &1 to &30 are the words\n"
               "behind its name (% as a word: nothing), &0 that name, &INDEX how many words,\n"
               "&RETCODE what the last command returned.  * begins a comment.  &TYPE shows what\n"
               "follows it, &EXIT n leaves with a return code, &CONTROL OFF|ERROR|CMS|ALL says\n"
               "which commands are shown: none, those that fail, all (CMS, the default).  An\n"
               "error does not end it; &ERROR &EXIT has it do so, &ERROR &CONTINUE not.\n"
               "LISTFILE * TEXT A (EXEC and EXEC CMS PRINT print all files of that type.\n"), READS_REST},
    {"EXECIO", 6, cms_execio,
     HELP_TEXT("EXECIO lines|* DISKR fn ft [fm [line]] [(options]\n"
               "EXECIO lines|* DISKW fn ft fm [line [recfm [lrecl]]] [(options]\n"
               "EXECIO lines|* CARD|CP|EMSG|PRINT|PUNCH [(options]"),
     HELP_TEXT("Records between a file, a device or CP and the REXX program that gives the\n"
               "command.  A file stays open, where it is, until FINIS or until the line typed\n"
               "at the terminal has been obeyed.\n"
               "STEM name.  to or from name.1, name.2 ...; name.0 says how many\n"
               "VAR name    to or from one variable        STRING text  writes it; asks CP\n"
               "FIFO LIFO   the program stack (FIFO is the default)     SKIP  nowhere\n"
               "FIND /x/ LOCATE /x/ AVOID /x/  up to the first record that begins with x, has\n"
               "            it, has it not: how many were read and its number; and itself\n"
               "DISKW with a line replaces records from there on; a variable record of another\n"
               "length is then the last one.\n"
               "ZONE n m    columns that are searched      MARGINS n m  columns that go over\n"
               "STRIP       without blanks at the end      CASE U       in capitals\n"
               "FINIS       closes the file                NOTYPE       silent if none\n"
               "Return codes: 1 cut, 2 at the file's end, 3 not found, 24 wrong, 28 no file.\n"), READS_REST},
    {"GLOBALV", 7, cms_globalv,
     HELP_TEXT("GLOBALV [SELECT [group]] SET|SETS|SETP name value ...\n"
               "GLOBALV [SELECT [group]] SETL|SETLS|SETLP name value\n"
               "GLOBALV [SELECT [group]] GET name ... | PUT|PUTS|PUTP name ...\n"
               "GLOBALV [SELECT [group]] LIST|STACK [name ...] | PURGE\n"
               "GLOBALV INIT | GRPLIST | GRPSTACK"),
     HELP_TEXT("Variables in groups, that outlive the EXEC which sets them.  S keeps them in\n"
               "SESSION GLOBALV A, P in LASTING GLOBALV A, over IPLs.  SETL takes all that\n"
               "follows the name.  GET and PUT are between the group and the REXX program's\n"
               "variables of these names.  SELECT alone chooses the group for what follows.\n"), READS_REST},
    {0},
};

void cms_exec_line_ends(void)
{
    open_file_end_all();
}
