/* FILELIST: LISTFILE's files as a list to act in; where there is no full screen, as LISTFILE shows them. */
#include "cms/command/messages.h"
#include "cms/xedit/xedit.h"

static const struct file_option no_options[] = {{NULL, 0, 0, false}};

int cms_filelist(const struct arguments *a)
{
    struct file_options options;
    struct file_found found;
    struct file_search search = {0};
    char text[FILE_ID_MAX];
    int rc = cms_file_options("WFL", a, no_options, &options);
    if (!rc)
        rc = cms_file_list_read("WFL", a, &search.id);
    if (!rc)
        rc = cms_file_find("WFL", &search.id, &found);
    if (rc)
        return rc;
    cms_file_id_text(&search.id, text);
    return cms_full_screen("filelist", text, &rc) ? rc : cms_file_listfile(a);
}
