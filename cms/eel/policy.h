/* When the user is asked, or told, before a file is run. */
#pragma once
#include "cms/eel/eel.h"

enum eel_policy {
    POLICY_ASK,    /* asked where the filetype and the first bytes say different things */
    POLICY_TELL,   /* told, each time, what runs it */
    POLICY_SILENT, /* neither */
};
extern enum eel_policy cms_eel_policy;

/* What would run the file. 0, or the return code of the message given. */
int cms_eel_verdict(const struct file_found *, struct eel_verdict *);
