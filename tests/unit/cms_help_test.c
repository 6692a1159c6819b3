/* What HELP advertises of CMS' commands is accepted: each word in capitals of a synopsis, and of PIPE's help, stands in
 * a line here, which is obeyed. */
#include "tests/unit/cms_scene.h"

#include <ctype.h>

#include "cms/command/builtin.h"
#include "cms/command/settings.h"
#include "cms/pipe/pipe.h"
#include "tests/unit/cms_help_scene.h"
#include "tests/unit/fake/cms_variables.h"
#include "tests/unit/sources.h"

static const struct tried {
    const char *line;
    int rc;
} lines[] = {
    {"* text", 0},
    {"HELP", 0},
    {"HELP CMS QUERY", 0},
    {"HELP MENU", 0},
    {"HELP PIPE LOCATE", 0},
    {"HELP CP MENU", 0},
    {"HELP MESSAGE DMSACP723I", 0},
    {"HELP MSG 723", 0},
    {"HELP CP QUERY", 0},
    {"CP QUERY TIME", 0},
    {"HT", 0},
    {"RT", 0},
    {"HX", 0},
    {"HI", 0},
    /* ---- disks and settings ---- */
    {"ACCESS 192 B (FORCERO", 0},
    {"RELEASE B (DET", 0},
    {"ACCESS 192 B", 0},
    {"FORMAT 192 B (BLKSIZE 512", 0},
    {"FORMAT 192 B (BLKSIZE 1K", 0},
    {"FORMAT 192 B (BLKSIZE 2K", 0},
    {"FORMAT 192 B (BLKSIZE 4K", 0},
    {"QUERY ACCESSED", 0},
    {"QUERY CMSLEVEL", 0},
    {"QUERY DISK MAX", 0},
    {"QUERY DISK R/W", 0},
    {"QUERY SEARCH", 0},
    {"QUERY TIME", 0},
    {"QUERY USERID", 0},
    {"QUERY ABBREV", 0},
    {"QUERY EMSG", 0},
    {"QUERY FULLSCREEN", 0},
    {"QUERY IMPCP", 0},
    {"QUERY IMPEX", 0},
    {"QUERY LINEND", 0},
    {"QUERY RDYMSG", 0},
    {"SET ABBREV OFF", 0},
    {"SET ABBREV ON", 0},
    {"SET EMSG OFF", 0},
    {"SET EMSG CODE", 0},
    {"SET EMSG TEXT", 0},
    {"SET EMSG ON", 0},
    {"SET FULLSCREEN ON", 0},
    {"SET FULLSCREEN OFF", 0},
    {"SET IMPCP ON", 0},
    {"SET IMPEX ON", 0},
    {"SET LINEND OFF", 0},
    {"SET RDYMSG SMSG", 0},
    {"SET RDYMSG LMSG", 0},
    /* ---- files ---- */
    {"LISTFILE * * A (HEADER FNAME", 0},
    {"LISTFILE * * A (NOHEADER FTYPE", 0},
    {"LISTFILE * * A (FMODE", 0},
    {"LISTFILE * * A (FORMAT", 0},
    {"LISTFILE * * A (ALLOC", 0},
    {"LISTFILE * * A (DATE SHORTDATE", 0},
    {"LISTFILE * * A (LABEL FULLDATE", 0},
    {"LISTFILE (ISODATE DATE", 0},
    {"LISTFILE * * A (EXEC", 0},
    {"LISTFILE * * A (APPEND", 0},
    {"TYPE ALPHA DATA A 1 * (HEX", 0},
    {"TYPE ALPHA DATA (COL 1-3", 0},
    {"COMPARE ALPHA DATA A ALPHA DATA B", 0},
    {"COMPARE ALPHA DATA A ALPHA DATA B (COL 1-3", 0},
    {"STATE ALPHA DATA", 0},
    {"STATEW ALPHA DATA A", 0},
    {"COPYFILE ALPHA DATA A ONE = A (NEWFILE RECFM F LRECL 80 FROM 1 FOR 2 UPCASE OLDDATE TYPE", 0},
    {"COPYFILE ALPHA DATA A ONE = A (REPLACE RECFM V TRUNC LOWCASE NEWDATE NOTYPE FILL .", 0},
    {"COPYFILE ALPHA DATA A ONE = A (APPEND NOTRUNC", 0},
    {"COPYFILE ALPHA DATA A ONE = A (REPLACE FRLABEL one TOLABEL The", 0},
    {"COPYFILE ALPHA DATA A ONE = A (OVLY SPECS PROMPT EBCDIC", 0},
    {"COPYFILE ALPHA DATA A ONE = A (REPLACE NOSPECS TRANS NOPROMPT SINGLE ASCII", 0},
    {"COPYFILE ALPHA DATA A PACKED = A (PACK", 0},
    {"COPYFILE PACKED DATA A ONE = A (REPLACE UNPACK", 0},
    {"FILEDEF TAP1 DISK ONE TAPE A", 0},
    {"FILEDEF TAP1 CLEAR", 0},
    {"TAPE DUMP ALPHA DATA A (WTM TERM TAP1", 0},
    {"TAPE DUMP ALPHA DATA A (NOWTM NOPRINT", 0},
    {"TAPE BSF 1", 0},
    {"TAPE BSR", 0},
    {"TAPE FSR", 0},
    {"TAPE FSF", 0},
    {"TAPE WTM", 0},
    {"TAPE RUN", 0},
    {"TAPE SCAN (EOT", 0},
    {"TAPE REW", 0},
    {"TAPE SKIP ALPHA DATA (EOF 2", 0},
    {"TAPE REW (TAP1", 0},
    {"TAPE LOAD ALPHA DATA B (EOF 2", 0},
    {"DDR COPY 192 TO 193", 0},
    {"DDR DUMP 193 (TAP1", 0},
    {"DDR RESTORE 193", 0},
    {"SNAPSHOT TAKE 191", 0},
    {"SNAPSHOT LIST 191", 0},
    {"SNAPSHOT LINK 191 1 AS 391 EDIT", 0},
    {"SNAPSHOT DELETE 191 ALL", 0},
    {"SNAPSHOT ROLLBACK 191 EDITED", 0},
    {"SNAPSHOT ROLLBACK 191 1 (KEEP * NOTEBOOK", 100}, /* the machine has no F00 */
    {"SORT ALPHA DATA A SORTED DATA A", 0},
    {"RENAME ONE DATA A TWO = A (TYPE", 0},
    {"RENAME TWO DATA A ONE = A (NOTYPE", 0},
    {"ERASE ONE DATA A (TYPE", 0},
    {"ERASE TWO DATA A (NOTYPE", 28},
    /* ---- the spool ---- */
    {"PUNCH ALPHA DATA A (HEADER", 0},
    {"PUNCH ALPHA DATA A (NOHEADER", 0},
    {"PRINT ALPHA DATA", 0},
    {"SENDFILE ALPHA DATA A TO BOB AT VMN (ACK", 0},
    {"SENDFILE ALPHA DATA A BOB (NOACK", 0},
    {"NAMES ADD SAM SAMUEL AT VMN Samuel", 0},
    {"NAMES", 0},
    {"NAMES DELETE SAM", 0},
    {"NAMES ADD ALL LIST BOB SAM", 0},
    {"NOTE BOB (FILE ALPHA DATA A NOTEBOOK BOB", 0},
    {"NOTE BOB AT VMN (NONOTEBOOK FILE ALPHA DATA REPLACE", 0},
    {"TELL BOB AT VMN hello", 0},
    {"RDRLIST", 28},
    {"RLIST", 28},
    {"SFILE ALPHA DATA A BOB", 0},
    {"PEEK (FROM 1 FOR 1 EBCDIC", 28},
    {"READCARD NEW DATA A", 28},
    {"RECEIVE = = A (REPLACE NEWDATE", 28},
    {"RECEIVE 1 (NOREPLACE EBCDIC OLDDATE", 28},
    /* ---- CP's directory ---- */
    {"DIRECTXA ALPHA DATA A (EDIT", 32},
    {"DIRECTXA USER DIRECT A (GET REPLACE", 88},
    /* ---- EXECs ---- */
    {"EXEC HELLO argument", 28},
    {"EXECIO * DISKR ALPHA DATA A 1 (FINIS FIFO LOCATE /e/ ZONE 1 *", 0},
    {"EXECIO 1 DISKR ALPHA DATA A (SKIP STRIP CASE U MARGINS 1 5 FINIS NOTYPE", 0},
    {"EXECIO 1 DISKR ALPHA DATA A (LIFO FIND /on/ FINIS", 0},
    {"EXECIO 1 DISKR ALPHA DATA A (AVOID /l/ VAR X FINIS", 0},
    {"EXECIO 1 DISKR ALPHA DATA A (STEM X.", 0},
    {"EXECIO 1 DISKW THREE DATA A 1 V (FINIS STRING text", 0},
    {"EXECIO 1 CARD", 28},
    {"EXECIO 1 PRINT (STRING x", 0},
    {"EXECIO 1 PUNCH (STRING x", 0},
    {"EXECIO 1 EMSG (STRING x", 0},
    {"EXECIO * CP (STRING QUERY TIME", 0},
    {"GLOBALV INIT", 0},
    {"GLOBALV SELECT G SET X 1", 0},
    {"GLOBALV SETS X 1", 0},
    {"GLOBALV SETP X 1", 0},
    {"GLOBALV SETL X 1", 0},
    {"GLOBALV SETLS X 1", 0},
    {"GLOBALV SETLP X 1", 0},
    {"GLOBALV GET X", 0},
    {"GLOBALV PUT X", 0},
    {"GLOBALV PUTS X", 0},
    {"GLOBALV PUTP X", 0},
    {"GLOBALV LIST X", 0},
    {"GLOBALV STACK X", 0},
    {"GLOBALV GRPLIST", 0},
    {"GLOBALV GRPSTACK", 0},
    {"GLOBALV PURGE", 0},
    {"GLOBALV SELECT G PURGE", 0},
    {"QUERY PROGRAM", 0},
    {"FILELIST ALPHA DATA A", 0},
    {"FILELIST ALPHA DATA A (PROFILE NONE", 0},
    {"FILELIST ALPHA DATA A (FILELIST", 88},
    {"FILELIST ALPHA DATA A (APPEND", 24},
    {"PIPE literal LISTFILE FILES| > MY SYNONYM A", 0},
    {"SYNONYM MY (STD", 0},
    {"SYNONYM (NOSTD", 0},
    {"SYNONYM (STD CLEAR", 0},
    {"QUERY SYNONYM SYSTEM", 0},
    {"QUERY SYNONYM USER", 0},
    {"QUERY SYNONYM ALL", 0},
    {"QUERY SEARCH (STACK FIFO", 0},
    {"QUERY SEARCH (LIFO", 0},
    {"IDENTIFY (SHORTDATE STACK FIFO", 0},
    {"IDENTIFY (FULLDATE LIFO", 0},
    {"IDENTIFY (ISODATE", 0},
    {"LISTFILE * * A (EXEC ARGS", 0},
    {"LISTFILE * * A (STACK FIFO", 0},
    {"LISTFILE * * A (LIFO", 0},
    {"XEDIT ALPHA DATA A (PROFILE MINE", 5},
    {"XEDIT NEW FILE (NOPROFIL", 5},
    {"EEL QUERY", 0},
    {"EEL QUERY ALPHA DATA A", 28},
    {"EEL SET POLICY TELL", 0},
    {"EEL SET POLICY SILENT", 0},
    {"EEL SET POLICY ASK", 0},
    {"EEL SET MAGIC PNG LINUX", 0},
    {"EEL SET TYPE DATA LINUX", 0},
    {"EEL DEFINE PAGER /bin/less %f", 0},
    {"EEL SET MAGIC JPEG LINUX", 0},
    {"EEL RESET MAGIC JPEG", 0},
    {"EEL DEFINE MINE /bin/cat", 0},
    {"EEL SET TYPE TEXT MINE", 0},
    {"EEL RESET TYPE TEXT", 0},
    {"EEL RESET ENVIRON MINE", 0},
    {"EEL RESET", 0},
    /* ---- pipelines ---- */
    {"PIPE (STAGESEP ?) literal x ? > ONE DATA A F 10", 0},
    {"PIPE < ALPHA DATA A | >> TWO DATA A V", 0},
    {"PIPE LITERAL x | CONSOLE", 0},
    {"PIPE STARMSG | CONSOLE", 0},
    {"PIPE CMS QUERY IMPCP | HOLE", 0},
    {"PIPE CP QUERY TIME | HOLE", 0},
    {"PIPE < ALPHA DATA A | LOCATE 1-5 /o/ | NLOCATE W2 X4142 | HOLE", 0},
    {"PIPE < ALPHA DATA A | BETWEEN /one/ 2 | TAKE FIRST 1 | HOLE", 0},
    {"PIPE < ALPHA DATA A | TAKE LAST 1 | DROP 1 | HOLE", 0},
    {"PIPE < ALPHA DATA A | SORT UNIQUE ANYCASE 1-5 A | HOLE", 0},
    {"PIPE < ALPHA DATA A | SORT COUNT 1-5 D | HOLE", 0},
    {"PIPE < ALPHA DATA A | UNIQUE COUNT ANYCASE 1-* LAST | HOLE", 0},
    {"PIPE < ALPHA DATA A | UNIQUE FIRST | UNIQUE SINGLES | UNIQUE MULTIPLES | HOLE", 0},
    {"PIPE < ALPHA DATA A | COUNT CHARS WORDS LINES MINLINE MAXLINE | HOLE", 0},
    {"PIPE < ALPHA DATA A | CHANGE ANYCASE 1.3 /o/p/ 1 | XLATE UPPER | XLATE LOWER | HOLE", 0},
    {"PIPE < ALPHA DATA A | SPLIT AT o | SPLIT BEFORE STRING /t/ | SPLIT AFTER ANYOF /xy/ | JOIN 2 /,/ 80 | HOLE", 0},
    {"PIPE < ALPHA DATA A | SPECS 1-3 STRIP C2X 1-8 LEFT /x/ NEXT CENTER NUMBER NEXTWORD.5 RIGHT | HOLE", 0},
    {"PIPE (ENDCHAR ? ESCAPE _ NAME X TRACE LISTERR) LITERAL x | HOLE ? LITERAL y | HOLE", 0},
    {"PIPE (ENDCHAR ?) LITERAL x | a: FANOUT STOP ALLEOF | b: FANINANY | HOLE ? a: | b:", 0},
    {"PIPE (ENDCHAR ?) LITERAL x | a: FANOUT STOP ANYEOF | b: FANIN 0 1 | HOLE ? a: | ELASTIC | b:", 0},
    {"PIPE (ENDCHAR ?) LITERAL x | a: FANINTWO | HOLE ? LITERAL y | a:", 0},
    {"PIPE (ENDCHAR ?) LITERAL x | a: GATE STRICT ? LITERAL y | a: | HOLE", 0},
    {"PIPE (ENDCHAR ?) LITERAL x | a: COLLATE NOPAD ANYCASE 1 1 MASTER DETAIL | HOLE ? LITERAL y | a:", 0},
    {"PIPE (ENDCHAR ?) LITERAL x | a: LOOKUP COUNT AUTOADD PAD . ANYCASE 1 1 DETAIL MASTER | HOLE ? LITERAL y | a:", 0},
    {"PIPE (ENDCHAR ?) LITERAL x | a: MERGE NOPAD ANYCASE 1 D | HOLE ? LITERAL y | a:", 0},
    {"PIPE (ENDCHAR ?) LITERAL x | a: OVERLAY _ | HOLE ? LITERAL y | a:", 0},
    {"PIPE (ENDCHAR ?) LITERAL x | a: JUXTAPOSE | HOLE ? LITERAL y | a:", 0},
    {"PIPE LITERAL x | APPEND LITERAL y || BUFFER | PREFACE LITERAL z | PREFIX LITERAL z | HOLE", 0},
    {"PIPE LITERAL x | NOT LOCATE WORDSEPARATOR , WORDS 1 ANYOF /x/ | NLOCATE FIELDSEPARATOR , F1 B01000001 | HOLE", 0},
    {"PIPE LITERAL x | LOCATE FIELDS 1 | HOLE", 0},
    {"PIPE LITERAL x | FIND x | NFIND y | FRLABEL x | TOLABEL y | INSIDE /a/ /b/ | HOLE", 0},
    {"PIPE LITERAL x | OUTSIDE /a/ /b/ | NOTINSIDE ANYCASE /a/ 2 | COPY | HOLE", 0},
    {"PIPE LITERAL x | BLOCK 80 FIXED | BLOCK 80 LINEND | BLOCK 80 CRLF | HOLE", 0},
    {"PIPE LITERAL x | BLOCK 80 STRING /+/ | BLOCK 80 CMS | HOLE", 0},
    {"PIPE LITERAL x | FBLOCK 5 . | DEBLOCK FIXED 5 | DEBLOCK LINEND . | DEBLOCK TEXTFILE | HOLE", 0},
    {"PIPE LITERAL x | BLOCK 80 CMS | DEBLOCK CMS | HOLE", 0},
    {"PIPE LITERAL x | CHOP 5 | CHOP ANYCASE BEFORE STRING /y/ | CHOP AFTER ANYOF /yz/ | HOLE", 0},
    {"PIPE LITERAL x | PAD LEFT 5 . | PAD RIGHT MODULO 8 | STRIP BOTH | STRIP LEADING NOT /x/ 1 | HOLE", 0},
    {"PIPE LITERAL x | STRIP TRAILING STRING /y/ | STRIP ANYOF /yz/ | REVERSE | DUPLICATE 2 | SNAKE 2 2 | HOLE", 0},
    {"PIPE LITERAL x | TOKENISE /,/ /end/ | SPILL 10 OFFSET 2 | TRANSLATE a-c A-C | XLATE 1-5 UPPER | HOLE", 0},
    {"PIPE LITERAL x | TIMESTAMP | TIMESTAMP STANDARD | TIMESTAMP SHORTDATE | TIMESTAMP FULLDATE | HOLE", 0},
    {"PIPE LITERAL x | TIMESTAMP ISODATE | HOLE", 0},
    {"PIPE LITERAL x | INSERT /a/ BEFORE 1 | INSERT /b/ AFTER W1 | HOLE", 0},
    {"PIPE LITERAL x | SPLIT MINIMUM 2 AT BLANK | JOIN COUNT 2 | SORT NOPAD | UNIQUE PAD . | HOLE", 0},
    {"PIPE LITERAL x | SPECS STOP ALLEOF PAD . NUMBER FROM 5 BY 2 STRIP 1 READ WRITE SELECT 0 1 1 | HOLE", 0},
    {"PIPE LITERAL x | SPECS OUTSTREAM 0 1 1 | HOLE", 0},
    {"PIPE LITERAL 41 | SPECS STOP ANYEOF 1-2 X2C 1 READSTOP 1 C2B NEXT 1 B2C NEXT | HOLE", 0},
    {"PIPE LITERAL 41 | SPECS 1-2 D2C 1 1-2 C2D NEXT 1-2 C2V NEXT | SPECS 16-* V2C 1 | HOLE", 0},
    {"PIPE STRLITERAL PREFACE /x/ | STRLITERAL APPEND /y/ | TERMINAL", 0},
    {"PIPE LITERAL query impcp | COMMAND | HOLE", 0},
    {"PIPE LITERAL query version | RUNPIPE | HOLE", 0},
    {"PIPE QUERY VERSION | HOLE", 0},
    {"PIPE QUERY LEVEL | HOLE", 0},
    {"PIPE HELP LOCATE", 0},
    {"PIPE STATE ALPHA DATA | HOLE", 0},
    {"PIPE LITERAL ALPHA DATA A | GETFILES | PUNCH | PRINTER | HOLE", 0},
    {"PIPE READER FILE 9 KEEP | HOLE", 28},
    {"PIPE LITERAL x | REXX SCRIPT PEEKTO V;READTO V;OUTPUT x;SELECT BOTH 0;STREAMNUM INPUT;MAXSTREAM;"
     "STREAMSTATE OUTPUT;MESSAGE RC;COMMIT 0;EOFREPORT ANY;EOFREPORT ALL;EOFREPORT CURRENT;"
     "CALLPIPE LITERAL x || *:;ADDPIPE *.INPUT: || *.INPUT:;SEVER OUTPUT;SHORT;EXIT 0 | HOLE", 0},
    {"PIPE LITERAL x | REXX SCRIPT STAGENUM;EXIT 0 | HOLE", 0},
    {"PIPE LITERAL x | STEM X. APPEND | STEM X. FROM 2 | VAR Y | REXX TWICE | HOLE", 0},
    {"PIPE < ALPHA DATA A | > THREE DATA A FIXED 10 | >> THREE DATA A VARIABLE", 28},
};

static int start(void **state)
{
    (void)state;
    scene_begin();
    memset(&cms_settings, 0, sizeof cms_settings);
    fake_cms_cp("", 0);
    fake_cms_variables_begin();
    help_attach();
    attach(0x191, 'A', "ALI191");
    attach(0x192, 'B', "ALI192");
    fake_cms_attach(0x193, false);
    assert_int_equal(obey("PIPE literal The end|literal   two|literal one|> ALPHA DATA A"), 0);
    return 0;
}

static int end(void **state)
{
    fake_cms_variables_end();
    return scene_end(state);
}

static void every_line_is_accepted(void **state)
{
    bool all = true;
    (void)state;
    for (const struct tried *t = lines; t < lines + sizeof lines / sizeof *lines; t++) {
        if (!strncmp(t->line, "FORMAT", 6))
            fake_cms_type("1\rlabel\r");
        if (!strncmp(t->line, "COMPARE", 7))
            obey("COPYFILE ALPHA DATA A = = B (REPLACE");
        if (strstr(t->line, " SPECS") && !strncmp(t->line, "COPYFILE", 8))
            fake_cms_type("1-3 1\r");
        if (!strncmp(t->line, "DDR", 3))
            fake_cms_type(strstr(t->line, "COPY") ? "0\r" : strstr(t->line, "RESTORE") ? "1\r" : "");
        if (strstr(t->line, "RESTORE"))
            obey("TAPE REW"), obey("DDR DUMP 193"), obey("TAPE REW");
        if (!strncmp(t->line, "SORT", 4))
            fake_cms_type("1 3\r");
        if (strstr(t->line, " TRANS"))
            fake_cms_type("a b\r");
        if (obey(t->line) == t->rc)
            continue;
        print_error("%s: %s\n", t->line, fake_cms_shown());
        all = false;
    }
    assert_true(all);
}

static bool has_line(const struct command *c, const char *word, size_t length)
{
    for (const struct tried *t = lines; t < lines + sizeof lines / sizeof *lines; t++) {
        size_t name = strlen(c->name);
        if (strncmp(t->line, c->name, name) || (t->line[name] && t->line[name] != ' '))
            continue;
        if (!length)
            return true;
        for (const char *at = t->line + name; *at; at++)
            if (!isalnum((unsigned char)at[-1]) && !strncmp(at, word, length))
                return true;
    }
    return false;
}

static bool in_word(char c) { return isalnum((unsigned char)c) || c == '/'; }

/* Words without a small letter, of a text; those between / and / are examples of text. */
static unsigned check_words(const struct command *c, const char *text)
{
    unsigned words = 0;
    while (*text) {
        size_t length = 0, small = 0, capitals = 0;
        for (; in_word(text[length]); length++) {
            small += text[length] >= 'a' && text[length] <= 'z';
            capitals += text[length] >= 'A' && text[length] <= 'Z';
        }
        if (capitals && !small && strncmp(text, c->name, length) && (++words, !has_line(c, text, length)))
            fail_msg("no line has %.*s of %s", (int)length, text, c->name);
        text += length ? length : 1;
    }
    return words;
}

static void every_word_of_a_synopsis_is_in_a_line(void **state)
{
    const struct command *c;
    unsigned words = 0;
    (void)state;
    for (size_t i = 0; (c = cms_command_at(i)); i++) {
        if (!has_line(c, "", 0))
            fail_msg("no line has %s", c->name);
        if (sources_width(c->synopsis) > 79 || sources_width(c->help) > 79)
            fail_msg("the help of %s is wider than a terminal", c->name);
        words += check_words(c, c->synopsis);
        if (!strcmp(c->name, "PIPE"))
            words += check_words(c, c->help);
        for (size_t j = 0; !strcmp(c->name, "PIPE") && cms_pipe_stages[j]; j++) {
            if (sources_width(cms_pipe_stages[j]->format) > 79 || sources_width(cms_pipe_stages[j]->help) > 79)
                fail_msg("the help of the stage %s is wider than a terminal", cms_pipe_stages[j]->name);
            words += check_words(c, cms_pipe_stages[j]->format);
            words += check_words(c, cms_pipe_stages[j]->help);
        }
    }
    assert_true(words > 110);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_word_of_a_synopsis_is_in_a_line),
        cmocka_unit_test_setup_teardown(every_line_is_accepted, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
