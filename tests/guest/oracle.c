/* Question: does a program see of its processor the same as on the bare machine, whatever it does? Executes sequences
 * of generated instructions and prints a hash of what each few of them did; the same program runs as a guest of the
 * payload's own too, where there is VMX.
 *
 * Command line: seed=N (default 1) from=N (the first sequence, 0) count=N (of them, 400) tcg=N (of those that ask
 * nothing of what QEMU's processor does otherwise, 0; their names are Q1 and Q2) each=N (in one hash, 50) trace (prints
 * all of each sequence) only=1 or only=2 (as the machine's own program, or as a guest). */
#include "tests/guest/oracle/guest.h"
#include "tests/guest/oracle/run.h"

#include <string.h>

#include "tests/guest/runtime/option.h"
#include "tests/guest/runtime/runtime.h"

enum { CPUID_VMX = 1 << 5, CR4_OSXSAVE = 1 << 18, XCR0_AVX = 7 };
static uint64_t seed, from, each;
static bool trace;

static void run_some(char kind, char level, uint64_t count, uint64_t (*run)(uint64_t, uint64_t, bool))
{
    uint64_t hash = 0;

    for (uint64_t n = from; n < from + count; n++) {
        hash = hash * 31 + run(seed, n, trace);
        if ((n + 1 - from) % each == 0) {
            guest_print("%c%c %llu %016llx\n", kind, level, (unsigned long long)n, (unsigned long long)hash);
            hash = 0;
        }
    }
}

static void run_all(char level, uint64_t (*run)(uint64_t, uint64_t, bool))
{
    struct oracle_host qemu;

    memset(&qemu, true, sizeof qemu);
    oracle_ask((struct oracle_host){false});
    run_some('L', level, guest_option("count=", 400), run);
    oracle_ask(qemu);
    run_some('Q', level, guest_option("tcg=", 0), run);
}

/* A guest has that of its hypervisor. */
static void enable_vectors(void)
{
    write_cr4(read_cr4() | CR4_OSXSAVE);
    __asm__ volatile("xsetbv" : : "c"(0), "a"(XCR0_AVX), "d"(0));
}

int guest_main(void)
{
    uint64_t frames = ((guest_multiboot()->mem_upper + 1024ull) * 1024 - ORACLE_FRESH) / 4096 - 1024;
    uint64_t only = guest_option("only=", 0);

    enable_vectors();
    seed = guest_option("seed=", 1);
    from = guest_option("from=", 0);
    trace = strstr(guest_command_line(), "trace");
    each = trace ? 1 : guest_option("each=", 50);
    if (only != 2) {
        oracle_begin(false, ORACLE_FRESH, frames / 2);
        run_all('1', oracle_run);
    }
    if (only != 1 && cpuid(1, 0).ecx & CPUID_VMX) {
        oracle_guest_begin(ORACLE_FRESH + frames / 2 * 4096, frames / 2);
        run_all('2', oracle_guest_run);
    }
    guest_print("%llu instructions\n", (unsigned long long)oracle_instructions);
    guest_print("end\n");
    return 0;
}
