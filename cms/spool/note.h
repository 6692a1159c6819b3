/* Notes: text with a heading, sent as a file "userid NOTE" and kept in a notebook, a file to which each is added. */
#pragma once
#include "cms/spool/spool.h"

/* Begins to add a note to `name` NOTEBOOK, behind a line that parts it from those before: cms_spool_store() and
 * cms_spool_stored() do the rest. 0, or the return code of a message. */
int notebook_begin(struct spool_target *, const char *module, const char *name);
