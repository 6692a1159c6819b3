/* Nicknames: the user's file "userid NAMES", an entry of tags for each.
 *
 *   :nick.SAM   :userid.SAMUEL   :node.VMN   :name.Samuel Pepys
 *
 * An entry goes from its :nick. to the next one's, over as many records as it takes; tags are written in any case. */
#pragma once
#include <stdbool.h>

#include "cms/file/file.h"

enum { NAMES_TEXT = 40 };

struct nickname {
    char nick[9], userid[9], node[9], name[NAMES_TEXT + 1]; /* "": no such tag */
};

/* Calls `entry` for each entry of the file, until it answers false. 0, also if there is no such file, or the return
 * code of a message. */
int names_each(const char *module, bool (*entry)(void *context, const struct nickname *), void *context);

/* Who is meant: by a nickname, or a user ID. 0, or the return code of a message: it is neither, or at another node. */
int names_resolve(const char *module, const struct word *who, char userid[9]);
