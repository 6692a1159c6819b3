/* Words of a command's line as typed, where parentheses, case and blanks count. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct words {
    const char *at; /* what is left, behind leading blanks */
};

static inline void words_begin(struct words *w, const char *text)
{
    while (*text == ' ')
        text++;
    w->at = text;
}

/* The next word, cut to size - 1 bytes, in capitals if `fold`; an opening or closing parenthesis is a word. Its whole
 * length; 0: there is none. */
static inline size_t words_next(struct words *w, char *word, size_t size, bool fold)
{
    size_t n = 0;
    const char *p = w->at;
    while (p[n] && p[n] != ' ' && (n == 0 || (p[0] != '(' && p[0] != ')' && p[n] != '(' && p[n] != ')')))
        n++;
    for (size_t i = 0; i < n && i + 1 < size; i++)
        word[i] = fold && p[i] >= 'a' && p[i] <= 'z' ? (char)(p[i] - 32) : p[i];
    word[n < size ? n : size - 1] = 0;
    words_begin(w, p + n);
    return n;
}

/* A whole decimal word; false if it is none or does not fit. */
static inline bool words_number(const char *word, uint32_t *value)
{
    uint64_t sum = 0;
    if (!*word)
        return false;
    for (; *word; word++) {
        if (*word < '0' || *word > '9' || (sum = sum * 10 + (uint64_t)(*word - '0')) > UINT32_MAX)
            return false;
    }
    *value = (uint32_t)sum;
    return true;
}
