/* What HELP files are called. */
#include <string.h>

#include "cms/help/help.h"

static const struct {
    char character;
    char word[5];
} spelled[] = {{'*', "STAR"}, {'<', "LT"}, {'>', "GT"}, {'=', "EQ"}, {'?', "WHAT"}, {'/', "OVER"}, {'&', "AND"}};

static const char *spell(char c)
{
    for (size_t i = 0; i < sizeof spelled / sizeof *spelled; i++)
        if (spelled[i].character == c)
            return spelled[i].word;
    return NULL;
}

void cms_help_name(const char *what, char name[9])
{
    size_t n = 0;
    for (; *what && n < 8; what++) {
        const char *word = spell(*what);
        if (!word)
            name[n++] = *what;
        for (; word && *word && n < 8; word++)
            name[n++] = *word;
    }
    name[n] = 0;
}
