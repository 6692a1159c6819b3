/* Question: does every byte that is typed come back? Sends back what comes, as it is and as fast as it goes. */
#include "tests/guest/runtime/runtime.h"

#include "cp/diagnose.h"

enum { DATA = 0x3F8, IER = DATA + 1, IIR = DATA + 2, FCR = DATA + 2, MOST = 256, FULL = 14 };
enum { FIFOS_FROM_14 = 0xC1, RECEIVE = 1, IDENTITY = 0x0F, IS_FULL = 0x04, IS_LEFT = 0x0C };

static uint8_t bytes[MOST];

static void send(uint64_t count)
{
    uint64_t at = (uint64_t)(uintptr_t)bytes;
    while (count) {
        uint64_t code = DIAGNOSE_CONSOLE, taken = count;
        __asm__ volatile("vmcall" : "+a"(code), "+c"(taken) : "b"(at) : "memory");
        at += taken;
        count -= taken;
    }
}

/* As many as are there, by fewer looks than one a byte. */
static unsigned take(uint8_t *to)
{
    uint8_t identity = inb(IIR) & IDENTITY;
    unsigned count = identity == IS_FULL ? FULL : identity == IS_LEFT;
    for (unsigned i = 0; i < count; i++)
        to[i] = inb(DATA);
    return count;
}

int guest_main(void)
{
    outb(FCR, FIFOS_FROM_14);
    outb(IER, RECEIVE);
    guest_print("mirror ready\n");
    for (;;) {
        unsigned count = 0, some;
        while (count + FULL <= MOST && (some = take(bytes + count)))
            count += some;
        send(count);
    }
}
