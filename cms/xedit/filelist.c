/* FILELIST: LISTFILE's files as a list to act in; where there is no full screen, as LISTFILE shows them. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/xedit/xedit.h"
#include "lib/format.h"

enum { APPEND, LISTED, PROFILE };
static const struct file_option option_table[] = {
    [APPEND] = {"APPEND", 2, 1, false}, [LISTED] = {"FILELIST", 1, 1, false}, [PROFILE] = {"PROFILE", 4, 0, true},
    {NULL, 0, 0, false}};
const struct file_option *const cms_filelist_options = option_table;

enum { LINE = FILE_ID_MAX + 40 };

static int find(const struct arguments *a, const struct file_options *options, struct file_id *id)
{
    struct file_found found;
    int rc = file_option(options, LISTED) ? cms_file_id_read("WFL", a->operand, a->count, '*', false, id)
                                          : cms_file_list_read("WFL", a, id);
    if (!rc)
        rc = cms_file_find("WFL", id, &found);
    if (!rc && file_option(options, LISTED)) {
        rc = cms_file_refuse_packed("WFL", &found);
        *id = (struct file_id){.letter = found.mode->letter};
        memcpy(id->name, found.facts.name, sizeof id->name);
        memcpy(id->type, found.facts.type, sizeof id->type);
    }
    return rc;
}

static int list(const struct arguments *a)
{
    struct arguments plain = *a;
    plain.has_options = false;
    plain.option_count = 0;
    return cms_file_listfile(&plain);
}

int cms_filelist(const struct arguments *a)
{
    struct file_options options;
    struct file_id id;
    char text[FILE_ID_MAX], line[LINE];
    int rc = cms_file_options("WFL", a, option_table, &options);
    if (!rc && file_option(&options, APPEND)) /* what a list has on its command line it does itself */
        rc = cms_message("WFL", MESSAGE_FILELIST_APPEND);
    if (!rc)
        rc = find(a, &options, &id);
    if (rc)
        return rc;
    cms_file_id_text(&id, text);
    size_t n = format_text(line, sizeof line, "%s%s%s", text, a->has_options ? " (" : "",
                           file_option(&options, LISTED) ? "FILELIST " : "");
    if (file_option(&options, PROFILE))
        format_text(line + n, sizeof line - n, "PROFILE %s", options.value[PROFILE]->text);
    if (cms_full_screen("filelist", line, &rc))
        return rc;
    return file_option(&options, LISTED) ? cms_message("WFL", MESSAGE_FILELIST_LINES) : list(a);
}
