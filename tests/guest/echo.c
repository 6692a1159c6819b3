/* Question: does the console line carry every byte both ways? Echoes what comes, in brackets and hexadecimal; the byte
 * 'Q' ends it with the status that follows as a digit; 'F' sends 4500 numbered lines. */
#include "tests/guest/runtime/runtime.h"

static void flood(void)
{
    for (unsigned i = 0; i < 4500; i++)
        guest_print("%05u the quick brown fox\n", i);
}

int guest_main(void)
{
    guest_print("echo ready\n");
    for (;;) {
        int c = guest_get();
        if (c == 'Q')
            return guest_get() - '0';
        if (c == 'F')
            flood();
        guest_print("[%02x]", (unsigned)c);
    }
}
