/* Cutting up a command line. */
#include <string.h>

#include "cms/command/command.h"

enum { TYPED_MAX = 80 };

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

static const char *skip_blanks(const char *p)
{
    while (*p == ' ' || *p == '\t')
        p++;
    return p;
}

static bool ends_word(char c)
{
    return !c || c == ' ' || c == '\t' || c == '(' || c == ')';
}

static const char *take_word(const char *p, struct word *word)
{
    size_t n = 0, kept = 0;
    for (; !ends_word(p[n]); n++)
        if (kept < sizeof word->text - 1)
            word->text[kept++] = upper(p[n]);
    word->text[kept] = 0;
    word->raw = p;
    word->raw_length = (uint16_t)n;
    return p + n;
}

static void add_word(struct arguments *a, const struct word *word)
{
    int *count = a->has_options ? &a->option_count : &a->count;
    struct word *words = a->has_options ? a->option : a->operand;
    if (*count == COMMAND_WORDS_MAX)
        a->too_many = true;
    else
        words[(*count)++] = *word;
}

bool cms_parse(const char *line, struct arguments *a)
{
    struct word word;
    const char *p = skip_blanks(line);

    a->line = line;
    a->count = a->option_count = 0;
    a->has_options = a->too_many = false;
    p = take_word(p, &a->name);
    a->rest = *p == ' ' || *p == '\t' ? p + 1 : p;
    for (p = skip_blanks(p); *p && *p != ')'; p = skip_blanks(p)) {
        if (*p == '(') {
            a->has_options = true;
            p++;
        } else {
            p = take_word(p, &word);
            add_word(a, &word);
        }
    }
    return a->name.text[0];
}

bool cms_abbreviates(const char *word, const char *name, size_t least)
{
    size_t n = strlen(word);
    return n >= least && n > 0 && !strncmp(word, name, n);
}

bool cms_word_is(const struct word *word, const char *name, size_t least)
{
    if (!word->raw_length || word->raw_length < least || word->raw_length > strlen(name))
        return false;
    for (size_t i = 0; i < word->raw_length; i++)
        if (upper(word->raw[i]) != name[i])
            return false;
    return true;
}

const char *cms_typed(const struct word *word)
{
    static char text[TYPED_MAX + 1];
    size_t n = word->raw_length < TYPED_MAX ? word->raw_length : TYPED_MAX;
    for (size_t i = 0; i < n; i++)
        text[i] = upper(word->raw[i]);
    text[n] = 0;
    return text;
}

static int digit_value(char c)
{
    c = upper(c);
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

static bool number(const struct word *word, unsigned base, uint32_t *value)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < word->raw_length; i++) {
        unsigned digit = (unsigned)digit_value(word->raw[i]);
        sum = sum * base + digit;
        if (digit >= base || sum > UINT32_MAX)
            return false;
    }
    *value = (uint32_t)sum;
    return word->raw_length;
}

bool cms_number(const struct word *word, uint32_t *value)
{
    return number(word, 10, value);
}

bool cms_hex(const struct word *word, uint32_t *value)
{
    return number(word, 16, value);
}
