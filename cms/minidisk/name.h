/* Between the names programs use and those of CMS. Pure. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "cms/edf/edf.h"

struct cms_name {
    char name[EDF_NAME_MAX + 1], type[EDF_NAME_MAX + 1];
};

enum { NAME_FORMS = 4, NAME_SHOWN = 2 * EDF_NAME_MAX + 2 };
static const char NAME_TYPE[] __attribute__((unused)) = "FILE";
static const char NAME_TYPE_PROGRAM[] __attribute__((unused)) = "MODULE";

/* Kept in storage. */
bool name_is_passing(const char *path_name);
/* What a new file of that name is called: 0, -ENAMETOOLONG or -EINVAL. */
int name_make(const char *path_name, bool program, struct cms_name *);
/* What a file that is there may be called, in the order in which they are looked for; how many, 0: none. */
unsigned name_forms(const char *path_name, struct cms_name forms[NAME_FORMS]);
/* How it is shown. `alone`: without its type, where that is FILE or MODULE. */
void name_show(const struct cms_name *, bool alone, char shown[NAME_SHOWN]);
bool name_may_be_alone(const struct cms_name *);
