/* Files to the punch, the printer and other users, and from the reader. */
#define _GNU_SOURCE /* memmem */
#include "tests/unit/cms_spool_scene.h"

enum { CARD_BYTES = CMS_SPOOL_LENGTH + 80 };

/* Record `number` of what was punched, counted from 0. */
static const char *card(unsigned number, unsigned *length)
{
    static char text[CMS_SPOOL_RECORD + 1];
    uint16_t head;
    for (size_t at = 0; at < fake_cms_punched_bytes; at += CMS_SPOOL_LENGTH + head) {
        memcpy(&head, fake_cms_punched + at, sizeof head);
        if (number--)
            continue;
        memcpy(text, fake_cms_punched + at + CMS_SPOOL_LENGTH, head);
        text[head] = 0;
        *length = head;
        return text;
    }
    *length = 0;
    return NULL;
}

static void cards_have_a_header_with_the_name_and_80_bytes(void **state)
{
    unsigned length;
    (void)state;
    make("ONE TEXT A", "alpha/beta");
    shows("PUNCH ONE TEXT", 0, "");
    assert_string_equal(fake_cms_cp_asked, "CLOSE PUN NAME ONE TEXT");
    assert_memory_equal(card(0, &length), ":READ  ONE      TEXT     A1 ALI191 11/21/26 14:05:31", 52);
    assert_memory_equal(card(1, &length), "alpha                    ", 25);
    assert_int_equal(length, 80);
    assert_memory_equal(card(2, &length), "beta ", 5);
    assert_null(card(3, &length));
    fake_cms_punched_bytes = 0;
    shows("PUNCH ONE TEXT A (NOHEADER", 0, "");
    assert_memory_equal(card(0, &length), "alpha ", 6);
}

static void a_printed_line_is_as_long_as_its_record(void **state)
{
    unsigned length;
    (void)state;
    make("ONE TEXT A", "alpha");
    shows("PRINT ONE TEXT", 0, "");
    assert_string_equal(fake_cms_cp_asked, "CLOSE PRT NAME ONE TEXT");
    assert_string_equal(card(0, &length), "alpha");
}

static void what_is_too_long_for_a_card_is_not_punched(void **state)
{
    (void)state;
    obey("PIPE literal 01234567890123456789012345678901234567890| join| change /0/0123456789012345/| > L T A");
    shows("PUNCH L T", 32, "DMSPUN044E Record exceeds allowable maximum\n");
    assert_string_equal(fake_cms_cp_asked, "CLOSE PUN PURGE");
}

static void cards_become_the_file_their_header_names(void **state)
{
    (void)state;
    make("ONE TEXT A", "alpha/beta");
    obey("PUNCH ONE TEXT");
    obey("ERASE ONE TEXT A");
    fake_cms_deliver("ONE", "TEXT");
    shows("READCARD *", 0, "File ONE TEXT A1 received\n");
    assert_string_equal(fake_cms_cp_asked, "CLOSE RDR");
    obey("LISTFILE ONE TEXT A (FORMAT");
    assert_non_null(strstr(fake_cms_shown(), "F         80"));
    obey("TYPE ONE TEXT");
    assert_non_null(strstr(fake_cms_shown(), "alpha"));
    obey("PUNCH ONE TEXT (NOHEADER");
    fake_cms_deliver("ONE", "TEXT");
    shows("READCARD TWO TEXT", 0, "");
    obey("PUNCH ONE TEXT (NOHEADER");
    fake_cms_deliver("ONE", "TEXT");
    shows("READCARD *", 0, "File ONE TEXT A1 received\n"); /* as the reader has it, which no card says */
    obey("PUNCH ONE TEXT (NOHEADER");
    fake_cms_deliver("no name", "");
    shows("READCARD *", 0, "File READCARD CMSUT1 A1 received\n");
    shows("COMPARE ONE TEXT A READCARD CMSUT1 A", 0,
          "DMSCMP179I Comparing ONE TEXT A1 with READCARD CMSUT1 A1\n");
}

static void each_read_card_of_a_deck_begins_a_file(void **state)
{
    (void)state;
    make("ONE TEXT A", "alpha/beta");
    make("TWO TEXT A", "gamma");
    for (unsigned i = 0; i < 3; i++) {
        obey("PUNCH ONE TEXT"); /* as CP SPOOL PUN CONT has them in one file */
        obey("PUNCH TWO TEXT");
        fake_cms_deliver("ONE", "TEXT");
        if (i == 0)
            shows("READCARD * * A", 0, "File ONE TEXT A1 received\nFile TWO TEXT A1 received\n");
        else if (i == 1)
            shows("RECEIVE (REPLACE", 0,
                  "File ONE TEXT A1 received from SENDER\nFile TWO TEXT A1 received from SENDER\n");
        else
            shows("READCARD ALL TEXT A", 0, ""); /* one was asked for */
    }
    shows("PIPE < ALL TEXT A | count lines | console", 0, "4\n");
    shows("PIPE < ONE TEXT A | take last 1 | specs 1-6 1 | console", 0, "beta  \n");
    shows("PIPE < TWO TEXT A | specs 1-6 1 | console", 0, "gamma \n");
}

static void modes_are_the_users_or_the_cards(void **state)
{
    (void)state;
    make("ONE TEXT A2", "alpha");
    attach(0x192, 'B', "ALI192");
    for (unsigned i = 0; i < 4; i++) {
        static const char *const lines[] = {"READCARD * * *", "READCARD * * B", "READCARD * * A4",
                                            "READCARD ONE TEXT *"};
        static const char *const said[] = {"File ONE TEXT A2 received\n", "File ONE TEXT B2 received\n",
                                           "File ONE TEXT A4 received\n", ""};
        obey("PUNCH ONE TEXT *");
        fake_cms_deliver("ONE", "TEXT");
        shows(lines[i], 0, said[i]);
    }
    obey("ERASE ONE TEXT A");
    obey("RENAME ONE TEXT B TWO = B");
    make("TWO TEXT B0", "beta");
    obey("SENDFILE TWO TEXT * TO BOB");
    shows("ACCESS 192 B/A", 0, "DMSACP723I B/A (192) R/O\n");
    fake_cms_deliver("TWO", "TEXT");
    shows("RECEIVE = = =", 0, "File TWO TEXT A0 received from SENDER\n"); /* B's is another */
    fake_cms_deliver("TWO", "TEXT");
    shows("RECEIVE 7 = = A5 (REP", 0, "File TWO TEXT A5 received from SENDER\n");
}

static void a_file_without_records_is_sent_and_not_punched(void **state)
{
    (void)state;
    assert_int_equal(obey("PIPE < NO SUCH A | > EMPTY TEXT A"), -146);
    assert_int_equal(obey("PIPE literal | take 0 | > EMPTY TEXT A"), 0);
    shows("PUNCH EMPTY TEXT", 4, "DMSPUN9019W File EMPTY TEXT A1 has no records\n");
    shows("PRINT EMPTY TEXT", 4, "DMSPRT9019W File EMPTY TEXT A1 has no records\n");
    assert_int_equal(fake_cms_punched_bytes, 0);
    obey("SENDFILE EMPTY TEXT TO BOB");
    fake_cms_deliver("EMPTY", "TEXT");
    shows("PEEK", 0, "");
    shows("RECEIVE 7 NONE TEXT", 0, "File NONE TEXT A1 received from SENDER\n");
    shows("PIPE < NONE TEXT A| count lines | console", 0, "0\n");
}

static void a_file_that_is_held_is_not_none(void **state)
{
    (void)state;
    make("ONE TEXT A", "alpha");
    obey("PUNCH ONE TEXT");
    fake_cms_deliver("ONE", "TEXT");
    fake_cms_hold(true);
    shows("READCARD *", 28, "DMSRDC9027W The files in your reader are held, or not of the class it reads\n");
    shows("RECEIVE", 28, "DMSRCV9027W The files in your reader are held, or not of the class it reads\n");
    obey("RDRLIST");
    assert_non_null(strstr(fake_cms_shown(), "USER"));
    shows("RECEIVE 7 (REPLACE", 0, "File ONE TEXT A1 received from SENDER\n");
    fake_cms_hold(false);
    shows("READCARD *", 0, "File ONE TEXT A1 received\n");
}

static void a_file_that_cannot_be_stored_stays_in_the_reader(void **state)
{
    (void)state;
    make("ONE TEXT A", "alpha");
    obey("PUNCH ONE TEXT");
    fake_cms_deliver("ONE", "TEXT");
    shows("READCARD ONE TEXT B", 36, "DMSRDC069E Filemode B not accessed\n");
    assert_string_equal(fake_cms_cp_asked, "CLOSE RDR KEEP");
}

static void what_is_sent_is_received_as_it_was(void **state)
{
    static const char *const makes[] = {
        "PIPE literal a/bb/ccc| split /| > F T A1", "PIPE literal a/bb/ccc| split /| > F T A1 FIXED 7",
        "PIPE literal x| change /x/0123456789ABCDEF0123456789ABCDEF/| change /A/0123456789012345678901234567890123/"
        "| change /B/0123456789012345678901234567890123456789/| change /C/0123456789012345678901234567890123456789/"
        "| > F T A1",
    };
    (void)state;
    for (unsigned i = 0; i < sizeof makes / sizeof *makes; i++) {
        assert_int_equal(obey(makes[i]), 0);
        shows("SENDFILE F T A TO BOB", 0, "File F T A1 sent to BOB on 11/21/26 14:05:31\n");
        assert_string_equal(fake_cms_cp_asked, "CLOSE PUN TO BOB NAME F T");
        fake_cms_deliver("F", "T");
        shows("RECEIVE 7 G T A (REPLACE", 0, "File G T A1 received from SENDER\n");
        shows("COMPARE F T A G T A", 0, "DMSCMP179I Comparing F T A1 with G T A1\n");
        obey("LISTFILE F T A (FORMAT NOHEADER");
        char first[200];
        strcpy(first, strchr(fake_cms_shown(), '1'));
        obey("LISTFILE G T A (FORMAT NOHEADER");
        assert_string_equal(strchr(fake_cms_shown(), '1'), first);
    }
}

/* The bytes of a file's control records: what another NETDATA reader finds. EBCDIC is shown as ASCII. */
static void control_records_have_the_units_the_book_wants(void **state)
{
    static const char *const wanted[] = {
        "INMR01\0\x42\0\1\0\1\x50", "\x10\x11\0\1\0\3VMN", "\x10\x01\0\1\0\3VMN", "\x10\x02\0\1\0\3BOB",
        "\x10\x24\0\1\0\x0e""20261121140531", "INMR02\0\0\0\1", "\x10\x28\0\1\0\7INMCOPY",
        "\0\x3c\0\1\0\2\x40\0", "\x10\x2c\0\1\0\4\0\0\0\x0a", "\0\2\0\3\0\1A\0\1F\0\1T", "\x10\x2d\0\1\0\1""1",
        "INMR03", "INMR06",
    };
    static const size_t lengths[] = {13, 9, 9, 9, 20, 10, 13, 8, 10, 13, 7, 6, 6};
    char all[4096];
    size_t n = 0;
    (void)state;
    make("F T A", "alpha/beta");
    obey("SENDFILE F T BOB");
    for (size_t at = 0; at < fake_cms_punched_bytes; at += CARD_BYTES)
        for (unsigned i = 0; i < 80; i++) {
            uint8_t byte = fake_cms_punched[at + CMS_SPOOL_LENGTH + i], ascii = edf_ascii_from_ebcdic(byte);
            bool letter = byte >= 0xc1 && ((ascii >= 'A' && ascii <= 'Z') || (ascii >= '0' && ascii <= '9'));
            all[n++] = (char)(letter ? ascii : byte);
        }
    for (unsigned i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (!memmem(all, n, wanted[i], lengths[i]))
            fail_msg("%u is missing", i);
}

static void a_received_file_replaces_none_unless_told_to(void **state)
{
    (void)state;
    make("F T A", "alpha");
    obey("SENDFILE F T BOB");
    fake_cms_deliver("F", "T");
    shows("RECEIVE", 28, "DMSRCV024E File F T A1 already exists; specify REPLACE option\n");
    shows("RECEIVE (REPLACE", 0, "File F T A1 received from SENDER\n");
}

static void lines_of_any_length_come_as_they_are_if_the_first_has_eighty_bytes_too(void **state)
{
    (void)state;
    make("F T A", "01234567890123456789012345678901234567890123456789012345678901234567890123456789/b");
    obey("PRINT F T A");
    fake_cms_deliver_lines("F", "T");
    shows("RECEIVE 7 G T", 0, "File G T A1 received from SENDER\n");
    shows("COMPARE F T A G T A", 0, "DMSCMP179I Comparing F T A1 with G T A1\n");
    obey("PRINT F T A");
    fake_cms_deliver_lines("F", "T");
    shows("READCARD H T", 0, "");
    shows("COMPARE F T A H T A", 0, "DMSCMP179I Comparing F T A1 with H T A1\n");
}

static void a_netdata_file_that_contradicts_itself_is_refused_and_stays(void **state)
{
    (void)state;
    make("F T A", "alpha/beta/gamma/delta");
    obey("SENDFILE F T BOB");
    uint8_t good[2048];
    size_t bytes = fake_cms_punched_bytes;
    assert_true(bytes < sizeof good);
    memcpy(good, fake_cms_punched, bytes);
    for (size_t at = 0; at < bytes; at++) { /* each byte of the cards, but their lengths */
        if (at % (CARD_BYTES) < 2)
            continue;
        for (unsigned bit = 0; bit < 8; bit += 7) {
            memcpy(fake_cms_punched, good, bytes);
            fake_cms_punched[at] ^= (uint8_t)(1u << bit);
            fake_cms_punched_bytes = bytes;
            fake_cms_deliver("F", "T");
            int rc = obey("RECEIVE 7 G T A (REPLACE");
            assert_true(rc == 0 || strstr(fake_cms_cp_asked, "KEEP"));
        }
    }
    memcpy(fake_cms_punched, good, bytes);
    fake_cms_punched_bytes = bytes - CARD_BYTES; /* without its end */
    fake_cms_deliver("F", "T");
    shows("RECEIVE 7 G T A (REPLACE", 32, "DMSRCV9023E The file in the reader is not as SENDFILE makes them\n");
}

static void the_reader_is_listed_and_shown(void **state)
{
    (void)state;
    shows("RDRLIST", 28, "DMSRDL205W No files in your reader\n");
    make("F T A", "alpha/beta");
    obey("SENDFILE F T BOB");
    fake_cms_deliver("F", "T");
    shows("RDRLIST", 0,
          "FILE Filename Filetype Class User     Hold Records  Date  Time\n"
          "0007 F        T        PUN A SENDER   NONE       1  11/21 14:05:31\n");
    shows("PEEK", 0, "alpha\nbeta\n");
    assert_string_equal(fake_cms_cp_asked, "CLOSE RDR KEEP");
    shows("PEEK 7 (FOR 1", 0, "alpha\n");
    shows("PEEK 8", 28, "DMSPEK9029E File 8 is not in your reader\n");
    shows("RECEIVE 8 G T", 28, "DMSRCV9029E File 8 is not in your reader\n");
}

static void what_cp_cannot_do_is_told(void **state)
{
    (void)state;
    make("F T A", "alpha");
    fake_cms_spool = CMS_SPOOL_FULL;
    shows("PUNCH F T", 100, "DMSPUN9021E The spool is full, or you have your share of it\n");
    fake_cms_spool = CMS_SPOOL_ABSENT;
    shows("PRINT F T", 88, "DMSPRT9020E There is no reader, punch or printer: CP is not there, or has no spool\n");
    fake_cms_spool = CMS_SPOOL_DAMAGED;
    shows("READCARD X Y", 100, "DMSRDC9022E The file in the reader cannot be read\n");
    fake_cms_spool = CMS_SPOOL_OK;
    fake_cms_cp("HCPCSP9081E BOB takes no files from you\n", 9081);
    fake_cms_cp_when = "CLOSE P";
    shows("SENDFILE F T BOB", 9081, "HCPCSP9081E BOB takes no files from you\n");
    fake_cms_cp_when = "CLOSE PUN TO";
    shows("SENDFILE F T BOB", 9081, "HCPCSP9081E BOB takes no files from you\n");
    assert_string_equal(fake_cms_cp_asked, "CLOSE PUN PURGE"); /* else the next user would be sent it too */
    fake_cms_cp_when = NULL;
    shows("PRINT F T", 9081, "HCPCSP9081E BOB takes no files from you\n");
    assert_string_equal(fake_cms_cp_asked, "CLOSE PRT PURGE");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, scene_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(cards_have_a_header_with_the_name_and_80_bytes),
        TEST(a_printed_line_is_as_long_as_its_record),
        TEST(what_is_too_long_for_a_card_is_not_punched),
        TEST(cards_become_the_file_their_header_names),
        TEST(each_read_card_of_a_deck_begins_a_file),
        TEST(modes_are_the_users_or_the_cards),
        TEST(a_file_without_records_is_sent_and_not_punched),
        TEST(a_file_that_is_held_is_not_none),
        TEST(a_file_that_cannot_be_stored_stays_in_the_reader),
        TEST(what_is_sent_is_received_as_it_was),
        TEST(a_received_file_replaces_none_unless_told_to),
        TEST(lines_of_any_length_come_as_they_are_if_the_first_has_eighty_bytes_too),
        TEST(control_records_have_the_units_the_book_wants),
        TEST(a_netdata_file_that_contradicts_itself_is_refused_and_stays),
        TEST(the_reader_is_listed_and_shown),
        TEST(what_cp_cannot_do_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
