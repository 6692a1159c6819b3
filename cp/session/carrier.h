/* What CP says to whoever carries its lines (scripts/vmn-relay); what they say is in cp/terminal/mark.h. */
#pragma once

/* To let go whoever is at the other end of this line, once they have been shown what was written to it; 1 is the first
 * line. */
void carrier_hang_up(unsigned line);
