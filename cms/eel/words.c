/* A program's arguments. */
#include <string.h>

#include "cms/eel/eel.h"

static bool add_byte(struct eel_line *l, char c)
{
    if (l->used == EEL_TEXT)
        return false;
    l->text[l->used++] = c;
    return true;
}

static bool begin(struct eel_line *l)
{
    if (l->count == EEL_WORDS || l->used == EEL_TEXT)
        return false;
    l->word[l->count++] = l->text + l->used;
    l->word[l->count] = NULL;
    return true;
}

bool cms_eel_add_word(struct eel_line *l, const char *word)
{
    size_t n = strlen(word) + 1;
    if (n > EEL_TEXT - l->used || !begin(l))
        return false;
    memcpy(l->text + l->used, word, n);
    l->used += n;
    return true;
}

/* One word, from `p` to behind it; NULL: it does not fit, or is not ended. */
static const char *take(struct eel_line *l, const char *p)
{
    char quote = 0;
    for (; *p && (quote || (*p != ' ' && *p != '\t')); p++) {
        if (quote ? *p == quote : *p == '\'' || *p == '"')
            quote = quote ? 0 : *p;
        else if (*p == '\\' && quote != '\'' && p[1] ? !add_byte(l, *++p) : !add_byte(l, *p))
            return NULL;
    }
    return !quote && add_byte(l, 0) ? p : NULL;
}

bool cms_eel_add_words(struct eel_line *l, const char *p)
{
    for (;;) {
        while (*p == ' ' || *p == '\t')
            p++;
        if (!*p)
            return true;
        if (!begin(l) || !(p = take(l, p)))
            return false;
    }
}

bool cms_eel_add_template(struct eel_line *l, const struct eel_environment *e, const char *path)
{
    int from = l->count;
    size_t length = strlen(path) + 1;
    bool named = false;
    if (!cms_eel_add_word(l, e->path) || !cms_eel_add_words(l, e->arguments))
        return false;
    for (int i = from; i < l->count; i++)
        if (!strcmp(l->word[i], "%f")) {
            if (length > EEL_TEXT - l->used)
                return false;
            l->word[i] = memcpy(l->text + l->used, path, length);
            l->used += length;
            named = true;
        }
    return named || cms_eel_add_word(l, path);
}
