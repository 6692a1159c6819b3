/* FILELIST: LISTFILE's files as a list to act in; where there is no full screen, as LISTFILE shows them. */
#include "cms/command/messages.h"
#include "cms/xedit/xedit.h"

static const struct file_option no_options[] = {{NULL, 0, 0, false}};

/* Name and type that are left out mean all; the mode, A. */
static int read_operands(const struct arguments *a, struct file_id *id)
{
    struct word words[3] = {{.text = "*"}, {.text = "*"}, {.text = "A"}};
    if (a->count > 3)
        return cms_message("WFL", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[3]));
    for (int i = 0; i < a->count; i++)
        words[i] = a->operand[i];
    return cms_file_id_read("WFL", words, a->count == 3 ? 3 : 2, 'A', false, id);
}

int cms_filelist(const struct arguments *a)
{
    struct file_options options;
    struct file_found found;
    struct file_search search = {0};
    char text[FILE_ID_MAX];
    int rc = cms_file_options("WFL", a, no_options, &options);
    if (!rc)
        rc = read_operands(a, &search.id);
    if (!rc)
        rc = cms_file_find("WFL", &search.id, &found);
    if (rc)
        return rc;
    cms_file_id_text(&search.id, text);
    return cms_full_screen("filelist", text, &rc) ? rc : cms_file_listfile(a);
}
