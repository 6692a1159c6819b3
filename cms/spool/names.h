/* Nicknames: the user's file "userid NAMES", an entry of tags for each.
 *
 *   :nick.SAM   :userid.SAMUEL   :node.VMN   :name.Samuel Pepys
 *   :nick.TEAM  :list.SAM BESS JOHN AT VMN
 *
 * An entry goes from its :nick. to the next one's, over as many records as it takes, and so does a list; tags are
 * written in any case. The first of a kind is the entry's, and the first entry of a nickname is its own. */
#pragma once
#include <stdbool.h>

#include "cms/file/file.h"

enum { NAMES_TEXT = 40, NAMES_LIST = 600 };

struct nickname {
    char nick[9], userid[9], node[9], name[NAMES_TEXT + 1], list[NAMES_LIST + 1]; /* "": no such tag */
    bool cut; /* but for the name, something is longer than it can be */
    bool lists; /* what was read last was of the list */
};

/* Calls `entry` for each entry of the file, until it answers false. 0, also if there is no such file, or the return
 * code of a message. */
int names_each(const char *module, bool (*entry)(void *context, const struct nickname *), void *context);

/* The entry of that nickname; found->nick "": there is none. 0, or the return code of a message. */
int names_find(const char *module, const char *nick, struct nickname *found);

/* ---- the file ---------------------------------------------------------------------------------------------------- */

/* False: there is none; its name then in any case. */
bool names_file(struct file_id *, struct file_found *);
char names_upper(char);
/* The length of the tag that begins at `at`, with its colon and full stop; 0: none does. */
size_t names_tag_at(const char *line, const char *at);
/* Is a tag of that length this one? */
bool names_tag_is(const char *at, size_t length, const char *name);
/* The first word, in upper case; false: it has more than 8 characters. */
bool names_word(char to[9], const char *text, size_t length);
