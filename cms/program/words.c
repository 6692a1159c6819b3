#include "cms/program/words.h"

#include <stdbool.h>

/* One word from *from, written without its quotes to where it began; false: a quote has no end. */
static bool take_word(char **from)
{
    char *to = *from, *at = *from, quote = 0;

    for (; *at && (quote || *at != ' '); at++) {
        if (quote ? *at == quote : *at == '\'' || *at == '"')
            quote = quote ? 0 : *at;
        else
            *to++ = *at;
    }
    bool more = *at;
    *to = 0;
    *from = more ? at + 1 : at;
    return !quote;
}

int program_words(char *line, const char *words[PROGRAM_WORDS_MAX + 1])
{
    int count = 0;
    for (;;) {
        while (*line == ' ')
            line++;
        if (!*line)
            break;
        if (count == PROGRAM_WORDS_MAX)
            return -1;
        words[count++] = line;
        if (!take_word(&line))
            return -1;
    }
    words[count] = NULL;
    return count;
}
