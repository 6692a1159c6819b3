/* The HELP files on a disk of their own, which is accessed as S. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "cms/kernel/mode.h"
#include "images/help/texts.h"
#include "tests/unit/fake/cms_machine.h"

static inline void help_take(void *context, const char *name, const char *type, const char *text)
{
    struct edf_disk *disk = context;
    struct edf_writer *writer;
    assert_true(edf_name_valid(name) && edf_name_valid(type));
    assert_int_equal(edf_create(disk, name, type, '2', 'V', 0, EDF_NEW, &writer), EDF_OK);
    for (const char *end; *text; text = end + 1) {
        assert_non_null(end = strchr(text, '\n'));
        bool empty = end == text;
        assert_int_equal(edf_write(writer, empty ? " " : text, empty ? 1 : (uint32_t)(end - text)), EDF_OK);
    }
    assert_int_equal(edf_commit(writer), EDF_OK);
}

static inline void help_attach(void)
{
    struct mode_problem problem;
    fake_cms_attach(0x190, false);
    assert_true(cms_mode_format(0x190, 512, "HELP", &problem));
    assert_true(cms_mode_access(0x190, 'S', 'S', false, &problem));
    help_texts(help_take, cms_mode_find('S')->disk);
}
