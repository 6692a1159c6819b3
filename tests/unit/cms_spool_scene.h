/* A user with a disk and CP's spool. */
#pragma once
#include "cms/kernel/cp.h"
#include "tests/unit/cms_scene.h"

static inline int start(void **state)
{
    (void)state;
    scene_begin();
    fake_cms_cp("", 0);
    attach(0x191, 'A', "ALI191");
    return 0;
}

/* `record`: a/b are two */
static inline void make(const char *name, const char *record)
{
    char line[600];
    snprintf(line, sizeof line, "PIPE literal %s| split /| > %s", record, name);
    assert_int_equal(obey(line), 0);
}
