/* The end of CP, on the host: the end of the test, or where a test that expects it says. */
#pragma once
#include <setjmp.h>
#include <stddef.h>

extern jmp_buf *fake_panic_to; /* NULL: nobody expects one */

/* Whether `statement` ends CP. */
#define FAKE_PANICS(statement)      \
    ({                              \
        jmp_buf here;               \
        volatile int ended = 0;     \
        fake_panic_to = &here;      \
        if (!setjmp(here)) {        \
            statement;              \
        } else {                    \
            ended = 1;              \
        }                           \
        fake_panic_to = NULL;       \
        ended != 0;                 \
    })
