/* See edf_state.h. */
#include "tests/unit/fake/edf_state.h"
#include "cms/edf/edf_check.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t digest(uint64_t hash, const void *data, size_t size)
{
    const uint8_t *p = data;
    while (size--)
        hash = (hash ^ *p++) * 0x100000001b3ull;
    return hash;
}

static uint64_t digest_file(uint64_t hash, struct edf_disk *disk, const struct edf_file_facts *facts)
{
    static uint8_t record[EDF_LRECL_MAX];
    struct edf_reader *reader;
    enum edf_status status = edf_open(disk, facts->name, facts->type, &reader);
    uint32_t length;
    assert(status == EDF_OK);
    while ((status = edf_read(reader, record, sizeof record, &length)) == EDF_OK) {
        hash = digest(hash, &length, sizeof length);
        hash = digest(hash, record, length);
    }
    assert(status == EDF_END);
    edf_close(reader);
    return hash;
}

uint64_t edf_state(struct edf_disk *disk)
{
    struct edf_file_facts f;
    uint32_t position = 0;
    uint64_t sum = 0;
    while (edf_next(disk, &position, NULL, NULL, &f) == EDF_OK) {
        char text[120];
        int n = snprintf(text, sizeof text, "%s %s %c %c %u %u %u %u %u", f.name, f.type, f.mode_number, f.recfm,
                         f.lrecl, f.records, f.blocks, f.date.year, f.date.month);
        sum += digest_file(digest(0xcbf29ce484222325ull, text, (size_t)n), disk, &f);
    }
    return sum ? sum : 1;
}

static void print_fault(void *ctx, const char *where, const char *text, bool fault)
{
    (void)ctx;
    if (fault)
        fprintf(stderr, "%s: %s\n", where, text);
}

unsigned edf_faults(struct minidisk *disk, bool verbose)
{
    struct edf_check_report report;
    enum edf_status status = edf_check(&disk->device, &disk->host, verbose ? print_fault : NULL, NULL, &report);
    assert(status == EDF_OK);
    return report.faults;
}

struct edf_disk *edf_access_or_die(struct minidisk *disk, bool writable)
{
    struct edf_disk *accessed;
    struct edf_reason reason;
    enum edf_status status = edf_access(&disk->device, &disk->host, writable, &accessed, &reason);
    if (status)
        fprintf(stderr, "access: %s\n", reason.text);
    assert(status == EDF_OK);
    return accessed;
}

uint64_t edf_state_of_device(struct minidisk *disk)
{
    if (edf_faults(disk, true))
        return 0;
    struct edf_disk *accessed = edf_access_or_die(disk, false);
    uint64_t state = edf_state(accessed);
    edf_release(accessed);
    return state;
}

uint32_t edf_fill_length(char recfm, uint32_t length, uint32_t number, uint32_t salt)
{
    return recfm == 'F' ? length : 1 + (number * 7919u + salt) % length;
}

void edf_fill(uint8_t *record, uint32_t length, uint32_t number, uint32_t salt)
{
    uint32_t x = number * 2654435761u + salt * 40503u + 1;
    for (uint32_t i = 0; i < length; i++) {
        x = x * 1664525u + 1013904223u;
        record[i] = (uint8_t)(x >> 24);
    }
}

static enum edf_status put_records(struct edf_writer *writer, char recfm, uint32_t length, uint32_t count,
                                   uint32_t salt)
{
    static uint8_t record[EDF_LRECL_MAX];
    enum edf_status status = EDF_OK;
    for (uint32_t i = 0; i < count && !status; i++) {
        uint32_t n = edf_fill_length(recfm, length, i, salt);
        edf_fill(record, n, i, salt);
        status = edf_write(writer, record, n);
    }
    if (!status)
        return edf_commit(writer);
    edf_abort(writer);
    return status;
}

enum edf_status edf_put(struct edf_disk *disk, const char *name, const char *type, char recfm, uint32_t length,
                        uint32_t count, uint32_t salt)
{
    struct edf_writer *writer;
    enum edf_status status = edf_create(disk, name, type, '1', recfm, length, EDF_REPLACE, &writer);
    return status ? status : put_records(writer, recfm, length, count, salt);
}

enum edf_status edf_add(struct edf_disk *disk, const char *name, const char *type, char recfm, uint32_t length,
                        uint32_t count, uint32_t salt)
{
    struct edf_writer *writer;
    enum edf_status status = edf_append(disk, name, type, &writer);
    return status ? status : put_records(writer, recfm, length, count, salt);
}

enum edf_status edf_add_zeros(struct edf_writer *writer, uint32_t length, uint32_t count)
{
    static const uint8_t zeros[512];
    enum edf_status status = EDF_OK;
    while (!status && count--)
        status = edf_write(writer, zeros, length);
    return status;
}
