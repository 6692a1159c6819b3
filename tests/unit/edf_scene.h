/* A formatted disk that is accessed, and files on it whose records follow from their numbers. */
#pragma once
#include "tests/unit/fake/edf_state.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static struct minidisk disk;
static struct edf_disk *accessed;
static const uint32_t block_sizes[] = {512, 1024, 2048, 4096};
static uint8_t record[EDF_LRECL_MAX], expected[EDF_LRECL_MAX];

static inline void open_disk(uint32_t block_size, uint32_t blocks)
{
    minidisk_open(&disk, (uint64_t)blocks * (block_size / EDF_SECTOR));
    assert_int_equal(edf_format(&disk.device, &disk.host, block_size, "TEST"), EDF_OK);
    accessed = edf_access_or_die(&disk, true);
}

static inline void again(void)
{
    edf_release(accessed);
    assert_int_equal(edf_faults(&disk, true), 0);
    accessed = edf_access_or_die(&disk, true);
}

static inline void close_disk(void)
{
    again();
    edf_release(accessed);
    minidisk_close(&disk);
}

static inline void record_is(struct edf_reader *reader, char recfm, uint32_t length, uint32_t i, uint32_t salt)
{
    uint32_t got, n = edf_fill_length(recfm, length, i, salt);
    assert_int_equal(edf_read(reader, record, sizeof record, &got), EDF_OK);
    assert_int_equal(got, n);
    edf_fill(expected, n, i, salt);
    assert_memory_equal(record, expected, n);
}

static inline void file_is(const char *name, char recfm, uint32_t length, uint32_t count, uint32_t salt)
{
    struct edf_reader *reader;
    uint32_t got;
    assert_int_equal(edf_open(accessed, name, "FILE", &reader), EDF_OK);
    for (uint32_t i = 0; i < count; i++)
        record_is(reader, recfm, length, i, salt);
    assert_int_equal(edf_read(reader, record, sizeof record, &got), EDF_END);
    edf_close(reader);
}
