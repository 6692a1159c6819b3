/* Hostile tapes. The input is an AWSTAPE file, or, when its first byte is odd, what is behind it are blocks: a length,
 * a kind of TAPE DUMP and so many bytes each. All of it is passed, each file read; nothing may crash or read beyond the
 * tape, a file's records may be no more than it says, and what comes out is dumped again and comes back the same. */
#include <stdlib.h>
#include <string.h>

#include "cms/tape/dump.h"

enum { TAPE_MAX = 1 << 18, RECORDS_READ = 2000 };

static uint8_t tape[TAPE_MAX], again[TAPE_MAX];
static size_t tape_bytes, again_bytes;
static struct dump_reader reader, second;
static struct dump_writer writer;
static uint8_t record[EDF_LRECL_MAX], other[EDF_LRECL_MAX];

static int read_from(const uint8_t *bytes, size_t count, uint64_t at, void *buffer, size_t size)
{
    size_t there = at < count ? count - (size_t)at : 0, n = size < there ? size : there;
    if (n)
        memcpy(buffer, bytes + at, n);
    return (int)n;
}

static int tape_read(void *ctx, uint64_t at, void *buffer, size_t size)
{
    (void)ctx;
    return read_from(tape, tape_bytes, at, buffer, size);
}

static int again_read(void *ctx, uint64_t at, void *buffer, size_t size)
{
    (void)ctx;
    return read_from(again, again_bytes, at, buffer, size);
}

static int again_write(void *ctx, const void *data, size_t size)
{
    (void)ctx;
    if (size > TAPE_MAX - again_bytes)
        return -1;
    memcpy(again + again_bytes, data, size);
    again_bytes += size;
    return 0;
}

/* Blocks with valid heads, so that what is in them is reached. */
static void make_blocks(const uint8_t *data, size_t size)
{
    static const uint8_t kinds[] = {0xc6, 0xe5, 0xd5, 0x40, 0xf0, 0xc6, 0xe5, 0};
    struct aws_writer w = {.write = again_write};
    uint8_t block[DUMP_HEADER + 256] = {0x02, 0xc3, 0xd4, 0xe2};
    again_bytes = 0;
    while (size >= 2) {
        size_t length = data[0] < size - 2 ? data[0] : size - 2;
        block[4] = kinds[data[1] % 8];
        memcpy(block + DUMP_HEADER, data + 2, length);
        if (data[1] & 0x80)
            aws_write_mark(&w);
        aws_write(&w, block, DUMP_HEADER + length);
        data += 2 + length;
        size -= 2 + length;
    }
    memcpy(tape, again, again_bytes);
    tape_bytes = again_bytes;
}

/* The file, dumped again as far as it could be read, has the same records. */
static void compare(const struct dump_file *file, uint32_t records)
{
    struct dump_file found;
    uint32_t length, length2;
    second.tape = (struct aws_reader){.read = again_read};
    if (dump_next(&second, &found) != DUMP_FILE || found.facts.records != records ||
        strcmp(found.facts.name, file->facts.name))
        abort();
    dump_open(&second, &found);
    reader.tape.at = file->start;
    dump_open(&reader, file);
    for (uint32_t n = 0; n < records; n++) {
        if (dump_read(&second, other, &length2) != DUMP_RECORD || dump_read(&reader, record, &length) != DUMP_RECORD ||
            length != length2 || memcmp(record, other, length))
            abort();
    }
    if (dump_read(&second, other, &length2) != DUMP_END)
        abort();
}

static void read_file(const struct dump_file *file)
{
    struct edf_file_facts facts = file->facts;
    uint32_t length, records = 0;
    bool fits = true;
    again_bytes = 0;
    writer.tape = (struct aws_writer){.write = again_write};
    dump_begin(&writer, facts.recfm);
    dump_open(&reader, file);
    while (records < RECORDS_READ && dump_read(&reader, record, &length) == DUMP_RECORD) {
        if (!length || length > facts.lrecl || ++records > facts.records)
            abort();
        fits = fits && !dump_record(&writer, record, length);
    }
    facts.records = records;
    if (records && fits && !dump_end(&writer, &facts, file->letter))
        compare(file, records);
    reader.tape.at = file->end;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dump_file file;
    enum dump_status status;
    if (!size || size > 1 << 16)
        return 0;
    tape_bytes = size - 1;
    if (data[0] & 1)
        make_blocks(data + 1, size - 1);
    else
        memcpy(tape, data + 1, size - 1);
    reader.tape = (struct aws_reader){.read = tape_read};
    for (uint64_t at = 0; (status = dump_next(&reader, &file)) != DUMP_END && status != DUMP_TAPE;) {
        if (reader.tape.at <= at || reader.tape.at > tape_bytes)
            abort();
        at = reader.tape.at;
        if (status == DUMP_FILE)
            read_file(&file);
    }
    return 0;
}
