/* Text formatting, the same in CP, CMS and on the host: a subset of printf without floating point.
 *   %d %i %u %x %X %o %c %s %p %%, with the sizes hh h l ll z j, flags - 0 + space #, width and precision (or *).
 * The result is always NUL-terminated if size > 0; the return value is the length the whole text would have. */
#pragma once
#include <stdarg.h>
#include <stddef.h>

size_t format_text(char *out, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
size_t format_text_v(char *out, size_t size, const char *format, va_list args);
