#include "images/root/source.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_symbol(char c)
{
    return isalnum((unsigned char)c) || (c && strchr("_.!?@#$", c));
}

/* Behind a comment (they nest), a literal, a symbol or any other character that begins at `at`. */
static size_t token_end(const char *text, size_t length, size_t at)
{
    size_t depth = 0, from = at;
    if (at + 1 < length && text[at] == '/' && text[at + 1] == '*') {
        do {
            if (at + 1 < length && text[at] == '/' && text[at + 1] == '*')
                depth++, at += 2;
            else if (at + 1 < length && text[at] == '*' && text[at + 1] == '/')
                depth--, at += 2;
            else
                at++;
        } while (depth && at < length);
        return at;
    }
    if (text[at] == '\'' || text[at] == '"') {
        while (++at < length && text[at] != text[from] && text[at] != '\n')
            ;
        return at < length ? at + 1 : at;
    }
    while (at < length && is_symbol(text[at]))
        at++;
    return at > from ? at : at + 1;
}

static bool is_word(const char *text, size_t from, size_t to, const char *word)
{
    size_t n = strlen(word);
    if (to - from == n + 2 && (text[from] == '\'' || text[from] == '"') && text[to - 1] == text[from])
        from++, to--;
    if (to - from != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (toupper((unsigned char)text[from + i]) != word[i])
            return false;
    return true;
}

static bool replace(char **text, size_t *length, size_t from, size_t to, const char *wanted)
{
    size_t n = strlen(wanted), grown = *length - (to - from) + n;
    char *larger = realloc(*text, grown + 1);
    if (!larger)
        return false;
    memmove(larger + from + n, larger + to, *length - to);
    memcpy(larger + from, wanted, n);
    *text = larger;
    *length = grown;
    return true;
}

/* PARSE, and the words that may stand between it and what is parsed. */
static bool is_parsing(const char *text, size_t from, size_t to, bool behind_parse)
{
    return is_word(text, from, to, "PARSE") ||
           (behind_parse && (is_word(text, from, to, "UPPER") || is_word(text, from, to, "LOWER") ||
                             is_word(text, from, to, "CASELESS")));
}

void source_rewrite(char **text, size_t *length, const char *says)
{
    bool behind_address = false, behind_parse = false;
    char value[128];
    snprintf(value, sizeof value, "VALUE '%s' WITH", says);
    for (size_t at = 0, end; at < *length; at = end) {
        char c = (*text)[at];
        end = token_end(*text, *length, at);
        if (c == ' ' || c == '\t' || (c == '/' && end > at + 1))
            continue;
        bool symbol = is_symbol(c);
        const char *wanted = NULL;
        if (behind_address && is_word(*text, at, end, "COMMAND"))
            wanted = "'COMMAND '";
        else if (behind_parse && symbol && is_word(*text, at, end, "SOURCE"))
            wanted = value;
        behind_address = symbol && is_word(*text, at, end, "ADDRESS");
        behind_parse = symbol && is_parsing(*text, at, end, behind_parse);
        if (wanted && replace(text, length, at, end, wanted))
            end = at + strlen(wanted);
    }
}

bool source_is_empty(const char *text, size_t length)
{
    for (size_t at = 0, end; at < length; at = end) {
        end = token_end(text, length, at);
        bool comment = text[at] == '/' && end > at + 3 && text[end - 1] == '/' && text[end - 2] == '*';
        if (!comment && !isspace((unsigned char)text[at]) && text[at] != ';')
            return false;
    }
    return true;
}
