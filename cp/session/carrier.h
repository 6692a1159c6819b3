/* What CP says to whoever carries its lines (scripts/vmn-relay); what they say is in cp/terminal/mark.h. 1 is the first
 * line. */
#pragma once
#include <stdbool.h>

/* To let go whoever is at the other end of this line, once they have been shown what was written to it. The exit status
 * of their visit: 0, or 1 if nobody was logged on in it. */
void carrier_hang_up(unsigned line, unsigned status);
/* Nothing is written to this line any more for the one who is gone (MARK_GONE, or the carrier): the next may come. */
void carrier_parted(unsigned line);
/* Whoever came there is logged on, or was. */
void carrier_served(unsigned line);
/* A wrong password is being waited for there, also when whoever typed it leaves: the next is better let in elsewhere.
 * Or not any more. */
void carrier_quiet(unsigned line, bool quiet);
