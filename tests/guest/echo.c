/* Question: does the console line carry every byte both ways? Echoes what comes, in brackets and hexadecimal; the byte
 * 'Q' ends it with the status that follows as a digit; 'F' sends 4500 numbered lines, more than
 * a pipe holds; 'f' sends 1000, several times what CP's queues hold. */
#include "tests/guest/runtime/runtime.h"

static void flood(unsigned lines)
{
    for (unsigned i = 0; i < lines; i++)
        guest_print("%05u the quick brown fox\n", i);
}

int guest_main(void)
{
    guest_print("echo ready\n");
    for (;;) {
        int c = guest_get();
        if (c == 'Q')
            return guest_get() - '0';
        if (c == 'F' || c == 'f')
            flood(c == 'F' ? 4500 : 1000);
        guest_print("[%02x]", (unsigned)c);
    }
}
