/* Tapes of files: AWSTAPE's blocks, and TAPE DUMP's in them, written, read, and as others wrote them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cms/tape/dump.h"

static uint8_t tape[400000];
static size_t tape_bytes;
static struct dump_reader reader;

static int tape_read(void *ctx, uint64_t at, void *buffer, size_t size)
{
    (void)ctx;
    size_t there = at < tape_bytes ? tape_bytes - at : 0, n = size < there ? size : there;
    memcpy(buffer, tape + (at < tape_bytes ? at : 0), n);
    return (int)n;
}

static int tape_write(void *ctx, const void *data, size_t size)
{
    (void)ctx;
    if (size > sizeof tape - tape_bytes)
        return -28;
    memcpy(tape + tape_bytes, data, size);
    tape_bytes += size;
    return 0;
}

static int start(void **state)
{
    (void)state;
    tape_bytes = 0;
    memset(&reader, 0, sizeof reader);
    reader.tape.read = tape_read;
    return 0;
}

static void put(const uint8_t *data, size_t length)
{
    assert_int_equal(tape_write(NULL, data, length), 0);
}

static void blocks_and_marks_are_as_hercules_has_them(void **state)
{
    static const uint8_t expected[] = {2, 0, 0, 0, 0xa0, 0, 'h', 'i', 0, 0, 2,   0, 0x40, 0,
                                       1, 0, 0, 0, 0xa0, 0, '!', 3,   0, 1, 0, 0xa0, 0,    'e', 'n', 'd'};
    struct aws_writer w = {.write = tape_write};
    (void)state;
    assert_int_equal(aws_write(&w, (const uint8_t *)"hi", 2), 0);
    assert_int_equal(aws_write_mark(&w), 0);
    assert_int_equal(aws_write(&w, (const uint8_t *)"!", 1), 0);
    assert_int_equal(aws_write(&w, (const uint8_t *)"end", 3), 0);
    assert_int_equal(tape_bytes, sizeof expected);
    assert_memory_equal(tape, expected, sizeof expected);
}

static void a_block_in_pieces_is_one(void **state)
{
    static const uint8_t bytes[] = {2, 0, 0, 0, 0x80, 0, 'a', 'b', 1, 0, 2, 0, 0, 0, 'c', 1, 0, 1, 0, 0x20, 0, 'd',
                                    0, 0, 1, 0, 0x40, 0};
    static uint8_t block[AWS_BLOCK_MAX];
    size_t length;
    (void)state;
    put(bytes, sizeof bytes);
    assert_int_equal(aws_read(&reader.tape, block, &length), AWS_BLOCK);
    assert_int_equal(length, 4);
    assert_memory_equal(block, "abcd", 4);
    assert_int_equal(reader.tape.previous, 1);
    assert_int_equal(aws_read(&reader.tape, block, &length), AWS_MARK);
    assert_int_equal(aws_read(&reader.tape, block, &length), AWS_END);
    assert_int_equal(reader.tape.at, sizeof bytes);
}

static void what_is_no_tape_is_told_and_not_passed(void **state)
{
    static const struct {
        uint8_t length, bytes[24];
        const char *why;
    } wrong[] = {
        {3, {2, 0, 0}, "the file ends within a block's header"},
        {7, {2, 0, 0, 0, 0xa0, 0, 'x'}, "the file ends within a block"},
        {8, {2, 0, 0, 0, 0x40, 0, 'x', 'x'}, "a tape mark has a length"},
        {8, {2, 0, 0, 0, 0x20, 0, 'x', 'x'}, "a block has no first piece"},
        {8, {2, 0, 0, 0, 0x80, 0, 'x', 'x'}, "a block has no last piece"},
        {16, {2, 0, 0, 0, 0x80, 0, 'x', 'x', 2, 0, 2, 0, 0xa0, 0, 'x', 'x'}, "a block has no last piece"},
        {14, {2, 0, 0, 0, 0x80, 0, 'x', 'x', 0, 0, 2, 0, 0x40, 0}, "a block has no last piece"},
        {6, {0, 0, 0, 0, 0xa0, 0}, "a block is empty or longer than 65535 bytes"},
    };
    static uint8_t block[AWS_BLOCK_MAX];
    size_t length;
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        start(state);
        put(wrong[i].bytes, wrong[i].length);
        assert_int_equal(aws_read(&reader.tape, block, &length), AWS_DAMAGED);
        assert_string_equal(reader.tape.why, wrong[i].why);
        assert_int_equal(reader.tape.at, 0);
    }
}

static void a_block_longer_than_any_is_refused(void **state)
{
    static uint8_t piece[AWS_HEADER + 40000] = {0x40, 0x9c, 0, 0, 0x80}, block[AWS_BLOCK_MAX];
    size_t length;
    (void)state;
    put(piece, sizeof piece);
    piece[4] = 0x20;
    put(piece, sizeof piece);
    assert_int_equal(aws_read(&reader.tape, block, &length), AWS_DAMAGED);
    assert_string_equal(reader.tape.why, "a block is empty or longer than 65535 bytes");
}

/* ---- TAPE DUMP --------------------------------------------------------------------------------------------------- */

static struct edf_file_facts facts_of(const char *name, char recfm, uint32_t lrecl, uint32_t records)
{
    struct edf_file_facts f = {.mode_number = '1', .recfm = recfm, .lrecl = lrecl, .records = records,
                               .date = {2026, 11, 30, 15, 10, 42}};
    strcpy(f.name, name);
    strcpy(f.type, "DATA");
    return f;
}

static uint8_t byte_of(uint32_t record, uint32_t at)
{
    return (uint8_t)(record * 7 + at * 13 + 1);
}

static uint32_t length_of(const struct edf_file_facts *f, uint32_t record)
{
    return f->recfm == 'F' ? f->lrecl : record + 1 == f->records ? f->lrecl : record % f->lrecl + 1;
}

static void dump(struct dump_writer *w, const struct edf_file_facts *f)
{
    static uint8_t record[EDF_LRECL_MAX];
    dump_begin(w, f->recfm);
    for (uint32_t n = 0; n < f->records; n++) {
        for (uint32_t i = 0; i < length_of(f, n); i++)
            record[i] = byte_of(n, i);
        assert_int_equal(dump_record(w, record, length_of(f, n)), 0);
    }
    assert_int_equal(dump_end(w, f, 'B'), 0);
}

static void comes_back(const struct edf_file_facts *f)
{
    static uint8_t record[EDF_LRECL_MAX];
    struct dump_file file;
    uint32_t length;
    assert_int_equal(dump_next(&reader, &file), DUMP_FILE);
    assert_string_equal(file.facts.name, f->name);
    assert_string_equal(file.facts.type, f->type);
    assert_int_equal(file.letter, 'B');
    assert_int_equal(file.facts.recfm, f->recfm);
    assert_int_equal(file.facts.lrecl, f->lrecl);
    assert_int_equal(file.facts.records, f->records);
    assert_memory_equal(&file.facts.date, &f->date, sizeof f->date);
    dump_open(&reader, &file);
    for (uint32_t n = 0; n < f->records; n++) {
        assert_int_equal(dump_read(&reader, record, &length), DUMP_RECORD);
        assert_int_equal(length, length_of(f, n));
        for (uint32_t i = 0; i < length; i++)
            if (record[i] != byte_of(n, i))
                fail_msg("record %u, byte %u", n, i);
    }
    assert_int_equal(dump_read(&reader, record, &length), DUMP_END);
    reader.tape.at = file.end;
}

static void files_come_back_as_they_were_dumped(void **state)
{
    const struct edf_file_facts files[] = {
        facts_of("CARDS", 'F', 80, 200), facts_of("LINES", 'V', 120, 300),   facts_of("LONG", 'V', 65535, 2),
        facts_of("BYTES", 'F', 1, 4096), facts_of("EMPTY", 'F', 80, 0),      facts_of("NONE", 'V', 0, 0),
        facts_of("EXACT", 'F', 4096, 3), facts_of("SPANNED", 'V', 4094, 50),
    };
    struct dump_writer w = {.tape = {.write = tape_write}};
    struct dump_file file;
    (void)state;
    for (unsigned i = 0; i < sizeof files / sizeof *files; i++)
        dump(&w, &files[i]);
    assert_int_equal(aws_write_mark(&w.tape), 0);
    for (unsigned i = 0; i < sizeof files / sizeof *files; i++)
        comes_back(&files[i]);
    assert_int_equal(dump_next(&reader, &file), DUMP_MARK);
    assert_int_equal(dump_next(&reader, &file), DUMP_END);
}

/* The last block of a file on a tape of 1984, as a mailing list of people who read old tapes has it (cctalk, September
 * 2023), and what its readers made of it. */
static const uint8_t of_1984[] = {
    0x02, 0xc3, 0xd4, 0xe2, 0xd5, 0x01, 0x76, 0x00, 0x01, 0xc1, 0xf1, 0x01, 0x75, 0x00, 0x00, 0xc6, 0x00, 0x00,
    0x00, 0x00, 0x50, 0x00, 0x08, 0xf8, 0xf4, 0x12, 0x05, 0x12, 0x31, 0x00, 0x00, 0x01, 0x3b, 0x00, 0x00, 0x00,
    0x08, 0x00, 0x00, 0x01, 0x75, 0x01, 0x04, 0x84, 0x12, 0x05, 0x12, 0x31, 0x21, 0x00, 0x00, 0x00, 0x00, 0xe4,
    0xe3, 0xc5, 0x40, 0xe2, 0xc1, 0xe2, 0xc6, 0xc9, 0xd3, 0xc5, 0x40, 0x00, 0x00, 0x00, 0x00, 0xc3, 0xc8, 0xc5,
    0xc3, 0xd2, 0xf1, 0x40, 0x40, 0xd7, 0xe2, 0xc1, 0xe2, 0x40, 0x40, 0x40, 0x40, 0xc1, 0xf1,
};

static void a_file_of_1984_is_read(void **state)
{
    static uint8_t block[DUMP_HEADER + DUMP_DATA] = {0x02, 0xc3, 0xd4, 0xe2, 0xc6}, record[EDF_LRECL_MAX];
    struct aws_writer w = {.write = tape_write};
    struct dump_file file;
    uint32_t length, records = 0;
    (void)state;
    assert_int_equal(sizeof of_1984, DUMP_HEADER + DUMP_NAME);
    memset(block + DUMP_HEADER, 0x40, DUMP_DATA);
    for (int i = 0; i < 8; i++) /* the last one is padded: 373 records of 80 bytes are 7.3 blocks */
        assert_int_equal(aws_write(&w, block, sizeof block), 0);
    assert_int_equal(aws_write(&w, of_1984, sizeof of_1984), 0);
    assert_int_equal(dump_next(&reader, &file), DUMP_FILE);
    assert_string_equal(file.facts.name, "CHECK1");
    assert_string_equal(file.facts.type, "PSAS");
    assert_int_equal(file.letter, 'A');
    assert_int_equal(file.facts.mode_number, '1');
    assert_int_equal(file.facts.recfm, 'F');
    assert_int_equal(file.facts.lrecl, 80);
    assert_int_equal(file.facts.records, 373);
    assert_int_equal(file.facts.blocks, 8);
    assert_int_equal(file.facts.date.year, 1984);
    assert_int_equal(file.facts.date.second, 21);
    dump_open(&reader, &file);
    while (dump_read(&reader, record, &length) == DUMP_RECORD)
        records++;
    assert_int_equal(records, 373);
}

/* But for the disk's addresses, which mean nothing elsewhere, and what is in the filler. */
static void what_is_written_is_what_that_tape_has(void **state)
{
    struct edf_file_facts f = {.name = "CHECK1", .type = "PSAS", .mode_number = '1', .recfm = 'F', .lrecl = 80,
                               .records = 373, .date = {1984, 12, 5, 12, 31, 21}};
    static const uint8_t record[80];
    struct dump_writer w = {.tape = {.write = tape_write}};
    uint8_t expected[sizeof of_1984];
    (void)state;
    dump_begin(&w, 'F');
    for (int i = 0; i < 373; i++)
        assert_int_equal(dump_record(&w, record, sizeof record), 0);
    assert_int_equal(dump_end(&w, &f, 'A'), 0);
    memcpy(expected, of_1984, sizeof expected);
    memset(expected + DUMP_HEADER + 24, 0, 4);
    expected[DUMP_HEADER + 36] = 0;
    memset(expected + DUMP_HEADER + 48, 0, 16);
    assert_memory_equal(tape + tape_bytes - sizeof expected, expected, sizeof expected);
}

/* VM/370's: 800 bytes a block, blocks of zeros marked, and the old record count alone. */
static void a_tape_of_vm_370_is_read(void **state)
{
    uint8_t block[805] = {0x02, 0xc3, 0xd4, 0xe2, 0x40}, name[sizeof of_1984], record[80];
    struct aws_writer w = {.write = tape_write};
    struct dump_file file;
    uint32_t length, records = 0;
    (void)state;
    memset(block + 5, 'x', 800);
    assert_int_equal(aws_write(&w, block, sizeof block), 0);
    memset(block + 5, 0, 800);
    block[4] = 0xf0;
    assert_int_equal(aws_write(&w, block, sizeof block), 0);
    memcpy(name, of_1984, sizeof name);
    memset(name + DUMP_HEADER + 24, 0, 24);
    name[DUMP_HEADER + 6] = 0;
    name[DUMP_HEADER + 7] = 15;
    assert_int_equal(aws_write(&w, name, sizeof name), 0);
    assert_int_equal(dump_next(&reader, &file), DUMP_FILE);
    assert_int_equal(file.facts.records, 15);
    dump_open(&reader, &file);
    for (; dump_read(&reader, record, &length) == DUMP_RECORD; records++)
        assert_int_equal(record[79], records < 10 ? 'x' : 0);
    assert_int_equal(records, 15);
}

static void refused(const char *why)
{
    struct dump_file file;
    reader.tape.at = 0;
    assert_int_equal(dump_next(&reader, &file), DUMP_FORMAT);
    assert_string_equal(reader.why, why);
}

static void what_contradicts_itself_is_refused(void **state)
{
    static const struct {
        unsigned at;
        uint8_t byte;
        const char *why;
    } wrong[] = {
        {1, 0, "a block is not one of TAPE DUMP"},
        {4, 0xe9, "a block is of a kind of TAPE DUMP that is not known here"},
        {5 + 10, 0x40, "a file's record format is neither F nor V"},
        {5 + 13, 1, "a file's record count or length is out of range"},
        {5 + 32, 0xff, "a file's record count or length is out of range"},
        {5 + 64, 0x40, "a file's name is not one of CMS"},
        {5 + 72, 0x27, "a file's name is not one of CMS"},
        {5 + 80, 0x81, "a file's name is not one of CMS"},
        {5 + 81, 0xf9, "a file's name is not one of CMS"},
    };
    static const uint8_t data[] = {0x02, 0xc3, 0xd4, 0xe2, 0xc6, 1, 2, 3};
    struct aws_writer w = {.write = tape_write};
    struct dump_file file;
    uint8_t block[sizeof of_1984], record[80];
    uint32_t length;
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        start(state);
        memcpy(block, of_1984, sizeof block);
        block[wrong[i].at] = wrong[i].byte;
        assert_int_equal(aws_write(&w, block, sizeof block), 0);
        refused(wrong[i].why);
    }
    start(state);
    assert_int_equal(aws_write(&w, of_1984, sizeof of_1984 - 1), 0);
    refused("the block that names a file is too short");
    start(state);
    assert_int_equal(aws_write(&w, data, sizeof data), 0);
    refused("a file ends without its name");
    assert_int_equal(aws_write_mark(&w), 0);
    refused("a file ends without its name");
    start(state);
    assert_int_equal(aws_write(&w, data, sizeof data), 0);
    assert_int_equal(aws_write(&w, of_1984, sizeof of_1984), 0);
    assert_int_equal(dump_next(&reader, &file), DUMP_FILE);
    dump_open(&reader, &file);
    assert_int_equal(dump_read(&reader, record, &length), DUMP_FORMAT);
    assert_string_equal(reader.why, "a file has less data than its records need");
    file.facts.recfm = 'V';
    dump_open(&reader, &file);
    assert_int_equal(dump_read(&reader, record, &length), DUMP_FORMAT);
    assert_string_equal(reader.why, "a record is empty, or longer than the file's longest");
}

#define TEST(f) cmocka_unit_test_setup(f, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(blocks_and_marks_are_as_hercules_has_them),
        TEST(a_block_in_pieces_is_one),
        TEST(what_is_no_tape_is_told_and_not_passed),
        TEST(a_block_longer_than_any_is_refused),
        TEST(files_come_back_as_they_were_dumped),
        TEST(a_file_of_1984_is_read),
        TEST(what_is_written_is_what_that_tape_has),
        TEST(a_tape_of_vm_370_is_read),
        TEST(what_contradicts_itself_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
