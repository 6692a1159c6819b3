#include "lib/format.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct sink {
    char *out;
    size_t size, length;
};

struct spec {
    bool left, zero, plus, space, alternate;
    int width, precision; /* precision < 0: none given */
    int size;             /* -2 hh, -1 h, 0 int, 1 l/z/j/ll */
    char conversion;
};

static void put(struct sink *s, char c)
{
    if (s->length + 1 < s->size)
        s->out[s->length] = c;
    s->length++;
}

static void pad(struct sink *s, char c, int n)
{
    while (n-- > 0)
        put(s, c);
}

static void put_text(struct sink *s, const struct spec *f, const char *text, size_t n)
{
    int blank = f->width - (int)n;
    if (!f->left)
        pad(s, ' ', blank);
    for (size_t i = 0; i < n; i++)
        put(s, text[i]);
    if (f->left)
        pad(s, ' ', blank);
}

static void put_number(struct sink *s, const struct spec *f, uint64_t value, bool negative)
{
    bool hexadecimal = f->conversion == 'x' || f->conversion == 'X' || f->conversion == 'p';
    unsigned base = f->conversion == 'o' ? 8 : hexadecimal ? 16 : 10;
    const char *set = f->conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    char digits[24], prefix[3];
    int n = 0, np = 0;

    if ((f->alternate && base == 16 && value) || f->conversion == 'p')
        prefix[np++] = '0', prefix[np++] = f->conversion == 'X' ? 'X' : 'x';
    else if (negative)
        prefix[np++] = '-';
    else if (f->plus || f->space)
        prefix[np++] = f->plus ? '+' : ' ';

    for (; value; value /= base)
        digits[n++] = set[value % base];
    int least = f->precision >= 0 ? f->precision : 1;
    int zeros = least > n ? least - n : 0;
    if (f->zero && !f->left && f->precision < 0 && f->width > np + n + zeros)
        zeros = f->width - np - n;
    int blank = f->width - np - zeros - n;

    if (!f->left)
        pad(s, ' ', blank);
    for (int i = 0; i < np; i++)
        put(s, prefix[i]);
    pad(s, '0', zeros);
    while (n)
        put(s, digits[--n]);
    if (f->left)
        pad(s, ' ', blank);
}

static const char *parse_number(const char *p, int *value)
{
    for (*value = 0; *p >= '0' && *p <= '9'; p++)
        *value = *value * 10 + (*p - '0');
    return p;
}

static const char *parse_spec(const char *p, struct spec *f, va_list *args)
{
    *f = (struct spec){.precision = -1};
    for (;; p++) {
        if (*p == '-') f->left = true;
        else if (*p == '0') f->zero = true;
        else if (*p == '+') f->plus = true;
        else if (*p == ' ') f->space = true;
        else if (*p == '#') f->alternate = true;
        else break;
    }
    if (*p == '*') {
        f->width = va_arg(*args, int), p++;
        if (f->width < 0)
            f->left = true, f->width = -f->width;
    } else {
        p = parse_number(p, &f->width);
    }
    if (*p == '.') {
        if (*++p == '*')
            f->precision = va_arg(*args, int), p++;
        else
            p = parse_number(p, &f->precision);
    }
    for (;; p++) {
        if (*p == 'h') f->size--;
        else if (*p == 'l' || *p == 'z' || *p == 'j' || *p == 't') f->size = 1;
        else break;
    }
    f->conversion = *p;
    return p;
}

static uint64_t unsigned_argument(const struct spec *f, va_list *args)
{
    if (f->size == 1)
        return va_arg(*args, uint64_t);
    unsigned v = va_arg(*args, unsigned);
    return f->size == -1 ? (uint16_t)v : f->size == -2 ? (uint8_t)v : v;
}

static int64_t signed_argument(const struct spec *f, va_list *args)
{
    if (f->size == 1)
        return va_arg(*args, int64_t);
    int v = va_arg(*args, int);
    return f->size == -1 ? (int16_t)v : f->size == -2 ? (int8_t)v : v;
}

static void put_argument(struct sink *s, const struct spec *f, va_list *args)
{
    switch (f->conversion) {
    case 'd': case 'i': {
        int64_t v = signed_argument(f, args);
        put_number(s, f, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, v < 0);
        break;
    }
    case 'u': case 'x': case 'X': case 'o':
        put_number(s, f, unsigned_argument(f, args), false);
        break;
    case 'p':
        put_number(s, f, (uintptr_t)va_arg(*args, void *), false);
        break;
    case 'c': {
        char c = (char)va_arg(*args, int);
        put_text(s, f, &c, 1);
        break;
    }
    case 's': {
        const char *text = va_arg(*args, const char *);
        if (!text)
            text = "(null)";
        put_text(s, f, text, f->precision >= 0 ? strnlen(text, (size_t)f->precision) : strlen(text));
        break;
    }
    case '%':
        put(s, '%');
        break;
    default:
        put(s, '%'), put(s, f->conversion);
    }
}

size_t format_text_v(char *out, size_t size, const char *format, va_list args)
{
    struct sink s = {out, size, 0};
    va_list copy;

    va_copy(copy, args);
    for (const char *p = format; *p; p++) {
        if (*p != '%') {
            put(&s, *p);
            continue;
        }
        struct spec f;
        p = parse_spec(p + 1, &f, &copy);
        if (!f.conversion)
            break;
        put_argument(&s, &f, &copy);
    }
    va_end(copy);
    if (size)
        out[s.length < size ? s.length : size - 1] = 0;
    return s.length;
}

size_t format_text(char *out, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t n = format_text_v(out, size, format, args);
    va_end(args);
    return n;
}
