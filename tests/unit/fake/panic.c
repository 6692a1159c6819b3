#include "tests/unit/fake/panic.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cp/panic.h"

jmp_buf *fake_panic_to;

void panic(const char *format, ...)
{
    if (fake_panic_to)
        longjmp(*fake_panic_to, 1);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    abort();
}
