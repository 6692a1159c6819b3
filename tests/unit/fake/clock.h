/* A clock that stands still until a test moves it, unless looking at it takes time. */
#pragma once
#include <stdint.h>

extern uint64_t fake_now;     /* what clock_now() says */
extern uint64_t fake_clock_tick; /* how many ticks each look at it takes, else 0 */
extern uint64_t fake_clock_away; /* up to so many ticks pass now and then between two looks, as the machine is away */
extern uint64_t fake_unix_us; /* what clock_unix_us() says while fake_now is 0; it advances with fake_now */

void fake_clock_reset(uint64_t hz);
void fake_clock_advance(uint64_t ns); /* moves on, expiring every timer at its own time on the way */
