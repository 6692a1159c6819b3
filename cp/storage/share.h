/* Pages that storages have in common: those of one that no machine runs in, mapped into others read-only until they
 * are written there. Who writes gets a copy, on its own account; the pages themselves stay on the account of whose they
 * are, as long as anybody maps one.
 *
 * No other table maps a page that is shared: who lends, watches or pins one asks for its own (guest_private()), so that
 * a copy has one mapping to change. */
#pragma once
#include "cp/storage/guest.h"

enum { SHARE_STEP = 1 << 21 /* bytes */ };

/* From now on `to` maps pages of `from`. @pre it maps none, and nothing at all where `from` has some */
void share_begin(struct guest_storage *to, struct guest_storage *from);
/* Maps those of the 2 MiB around `at`. GUEST_NOT_RAM: `to` is too small for one of them. */
enum guest_access share_map(struct guest_storage *to, gpa_t at);
/* A storage that shared its pages has been renewed, which calls this. */
void share_end(struct guest_storage *from);

/* Its frames go back, as soon as nobody maps them. */
void share_dismiss(struct guest_storage *);
