/* Question: does a program see of its processor the same as on the bare machine, whatever it does? Executes sequences
 * of generated instructions and prints a hash of what each few of them did; the same program runs as a guest of the
 * payload's own too, where there is VMX.
 *
 * Command line: seed=N (default 1) from=N (the first sequence, 0) count=N (of them, 400) each=N (in one hash, 50) trace
 * (prints all of each sequence) only=L1 or only=L2, tcg (asks nothing of what QEMU's processor does otherwise). */
#include "tests/guest/oracle/guest.h"
#include "tests/guest/oracle/run.h"

#include <string.h>

#include "tests/guest/runtime/option.h"
#include "tests/guest/runtime/runtime.h"

enum { CPUID_VMX = 1 << 5 };
static uint64_t seed, from, count, each;
static bool trace;

static void run_all(const char *name, uint64_t (*run)(uint64_t, uint64_t, bool))
{
    uint64_t hash = 0;

    for (uint64_t n = from; n < from + count; n++) {
        hash = hash * 31 + run(seed, n, trace);
        if ((n + 1 - from) % each == 0) {
            guest_print("%s %llu %016llx\n", name, (unsigned long long)n, (unsigned long long)hash);
            hash = 0;
        }
    }
}

int guest_main(void)
{
    seed = guest_option("seed=", 1);
    from = guest_option("from=", 0);
    count = guest_option("count=", 400);
    trace = strstr(guest_command_line(), "trace");
    each = trace ? 1 : guest_option("each=", 50);
    uint64_t frames = ((guest_multiboot()->mem_upper + 1024ull) * 1024 - ORACLE_FRESH) / 4096 - 1024;
    struct oracle_host host = {false};
    if (strstr(guest_command_line(), "tcg"))
        memset(&host, true, sizeof host);
    if (!strstr(guest_command_line(), "only=L2")) {
        oracle_begin(host, false, ORACLE_FRESH, frames / 2);
        run_all("L1", oracle_run);
    }
    if (!strstr(guest_command_line(), "only=L1") && cpuid(1, 0).ecx & CPUID_VMX) {
        oracle_guest_begin(host, ORACLE_FRESH + frames / 2 * 4096, frames / 2);
        run_all("L2", oracle_guest_run);
    }
    guest_print("%llu instructions\n", (unsigned long long)oracle_instructions);
    guest_print("end\n");
    return 0;
}
