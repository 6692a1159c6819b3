/* Sources as text, for tests of what must agree and no compiler sees. Paths are from
 * the root: run such a test there. */
#pragma once
#include <ctype.h>
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *sources; /* of all that was read, one behind the other, C's without comments */
static size_t sources_length;

static inline void sources_add(char c)
{
    if (!(sources_length & 0xFFFF))
        assert_non_null(sources = realloc(sources, sources_length + 0x10001));
    sources[sources_length++] = c;
    sources[sources_length] = 0;
}

static inline void sources_read(const char *path)
{
    FILE *file = fopen(path, "r");
    const char *dot = strrchr(path, '.');
    bool comments = dot && strcmp(dot, ".md") && strcmp(dot, ".dts"), comment = false;
    if (!file)
        fail_msg("no %s here: run it from the root", path);
    for (int before = 0, c; (c = getc(file)) != EOF; before = c) {
        if (comments && !comment && before == '/' && c == '*')
            comment = true, c = 0;
        else if (comment && before == '*' && c == '/')
            comment = false, c = ' ';
        else if (!comment)
            sources_add((char)c);
    }
    fclose(file);
}

/* Files of a folder (and of those in it, `deep`) whose names begin and end so, but
 * those that begin with one of `but`. */
static inline void sources_read_all(const char *folder, bool deep, const char *begins, const char *const *ends,
                                    const char *const *but)
{
    DIR *listing = opendir(folder);
    if (!listing)
        fail_msg("no %s here: run it from the root", folder);
    for (struct dirent *entry; (entry = readdir(listing));) {
        const char *name = entry->d_name, *dot = strrchr(name, '.');
        char path[512];
        bool wanted = false;
        snprintf(path, sizeof path, "%s/%s", folder, name);
        if (deep && entry->d_type == DT_DIR && *name != '.')
            sources_read_all(path, true, begins, ends, but);
        for (unsigned i = 0; dot && ends[i]; i++)
            wanted |= !strcmp(dot, ends[i]) && !strncmp(name, begins, strlen(begins));
        for (unsigned i = 0; but && but[i]; i++)
            wanted &= strncmp(name, but[i], strlen(but[i])) != 0;
        if (wanted)
            sources_read(path);
    }
    closedir(listing);
}

static inline bool sources_in_word(char c) { return isalnum((unsigned char)c) || c == '_'; }

static inline bool sources_have(const char *word)
{
    for (const char *at = sources; (at = strstr(at, word)); at++)
        if ((at == sources || !sources_in_word(at[-1])) && !sources_in_word(at[strlen(word)]))
            return true;
    return false;
}

/* A string that begins with it, in this case or the lower. */
static inline bool sources_quote(const char *word)
{
    char quoted[2][64];
    snprintf(quoted[0], sizeof quoted[0], "\"%s", word);
    for (unsigned i = 0; i < sizeof quoted[0]; i++)
        quoted[1][i] = (char)tolower((unsigned char)quoted[0][i]);
    return sources_have(quoted[0]) || sources_have(quoted[1]);
}

/* Of the longest line, without its end. */
static inline size_t sources_width(const char *text)
{
    size_t most = 0;
    for (size_t length; *text; text += length + (text[length] != 0)) {
        length = strcspn(text, "\n");
        most = length > most ? length : most;
    }
    return most;
}

static inline int sources_forget(void **state)
{
    (void)state;
    free(sources);
    sources = NULL;
    sources_length = 0;
    return 0;
}
