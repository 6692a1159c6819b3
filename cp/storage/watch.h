/* Pages of a machine's storage that are watched: whether the guest has written to one can be asked without reading it.
 * A watched page is mapped read-only until it is written; then it is as before, and counts as written. */
#pragma once
#include "cp/storage/guest.h"

/* A number that is another one when the page may have been written since the last call for it; the page is watched
 * from here on. *armed: its mapping lost a right, so the caller flushes before the guest runs again. 0: no RAM, or
 * no frame for it. Who writes through a guest_pointer() says so with guest_written(). */
uint64_t guest_watch(struct guest_storage *, gpa_t at, bool *armed);

/* [at, at+bytes) was written, or is about to be: an EPT violation, CP itself, a device (when it is done). Cheap when
 * nothing is watched. */
void guest_written(struct guest_storage *, gpa_t at, size_t bytes);

/* Another table than the machine's own maps this page, and lets it be written there; guest_take_back() says whether one
 * does, and that none does any more. @pre the page was brought in */
void guest_lend(struct guest_storage *, gpa_t at);
bool guest_take_back(struct guest_storage *, gpa_t at);

bool guest_is_watched(const struct guest_storage *, gpa_t at); /* and was not written since */
