/* A minidisk accessed as A, of blocks of 1 KiB, with programs' files and EDF's own calls over it. */
#pragma once
#include <stdio.h>

#include "cms/kernel/mode.h"
#include "cms/minidisk/minidisk.h"
#include "tests/unit/vfs_scene.h"

static void minidisk_scene_begin(void)
{
    static bool started;
    struct mode_problem problem;
    for (char c = 'A'; c <= 'Z'; c++)
        cms_mode_release(c);
    vfs_set_root(NULL);
    scene_begin();
    if (!started)
        minidisk_files_start();
    started = true;
    minidisk_files_reset();
    fake_cms_attach(0x191, false);
    assert_true(cms_mode_format(0x191, 1024, "TEST", &problem));
    assert_true(cms_mode_access(0x191, 'A', 'A', false, &problem));
}

static inline struct edf_disk *disk_a(void) { return cms_mode_find('A')->disk; }

/* Accesses it anew, so that only what is on the disk counts. */
static inline void access_again(bool read_only)
{
    struct mode_problem problem;
    assert_true(cms_mode_access(0x191, 'A', 'A', read_only, &problem));
}

/* A file of records: each of the texts. */
static inline void put_records(const char *name, const char *type, char recfm, uint32_t lrecl, unsigned count,
                               const char *const records[])
{
    struct edf_writer *w;
    assert_int_equal(edf_create(disk_a(), name, type, '1', recfm, lrecl, EDF_REPLACE, &w), EDF_OK);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(edf_write(w, records[i], (uint32_t)strlen(records[i])), EDF_OK);
    assert_int_equal(edf_commit(w), EDF_OK);
}

/* Its format and its records, as "V|one|two|". */
static inline const char *records_of(const char *name, const char *type)
{
    static char text[70000];
    static char record[65536];
    struct edf_reader *r;
    struct edf_file_facts f;
    uint32_t length;
    size_t n = 0;
    if (edf_open(disk_a(), name, type, &r))
        return "none";
    edf_reader_facts(r, &f);
    n += (size_t)sprintf(text, f.recfm == 'V' ? "V|" : "F%u|", f.lrecl);
    while (edf_read(r, record, sizeof record, &length) == EDF_OK && n + length + 2 < sizeof text) {
        memcpy(text + n, record, length);
        n += length;
        text[n++] = '|';
    }
    text[n] = 0;
    edf_close(r);
    return text;
}
#define RECORDS(...)                                                                                                   \
    (const char *const[]) { __VA_ARGS__ }
