/* EXEC: which file is meant, and with what argument. */
#include "cms/exec/exec.h"

#include <string.h>

#include "cms/command/messages.h"
#include "cms/exec/old.h"
#include "cms/exec/words.h"
#include "lib/format.h"

bool cms_exec_find(const char *name, struct file_found *found)
{
    struct file_search search = {.id = {.type = "EXEC", .letter = '*'}};
    size_t length = strlen(name);
    if (length > EDF_NAME_MAX || !edf_name_valid(name))
        return false;
    memcpy(search.id.name, name, length + 1);
    return cms_file_next(&search, found);
}

int cms_exec_run(const struct file_found *found, const char *argument)
{
    bool old;
    char text[FILE_ID_MAX];
    int rc = cms_file_refuse_packed("EXC", found);
    enum edf_status status = rc ? EDF_OK : cms_exec_is_old(found, &old);
    if (status) {
        cms_file_found_text(found, text);
        rc = cms_file_failed("EXC", status, found->mode, text);
    }
    if (rc)
        return rc;
    return old ? cms_exec_old(found, argument) : cms_exec_interpret(found, argument);
}

bool cms_implied_exec(const struct arguments *a, int *rc)
{
    struct file_found found;
    if (a->name.raw_length > EDF_NAME_MAX || !cms_exec_find(a->name.text, &found))
        return false;
    *rc = cms_exec_run(&found, a->rest);
    return true;
}

int cms_exec(const struct arguments *a)
{
    char name[EDF_NAME_MAX + 2];
    struct file_found found;
    struct words words;
    words_begin(&words, a->rest);
    const char *from = words.at;
    size_t length = words_next(&words, name, sizeof name, true);
    if (!length)
        return cms_message("EXC", MESSAGE_PARAMETER_MISSING, "EXEC");
    if (!cms_exec_find(name, &found)) {
        char text[FILE_ID_MAX];
        format_text(text, sizeof text, "%.8s EXEC *", name);
        return cms_message("EXC", MESSAGE_FILE_NOT_FOUND, text);
    }
    return cms_exec_run(&found, from + length + (from[length] == ' '));
}
