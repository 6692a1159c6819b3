/* Question: do the registers of a machine stay its own whatever command it gives CP by
 * DIAGNOSE 8, and while others run? */
#include <string.h>

#include "cp/diagnose.h"
#include "tests/guest/runtime/runtime.h"

enum { CR4_OSFXSR = 1 << 9, CR4_OSXSAVE = 1 << 18, CPUID_ECX_XSAVE = 1 << 26, XMMS = 16, MSRS = 11, AWHILE = 3000000 };

static const uint32_t msrs[MSRS] = {0xC0000081, 0xC0000082, 0xC0000083, 0xC0000084, 0xC0000100, 0xC0000101,
                                    0xC0000102, 0xC0000103, 0x174,      0x175,      0x176};

struct registers {
    uint8_t xmm[XMMS][16];
    uint64_t msr[MSRS], cr2, dr[4], xcr0;
};

static struct registers given, found;
static bool has_xsave, has_tsc_aux;
static char answer[4096];

#define EACH_XMM(DO) \
    DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11) DO(12) DO(13) DO(14) DO(15)

static bool is_here(unsigned msr) { return msrs[msr] != 0xC0000103 || has_tsc_aux; }

static void load(const struct registers *r)
{
    for (unsigned i = 0; i < MSRS; i++)
        if (is_here(i))
            wrmsr(msrs[i], r->msr[i]);
    write_cr2(r->cr2);
    __asm__ volatile("mov %0, %%dr0\n mov %1, %%dr1\n mov %2, %%dr2\n mov %3, %%dr3"
                     : : "r"(r->dr[0]), "r"(r->dr[1]), "r"(r->dr[2]), "r"(r->dr[3]));
    if (has_xsave)
        __asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)r->xcr0), "d"(0));
#define LOAD(n) __asm__ volatile("movups %0, %%xmm" #n : : "m"(r->xmm[n]));
    EACH_XMM(LOAD)
}

static void store(struct registers *r)
{
#define STORE(n) __asm__ volatile("movups %%xmm" #n ", %0" : "=m"(r->xmm[n]));
    EACH_XMM(STORE)
    for (unsigned i = 0; i < MSRS; i++)
        r->msr[i] = is_here(i) ? rdmsr(msrs[i]) : given.msr[i];
    r->cr2 = read_cr2();
    __asm__ volatile("mov %%dr0, %0\n mov %%dr1, %1\n mov %%dr2, %2\n mov %%dr3, %3"
                     : "=r"(r->dr[0]), "=r"(r->dr[1]), "=r"(r->dr[2]), "=r"(r->dr[3]));
    uint32_t low = (uint32_t)given.xcr0, high;
    if (has_xsave)
        __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    r->xcr0 = low;
}

/* Others for every command, of the kind each takes. */
static void choose(unsigned number)
{
    memset(&given, 0, sizeof given);
    for (unsigned i = 0; i < XMMS; i++)
        memset(given.xmm[i], (int)(number * 16 + i + 1), sizeof given.xmm[i]);
    for (unsigned i = 0; i < MSRS; i++)
        given.msr[i] = 0x1000 + number * 0x100 + i; /* QEMU keeps 16 bits of SYSENTER_CS */
    given.cr2 = 0xABCD0000 + number;
    for (unsigned i = 0; i < 4; i++)
        given.dr[i] = 0x10000000 + number * 0x100 + i;
    given.xcr0 = number % 2 ? 3 : 1;
}

static uint64_t obey(const char *command)
{
    uint64_t code = DIAGNOSE_COMMAND, b = (uintptr_t)command, c = strlen(command), d = (uintptr_t)answer,
             s = sizeof answer - 1;

    __asm__ volatile("vmcall" : "+a"(code), "+b"(b), "+c"(c), "+d"(d) : "S"(s) : "memory");
    return code ? 100000 + code : b;
}

static void judge(const char *what, const char *when)
{
    store(&found);
    bool xmm = !memcmp(found.xmm, given.xmm, sizeof given.xmm), msr = !memcmp(found.msr, given.msr, sizeof given.msr);
    bool dr = !memcmp(found.dr, given.dr, sizeof given.dr);
    if (xmm && msr && dr && found.cr2 == given.cr2 && found.xcr0 == given.xcr0)
        return;
    guest_failures++;
    guest_print("%s: lost %s:%s%s%s%s", what, when, xmm ? "" : " XMM", dr ? "" : " DRs",
                found.cr2 == given.cr2 ? "" : " CR2", found.xcr0 == given.xcr0 ? "" : " XCR0");
    for (unsigned i = 0; i < MSRS; i++)
        if (found.msr[i] != given.msr[i])
            guest_print(" MSR %#x is %#llx", msrs[i], (unsigned long long)found.msr[i]);
    guest_print("\n");
}

/* What each answers: what it does is tests/unit's matter. A machine that is stopped by one
 * goes on when its user says so. */
static const struct {
    const char *command;
    uint64_t code;
} commands[] = {
    {"QUERY NAMES", 0}, {"QUERY VIRTUAL", 0}, {"QUERY NEST", 0}, {"INDICATE LOAD", 0}, {"INDICATE USER", 0},
    {"HELP", 0}, {"DISPLAY G X PSW 0.100", 0}, {"XAUTOLOG MAINT", 0}, {"XAUTOLOG BOB", 0}, {"XAUTOLOG BOB", 9023},
    {"MSG ALICE x", 0}, {"WNG ALICE x", 0}, {"MSG ALL x", 0}, {"BEGIN", 0}, {"SET NESTED TRAP", 0}, {"SET MSG ON", 0},
    {"TRACE VMX ON", 0}, {"STORE S100 00", 0}, {"STORE RAX 1", 9028}, {"STORE RIP 1", 9028}, {"DETACH 190", 0},
    {"LINK MAINT 190 190 RR", 0}, {"LINK MAINT 191 300 R wrong", 111}, {"SLEEP 1 SEC", 0}, {"LOGON BOB", 54},
    {"FORCE BOB", 0}, {"FORCE MAINT", 0}, {"NONSENSE", 1}, {"STOP", 0},
};

int guest_main(void)
{
    has_xsave = cpuid(1, 0).ecx & CPUID_ECX_XSAVE;
    has_tsc_aux = cpuid(0x80000001, 0).edx >> 27 & 1;
    write_cr4(read_cr4() | CR4_OSFXSR | (has_xsave ? CR4_OSXSAVE : 0));
    for (unsigned i = 0; i < sizeof commands / sizeof *commands; i++) {
        const char *command = commands[i].command;
        choose(i);
        if (!strcmp(command, "STOP"))
            guest_print("somebody says BEGIN\n");
        load(&given);
        uint64_t code = obey(command);
        judge(command, "by the call");
        if (code != commands[i].code) {
            guest_failures++;
            guest_print("%s: code %llu\n%s", command, (unsigned long long)code, answer);
        }
        for (uint64_t until = rdtsc() + AWHILE; rdtsc() < until;) {}
        judge(command, "afterwards");
    }
    guest_print("%u commands, %u failures\n", (unsigned)(sizeof commands / sizeof *commands), (unsigned)guest_failures);
    return guest_failures != 0;
}
