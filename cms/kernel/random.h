/* Random numbers that nobody guesses from those before or behind: ChaCha20 (RFC 8439) over a key that is replaced by
 * its own output at every use, and into which what the machine has of chance is mixed now and then. A CMS that was
 * saved while it ran goes on with the same key in several machines: it is stirred where one finds itself in another. */
#pragma once
#include <stddef.h>
#include <stdint.h>

void cms_random_fill(void *to, size_t bytes);
uint64_t cms_random(void);
/* What follows depends on these bytes too, and on what chance there is by then: something that no other machine has, or
 * not at this moment. */
void cms_random_stir(const void *what, size_t bytes);
/* What chance there is: the processor's generator where it has one, else the low bits of its clock. The driver room
 * provides it; unit tests bring a fake. */
uint64_t cms_entropy(void);
