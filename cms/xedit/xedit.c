/* XEDIT: THE, the editor that has XEDIT's commands, with its profile in the root image (/etc/xedit.the). That runs the
 * user's PROFILE XEDIT, where there is one, and looks for macros, fn XEDIT, on the accessed disks. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/eel/eel.h"
#include "cms/xedit/xedit.h"
#include "lib/format.h"

enum { PROFILE, NOPROF };
static const struct file_option option_table[] = {
    [PROFILE] = {"PROFILE", 4, 1, true}, [NOPROF] = {"NOPROFIL", 5, 1, false}, {NULL, 0, 0, false}};
const struct file_option *const cms_xedit_options = option_table;

/* The file there is, or the new one's name: on the disk named, else on A. */
static int find(const struct arguments *a, char path[PROGRAM_PATH])
{
    struct file_found found;
    struct file_id id;
    int rc = a->count > 3 ? cms_message("XED", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[3]))
                          : cms_file_id_read("XED", a->operand, a->count, '*', false, &id);
    if (!rc && cms_file_is_pattern(&id)) {
        char text[FILE_ID_MAX];
        cms_file_id_text(&id, text);
        rc = cms_message("XED", MESSAGE_INVALID_CHARACTER, text);
    }
    if (!rc)
        rc = cms_file_mode_check("XED", &id, false);
    if (rc)
        return rc;
    struct file_search search = {.id = id};
    if (!cms_file_next(&search, &found)) {
        memcpy(found.facts.name, id.name, sizeof found.facts.name);
        memcpy(found.facts.type, id.type, sizeof found.facts.type);
        found.mode = cms_mode_find(id.letter == '*' ? 'A' : id.letter);
        if (!found.mode)
            return cms_message("XED", MESSAGE_MODE_NOT_ACCESSED, "A");
    }
    else if ((rc = cms_file_refuse_packed("XED", &found)))
        return rc;
    cms_program_path(&found, path);
    return 0;
}

int cms_xedit(const struct arguments *a)
{
    static const char loader[] = "/lib64/ld-linux-x86-64.so.2", editor[] = "/usr/bin/the", profile[] = "/etc/xedit.the";
    static const char library[] = "/usr/lib/x86_64-linux-gnu/cms-editor.so";
    char path[PROGRAM_PATH] = "", macro[64] = "profile";
    struct file_options options;
    int rc = cms_file_options("XED", a, option_table, &options);
    if (!rc)
        rc = find(a, path);
    if (rc)
        return rc;
    if (file_option(&options, PROFILE))
        format_text(macro, sizeof macro, "%s", options.value[PROFILE]->text);
    if (file_option(&options, NOPROF))
        *macro = 0;
    /* what the editor does not know goes to CMS by a library before its own */
    const char *const words[] = {"the", "--preload", library, editor, "-p", profile, "-a", macro, path, NULL};
    return cms_program_start(loader, words);
}
