/* The password of another user's minidisk, for LINK: hashed (verify.h) while the terminal and the machine that asked
 * rest. */
#pragma once
#include "cp/session/session.h"

/* LINK is to go on with this wish (command_link_checked) when it is known whether `password` is the setting's.
 * @pre the setting is a sha512-crypt string */
void check_begin(struct session *, const struct session_wish *, const char *setting, const char *password,
                 size_t length, bool machine_asks);
void check_verified(struct session *); /* it is known */
