/* The password of another user's minidisk, for LINK: hashed a few rounds at a time, so that nobody else waits for
 * it, while the terminal and the machine that asked rest. */
#pragma once
#include "cp/user/session.h"

/* LINK is to go on with this wish (command_link_checked) when it is known whether `password` is the setting's.
 * @pre the setting is a sha512-crypt string */
void check_begin(struct session *, const struct session_wish *, const char *setting, const char *password,
                 size_t length, bool machine_asks);
/* Some rounds more, if one is under way. True: there is more to do at once. */
bool check_poll(struct session *);
