/* The file commands, their syntax and their help. */
#include "cms/file/file.h"

const struct command file_commands[] = {
    {"COMPARE", 3, cms_file_compare, HELP_TEXT("COMPARE fn1 ft1 fm1 fn2 ft2 fm2 [(COL first[-last]]"),
     HELP_TEXT("Compares two files record by record and shows the records that differ.  COL\n"
               "compares some columns only.\n"
               "Return code 4: they differ; 40: one is shorter; 32: their record formats\n"
               "differ, or the record length of F files.\n"), READS_WORDS},
    {"COPYFILE", 4, cms_file_copyfile,
     HELP_TEXT("COPYFILE fn1 ft1 fm1 [fn2 ft2 fm2 ...] [fno fto fmo] [(options]\n"
               "options: NEWFILE|REPLACE|APPEND|OVLY  RECFM F|V  LRECL n  FROM n|FRLABEL l\n"
               "         FOR n|TOLABEL l  TRUNC|NOTRUNC  UPCASE|LOWCASE  FILL c  EBCDIC|ASCII\n"
               "         SPECS|NOSPECS  TRANS  PROMPT|NOPROMPT  SINGLE  OLDDATE|NEWDATE\n"
               "         PACK|UNPACK  TYPE|NOTYPE"),
     HELP_TEXT("Copies files.  * and % in an input fileid mean all files that match; = in the\n"
               "output fileid stands for what the first input has there.  Without an output\n"
               "fileid the file is changed in place.\n"
               "Several inputs go into one output, one behind the other.  With = in the output\n"
               "name there is one output for each file of the first fileid; = in the others\n"
               "stands for what that file has.  SINGLE makes one output all the same.\n"
               "NEWFILE, the default, refuses to replace a file.  REPLACE does, when the copy\n"
               "is complete; it is the default in place, also where the output fileid is = = =.\n"
               "APPEND adds to a file.  OVLY lays the input's records over a file's: what they\n"
               "do not reach stays.  Both keep the file's format, and give it a new date:\n"
               "RECFM, LRECL, OLDDATE and NEWDATE conflict with them.\n"
               "RECFM and LRECL change the format: records are cut, or filled with blanks or\n"
               "the FILL character, which may be two hexadecimal digits.\n"
               "FROM and FOR copy FOR records from record FROM on.  FRLABEL copies from the\n"
               "first record that begins with those 1 to 8 characters, TOLABEL up to the one\n"
               "that begins so, without it.  Both are taken as typed.\n"
               "TRUNC removes trailing blanks, or FILL characters, of V records.\n"
               "SPECS asks for a specification list: pairs of a source and the column of the\n"
               "output it goes to.  A source is n or n-m, columns of the input; /text/, any\n"
               "delimiter that is no letter or digit; or Hxx..., bytes in hexadecimal.  At most\n"
               "20 pairs: 1-8 10 /:/ 18 H09 19.  With OVLY columns not named stay.\n"
               "TRANS asks for a translation list: pairs of a character and what it becomes,\n"
               "each itself or two hexadecimal digits: a b 20 2E.  A list whose line ends in ++\n"
               "goes on in the next; NOPROMPT asks without a message.\n"
               "EBCDIC makes EBCDIC (code page 1047) of characters, as systems with real CMS\n"
               "have them, ASCII makes characters of EBCDIC.  OLDDATE keeps the file's date.\n"
               "PACK writes the file so that bytes which repeat take little room, UNPACK what\n"
               "it was, byte for byte.  A packed file is of format F 1024 and says what it was;\n"
               "it can be copied, renamed and sent, but neither shown, run nor edited, and must\n"
               "not be changed.  FILL names the character that repeats most, blank unless\n"
               "given.  Options that change or choose records conflict with both.\n"
               "TYPE tells what is copied.\n"), READS_WORDS},
    {"DDR", 3, cms_file_ddr,
     HELP_TEXT("DDR COPY vdev1 TO vdev2\n"
               "DDR DUMP vdev [(TAPn]\n"
               "DDR RESTORE vdev [(TAPn]"),
     HELP_TEXT("Copies a whole disk, whatever is on it, to another, to the tape in a drive, or\n"
               "from there.  The disk written to must be as large as the other; it is asked for\n"
               "first, and released.  DUMP writes where the tape stands, sectors of zeros left\n"
               "out, with a tape mark behind; RESTORE reads all of the image before it writes.\n"
               "A CMS disk's label is taken away first and written last: a copy that was cut\n"
               "short is no CMS disk.  HELP TAPE tells of tapes.\n"), READS_WORDS},
    {"ERASE", 3, cms_file_erase, HELP_TEXT("ERASE fn ft [fm] [(TYPE|NOTYPE]"),
     HELP_TEXT("Erases files.  * and % match; fm is A unless given, * means every disk that can\n"
               "be written.  ERASE * TEXT A erases all files of type TEXT; * * is refused, as\n"
               "FORMAT empties a disk.\n"
               "TYPE tells what is erased.  What was erased does not come back.  Return code\n"
               "28: there was no such file.\n"), READS_WORDS},
    {"FILEDEF", 2, cms_file_filedef, HELP_TEXT("FILEDEF [TAPn {DISK fn ft [fm] | CLEAR} | * CLEAR]"),
     HELP_TEXT("Says which file is the tape in the drive TAP0 to TAP7 (180 to 187), which then\n"
               "stands at its beginning.  Without that it is TAPn AWSTAPE A.  FILEDEF alone\n"
               "lists what was said; CLEAR forgets it.  HELP TAPE tells what is in such a file.\n"), READS_WORDS},
    {"LISTFILE", 1, cms_file_listfile,
     HELP_TEXT("LISTFILE [fn [ft [fm]]] [(options]\n"
               "options: HEADER|NOHEADER  FNAME|FTYPE|FMODE|FORMAT|ALLOC|DATE|LABEL\n"
               "         SHORTDATE|FULLDATE|ISODATE  EXEC|APPEND [ARGS]  STACK  FIFO|LIFO"),
     HELP_TEXT("Lists files.  * and % match; what is left out means all, and mode A.  FNAME to\n"
               "LABEL say how much is told, each more than the one before: name, type, mode,\n"
               "record format and length, records and blocks, date and time, and the label of\n"
               "the disk.  From FORMAT on there is a header, unless NOHEADER.\n"
               "How DATE and LABEL show it: SHORTDATE (11/21/26) unless FULLDATE (11/21/2026)\n"
               "or ISODATE (2026-11-21).\n"
               "EXEC puts the lines, each behind &1 &2, in the file CMS EXEC A1 instead, which\n"
               "it replaces; APPEND adds them to it.  ARGS: with &3 to &15 behind.  STACK, FIFO\n"
               "or LIFO: onto the program stack, last or first; with a header only if HEADER.\n"
               "CMS EXEC runs: EXEC CMS TYPE types each file.  HELP EXEC tells more.\n"), READS_WORDS},
    {"RENAME", 1, cms_file_rename, HELP_TEXT("RENAME fn1 ft1 fm1 fn2 ft2 fm2 [(TYPE|NOTYPE]"),
     HELP_TEXT("Gives files another name, type or mode number.  * and % match in the first\n"
               "fileid, = in the second stands for what the first has there: RENAME * OLD A =\n"
               "NEW = makes NEW of each type OLD, RENAME X Y A1 = = A0 changes a number alone.\n"
               "No file is renamed to one that is there, nor to another disk: COPYFILE copies.\n"
               "TYPE tells each file's names.\n"), READS_WORDS},
    {"SNAPSHOT", 4, cms_file_snapshot,
     HELP_TEXT("SNAPSHOT TAKE vdev [name]\n"
               "SNAPSHOT LIST vdev\n"
               "SNAPSHOT LINK vdev1 which [AS] vdev2 [EDIT]\n"
               "SNAPSHOT ROLLBACK vdev {which|EDITED} [(KEEP fn ft [fn ft ...]]\n"
               "SNAPSHOT DELETE vdev {which|ALL}"),
     HELP_TEXT("Keeps what a minidisk of yours is, at the cost of a block for each that changes\n"
               "later, and makes it that again.  which: the number LIST shows, the name TAKE\n"
               "gave, or a date, 11/29/26: the last of that day.  LINK and ACCESS show an old\n"
               "disk beside yours; COPYFILE brings single files back.\n"
               "ROLLBACK releases the disk, changes it and accesses it again.  With KEEP the\n"
               "files named stay as they are now, also those that are erased by now; * and %\n"
               "match: SNAPSHOT ROLLBACK 191 11/29/26 (KEEP PROFILE EXEC * NOTEBOOK.  The disk\n"
               "is the old or the new one, wholly, whenever the power goes.  The snapshots\n"
               "stay: TAKE one before, and the ROLLBACK can be undone.  HELP CP SNAPSHOT tells\n"
               "of LINK with EDIT.\n"), READS_WORDS},
    {"SORT", 4, cms_file_sort, HELP_TEXT("SORT fn1 ft1 fm1 fn2 ft2 fm2"),
     HELP_TEXT("Sorts a file's records into another file, in ascending order, and asks for the\n"
               "fields they are sorted by: pairs of a first and a last column, the one that\n"
               "decides before the others first.  1 8 20 22 sorts by columns 1 to 8, and where\n"
               "these are equal by 20 to 22; records that are equal there stay in their order.\n"
               "A record that ends before a field counts as if it had blanks.  The second file\n"
               "has the format of the first, and takes the place of one of that name; = stands\n"
               "for what the first has there.  PIPE's SORT stage sorts in descending order too.\n"), READS_WORDS},
    {"SYNONYM", 3, cms_file_synonym, HELP_TEXT("SYNONYM [fn [ft [fm]]] [([STD|NOSTD] [CLEAR]]"),
     HELP_TEXT("Gives commands names of your own, from a file whose type is SYNONYM unless ft\n"
               "says.  A line of it is a command, the name that is to stand for it, and how\n"
               "many letters of that suffice: COPYFILE DOUBLE 3.  Without the number, or with\n"
               "NOSTD, all must be typed.  An EXEC of the name goes before.  Names of earlier\n"
               "files, and with CLEAR alone all, are forgotten.  STD: abbreviations are taken,\n"
               "CMS' own too; NOSTD: they are not, as by SET ABBREV OFF.  SYNONYM alone shows\n"
               "yours.\n"), READS_WORDS},
    {"STATE", 2, cms_file_state, HELP_TEXT("STATE fn ft [fm]"),
     HELP_TEXT("Return code 0: the file is there; 28: it is not; 36: the disk is not accessed.\n"
               "Without fm every accessed disk is searched, in the order QUERY SEARCH shows.\n"
               "* and % match.  Nothing is shown if the file is there: it is for EXECs.\n"), READS_WORDS},
    {"STATEW", 6, cms_file_statew, HELP_TEXT("STATEW fn ft [fm]"),
     HELP_TEXT("As STATE, but only disks that can be written are searched: return code 0 means\n"
               "that the file is there and may be changed.\n"), READS_WORDS},
    {"TAPE", 4, cms_file_tape,
     HELP_TEXT("TAPE DUMP fn ft [fm] [(options]\n"
               "TAPE LOAD [fn ft [fm]] [(options]\n"
               "TAPE SCAN|SKIP [fn ft] [(options]\n"
               "TAPE BSF|BSR|FSF|FSR|WTM [n]|REW|RUN [(TAPn]\n"
               "options: TAPn  TERM|NOPRINT  for DUMP: WTM|NOWTM  for the others: EOF n|EOT"),
     HELP_TEXT("Files to and from a tape in the drive TAP0 to TAP7 (or 180 to 187), TAP1 unless\n"
               "another is named.  * and % match.\n"
               "DUMP writes files where the tape stands; what was there and behind it is gone.\n"
               "Behind them comes a tape mark, before which the tape then stands, so that the\n"
               "next file joins them: NOWTM, the default.  With WTM there is a mark behind each\n"
               "file, and the tape stands behind the last.\n"
               "LOAD puts files on A, or fm, with the date they had, and replaces those that\n"
               "are there.  It reads up to a tape mark, with EOF n up to n of them, with EOT to\n"
               "the tape's end; where a name is given that is no pattern, only up to that file.\n"
               "SCAN lists what LOAD would read, and ends before the file that is named; SKIP\n"
               "ends behind it.  TERM, the default, tells each file, NOPRINT does not.\n"
               "FSF and BSF go forward behind, or back before, the n-th tape mark; FSR and BSR\n"
               "the n-th block.  WTM writes n marks.  REW goes to the beginning; RUN as well.\n"
               "A tape is a file of AWSTAPE blocks, as Hercules has them: TAPn AWSTAPE A, or\n"
               "what FILEDEF says.  The files on it are as a real CMS' TAPE DUMP has them, and\n"
               "are read by its TAPE LOAD; cmsdisk tape works with such tapes on the host.\n"
               "Text is EBCDIC there: COPYFILE with EBCDIC makes that before DUMP, and with\n"
               "ASCII undoes it behind LOAD.\n"), READS_WORDS},
    {"TYPE", 1, cms_file_type, HELP_TEXT("TYPE fn ft [fm] [first [last]] [(HEX] [COL first[-last]]"),
     HELP_TEXT("Shows a file, or its records first to last (* is the end).  HEX shows bytes in\n"
               "hexadecimal and as characters, 16 in a line; COL shows some columns only.  What\n"
               "could command the terminal is shown as full stops.  HT ends the typing, RT\n"
               "resumes it, HX ends the command.\n"), READS_WORDS},
    {0},
};
