/* Question: what does a switch between two machines cost? Two of these spin at once, each watching the TSC: it runs for
 * a while, then a gap, in which the other ran. A gap is the other's run and two switches; since both do the same, the
 * other's run is as long as one's own. Waits for a byte on its line before it begins, so that both can be started
 * first. */
#include "tests/guest/runtime/measure.h"

enum { TURNS = 200, SKIP = 20, GAP = 600 };

static uint64_t runs[TURNS + SKIP], gaps[TURNS + SKIP];

static void watch(void)
{
    uint64_t begun = rdtsc(), last = begun;

    for (unsigned n = 0; n < TURNS + SKIP;) {
        uint64_t now = rdtsc();
        if (now - last > GAP) {
            gaps[n] = now - last;
            runs[n++] = last - begun;
            begun = now;
        }
        last = now;
    }
}

int guest_main(void)
{
    guest_print("ready\n");
    guest_get();
    watch();
    measure_report("run", runs + SKIP, TURNS);
    measure_report("gap", gaps + SKIP, TURNS);
    guest_print("end\n");
    for (;;) /* the other must not be alone before it has seen enough */
        if (guest_get_ready() == 'q')
            return 0;
}
