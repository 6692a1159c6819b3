/* Finding a HELP file and showing it. */
#include <errno.h>
#include <string.h>

#include "cms/command/messages.h"
#include "cms/file/file.h"
#include "cms/help/help.h"
#include "cms/help/root.h"
#include "cms/kernel/heap.h"
#include "lib/format.h"

enum { LINE_MAX = 256, TEXT_MAX = 16384, CODE_PREFIX = 3, CODE_LETTERS = 6 };

static bool find(const char *name, const char *type, struct file_found *found)
{
    struct file_search search = {.id = {.letter = '*'}};
    if (!edf_name_valid(name))
        return false;
    format_text(search.id.name, sizeof search.id.name, "%s", name);
    format_text(search.id.type, sizeof search.id.type, "%s", type);
    return cms_file_next(&search, found);
}

/* Whether what follows the line is wanted, if it begins what a module gives; else as it was. */
static bool is_wanted(const char *line, uint32_t length, const char *module, bool wanted)
{
    const char *of = line + CODE_PREFIX;
    if (length <= CODE_LETTERS || memcmp(line, "DMS", CODE_PREFIX) || line[CODE_LETTERS] < '0' ||
        line[CODE_LETTERS] > '9')
        return wanted;
    return !module || !memcmp(of, module, CODE_PREFIX) || !memcmp(of, "mmm", CODE_PREFIX);
}

static void show_line(const char *line, uint32_t length)
{
    while (length && line[length - 1] == ' ')
        length--;
    cms_file_show((const uint8_t *)line, length);
}

static enum edf_status show(struct edf_reader *reader, const char *module, bool *shown)
{
    char line[LINE_MAX];
    uint32_t length;
    bool wanted = true;
    enum edf_status status;
    while (!(status = edf_read(reader, line, sizeof line, &length)) && !cms_halted()) {
        length = length < sizeof line ? length : sizeof line;
        wanted = is_wanted(line, length, module, wanted);
        if (wanted)
            show_line(line, length);
        *shown |= wanted;
    }
    return status;
}

/* The file of the root image, as large as one that HELP has may be. */
static bool show_of_root(const char *name, const char *type, const char *module, int *rc)
{
    char file[2 * 8 + 2], *text = cms_heap_allocate(TEXT_MAX);
    bool shown = false, wanted = true;
    format_text(file, sizeof file, "%s.%s", name, type);
    int64_t bytes = text ? cms_help_root_read(file, text, TEXT_MAX) : -ENOMEM;
    const char *line = text, *end = bytes > 0 ? text + bytes : text;
    while (line < end && !cms_halted()) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        uint32_t length = (uint32_t)((stop ? stop : end) - line);
        wanted = is_wanted(line, length, module, wanted);
        if (wanted)
            show_line(line, length);
        shown |= wanted;
        line += length + 1;
    }
    cms_heap_free(text);
    *rc = cms_halted() ? COMMAND_HALTED : 0;
    return shown;
}

bool cms_help_show(const char *what, const char *type, const char *module, int *rc)
{
    struct file_found found;
    struct edf_reader *reader;
    char name[9], text[FILE_ID_MAX];
    bool shown = false;
    cms_help_name(what, name);
    if (!find(name, type, &found))
        return show_of_root(name, type, module, rc);
    enum edf_status status = edf_open(found.mode->disk, name, type, &reader);
    if (!status) {
        status = show(reader, module, &shown);
        edf_close(reader);
    }
    cms_file_found_text(&found, text);
    *rc = !status               ? COMMAND_HALTED
          : status == EDF_END   ? 0
                                : cms_file_failed("HLP", status, found.mode, text);
    return shown || *rc;
}

int cms_help_missing(const char *what)
{
    struct file_found found;
    char byte;
    if (!find("CMS", HELP_MENU, &found) && cms_help_root_read("CMS." HELP_MENU, &byte, sizeof byte) < 0)
        return cms_message("HLP", MESSAGE_NO_HELP_FILES);
    return cms_message("HLP", MESSAGE_NO_HELP, what);
}
