/* In: a line and what stands for its & words. Out: the line to obey. Pure. */
#include <string.h>

#include "cms/exec/old.h"
#include "cms/exec/words.h"
#include "lib/format.h"

static size_t blanks(const char *p, size_t length)
{
    size_t n = 0;
    while (n < length && p[n] == ' ')
        n++;
    return n;
}

static size_t word_length(const char *p, size_t length)
{
    size_t n = 0;
    while (n < length && p[n] != ' ')
        n++;
    return n;
}

bool exec_old_arguments(struct exec_old_values *v, const char *name, const char *typed)
{
    *v = (struct exec_old_values){.argument[0] = {name, strlen(name)}};
    for (size_t left = strlen(typed), n;; typed += n, left -= n) {
        n = blanks(typed, left);
        typed += n, left -= n;
        n = word_length(typed, left);
        if (!n)
            return true;
        if (v->count == EXEC_OLD_ARGUMENTS)
            return false;
        v->argument[++v->count] = n == 1 && *typed == '%' ? (struct exec_old_word){"", 0}
                                                          : (struct exec_old_word){typed, n};
    }
}

static bool is_word(const char *p, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if ((p[i] >= 'a' && p[i] <= 'z' ? p[i] - 32 : p[i]) != name[i])
            return false;
    return !name[n];
}

/* The value of the word, or the word; `number` has room for one. */
static struct exec_old_word value_of(const struct exec_old_values *v, const char *p, size_t n, char number[16])
{
    uint32_t which;
    const struct exec_old_word itself = {p, n};
    if (n < 2 || *p != '&')
        return itself;
    if (is_word(p, n, "&INDEX"))
        return (struct exec_old_word){number, format_text(number, 16, "%d", v->count)};
    if (is_word(p, n, "&RETCODE"))
        return (struct exec_old_word){number, format_text(number, 16, "%d", v->return_code)};
    if (n > 3)
        return itself;
    memcpy(number, p + 1, n - 1);
    number[n - 1] = 0;
    return words_number(number, &which) && which <= EXEC_OLD_ARGUMENTS ? v->argument[which] : itself;
}

bool exec_old_substitute(const struct exec_old_values *v, const char *line, size_t length, char *out, size_t size)
{
    size_t used = 0;
    char number[16];
    *out = 0;
    for (size_t n; length; line += n, length -= n) {
        n = blanks(line, length);
        line += n, length -= n;
        n = word_length(line, length);
        const struct exec_old_word word = value_of(v, line, n, number);
        if (!word.length)
            continue;
        if (used + 1 + word.length >= size)
            return false;
        if (used)
            out[used++] = ' ';
        memcpy(out + used, word.text, word.length);
        used += word.length;
        out[used] = 0;
    }
    return true;
}
