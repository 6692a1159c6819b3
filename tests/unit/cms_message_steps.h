/* Command lines, and the message each gives: for cms_message_given_test.c. */
#pragma once
#include "tests/unit/cms_scene.h"

#include "cms/eel/eel.h"
#include "cms/kernel/disk.h"
#include "cms/kernel/variables.h"
#include "tests/unit/fake/cms_variables.h"

struct step {
    const char *line;
    const char *text; /* the message, whole; NULL: none is asked for */
    void (*before)(void);
};

/* ---- what some steps need beforehand ----------------------------------------------------------------------------- */

static char long_answer[20000];
static void *hoard[1000];

static void answer_yes(void) { fake_cms_type("1\rlabel\r"); }
static void answer_nothing(void) { fake_cms_type("\r"); }
static void answer_wrong(void) { fake_cms_type("x\r"); }
static void answer_specs(void) { fake_cms_type("1 1\r"); }
static void answer_far(void) { fake_cms_type("1 99\r"); }
static void answer_pair(void) { fake_cms_type("x y\r"); }
static void answer_many(void)
{
    for (int i = 0; i < 20; i++)
        fake_cms_type("1 1 ");
    fake_cms_type("1 1\r");
}
static void no_cp(void) { fake_cms_cp(NULL, 0); }
static void short_cp(void) { fake_cms_cp("", 0); }
static void cont_cp(void) { fake_cms_cp("PUN  000D CL A CONT   NOHOLD NOKEEP COPY 001\n", 0); }
static void long_cp(void) { fake_cms_cp(memset(long_answer, 'x', sizeof long_answer - 1), 0); }
static void attach_blank(void) { fake_cms_attach(0x200, false); }
static void attach_read_only(void) { fake_cms_attach(0x190, true); }
static void read_only_b(void) { obey("ACCESS 192 B (FORCERO"); }
static void break_disks(void) { fake_cms_disks_fail = true, answer_yes(); }
static void answer_no(void) { fake_cms_type("0\r"); }
static void make_unreadable(void) { fake_program_unreadable = true; }
static void forbid_linux(void) { fake_program_unreadable = false, cms_eel_forbid("LINUX"); }
static void mend_disks(void) { fake_cms_disks_fail = false, obey("ACCESS 191 A"), obey("ACCESS 192 B"); }

static void short_disk(void) { cms_disk_find(0x200)->sectors = 511; }

static void take_heap(void)
{
    unsigned taken = 0;
    for (size_t size = 1 << 20; size >= 1024; size /= 2)
        while ((hoard[taken] = cms_heap_allocate_system(size)))
            taken++;
}

static void give_heap(void)
{
    for (unsigned i = 0; hoard[i]; i++)
        cms_heap_free(hoard[i]);
}

static void fill_letters(void)
{
    struct mode_problem problem;
    give_heap();
    for (char c = 'C'; c <= 'Z'; c++)
        if (!cms_mode_find(c))
            assert_true(cms_mode_access(0x192, c, c, false, &problem));
}

/* What CP would give to edit, and letters again. */
static void edited_disk(void)
{
    struct mode_problem problem;
    for (char c = 'C'; c <= 'Z'; c++)
        if (cms_mode_find(c) && cms_mode_find(c)->vdev == 0x192)
            cms_mode_release(c);
    fake_cms_attach(0xF00, false);
    assert_true(cms_mode_format(0xF00, 1024, "EDITED", &problem));
}

/* A REXX program that takes no name, and knows none. */
static enum cms_variable_status no_value(void *c, const char *name, char *value, size_t size, size_t *length)
{
    return (void)c, (void)name, (void)value, (void)size, (void)length, VARIABLE_UNSET;
}
static enum cms_variable_status no_name(void *c, const char *name, const char *value, size_t length)
{
    return (void)c, (void)name, (void)value, (void)length, VARIABLE_BAD_NAME;
}
static const struct cms_variables stubborn = {no_value, no_name, NULL};
static void rexx_asks(void) { cms_variables_lend(&stubborn); }
static void rexx_asks_without_storage(void) { rexx_asks(), take_heap(); }
static void rexx_ends(void) { cms_variables_lend(NULL); }

static void fill_eel(void)
{
    char name[9];
    for (int i = 0; snprintf(name, sizeof name, "T%d", i) && cms_eel_set_rule(EEL_BY_TYPE, name, "REXX"); i++)
        ;
}

static void directory_answers(enum cms_directory_status status) { fake_cms_directory_status = status; }
static void directory_denied(void) { directory_answers(CMS_DIRECTORY_DENIED); }
static void directory_long(void) { directory_answers(CMS_DIRECTORY_LONG); }
static void directory_crossed(void) { directory_answers(CMS_DIRECTORY_CROSSED); }
static void directory_mended(void) { directory_answers(CMS_DIRECTORY_OK); }

static void spool_full(void) { fake_cms_spool = CMS_SPOOL_FULL; }
static void spool_absent(void) { fake_cms_spool = CMS_SPOOL_ABSENT; }
static void spool_damaged(void) { fake_cms_spool = CMS_SPOOL_DAMAGED; }

/* And in the reader is a card that begins a file of SENDFILE's, and no more. */
static void spool_mended(void)
{
    static const uint8_t card[] = {8, 0, 8, 0xe0, 0xc9, 0xd5, 0xd4, 0xd9, 0xf0, 0xf1};
    fake_cms_spool = CMS_SPOOL_OK;
    memcpy(fake_cms_punched, card, fake_cms_punched_bytes = sizeof card);
    fake_cms_deliver("X", "Y");
}

static void deliver(const char *name, const void *card, size_t bytes)
{
    uint16_t length = (uint16_t)bytes;
    memcpy(fake_cms_punched, &length, sizeof length);
    memcpy(fake_cms_punched + sizeof length, card, bytes);
    fake_cms_punched_bytes = sizeof length + bytes;
    fake_cms_deliver(name, "DATA");
}

static void card_delivered(void) { deliver("no name", "card", 4); }

/* INMR01, INMR02 of file 1 with IEBCOPY as INMUTILN, INMR03, INMR06 */
static void data_set_delivered(void)
{
    static const uint8_t cards[] = "\x08\xe0\xc9\xd5\xd4\xd9\xf0\xf1"
                                   "\x19\xe0\xc9\xd5\xd4\xd9\xf0\xf2\0\0\0\1\x10\x28\0\1\0\7"
                                   "\xc9\xc5\xc2\xc3\xd6\xd7\xe8"
                                   "\x08\xe0\xc9\xd5\xd4\xd9\xf0\xf3"
                                   "\x08\xe0\xc9\xd5\xd4\xd9\xf0\xf6";
    deliver("UNLOADED", cards, sizeof cards - 1);
}

static void file_held(void) { fake_cms_hold(true), short_cp(); }

static void fill_disk(void)
{
    obey("PIPE literal 0123456789 | > BIG DATA A");
    while (!obey("COPYFILE BIG DATA A BIG DATA A BIG DATA A (REPLACE")) {}
}

#define STEP(line, text)          {line, text, NULL}
#define AFTER(before, line, text) {line, text, before}
#define RUNNING                   "... Issued from stage 2 of pipeline 1"
#define X40                       "X X X X X X X X X X X X X X X X X X X X X X X X X X X X X X X X X X X X X X X X "
#define Y240                      "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy" \
                                  "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy" \
                                  "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"

static const struct step steps[] = {
    /* ---- any command ---- */
    STEP("ERASE " X40 "X", "DMSINT070E Invalid parameter list"),
    STEP("PIPE (SEP !)cms PIPE (SEP ?)cms PIPE (SEP ~)cms PIPE (SEP ;)cms PIPE (SEP :)cms PIPE (SEP ,)cms PIPE"
         " (SEP +)cms PIPE (SEP =)cms PIPE (SEP &)cms Q IMPCP&console=console+console,console:console;console~console"
         "?console!console",
         "DMSINT9004E Commands are nested too deep"),
    STEP("HELP FROBNICATION", "DMSHLP9075E There are no HELP files: no root image, and no disk that has them"),
    STEP("PIPE literal the commands| > CMS HELPMENU A", NULL),
    STEP("HELP FROBNICATION", "DMSHLP254E HELP cannot find the information you requested: FROBNICATION"),
    STEP("CP QUERY TIME", "DMSCPF9001E CP is not there: this machine runs without it"),
    AFTER(short_cp, "CP", "DMSCPF047E No function specified"),
    STEP("CP " Y240 "y", "DMSCPF9010E CP takes commands of at most 240 bytes; this one has 241"),
    AFTER(long_cp, "CP QUERY NAMES", "DMSCPF9003W CP's response is longer than the buffer; the rest is lost"),
    AFTER(take_heap, "CP QUERY NAMES", "DMSCPF109S Virtual storage capacity exceeded"),
    STEP("COPYFILE ALPHA DATA A X Y A", "DMSCPY109S Virtual storage capacity exceeded"),
    STEP("PIPE literal x | sort | hole", "DMSPIP109S Virtual storage capacity exceeded"),
    AFTER(give_heap, "QUERY", "DMSQRY047E No function specified"),
    AFTER(no_cp, "QUERY NONSENSE", "DMSQRY014E Invalid keyword: NONSENSE"),
    STEP("QUERY SEARCH X", "DMSQRY070E Invalid parameter X"),
    STEP("QUERY DISK 99", "DMSQRY048E Invalid filemode 99"),
    STEP("QUERY DISK Q", "DMSQRY069E Filemode Q not accessed"),
    STEP("SET", "DMSSET047E No function specified"),
    STEP("PIPE literal LISTFILE | > FAULTY SYNONYM A", NULL),
    STEP("SYNONYM FAULTY", "DMSSYN056E File FAULTY SYNONYM A1 contains invalid record formats"),
    STEP("PIPE literal LISTFILE FILES| > GOOD SYNONYM A", NULL),
    STEP("SYNONYM GOOD", NULL),
    AFTER(take_heap, "FILES", "DMSINT109S Virtual storage capacity exceeded"),
    STEP("SYNONYM GOOD", "DMSSYN109S Virtual storage capacity exceeded"),
    STEP("QUERY SEARCH (STACK", "DMSQRY109S Virtual storage capacity exceeded"),
    AFTER(give_heap, "SYNONYM (CLEAR", NULL),
    STEP("SYNONYM", "DMSSYN9069I No user synonyms in effect"),
    STEP("QUERY SYNONYM", "DMSQRY9069I No user synonyms in effect"),
    STEP("SYNONYM NOT THERE A", "DMSSYN002E File NOT THERE A not found"),
    STEP("SYNONYM A B C D", "DMSSYN070E Invalid parameter D"),
    STEP("SYNONYM A (X", "DMSSYN003E Invalid option: X"),
    STEP("SYNONYM * SYNONYM A", "DMSSYN062E Invalid character in fileid * SYNONYM A"),
    STEP("FILELIST NOT THERE A", "DMSWFL002E File NOT THERE A not found"),
    STEP("FILELIST A B C D", "DMSWFL070E Invalid parameter D"),
    STEP("FILELIST ALPHA DATA (APPEND", "DMSWFL9079E APPEND adds to a list: it is for the command line of FILELIST"),
    STEP("FILELIST ALPHA DATA (FILELIST", "DMSWFL9080E The option FILELIST needs a full screen"),
    STEP("FILELIST A (X", "DMSWFL003E Invalid option: X"),
    STEP("QUERY SEARCH (X", "DMSQRY003E Invalid option: X"),
    STEP("QUERY SYNONYM X", "DMSQRY014E Invalid keyword: X"),
    STEP("IDENTIFY X", "DMSIDE070E Invalid parameter X"),
    STEP("IDENTIFY (X", "DMSIDE003E Invalid option: X"),
    STEP("SET IMPCP", "DMSSET050E Parameter missing after IMPCP"),
    STEP("SET IMPCP MAYBE", "DMSSET014E Invalid keyword: MAYBE"),
    STEP("SET IMPCP ON X", "DMSSET070E Invalid parameter X"),
    /* ---- disks ---- */
    STEP("ACCESS XYZ", "DMSACC017E Invalid device address: XYZ"),
    STEP("ACCESS 191 1", "DMSACC048E Invalid filemode 1"),
    STEP("ACCESS 191 A X", "DMSACC070E Invalid parameter X"),
    STEP("ACCESS 191 A (WHATEVERITIS", "DMSACC003E Invalid option: WHATEVERITIS"),
    STEP("ACCESS 191 E/X", "DMSACC069E Filemode X not accessed"),
    STEP("ACCESS 555 C", "DMSACP113S C(555) not attached or invalid device address"),
    AFTER(attach_blank, "ACCESS 200 C", "DMSACP112S C(200) device error: there is no CMS1 label"),
    STEP("ACCESS 192 C", "DMSACP726I 192 B released"),
    STEP("ACCESS 192 C (FORCERO", "DMSACP723I C (192) R/O"),
    STEP("ACCESS 192 B/A", "DMSACP725I 192 also = C disk"),
    STEP("ACCESS 191 C", "DMSACP724I 191 replaces C (192)"),
    STEP("ACCESS 191 A", NULL),
    STEP("ACCESS 192 B", NULL),
    STEP("RELEASE", "DMSARE028E No device specified"),
    STEP("RELEASE 12345", "DMSARE017E Invalid device address: 12345"),
    STEP("RELEASE Q", "DMSARE069E Filemode Q not accessed"),
    STEP("RELEASE B X", "DMSARE070E Invalid parameter X"),
    STEP("RELEASE B (WHAT", "DMSARE003E Invalid option: WHAT"),
    STEP("FORMAT", "DMSFOR028E No device specified"),
    STEP("FORMAT XYZ C", "DMSFOR017E Invalid device address: XYZ"),
    STEP("FORMAT 200", "DMSFOR005E No filemode specified"),
    STEP("FORMAT 200 1", "DMSFOR048E Invalid filemode 1"),
    STEP("FORMAT 200 C X", "DMSFOR070E Invalid parameter X"),
    STEP("FORMAT 200 C (WHAT", "DMSFOR003E Invalid option: WHAT"),
    STEP("FORMAT 200 C (BLKSIZE", "DMSFOR050E Parameter missing after BLKSIZE"),
    STEP("FORMAT 200 C (BLKSIZE 777", "DMSFOR029E Invalid parameter 777 in the option BLKSIZE field"),
    STEP("FORMAT 555 C", "DMSFOR113S C(555) not attached or invalid device address"),
    AFTER(attach_read_only, "FORMAT 190 S", "DMSFOR037E Filemode S(190) is accessed as read/only"),
    AFTER(break_disks, "FORMAT 200 C", "DMSFOR125S Permanent unit check on disk C(200): device error"),
    AFTER(mend_disks, "QUERY SEARCH", NULL),
    AFTER(answer_yes, "FORMAT 200 C",
          "DMSFOR603R FORMAT will erase all files on disk C(200). Do you wish to continue?"),
    AFTER(answer_yes, "FORMAT 200 C", "DMSFOR605R Enter disk label:"),
    AFTER(answer_yes, "FORMAT 200 C", "DMSFOR733I Formatting disk C"),
    AFTER(answer_yes, "FORMAT 200 C", "DMSFOR732I 512 FB-512 blocks formatted on C(200)"),
    STEP("RELEASE C", NULL),
    /* ---- files ---- */
    STEP("LISTFILE NOSUCH FILE", "DMSLST002E File NOSUCH FILE A not found"),
    STEP("LISTFILE * * A X", "DMSLST070E Invalid parameter X"),
    STEP("LISTFILE * * 99", "DMSLST048E Invalid filemode 99"),
    STEP("LISTFILE * * Z", "DMSLST069E Filemode Z not accessed"),
    STEP("LISTFILE (SHORTDATES", "DMSLST003E Invalid option: SHORTDATES"),
    STEP("LISTFILE (DATE DATE", "DMSLST065E DATE option specified twice"),
    STEP("LISTFILE (DATE LABEL", "DMSLST066E DATE and LABEL are conflicting options"),
    STEP("TYPE", "DMSTYP042E No fileid(s) specified"),
    STEP("TYPE ALPHA", "DMSTYP054E Incomplete fileid specified"),
    STEP("TYPE AL/PHA DATA", "DMSTYP062E Invalid character in fileid AL/PHA DATA A"),
    STEP("TYPE ALPHA DATA A 9", "DMSTYP049E Invalid line number 9"),
    STEP("TYPE ALPHA DATA A 1 2 X", "DMSTYP070E Invalid parameter X"),
    STEP("TYPE ALPHA DATA A (COL X", "DMSTYP029E Invalid parameter X in the option COL field"),
    STEP("COMPARE", "DMSCMP042E No fileid(s) specified"),
    STEP("COMPARE ALPHA DATA A", "DMSCMP054E Incomplete fileid specified"),
    STEP("COMPARE ALPHA DATA A ALPHA EXEC A X", "DMSCMP070E Invalid parameter X"),
    STEP("COMPARE ALPHA DATA A ALPHA DATA A", "DMSCMP019E Identical fileids"),
    STEP("COMPARE ALPHA DATA A BETA DATA B", "DMSCMP011E Conflicting file formats"),
    STEP("COMPARE ALPHA DATA A ALPHA EXEC A", "DMSCMP179I Comparing ALPHA DATA A1 with ALPHA EXEC A2"),
    STEP("COMPARE ALPHA DATA A ALPHA EXEC A", "DMSCMP010W Premature EOF on file ALPHA EXEC A2"),
    STEP("COMPARE ALPHA DATA A OTHER DATA A", "DMSCMP209W Files do not compare"),
    STEP("COMPARE ALPHA DATA A OTHER DATA A (COL 3-1", "DMSCMP029E Invalid parameter 3-1 in the option COL field"),
    STEP("COPYFILE", "DMSCPY042E No fileid(s) specified"),
    STEP("COPYFILE ALPHA DATA", "DMSCPY054E Incomplete fileid specified"),
    STEP("COPYFILE NO FILE A X Y A", "DMSCPY002E File NO FILE A not found"),
    STEP("COPYFILE ALPHA DATA A BETA DATA B", "DMSCPY024E File BETA DATA B1 already exists; specify REPLACE option"),
    STEP("COPYFILE ALPHA DATA A X Y A (LRECL 70000", "DMSCPY029E Invalid parameter 70000 in the option LRECL field"),
    STEP("COPYFILE ALPHA DATA A X Y A (FROM 4", "DMSCPY156E FROM 4 not found--file ALPHA DATA A1 has only 3 records"),
    STEP("COPYFILE ALPHA DATA A (APPEND LRECL 8", "DMSCPY066E APPEND and LRECL are conflicting options"),
    STEP("COPYFILE ALPHA DATA A X Y A (FRLABEL X", "DMSCPY157E Label X not found in file ALPHA DATA A1"),
    STEP("COPYFILE ALPHA DATA A X Y A (TYPE", "DMSCPY721I Copy ALPHA DATA A1 to X Y A1 (new file)"),
    STEP("COPYFILE ALPHA DATA A X Y A (FRLABEL X TOLABEL X", "DMSCPY172E TOLABEL label X equals FRLABEL label"),
    STEP("COPYFILE ALPHA DATA A X Z A (TOLABEL on", "DMSCPY173E No records were copied to output file X Z A1"),
    AFTER(answer_nothing, "COPYFILE ALPHA DATA A X Z A (SPECS", "DMSCPY063E No specification list entered"),
    AFTER(answer_wrong, "COPYFILE ALPHA DATA A X Z A (TRANS",
          "DMSCPY064E Invalid translation specification at or near x"),
    AFTER(answer_many, "COPYFILE ALPHA DATA A X Z A (SPECS", "DMSCPY103S Number of SPECS exceeds max 20"),
    AFTER(answer_specs, "COPYFILE ALPHA DATA A X Z A (SPECS", "DMSCPY601R Enter specification list:"),
    AFTER(answer_pair, "COPYFILE ALPHA DATA A X Z A (TRANS REPLACE", "DMSCPY602R Enter translation list:"),
#include "tests/unit/cms_message_given_pack.def"
    STEP("RENAME", "DMSRNM042E No fileid(s) specified"),
    STEP("RENAME ALPHA DATA A", "DMSRNM054E Incomplete fileid specified"),
    STEP("RENAME ALPHA DATA A = = A X", "DMSRNM070E Invalid parameter X"),
    STEP("RENAME ALPHA DATA A = = B", "DMSRNM051E Invalid filemode change from A to B"),
    STEP("RENAME ALPHA DATA A = EXEC A", "DMSRNM024E File ALPHA EXEC A1 already exists"),
    STEP("ERASE * * A", "DMSERS071E ERASE * * A not allowed"),
    STEP("ERASE NOSUCH FILE", "DMSERS002E File NOSUCH FILE A not found"),
    STEP("STATE NOSUCH FILE", "DMSSTT002E File NOSUCH FILE * not found"),
    AFTER(read_only_b, "ERASE BETA DATA B", "DMSERS037E Filemode B is accessed as read/only"),
    AFTER(mend_disks, "PIPE literal x | > X Y A | > X Y A", "DMSPIP030E File X Y A already active"),
#include "tests/unit/cms_message_given_tape.def"
    /* ---- CP's directory ---- */
    STEP("DIRECTXA A B C D", "DMSDIR070E Invalid parameter D"),
    STEP("DIRECTXA (REPLACE", "DMSDIR003E Invalid option: REPLACE"),
    STEP("DIRECTXA ALPHA DATA", "DMSDIR9030E Line 1: /dts-v1/; was expected"),
    STEP("DIRECTXA (GET", "DMSDIR9031E CP is not there, or gives and takes no directory"),
    AFTER(directory_denied, "DIRECTXA (GET", "DMSDIR9032E You are not of privilege class B"),
    AFTER(directory_long, "DIRECTXA (GET", "DMSDIR9033E The directory is longer than CP or this machine can hold"),
    AFTER(directory_crossed, "DIRECTXA (GET", "DMSDIR9034E Somebody else has given CP another directory meanwhile"),
    AFTER(directory_mended, "DIRECTXA NOSUCH", "DMSDIR002E File NOSUCH DIRECT A not found"),
#include "tests/unit/cms_message_given_exec.def"
    STEP("XEDIT", "DMSXED042E No fileid(s) specified"),
    STEP("XEDIT A B C D", "DMSXED070E Invalid parameter D"),
    STEP("XEDIT * DATA A", "DMSXED062E Invalid character in fileid * DATA A"),
    STEP("XEDIT NEW DATA Q", "DMSXED069E Filemode Q not accessed"),
    STEP("EEL DANCE", "DMSEEL014E Invalid keyword: DANCE"),
    STEP("EEL SET", "DMSEEL050E Parameter missing after SET"),
    STEP("EEL RESET X", "DMSEEL014E Invalid keyword: X"),
    STEP("EEL RESET TYPE X Y", "DMSEEL070E Invalid parameter Y"),
    STEP("EEL RESET TYPE EXEC", "DMSEEL9058E TYPE EXEC is not one that you have set"),
    STEP("EEL QUERY NO FILE", "DMSEEL002E File NO FILE * not found"),
    STEP("EEL QUERY ALPHA DATA", "DMSEEL9053E Nothing is known that runs ALPHA DATA A1"),
    STEP("PIPE literal #!/bin/sh | > GAMMA M68K A", NULL),
    AFTER(answer_no, "GAMMA",
          "DMSEEL9050R GAMMA M68K A1 is run by M68K as its filetype says, but by LINUX as its first "
          "bytes say (SCRIPT). Do you wish to have LINUX run it?"),
    AFTER(answer_no, "GAMMA", "DMSEEL9051W GAMMA M68K A1 was not run"),
    STEP("EEL SET POLICY TELL", NULL),
    STEP("GAMMA", "DMSEEL9052I GAMMA M68K A1 is run by LINUX, for its first bytes"),
    STEP("GAMMA it's", "DMSEEL9056E A quotation is not ended, or there are too many words"),
    STEP("program it's", "DMSEEL9056E A quotation is not ended, or there are too many words"),
    AFTER(take_heap, "EEL QUERY GAMMA M68K", "DMSEEL109S Virtual storage capacity exceeded"),
    AFTER(make_unreadable, "EEL QUERY GAMMA M68K", "DMSEEL109S Virtual storage capacity exceeded"),
    AFTER(give_heap, "EEL QUERY GAMMA M68K", "DMSEEL9055E GAMMA M68K A1 cannot be read: error 5"),
    AFTER(forbid_linux, "GAMMA", "DMSEEL9054E Environment LINUX is forbidden here"),
    AFTER(fill_eel, "EEL SET TYPE ONEMORE REXX", "DMSEEL9057E The table is full"),
    STEP("EEL RESET", NULL),
    STEP("ERASE GAMMA M68K", NULL),
    /* ---- the spool ---- */
    STEP("SENDFILE ALPHA DATA", "DMSSFL054E Incomplete fileid specified"),
    STEP("SENDFILE ALPHA DATA A TO FARTOOLONG", "DMSSFL070E Invalid parameter FARTOOLONG"),
    STEP("NAMES X Y", "DMSNAM070E Invalid parameter Y"),
    STEP("NAMES (X", "DMSNAM003E Invalid option: X"),
    STEP("NAMES", "DMSNAM9028W There are no nicknames in your NAMES file"),
    STEP("NAMES SAM", "DMSNAM9025E Your NAMES file has no nickname SAM"),
    STEP("NAMES DELETE SAM", "DMSNAM9025E Your NAMES file has no nickname SAM"),
    STEP("NAMES DELETE", "DMSNAM050E Parameter missing after DELETE"),
    STEP("NAMES ADD SAM", "DMSNAM050E Parameter missing after ADD"),
    STEP("NAMES ADD FARTOOLONG SAM", "DMSNAM070E Invalid parameter FARTOOLONG"),
    STEP("NAMES ADD AWAY SAM AT OTHER", NULL),
    STEP("SENDFILE ALPHA DATA A TO AWAY", "DMSSFL9024E AWAY is at node OTHER, which cannot be reached"),
    STEP("NAMES DELETE AWAY", NULL),
    STEP("NOTE", "DMSNOT050E Parameter missing after NOTE"),
    STEP("NOTE BOB (X", "DMSNOT003E Invalid option: X"),
    STEP("NOTE BOB (NOTEBOOK", "DMSNOT050E Parameter missing after NOTEBOOK"),
    AFTER(take_heap, "NOTE BOB (FILE ALPHA DATA", "DMSNOT109S Virtual storage capacity exceeded"),
    AFTER(give_heap, "TELL BOB", "DMSTEL050E Parameter missing after TELL"),
    STEP("TELL BOB " Y240, "DMSTEL9010E CP takes commands of at most 240 bytes; this one has 254"),
    STEP("PUNCH ALPHA DATA A X", "DMSPUN070E Invalid parameter X"),
    STEP("PIPE literal " Y240 "| > WIDE DATA A", NULL),
    STEP("PUNCH WIDE DATA", "DMSPUN044E Record exceeds allowable maximum"),
    STEP("PIPE literal " Y240 "| change /y/" Y240 "/ | > WIDE DATA A", NULL),
    STEP("PRINT WIDE DATA", "DMSPRT044E Record exceeds allowable maximum"),
    STEP("ERASE WIDE DATA", NULL),
    STEP("PIPE literal | take 0 | > EMPTY DATA A", NULL),
    STEP("PUNCH EMPTY DATA", "DMSPUN9019W File EMPTY DATA A1 has no records"),
    STEP("PRINT EMPTY DATA", "DMSPRT9019W File EMPTY DATA A1 has no records"),
    STEP("RDRLIST", "DMSRDL205W No files in your reader"),
    STEP("RDRLIST X", "DMSRDL070E Invalid parameter X"),
    STEP("READCARD A B A X", "DMSRDC070E Invalid parameter X"),
    STEP("READCARD * * 99", "DMSRDC048E Invalid filemode 99"),
    STEP("PEEK 99", "DMSPEK9029E File 99 is not in your reader"),
    STEP("RECEIVE 99", "DMSRCV9029E File 99 is not in your reader"),
    STEP("PEEK X", "DMSPEK070E Invalid parameter X"),
    STEP("PEEK (FOR X", "DMSPEK029E Invalid parameter X in the option FOR field"),
    AFTER(spool_full, "PRINT ALPHA DATA", "DMSPRT9021E The spool is full, or you have your share of it"),
    AFTER(spool_absent, "RECEIVE",
          "DMSRCV9020E There is no reader, punch or printer: CP is not there, or has no spool"),
    AFTER(spool_damaged, "READCARD *", "DMSRDC9022E The file in the reader cannot be read"),
    AFTER(spool_mended, "RECEIVE", "DMSRCV9023E The file in the reader is not as SENDFILE makes them"),
    AFTER(card_delivered, "RECEIVE", "DMSRCV042E No fileid(s) specified"),
    STEP("RECEIVE 7 = = 99", "DMSRCV048E Invalid filemode 99"),
    STEP("RECEIVE 7 A B A X", "DMSRCV070E Invalid parameter X"),
    STEP("PEEK (FROM 0", "DMSPEK029E Invalid parameter 0 in the option FROM field"),
    AFTER(data_set_delivered, "RECEIVE", "DMSRCV9026I UNLOADED DATA A1 is as IEBCOPY of MVS unloaded it"),
    AFTER(file_held, "READCARD *",
          "DMSRDC9027W The files in your reader are held, or not of the class it reads"),
    STEP("NAMES ADD FAR LIST OUTTHERE", NULL),
    STEP("NAMES ADD FAR LIST U1 U2 U3 U4 U5 U6 U7 U8 U9 V1 V2 V3 V4 V5 V6 V7 V8 V9 W1 W2 W3 W4 W5 W6 W7 W8 W9", NULL),
    STEP("NAMES ADD NEAR LIST X1 X2 X3 X4 X5 X6 X7 X8 X9 Y1 Y2 Y3 Y4 Y5 Y6 Y7 Y8 Y9 Z1 Z2 Z3 Z4 Z5 Z6 Z7 Z8 Z9", NULL),
    STEP("SENDFILE ALPHA DATA A FAR NEAR 1 2 3 4 5 6 7 8 9 10",
         "DMSSFL9017E Nothing can be sent to more than 64 at once"),
    STEP("PIPE literal :nick.sam :userid.faroverlong | > TESTER NAMES A", NULL),
    STEP("SENDFILE ALPHA DATA A SAM", "DMSSFL9016E The entry SAM of your NAMES file is not as it should be"),
    AFTER(cont_cp, "SENDFILE ALPHA DATA A TO BOB",
          "DMSSFL9018E Your punch is spooled CONT, so that what is sent would not be a file"),
    STEP("ERASE TESTER NAMES A", NULL),
    AFTER(no_cp, "QUERY SEARCH", NULL),
    /* ---- pipelines ---- */
    STEP("PIPE", "DMSPIP256E No pipeline specified on PIPE command"),
    STEP("PIPE (FOO) literal x", "DMSPIP014E Option FOO not valid"),
    STEP("PIPE (STAGESEP", "DMSPIP013E No ending right parenthesis for global options"),
    STEP("PIPE (STAGESEP) literal x", "DMSPIP015E Value missing for keyword \"STAGESEP\""),
    STEP("PIPE (NAME) literal x", "DMSPIP015E Value missing for keyword \"NAME\""),
    STEP("PIPE (ENDCHAR ABC) literal x", "DMSPIP050E Not a character or hexadecimal representation: ABC"),
    STEP("PIPE (ESCAPE _) literal x_", "DMSPIP016E Last character is escape character"),
    STEP("PIPE (ENDCHAR ?) literal x ?", "DMSPIP012E Null pipeline"),
    STEP("PIPE (NAME t) literal a | nosuch", "DMSPIP004I ... Issued from stage 2 of pipeline 1 name \"T\""),
    STEP("PIPE (TRACE) literal abc| hole", "DMSPIP035I Output 3 bytes"),
    STEP("PIPE (TRACE) literal abc| hole", "DMSPIP039I ... Data: \"abc\""),
    STEP("PIPE (LISTERR) < NO FILE | hole", "DMSPIP020I Stage returned with return code -146"),
    STEP("PIPE : literal x", "DMSPIP043E Null label"),
    STEP("PIPE muchtoolong: literal x", "DMSPIP044E Label muchtoolong is not valid"),
    STEP("PIPE literal x | a:", "DMSPIP046E Label a not declared"),
    STEP("PIPE a: literal x | a: take 1", "DMSPIP047E Label a is already declared"),
    STEP("PIPE literal x | *:", "DMSPIP101E Connector *: can be specified with ADDPIPE or CALLPIPE"),
    STEP("PIPE (ENDCHAR ?) literal x | a: sort ? a: | hole", "DMSPIP264E Too many streams"),
    STEP("PIPE (ENDCHAR ?) literal x | a: fanout | b: fanin 1 0 | hole ? a: | b:", "DMSPIP029E Pipelines stalled"),
    STEP("PIPE (ENDCHAR ?) literal x | a: fanout | b: fanin 1 0 | hole ? a: | b:",
         "DMSPIP030I Stage is in state wait.out"),
    STEP("PIPE literal x | append append append append append append append append append hole",
         "DMSPIP9004E Commands are nested too deep"),
    STEP("PIPE literal a | | console", "DMSPIP017E Null stage found"),
    STEP("PIPE literal a| nosuch", "DMSPIP027E Entry point NOSUCH not found"),
    STEP("PIPE literal a| nosuch", "DMSPIP003I " RUNNING),
    STEP("PIPE literal a| nosuch", "DMSPIP001I ... Running \"nosuch\""),
    STEP("PIPE take 1", "DMSPIP127E This stage cannot be first in a pipeline"),
    STEP("PIPE literal a| < A B", "DMSPIP087E This stage must be the first stage of a pipeline"),
    STEP("PIPE < NO FILE | console", "DMSPIP146E File \"NO FILE *\" does not exist"),
    STEP("PIPE literal a| take x", "DMSPIP058E Decimal number expected, but \"x\" was found"),
    STEP("PIPE literal a| take 1 2", "DMSPIP112E Excessive options \"2\""),
    STEP("PIPE literal a| locate /x", "DMSPIP060E Delimiter missing after string \"/x\""),
    STEP("PIPE literal a| locate 5-3 /x/", "DMSPIP054E Range \"5-3\" not valid"),
    STEP("PIPE literal a| locate xABC", "DMSPIP335E Odd number of characters in hex data: xABC"),
    STEP("PIPE literal a| xlate b", "DMSPIP053E Odd number of translate pairs"),
    STEP("PIPE literal a| xlate bcd e", "DMSPIP050E Not a character or hexadecimal representation: bcd"),
    STEP("PIPE literal a| locate ws abc w1 /x/", "DMSPIP111E Operand abc is not valid"),
    STEP("PIPE literal a| locate ws x4142 w1 /x/",
         "DMSPIP050E Not a character or hexadecimal representation: X4142"),
    STEP("PIPE literal a| locate () /x/", "DMSPIP055E No inputRange(s) in list"),
    STEP("PIPE literal a| locate (1 2 3 4 5 6 7 8 9 10 11) /x/", "DMSPIP056E More than 10 inputRanges specified"),
    STEP("PIPE literal a| locate (1 /x/", "DMSPIP057E Missing right parenthesis after inputRanges"),
    STEP("PIPE literal a| > X Y A F 70000", "DMSPIP059E Logical record length 70000 is not valid"),
    STEP("PIPE literal a| specs 1", "DMSPIP061E Output specification missing"),
    STEP("PIPE literal a| specs 1 2-1", "DMSPIP063E Output specification 2-1 is not valid"),
    STEP("PIPE literal a| specs stop 1 1", "DMSPIP015E Value missing for keyword \"STOP\""),
    STEP("PIPE literal a| specs select 300 1 1", "DMSPIP102E Stream 300 not defined"),
    STEP("PIPE literal a| specs select 1 1 1", "DMSPIP102E Stream 1 not defined"),
    STEP("PIPE literal a| specs outstream 1 1 1", "DMSPIP102E Stream 1 not defined"),
    STEP("PIPE literal zz| specs 1-2 x2c 1 | hole",
         "DMSPIP392E Conversion error in routine X2C, record 1: (reason code 2); data: \"zz\""),
    STEP("PIPE literal a| fanout stop", "DMSPIP015E Value missing for keyword \"STOP\""),
    STEP("PIPE literal a| fanin 300", "DMSPIP102E Stream 300 not defined"),
    STEP("PIPE literal a| fanin 9", "DMSPIP102E Stream 9 not defined"),
    STEP("PIPE literal a| locate x", "DMSPIP064E Hexadecimal data missing after x"),
    STEP("PIPE literal a| locate xZZ", "DMSPIP065E \"xZZ\" is not hexadecimal"),
    STEP("PIPE literal a| locate b", "DMSPIP337E Binary data missing after b"),
    STEP("PIPE literal a| locate b0", "DMSPIP336E String length not divisible by 8: b0"),
    STEP("PIPE literal a| locate b01234567", "DMSPIP338E Not binary data: b01234567"),
    STEP("PIPE literal a| between /a/ 1", "DMSPIP066E Number 1 is outside the valid range"),
    STEP("PIPE literal a| snake 0", "DMSPIP066E Number 0 is outside the valid range"),
    STEP("PIPE literal a| pad modulo 0", "DMSPIP066E Number 0 is outside the valid range"),
    STEP("PIPE literal a| block 0", "DMSPIP066E Number 0 is outside the valid range"),
    STEP("PIPE literal a| deblock cms | hole", "DMSPIP072E Last record not complete"),
    STEP("PIPE literal a| deblock string // | hole", "DMSPIP157E Null string found"),
    STEP("PIPE literal " Y240 "| punch", "DMSPIP078E Record length 240 is too much"),
    STEP("PIPE literal a| sort 1 2 3 4 5 6 7 8 9 10 11", "DMSPIP092E More than ten key fields"),
    STEP("PIPE literal a| duplicate -2", "DMSPIP287E Number -2 cannot be negative"),
    STEP("PIPE literal a| spill 5 offset 5", "DMSPIP755E Offset not shorter than width"),
    STEP("PIPE var x | hole", "DMSPIP233E No active EXECCOMM environment found"),
    AFTER(fake_cms_variables_begin, "PIPE var 9x | hole", "DMSPIP235E Variable name is not valid: 9X"),
    STEP("PIPE stem " Y240 ". | hole", "DMSPIP232E Stem or variable name is too long; length is 241 bytes"),
    STEP("PIPE literal many| var x.0 | hole", NULL),
    STEP("PIPE stem x. | hole", "DMSPIP238E Record count \"many\" not zero or positive"),
    AFTER(fake_cms_variables_end, "PIPE literal a| change", "DMSPIP113E Required operand missing"),
    STEP("PIPE literal a| count things", "DMSPIP111E Operand THINGS is not valid"),
    STEP("PIPE literal a| > X* Y A", "DMSPIP062E Invalid character in fileid X* Y A"),
    STEP("PIPE literal abc | > X Y A F 2", "DMSPIP134E Record is 4 bytes, but format F file record length is 2"),
    /* ---- what ends badly ---- */
    AFTER(fill_disk, "COPYFILE BIG DATA A BIG DATA A BIG DATA A (REPLACE", "DMSCPY107S Disk A (191) is full"),
    AFTER(read_only_b, "ERASE BIG DATA A", NULL),
    AFTER(break_disks, "TYPE ALPHA DATA", "DMSTYP125S Permanent unit check on disk A (191): the device could not read"),
    AFTER(mend_disks, "ACCESS 191 A (FORCERO", NULL),
    STEP("GLOBALV SETP X 1", "DMSGLB037E Filemode A is accessed as read/only"),
    STEP("GLOBALV PURGE", NULL),
    AFTER(read_only_b, "ERASE X Y *", "DMSERS006E No read/write filemode accessed"),
    STEP("QUERY DISK MAX", "DMSQRY006E No read/write filemode accessed"),
};
