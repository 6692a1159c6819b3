/* Sleeping until a device has done what it was asked for. An interrupt ends the sleep; so that one which is lost on the
 * way costs a moment and not the command, whoever waits for an answer also looks again from time to time. Who waits for
 * nothing that is under way, as for the user's next key, sleeps without a tick. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { SLEEP_MOST_MS = 50 };

/* Until done(context), which is asked after every interrupt and at least every SLEEP_MOST_MS.
 * @pre interrupts are off, as they are whenever done() is called, and afterwards */
void cms_sleep_until(bool (*done)(void *context), void *context);

/* Sleeps until an interrupt was taken, and with `bounded` not longer than SLEEP_MOST_MS; interrupts off before and
 * after. The driver room provides it; unit tests bring a fake. */
void cms_sleep(bool bounded);

/* Interrupts that have come are taken now; off before and after. The driver room provides it. */
void cms_interrupts_pass(void);

/* An interrupt comes within `ns`, or SLEEP_MOST_MS if that is less: what ends a program's slice, or a sleep that has to
 * end at a time. It may come earlier; who waits for a moment looks at the clock. Interrupts are off. */
void cms_tick_within(uint64_t ns);
