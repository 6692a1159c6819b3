/* A line whose first word is no command: a file that something runs, or a program. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/eel/eel.h"
#include "cms/kernel/heap.h"

static int start(const char *path, const char *name, const char *argument)
{
    struct eel_line *line = cms_heap_allocate(sizeof *line);
    if (!line)
        return cms_message("EEL", MESSAGE_VIRTUAL_STORAGE);
    line->count = 0, line->used = 0;
    int rc = cms_eel_add_word(line, name) && cms_eel_add_words(line, argument)
                 ? cms_program_start(path, line->word)
                 : cms_message("EEL", MESSAGE_EEL_WORDS);
    cms_heap_free(line);
    return rc;
}

bool cms_implied_file(const struct arguments *a, int *rc)
{
    struct file_found found;
    if (a->name.raw_length > EDF_NAME_MAX || !cms_eel_find_file(a->name.text, &found))
        return false;
    *rc = cms_eel_run(&found, a->rest);
    return true;
}

bool cms_implied_program(const struct arguments *a, int *rc)
{
    char name[PROGRAM_FOUND], path[PROGRAM_FOUND];
    const struct word *w = &a->name;
    if (w->raw_length >= sizeof name)
        return false;
    memcpy(name, w->raw, w->raw_length);
    name[w->raw_length] = 0;
    if (!cms_program_find(name, path))
        return false;
    *rc = cms_eel_forbids("LINUX") ? cms_message("EEL", MESSAGE_EEL_FORBIDDEN, "LINUX") : start(path, name, a->rest);
    return true;
}
