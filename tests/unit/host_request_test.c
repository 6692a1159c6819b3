/* The host's line: frames that are whole, cut, altered, repeated; and what the requests in them come to. */
#include "tests/unit/spool_scene.h"

#include "cp/directory/load.h"
#include "cp/host/frame.h"
#include "cp/host/host.h"

static struct line line;
static struct frame heard;
static char said[FRAME_TEXT + 1];
static uint16_t said_number, number = 7;
static unsigned answers, said_length;

/* A device that takes all there is, unless nobody reads there. */
static bool unread;

static void send_line(struct line *l)
{
    const uint8_t *bytes;
    for (uint32_t n; !unread && (n = line_oldest(l, &bytes)); line_sent(l, n))
        for (uint32_t i = 0; i < n; i++) {
            if (frame_take(&heard, bytes[i]) != FRAME_WHOLE)
                continue;
            assert_true(frame_good(&heard));
            said_length = heard.header.length;
            memcpy(said, heard.text, said_length + 1);
            said_number = heard.header.number;
            heard.got = 0;
            answers++;
        }
}

static void resume(struct line *l) { (void)l; }
static const struct line_driver driver = {.send = send_line, .resume = resume};

static void hurry(void)
{
    for (unsigned i = 0; i < 50; i++) {
        settle();
        fake_clock_advance(1000000);
    }
}

/* As much as the line takes is given, as a device does that can wait. */
static void type(const void *bytes, size_t count)
{
    const uint8_t *at = bytes;
    while (count) {
        size_t n = line.ready(&line);
        n = n < count ? n : count;
        for (size_t i = 0; i < n; i++)
            line.input(&line, *at++);
        count -= n;
        if (!n)
            hurry();
    }
    hurry();
}

static size_t make(struct frame *f, uint16_t numbered, const char *text, size_t bytes)
{
    *f = (struct frame){.header = {.number = numbered, .length = (uint16_t)bytes}};
    memcpy(f->text, text, bytes);
    frame_seal(f);
    return FRAME_HEAD + bytes;
}

static void ask_bytes(const char *text, size_t bytes)
{
    struct frame f;
    bytes = make(&f, number, text, bytes);
    type(&f, bytes);
}

static const char *ask(const char *text)
{
    number++;
    *said = 0;
    ask_bytes(text, strlen(text));
    assert_int_equal(said_number, number);
    return said;
}

/* As many records of so many bytes as one frame has room for. */
static const char *ask_data(unsigned count, unsigned length, char fill)
{
    char text[FRAME_TEXT] = "DATA\n";
    size_t at = 5;
    for (; count; count--, at += length) {
        memcpy(text + at, &(uint16_t){(uint16_t)length}, SPOOL_LENGTH);
        memset(text + (at += SPOOL_LENGTH), fill, length);
    }
    number++;
    ask_bytes(text, at);
    return said;
}

static void come_anew(void)
{
    line.carrier(&line, false);
    line.carrier(&line, true);
    hurry();
    answers = 0;
}

static void add_user(const char *id)
{
    strcpy(directory_add(&directory)->id, id);
    directory_enter(&directory, directory.users - 1);
}

static int connect(void **state)
{
    begin(state);
    directory_clear(&directory);
    add_user("ALICE");
    add_user("BOB");
    if (!line.driver) {
        line.driver = &driver;
        host_start(&line);
    }
    unread = false;
    come_anew();
    return 0;
}

static int leave(void **state)
{
    come_anew();
    return end(state);
}

static void assert_says(const char *asked, const char *answer)
{
    const char *is = ask(asked);
    if (strncmp(is, answer, strlen(answer)))
        fail_msg("%s: expected \"%s\", it says \"%s\"", asked, answer, is);
}

static void put_file(const char *to, const char *name, unsigned count)
{
    char text[64];
    snprintf(text, sizeof text, "PUT %s %s TEXT B", to, name);
    assert_says(text, "OK");
    assert_string_equal(ask_data(count, 30, 'h'), "OK");
    assert_says("END", "OK ");
}

static void what_the_host_puts_is_in_the_users_reader_and_stays(void **state)
{
    (void)state;
    put_file("ALICE", "HELLO", 3);
    assert_string_equal(arrivals, "ALICE 1 from *HOST 1\n");
    restart();
    struct spool_file *f = first(alice, SPOOL_RDR);
    assert_string_equal(f->name, "HELLO");
    assert_string_equal(f->type, "TEXT");
    assert_string_equal(f->origin, SPOOL_HOST);
    assert_int_equal(f->class, 'B');
    assert_int_equal(f->device, SPOOL_RDR);
    assert_int_equal(f->records, 3);
    uint8_t bytes[SPOOL_BLOCK];
    struct spool_reading r = {.spoolid = f->spoolid, .bytes = sizeof bytes};
    while (spool_read(alice, &r, bytes) == SPOOL_BUSY)
        r.bytes = sizeof bytes, settle();
    assert_int_equal(r.bytes, 3 * 32);
    assert_int_equal(bytes[2], 'h');
    spool_reader_close(alice);
}

static void what_users_have_is_listed_and_read_in_whatever_queue(void **state)
{
    (void)state;
    assert_says("LIST * 0 0", "OK END\n");
    send_file(bob, "ALICE", "ONE", 2, 5);
    send_file(bob, "", "TWO", 200, 80);
    assert_string_equal(ask("LIST * 0 0"), "OK END\nALICE 1 RDR A 2 1 NOHOLD NOKEEP BOB 0 ONE TEXT\n"
                                           "BOB 1 PUN A 200 1 NOHOLD NOKEEP BOB 0 TWO TEXT\n");
    assert_string_equal(ask("LIST BOB 0 0"), "OK END\nBOB 1 PUN A 200 1 NOHOLD NOKEEP BOB 0 TWO TEXT\n");
    assert_says("GET ALICE 1", "OK 1\nALICE 1 RDR A 2 1 ");
    ask("NEXT");
    assert_int_equal(said_length, 7 + 2 * 7);
    assert_memory_equal(said, "OK END\n\5\0OOOOO\5\0OOOOO", said_length);
    assert_says("GET BOB 1", "OK 2\nBOB 1 PUN A 200 1 ");
    unsigned bytes = 0;
    do {
        ask("NEXT");
        bytes += said_length - (said[3] == 'E' ? 7 : 8);
    } while (!memcmp(said, "OK MORE\n", 8));
    assert_int_equal(bytes, 200 * 82);
    assert_int_equal(spool_count("ALICE", SPOOL_RDR), 1);
}

/* More rows than there is time for come in several frames. */
static void a_long_list_goes_on_where_it_ended(void **state)
{
    char at[32] = "0 0", text[64];
    unsigned rows = 0, frames = 0;
    (void)state;
    for (unsigned i = 0; i < 24; i++)
        send_file(i % 2 ? alice : bob, i % 3 ? "ALICE" : "", "MANYFILE", 1, 1);
    fake_clock_tick = WORK_SLICE / 5;
    for (bool end = false; !end; frames++) {
        snprintf(text, sizeof text, "LIST * %s", at);
        ask(text);
        end = !memcmp(said, "OK END\n", 7);
        if (!end)
            snprintf(at, sizeof at, "%.*s", (int)strcspn(said + 8, "\n"), said + 8);
        for (const char *c = strchr(said, '\n') + 1; *c; c = strchr(c, '\n') + 1)
            rows++;
    }
    fake_clock_tick = 0;
    assert_int_equal(rows, 24);
    assert_true(frames > 3);
}

static void what_is_wrong_is_said_by_number(void **state)
{
    static const struct {
        const char *asked, *answer;
    } wrong[] = {
        {"", "ERROR HCPHST9087E The host's request is not valid: unknown"},
        {"LOGON MAINT", "ERROR HCPHST9087E The host's request is not valid: unknown"},
        {"PUT", "ERROR HCPHST053E That user not in CP directory"},
        {"PUT NOBODY A B A", "ERROR HCPHST053E NOBODY not in CP directory"},
        {"PUT alice A B A", "ERROR HCPHST053E That user not in CP directory"},
        {"PUT ALICE A", "ERROR HCPHST029E Filename missing or invalid"},
        {"PUT ALICE ../../../ETC B A", "ERROR HCPHST029E"},
        {"PUT ALICE A\33[2J B A", "ERROR HCPHST029E"},
        {"PUT ALICE A B", "ERROR HCPHST028E Class missing or invalid"},
        {"PUT ALICE A B AB", "ERROR HCPHST028E"},
        {"PUT ALICE A B *", "ERROR HCPHST028E"},
        {"DATA\n\1\0x", "ERROR HCPHST9087E The host's request is not valid: DATA without PUT"},
        {"END", "ERROR HCPHST9087E The host's request is not valid: END without PUT"},
        {"NEXT", "ERROR HCPHST9087E The host's request is not valid: NEXT without GET"},
        {"LIST", "ERROR HCPHST9087E The host's request is not valid: LIST without a place to begin"},
        {"LIST * 3 0", "ERROR HCPHST9087E"},
        {"LIST * 0 18446744073709551616", "ERROR HCPHST9087E"},
        {"LIST * -1 0", "ERROR HCPHST9087E"},
        {"GET ALICE", "ERROR HCPHST027E Spoolid missing or invalid"},
        {"GET ALICE 0", "ERROR HCPHST027E"},
        {"GET ALICE 18446744073709551617", "ERROR HCPHST027E"},
        {"GET ALICE 1", "ERROR HCPHST042E Spoolid 0001 does not exist"},
        {"PURGE NOBODY 1", "ERROR HCPHST042E Spoolid 0001 does not exist"},
        {"PURGE ALICE x", "ERROR HCPHST027E"},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_says(wrong[i].asked, wrong[i].answer);
    assert_says("PUT ALICE A B A", "OK");
    assert_says("END", "ERROR HCPHST9087E The host's request is not valid: END of a file without records");
    assert_says("DATA\n\377\377x", "ERROR HCPHST9087E The host's request is not valid: no whole record of a length");
    assert_says("END", "ERROR HCPHST9087E The host's request is not valid: END without PUT");
    assert_int_equal(spool_count("ALICE", SPOOL_RDR), 0);
}

static void bytes_that_are_no_frame_are_answered_once_and_a_frame_behind_them_is_heard(void **state)
{
    char noise[10000];
    (void)state;
    for (unsigned i = 0; i < sizeof noise; i++)
        noise[i] = (char)(i * 31 % 85);
    type(noise, sizeof noise);
    assert_int_equal(answers, 1);
    assert_int_equal(said_number, 0);
    assert_string_equal(said, "ERROR HCPHST9087E The host's request is not valid: no frame, or an altered one");
    assert_says("HELLO", "OK VM/N");
    /* longer than a frame may be */
    type("VMNS\1\0\377\377\0\0\0\0", FRAME_HEAD);
    assert_int_equal(answers, 3);
    assert_non_null(strstr(said, "9087E"));
    assert_says("HELLO", "OK");
    /* altered on the way */
    struct frame f;
    make(&f, ++number, "HELLO", 5);
    f.text[2] ^= 1;
    type(&f, FRAME_HEAD + 5);
    assert_non_null(strstr(said, "9087E"));
    assert_says("HELLO", "OK");
}

static void requests_that_come_in_one_go_are_answered_in_turn(void **state)
{
    static const char *const texts[] = {"PUT ALICE A B A", "DATA\n\1", "HELLO"};
    uint8_t all[3 * sizeof(struct frame)];
    size_t at = 0;
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct frame f;
        size_t bytes = make(&f, ++number, texts[i], strlen(texts[i]));
        memcpy(all + at, &f, bytes);
        at += bytes;
    }
    type(all, at);
    assert_int_equal(answers, 3);
    assert_int_equal(said_number, number);
}

static void a_request_that_comes_again_is_answered_again_and_not_obeyed(void **state)
{
    (void)state;
    assert_says("PUT ALICE TWICE TEXT A", "OK");
    assert_string_equal(ask_data(1, 1, 'x'), "OK");
    ask_bytes("DATA\n\1\0x", 8);
    ask_bytes("DATA\n\1\0x", 8);
    assert_int_equal(answers, 4);
    assert_says("END", "OK 1");
    ask_bytes("END", 3);
    assert_string_equal(said, "OK 1");
    assert_int_equal(first(alice, SPOOL_RDR)->records, 1);
    assert_int_equal(spool_count("ALICE", SPOOL_RDR), 1);
}

static void who_leaves_midway_leaves_nothing_behind(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 300; i++) { /* more than there are places for files */
        assert_says("PUT ALICE HALF TEXT A", "OK");
        assert_string_equal(ask_data(50, 70, 'x'), "OK");
        type("VMNS\1\0\100\0", 8);
        come_anew();
        assert_says("END", "ERROR HCPHST9087E");
    }
    assert_int_equal(spool_count("ALICE", SPOOL_RDR), 0);
    assert_true(spool_units_idle());
    put_file("ALICE", "WHOLE", 5);
    assert_int_equal(spool_count("ALICE", SPOOL_RDR), 1);
}

static void the_host_takes_no_more_than_a_user(void **state)
{
    (void)state;
    assert_says("PUT ALICE BIG DATA A", "OK");
    unsigned taken = 0;
    while (!strcmp(ask_data(1, SPOOL_RECORD_MAX, 'x'), "OK"))
        taken++;
    assert_string_equal(said, "ERROR HCPHST9086E The spool is full, or *HOST has as much of it as is left for others");
    assert_int_equal(taken, AREA_DATA / 2);
    hurry();
    send_file(bob, "ALICE", "STILL", 10, 80);
    assert_int_equal(spool_count("ALICE", SPOOL_RDR), 1);
}

static void who_reads_a_file_of_theirs_is_not_held_up_by_the_host(void **state)
{
    uint8_t bytes[SPOOL_BLOCK];
    (void)state;
    send_file(bob, "ALICE", "MINE", 400, 80);
    assert_says("GET ALICE 1", "OK");
    assert_says("NEXT", "OK MORE\n");
    struct spool_reading r = {.bytes = sizeof bytes};
    while (spool_read(alice, &r, bytes) == SPOOL_BUSY)
        r.bytes = sizeof bytes, settle();
    assert_int_equal(r.spoolid, 1);
    assert_says("PURGE ALICE 1", "ERROR HCPHST9085E Spool file 1 is being read");
    spool_purge(spool_reader_close(alice));
    settle();
    send_file(bob, "ALICE", "OTHER", 1, 1); /* where the other was */
    assert_says("NEXT", "ERROR HCPHST042E");
    assert_says("NEXT", "ERROR HCPHST9087E");
    assert_says("GET ALICE 2", "OK");
    assert_says("PURGE ALICE 2", "OK");
    assert_says("NEXT", "ERROR HCPHST042E");
}

static void what_is_purged_by_what_get_said_is_that_file_and_no_other(void **state)
{
    char purge[64];
    (void)state;
    send_file(bob, "ALICE", "ONE", 1, 80);
    assert_says("GET ALICE 1", "OK");
    unsigned long id = strtoul(said + 3, NULL, 10);
    assert_int_equal(id, first(alice, SPOOL_RDR)->id);
    first(alice, SPOOL_RDR)->id++; /* another file has come to have its number */
    snprintf(purge, sizeof purge, "PURGE ALICE 1 %lu", id);
    assert_says(purge, "ERROR HCPHST042E Spoolid 0001 does not exist");
    assert_says("PURGE ALICE 1 x", "ERROR HCPHST042E");
    first(alice, SPOOL_RDR)->id--;
    assert_says(purge, "OK");
    assert_int_equal(spool_count("ALICE", SPOOL_RDR), 0);
}

static void a_volume_that_fails_or_was_altered_is_told(void **state)
{
    (void)state;
    send_file(bob, "ALICE", "BAD", 120, 80);
    area.medium[(SPOOL_FIRST_DATA + (size_t)spool_file_block(first(alice, SPOOL_RDR), 1)) * SPOOL_BLOCK + 100] ^= 1;
    assert_says("GET ALICE 1", "OK");
    while (!strncmp(ask("NEXT"), "OK", 2)) {}
    assert_string_equal(said, "ERROR HCPHST9082E Spool file 0001 cannot be read: a block of it is damaged");
    area.fail = true;
    assert_says("PUT ALICE LOST TEXT A", "OK");
    assert_string_equal(ask_data(1, 10, 'x'), "OK");
    assert_says("END", "ERROR HCPHST9083E Not kept: the volume failed");
    area.fail = false;
    assert_says("PURGE ALICE 1", "OK");
}

static void a_request_waits_until_the_spool_has_been_read(void **state)
{
    (void)state;
    spool_start(&area.disk, note_news, note_arrival);
    struct frame f;
    make(&f, ++number, "LIST * 0 0", 10);
    for (unsigned i = 0; i < FRAME_HEAD + 10; i++)
        line.input(&line, ((uint8_t *)&f)[i]);
    work_all();
    fake_clock_advance(5000000);
    work_all();
    assert_int_equal(answers, 0);
    hurry();
    assert_int_equal(answers, 1);
    assert_string_equal(said, "OK END\n");
    spool_start(NULL, note_news, note_arrival);
    assert_says("LIST * 0 0", "ERROR HCPHST9080E There is no spool: the directory gives it no area of a volume");
    restart();
}

static void who_does_not_read_the_answers_is_heard_no_more_until_they_do(void **state)
{
    (void)state;
    send_file(bob, "ALICE", "LONG", 400, 80);
    assert_says("GET ALICE 1", "OK");
    unread = true;
    unsigned asked = 0;
    for (; line.ready(&line) >= FRAME_HEAD + 4; asked++) {
        struct frame f;
        make(&f, ++number, "NEXT", 4);
        for (unsigned at = 0; at < FRAME_HEAD + 4; at++)
            line.input(&line, ((uint8_t *)&f)[at]);
        hurry();
    }
    assert_int_equal(answers, 1);
    assert_true(asked > 100);
    unread = false;
    send_line(&line);
    line.room(&line);
    hurry();
    assert_int_equal(answers, 1 + asked);
    assert_true(line.ready(&line) > FRAME_TEXT);
}

#define HOST_TEST(name) cmocka_unit_test_setup_teardown(name, connect, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_TEST(what_the_host_puts_is_in_the_users_reader_and_stays),
        HOST_TEST(what_users_have_is_listed_and_read_in_whatever_queue),
        HOST_TEST(a_long_list_goes_on_where_it_ended),
        HOST_TEST(what_is_wrong_is_said_by_number),
        HOST_TEST(bytes_that_are_no_frame_are_answered_once_and_a_frame_behind_them_is_heard),
        HOST_TEST(requests_that_come_in_one_go_are_answered_in_turn),
        HOST_TEST(a_request_that_comes_again_is_answered_again_and_not_obeyed),
        HOST_TEST(who_leaves_midway_leaves_nothing_behind),
        HOST_TEST(the_host_takes_no_more_than_a_user),
        HOST_TEST(what_is_purged_by_what_get_said_is_that_file_and_no_other),
        HOST_TEST(who_reads_a_file_of_theirs_is_not_held_up_by_the_host),
        HOST_TEST(a_volume_that_fails_or_was_altered_is_told),
        HOST_TEST(a_request_waits_until_the_spool_has_been_read),
        HOST_TEST(who_does_not_read_the_answers_is_heard_no_more_until_they_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
