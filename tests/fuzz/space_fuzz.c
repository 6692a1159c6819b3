/* Requests of address spaces, as the input says, against the model of tests/unit/space_model.h. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cms/kernel/wait.h"
#include "tests/unit/space_model.h"

enum { STEPS_MAX = 400 };

static const uint8_t *input;
static size_t left;

static unsigned next_below(unsigned below)
{
    unsigned value = 0;
    for (unsigned range = 1; left && range < below; range <<= 8, left--)
        value = value << 8 | *input++;
    return value % below;
}

int cms_work(void) { return 0; }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input = data;
    left = size;
    model_begin(next_below);
    for (int i = 0; left && i < STEPS_MAX; i++)
        model_step();
    model_end();
    return 0;
}
