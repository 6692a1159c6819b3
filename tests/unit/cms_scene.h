/* CMS as a user has it: commands on disks in memory, what they show and return. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cms/command/command.h"
#include "cms/console/console.h"
#include "cms/console/stack.h"
#include "cms/exec/exec.h"
#include "cms/kernel/heap.h"
#include "cms/kernel/mode.h"
#include "tests/unit/fake/cms_machine.h"

static inline int obey(const char *line)
{
    fake_cms_forget();
    cms_console_command_begins();
    int rc = cms_obey(line);
    cms_console_command_ends();
    cms_heap_free_commands();
    return rc;
}

/* The lines shown must be exactly these, each ended by \n here. */
static inline void shows(const char *line, int rc, const char *expected)
{
    char text[4000];
    int got = obey(line);
    size_t n = 0;
    for (const char *p = fake_cms_shown(); *p && n < sizeof text - 1; p++)
        if (*p != '\r')
            text[n++] = *p;
    text[n] = 0;
    assert_string_equal(text, expected);
    assert_int_equal(got, rc);
}

static inline void attach(uint16_t vdev, char letter, const char *label)
{
    struct mode_problem problem;
    fake_cms_attach(vdev, false);
    assert_true(cms_mode_format(vdev, 1024, label, &problem));
    assert_true(cms_mode_access(vdev, letter, letter, false, &problem));
}

/* No disk; what a command left allocated is seen at the end. */
static inline void scene_begin(void)
{
    fake_cms_reset();
    cms_console_start(NULL);
}

static inline int scene_end(void **state)
{
    (void)state;
    cms_exec_line_ends();
    cms_stack_clear();
    cms_globalv_forget();
    for (char letter = 'A'; letter <= 'Z'; letter++)
        cms_mode_release(letter);
    assert_int_equal(cms_heap_in_use(), 0);
    return 0;
}
