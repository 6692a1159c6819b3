/* Random requests of several address spaces, against a model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/space_model.h"

static unsigned random_below(unsigned below) { return (unsigned)rand() % below; }

static void address_spaces_do_what_the_model_says(void **state)
{
    enum { RUNS = 30, STEPS = 1500 };
    (void)state;
    for (unsigned run = 0; run < RUNS; run++) {
        srand(run);
        model_begin(random_below);
        for (int i = 0; i < STEPS; i++)
            model_step();
        model_end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(address_spaces_do_what_the_model_says)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
