/* PIPE as typed, on a disk with a file of four records. */
#pragma once
#include "tests/unit/cms_scene.h"

static inline int pipe_scene_begin(void **state)
{
    (void)state;
    scene_begin();
    attach(0x191, 'A', "ALI191");
    assert_int_equal(obey("PIPE literal apple red 12,pear green 5,cherry red 100,banana yellow 7"
                          "| split at ,| > FRUIT LIST A"),
                     0);
    return 0;
}
