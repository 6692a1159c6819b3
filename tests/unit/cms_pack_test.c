/* COPYFILE's PACK and UNPACK: what comes back, what is refused, and what a changed file does. */
#include "tests/unit/cms_scene.h"

#include "cms/file/pack.h"

static int start(void **state)
{
    (void)state;
    scene_begin();
    attach(0x191, 'A', "ALI191");
    attach(0x192, 'B', "ALI192");
    assert_int_equal(obey("PIPE literal the end|literal aaaaaaaaaaaaaaaaaaaaaaaab|literal one|> ALPHA DATA A"), 0);
    assert_int_equal(obey("PIPE literal x|pad 80|literal 12345|pad 80|dup 40|> CARDS DATA A F 80"), 0);
    return 0;
}

static void make(const char *name, char recfm, uint32_t lrecl, const uint8_t *bytes, uint32_t length, uint32_t records)
{
    struct edf_disk *disk = cms_mode_find('A')->disk;
    struct edf_writer *w;
    assert_int_equal(edf_create(disk, name, "DATA", '1', recfm, lrecl, EDF_REPLACE, &w), EDF_OK);
    for (uint32_t i = 0; i < records; i++)
        assert_int_equal(edf_write(w, bytes + (size_t)i * length, length), EDF_OK);
    assert_int_equal(edf_commit(w), EDF_OK);
}

static struct edf_file_facts facts_of(const char *name)
{
    struct edf_file_facts f = {0};
    assert_int_equal(edf_find(cms_mode_find('A')->disk, name, "DATA", &f), EDF_OK);
    return f;
}

/* Packed to P, unpacked to Q, the same as before, with the format, the length and the records. */
static void comes_back(const char *name)
{
    char line[120];
    snprintf(line, sizeof line, "COPYFILE %s DATA A P DATA A (REPLACE PACK", name);
    assert_int_equal(obey(line), 0);
    assert_int_equal(obey("COPYFILE P DATA A Q DATA A (REPLACE UNPACK OLDDATE"), 0);
    struct edf_file_facts was = facts_of(name), is = facts_of("Q"), packed = facts_of("P");
    assert_int_equal(packed.recfm, 'F');
    assert_int_equal(packed.lrecl, PACK_LRECL);
    assert_int_equal(is.recfm, was.recfm);
    assert_int_equal(is.records, was.records);
    if (was.records) {
        assert_int_equal(is.lrecl, was.lrecl);
        snprintf(line, sizeof line, "COMPARE %s DATA A Q DATA A", name);
        assert_int_equal(obey(line), 0);
    }
    assert_int_equal(obey("ERASE Q DATA A"), 0);
}

static void what_was_packed_comes_back(void **state)
{
    static uint8_t bytes[70000];
    (void)state;
    comes_back("ALPHA");
    comes_back("CARDS");
    assert_int_equal(facts_of("CARDS").records, 82);
    assert_int_equal(facts_of("P").records, 1);
    static const uint32_t lengths[] = {1, 2, 3, 62, 63, 64, 65, 127, 128, 129, 1023, 1024, 1025, 65535};
    static const unsigned kinds = 4;
    uint32_t seed = 1;
    for (unsigned kind = 0; kind < kinds; kind++)
        for (unsigned i = 0; i < sizeof lengths / sizeof *lengths; i++) {
            for (uint32_t at = 0; at < sizeof bytes; at++) {
                seed = seed * 1103515245 + 12345;
                const uint8_t by_kind[] = {' ', 'x', (uint8_t)(seed >> 16), (uint8_t)(at / (seed >> 28 | 1))};
                bytes[at] = by_kind[kind];
            }
            make("F", 'F', lengths[i], bytes, lengths[i], lengths[i] < 65535 ? 3 : 1);
            comes_back("F");
            assert_int_equal(obey("ERASE F DATA A"), 0);
            make("F", 'F', 1, bytes, 1, 1);
            make("V", 'V', 0, bytes, lengths[i], 1);
            comes_back("V");
            assert_int_equal(obey("ERASE P DATA A"), 0);
            assert_int_equal(obey("ERASE F DATA A"), 0);
            assert_int_equal(obey("ERASE V DATA A"), 0);
        }
    make("NONE", 'F', 33, bytes, 33, 0);
    comes_back("NONE");
    make("NONE", 'V', 0, bytes, 1, 0);
    comes_back("NONE");
}

static void twice_packed_is_twice_unpacked_and_in_place(void **state)
{
    (void)state;
    assert_int_equal(obey("COPYFILE ALPHA DATA A OLD = ="), 0);
    assert_int_equal(obey("COPYFILE ALPHA DATA A (PACK"), 0);
    assert_int_equal(obey("COPYFILE ALPHA DATA A (PACK FILL 00"), 0);
    assert_int_equal(obey("COPYFILE ALPHA DATA A (UNPACK"), 0);
    shows("TYPE ALPHA DATA", 32,
          "DMSTYP9077E File ALPHA DATA A1 is packed; COPYFILE ALPHA DATA A1 (UNPACK makes it what it was\n");
    assert_int_equal(obey("COPYFILE ALPHA DATA A1 (UNPACK"), 0);
    assert_int_equal(obey("COMPARE ALPHA DATA A OLD DATA A"), 0);
}

static void each_file_has_a_packed_one_and_none_is_of_two(void **state)
{
    (void)state;
    assert_int_equal(obey("COPYFILE * DATA A = PACKED = (PACK"), 0);
    shows("COPYFILE * PACKED A ONE DATA B (UNPACK", 24,
          "DMSCPY9078E UNPACK makes one file of each; = in the output name has it do so\n");
    shows("COPYFILE ALPHA DATA A CARDS = A ONE DATA B (PACK", 24,
          "DMSCPY9078E PACK makes one file of each; = in the output name has it do so\n");
    shows("COPYFILE ALPHA DATA A CARDS = A = = B (PACK SINGLE", 24,
          "DMSCPY9078E PACK makes one file of each; = in the output name has it do so\n");
    shows("LISTFILE * * B", 28, "DMSLST002E File * * B not found\n");
    assert_int_equal(obey("COPYFILE * PACKED A = DATA B (UNPACK"), 0);
    shows("LISTFILE * * B", 0, "ALPHA    DATA     B1\nCARDS    DATA     B1\n");
    assert_int_equal(obey("COMPARE CARDS DATA A CARDS DATA B"), 0);
    shows("COPYFILE ALPHA DATA A X Y A (PACK UPCASE", 24, "DMSCPY066E PACK and UPCASE are conflicting options\n");
    shows("COPYFILE ALPHA DATA A X Y A (UNPACK FILL .", 24, "DMSCPY066E UNPACK and FILL are conflicting options\n");
    shows("COPYFILE ALPHA DATA A X Y A (PACK UNPACK", 24, "DMSCPY066E PACK and UNPACK are conflicting options\n");
}

static void what_cannot_show_a_packed_file_says_so(void **state)
{
    static const char *const lines[] = {"TYPE P DATA", "PRINT P DATA A", "XEDIT P DATA A"};
    (void)state;
    assert_int_equal(obey("COPYFILE ALPHA DATA A P DATA A (PACK"), 0);
    for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_int_equal(obey(lines[i]), 32);
        assert_non_null(strstr(fake_cms_shown(), "9077E File P DATA A1 is packed; COPYFILE P DATA A1 (UNPACK"));
    }
    assert_int_equal(obey("TYPE P DATA (HEX"), 0);
    assert_int_equal(obey("SORT P DATA A X DATA A"), 32);
    assert_int_equal(obey("COPYFILE P DATA A RUN EXEC A"), 0);
    assert_int_equal(obey("EXEC RUN"), 32);
    assert_int_equal(obey("RUN"), 32);
    assert_int_equal(obey("COPYFILE P DATA A PROG MODULE A"), 0);
    assert_int_equal(obey("PROG"), 32);
    assert_non_null(strstr(fake_cms_shown(), "DMSEEL9077E File PROG MODULE A1 is packed"));
}

/* ---- files that were changed ------------------------------------------------------------------------------------- */

struct bytes {
    const uint8_t *at;
    uint32_t blocks;
};

static enum edf_status get(void *context, uint8_t block[PACK_LRECL])
{
    struct bytes *b = context;
    if (!b->blocks)
        return EDF_END;
    memcpy(block, b->at, PACK_LRECL);
    b->at += PACK_LRECL, b->blocks--;
    return EDF_OK;
}

static uint8_t packed[4 * PACK_LRECL], record[EDF_LRECL_MAX];
static uint32_t packed_blocks;

static enum edf_status keep(void *context, const uint8_t block[PACK_LRECL])
{
    (void)context;
    assert_true(packed_blocks < 4);
    memcpy(packed + packed_blocks++ * PACK_LRECL, block, PACK_LRECL);
    return EDF_OK;
}

static const char *reason_of(const uint8_t *bytes, uint32_t blocks)
{
    struct bytes b = {bytes, blocks};
    struct unpacker u = {.get = get, .context = &b};
    uint32_t length;
    enum unpack_result result = unpack_begin(&u);
    while (!result)
        result = unpack_record(&u, record, &length);
    return result == UNPACK_WRONG ? u.reason : NULL;
}

static void pack_some(void)
{
    struct packer p = {.put = keep};
    const struct pack_form form = {'V', ' ', 200};
    uint8_t line[200];
    packed_blocks = 0;
    pack_begin(&p, &form);
    for (unsigned i = 1; i <= 20; i++) {
        memset(line, (int)i % 3 ? ' ' : 'a' + (int)i, sizeof line);
        line[i] = 'x';
        assert_int_equal(pack_record(&p, line, i * 10), EDF_OK);
    }
    assert_int_equal(pack_end(&p), EDF_OK);
}

static void every_byte_that_is_changed_is_seen(void **state)
{
    (void)state;
    pack_some();
    assert_null(reason_of(packed, packed_blocks));
    for (uint32_t at = 0; at < packed_blocks * PACK_LRECL; at++) {
        packed[at] ^= 0x15;
        bool form_alone = at >= 12 && at < 16; /* a longer record length is nothing its records contradict */
        if (!form_alone && !reason_of(packed, packed_blocks))
            fail_msg("byte %u may be any", at);
        packed[at] ^= 0x15;
    }
}

static void the_reason_is_told(void **state)
{
    static const struct {
        uint32_t at;
        uint8_t byte;
        const char *reason;
    } wrong[] = {{0, 'x', "it does not begin as packed files do"}, {8, 2, "it is of a later version"},
                 {9, 'U', "its head is not valid"},                {11, 1, "its head is not valid"},
                 {14, 1, "its head is not valid"},                 {16, 2, "what should be a record is none"},
                 {17, 0, "a record's length is not valid"},        {18, 1, "a record's length is not valid"},
                 {19, 0xBE, "a piece does not fit its record"},
                 {16, 0, "its records are not those that were packed"},
                 {1023, 1, "something stands behind its end"}};
    (void)state;
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        pack_some();
        packed[wrong[i].at] = wrong[i].byte;
        assert_string_equal(reason_of(packed, packed_blocks), wrong[i].reason);
    }
    pack_some();
    assert_string_equal(reason_of(packed, packed_blocks + 1), "something stands behind its end");
    assert_string_equal(reason_of(packed, 0), "it does not begin as packed files do");
}

static void a_file_that_is_not_packed_is_refused_and_nothing_written(void **state)
{
    static uint8_t block[PACK_LRECL] = {0, 'V', 'M', 'N', 'P', 'A', 'C', 'K', 1, 'F', ' ', 0, 80};
    (void)state;
    shows("COPYFILE ALPHA DATA A X Y A (UNPACK", 32,
          "DMSCPY9076E File ALPHA DATA A1 cannot be unpacked: it is not of format F 1024\n");
    block[16] = 1, block[17] = 0xFF, block[18] = 0xFF, block[19] = 0xFF;
    make("BOMB", 'F', PACK_LRECL, block, PACK_LRECL, 1);
    shows("COPYFILE BOMB DATA A X Y A (UNPACK", 32,
          "DMSCPY9076E File BOMB DATA A1 cannot be unpacked: a piece does not fit its record\n");
    shows("STATE X Y A", 28, "DMSSTT002E File X Y A not found\n");
    assert_int_equal(obey("COPYFILE CARDS DATA A P DATA A (PACK"), 0);
    assert_int_equal(obey("COPYFILE P DATA A (UNPACK"), 0);
    assert_int_equal(obey("COPYFILE BOMB DATA A (UNPACK"), 32); /* in place: it stays */
    assert_int_equal(facts_of("BOMB").lrecl, PACK_LRECL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_packed_comes_back, start, scene_end),
        cmocka_unit_test_setup_teardown(twice_packed_is_twice_unpacked_and_in_place, start, scene_end),
        cmocka_unit_test_setup_teardown(each_file_has_a_packed_one_and_none_is_of_two, start, scene_end),
        cmocka_unit_test_setup_teardown(what_cannot_show_a_packed_file_says_so, start, scene_end),
        cmocka_unit_test(every_byte_that_is_changed_is_seen),
        cmocka_unit_test(the_reason_is_told),
        cmocka_unit_test_setup_teardown(a_file_that_is_not_packed_is_refused_and_nothing_written, start, scene_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
