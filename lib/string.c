/* The mem* and str* functions of <string.h> for the freestanding builds (libfdt needs them too).
 * The host build uses the C library's. */
#include <stdint.h>
#include <string.h>

typedef uint64_t word __attribute__((aligned(1), may_alias)); /* eight bytes of anything, anywhere */

void *memcpy(void *restrict d, const void *restrict s, size_t n)
{
    char *out = d;
    const char *in = s;
    if (n < 8) {
        while (n--)
            *out++ = *in++;
        return d;
    }
    *(word *)(out + n - 8) = *(const word *)(in + n - 8); /* the odd end, so that the rest is words */
    for (; n >= 32; n -= 32, out += 32, in += 32) {
        word *o = (word *)out;
        const word *i = (const word *)in;
        o[0] = i[0], o[1] = i[1], o[2] = i[2], o[3] = i[3];
    }
    for (; n >= 8; n -= 8, out += 8, in += 8)
        *(word *)out = *(const word *)in;
    return d;
}

void *memmove(void *d, const void *s, size_t n)
{
    char *out = d;
    const char *in = s;
    if (out <= in || out >= in + n) {
        for (; n >= 8; n -= 8, out += 8, in += 8)
            *(word *)out = *(const word *)in;
        while (n--)
            *out++ = *in++;
    } else {
        for (; n >= 8; n -= 8)
            *(word *)(out + n - 8) = *(const word *)(in + n - 8);
        while (n--)
            out[n] = in[n];
    }
    return d;
}

void *memset(void *d, int c, size_t n)
{
    char *out = d;
    uint64_t eight = 0x0101010101010101ull * (uint8_t)c;
    for (; n >= 64; n -= 64, out += 64) { /* pages at a time, while interrupts wait */
        word *o = (word *)out;
        o[0] = eight, o[1] = eight, o[2] = eight, o[3] = eight;
        o[4] = eight, o[5] = eight, o[6] = eight, o[7] = eight;
    }
    for (; n >= 8; n -= 8, out += 8)
        *(word *)out = eight;
    while (n--)
        *out++ = (char)c;
    return d;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *p = a, *q = b;
    for (; n; n--, p++, q++)
        if (*p != *q)
            return *p - *q;
    return 0;
}

void *memchr(const void *s, int c, size_t n)
{
    const unsigned char *p = s;
    for (; n; n--, p++)
        if (*p == (unsigned char)c)
            return (void *)p;
    return NULL;
}

size_t strlen(const char *s)
{
    const char *p = s;
    while (*p)
        p++;
    return (size_t)(p - s);
}

size_t strnlen(const char *s, size_t n)
{
    const char *end = memchr(s, 0, n);
    return end ? (size_t)(end - s) : n;
}

int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (; n && *a && *a == *b; n--)
        a++, b++;
    return n ? (unsigned char)*a - (unsigned char)*b : 0;
}

char *strchr(const char *s, int c)
{
    for (;; s++) {
        if (*s == (char)c)
            return (char *)s;
        if (!*s)
            return NULL;
    }
}

char *strrchr(const char *s, int c)
{
    const char *last = NULL;
    for (;; s++) {
        if (*s == (char)c)
            last = s;
        if (!*s)
            return (char *)last;
    }
}

char *strcpy(char *restrict d, const char *restrict s)
{
    return memcpy(d, s, strlen(s) + 1);
}

char *strstr(const char *s, const char *needle)
{
    size_t n = strlen(needle);
    for (; *s; s++)
        if (!strncmp(s, needle, n))
            return (char *)s;
    return n ? NULL : (char *)s;
}

size_t strcspn(const char *s, const char *reject)
{
    size_t n = 0;
    while (s[n] && !strchr(reject, s[n]))
        n++;
    return n;
}

size_t strspn(const char *s, const char *accept)
{
    size_t n = 0;
    while (s[n] && strchr(accept, s[n]))
        n++;
    return n;
}

char *strpbrk(const char *s, const char *accept)
{
    for (; *s; s++)
        if (strchr(accept, *s))
            return (char *)s;
    return NULL;
}
