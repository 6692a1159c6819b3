/* Editing, and lists to act in, full screen, by THE. */
#pragma once
#include "cms/command/command.h"
#include "cms/file/file.h"

int cms_xedit(const struct arguments *);
int cms_filelist(const struct arguments *);
extern const struct file_option *const cms_xedit_options, *const cms_filelist_options;
