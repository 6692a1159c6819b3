/* The LANs there are, by whose they are and their name. SYSTEM's are the directory's; others end with their owner's
 * session. */
#pragma once
#include "cp/network/lan.h"

enum { LANS = 64, LANS_OF_A_USER = 4 };
#define LAN_SYSTEM "SYSTEM"

struct lan *lan_next(struct lan *at); /* NULL: the first; NULL at the end */
struct lan *lan_find(const char *owner, const char *name);
unsigned lan_count(const char *owner);
/* NULL: there are LANS, or CP has no storage. @pre there is none of that name */
struct lan *lan_define(const char *owner, const char *name);
/* All its ports leave it first. */
void lan_end(struct lan *);
