/* Giving back page frames when others lack them: a machine's own caches first, then the storage of the machine that
 * holds most of what is beyond its share (cp/storage/frame.h). That one stops, is reset and cleared, as by SYSTEM
 * CLEAR, a piece in each turn of the event loop. */
#pragma once
#include "cp/dispatch/vm.h"

void give_start(void); /* from here on frame_short() finds somebody */
bool give_turn(void);  /* run_each_turn */

/* guest_storage.shrink of a machine's storage: what CP keeps for the guests of its guest and can make again. */
bool give_own(struct guest_storage *);
