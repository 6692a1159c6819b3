/* Question: does a guest find in each component of x87 and vector state what it put there, and nothing of another's? It
 * does as is typed: "s" puts a secret into every component that XSETBV lets it have, offered or not, hides them all,
 * and looks whether they are still there whenever it shows them again; "d" does so with its session disconnected; "g"
 * looks whether every component is in its initial state, as those of a machine that never used them must be. With "avx"
 * in the command line it never enables more than AVX. */
#include "tests/guest/runtime/runtime.h"

#include <string.h>

#include "cp/diagnose.h"

enum { CR4_OSFXSR = 1 << 9, CR4_OSXSAVE = 1 << 18, CPUID_XSAVE = 1 << 26, HEADER = 512, MXCSR = 24, VECTOR_GP = 13,
       X87_AND_SSE = 3, AVX_AND_BELOW = 7, ROUNDS = 4, BOUNDS_CONFIG = 4, PKRU = 9,
       SPIN_MS = 12 /* more than CP lets a machine run while another waits */ };

/* Where the standard form has them; CPUID tells only of what is offered. SDM
 * "Determining the XSAVE-Managed Features" */
static const struct component {
    const char *name;
    uint64_t with; /* what XSETBV wants together */
    unsigned number, offset, bytes;
} components[] = {
    {"x87", 1, 0, 32, 128}, {"SSE", 3, 1, 160, 256}, {"AVX", 7, 2, 576, 256}, {"BNDREGS", 0x18, 3, 960, 64},
    {"BNDCSR", 0x18, 4, 1024, 16}, {"opmask", 0xE7, 5, 1088, 64}, {"ZMM_Hi256", 0xE7, 6, 1152, 512},
    {"Hi16_ZMM", 0xE7, 7, 1664, 1024}, {"PKRU", 0x200, PKRU, 2688, 4},
};
#define EACH(c) (const struct component *c = components; c < components + sizeof components / sizeof *components; c++)

static uint8_t area[4096] __attribute__((aligned(64))), secrets[4096] __attribute__((aligned(64)));
static uint64_t all = 1;

static void xsetbv(void *value)
{
    uint64_t v = *(const uint64_t *)value;
    __asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)) : "memory");
}

static void show(void) { xsetbv(&all); }

static void hide(void)
{
    static const uint64_t none = 1;
    xsetbv((void *)(uintptr_t)&none);
}

static void save(void)
{
    memset(area, 0, sizeof area);
    __asm__ volatile("xsave64 %0" : "=m"(area) : "a"(~0u), "d"(~0u) : "memory");
}

static uint64_t most(void)
{
    const struct multiboot_information *information = guest_multiboot();
    bool some = (information->flags & 4) && strstr((const char *)(uintptr_t)information->command_line, "avx");
    return some ? AVX_AND_BELOW : ~0ull;
}

static void begin(void)
{
    if (!(cpuid(1, 0).ecx & CPUID_XSAVE)) {
        guest_print("no XSAVE here\n");
        guest_exit(2);
    }
    write_cr4(read_cr4() | CR4_OSFXSR | CR4_OSXSAVE);
    for EACH(c) {
        uint64_t more = all | c->with;
        if (!(c->with & ~most()) && guest_try(xsetbv, &more) == GUEST_NO_TRAP)
            all = more;
    }
    hide();
    guest_print("components %llx\n", (unsigned long long)all);
}

/* Words that each component takes. */
static uint64_t secret(const struct component *c, unsigned n)
{
    if (c->number == BOUNDS_CONFIG) /* a canonical address of a page, not enabled */
        return n ? 0 : 0x414C4943E000;
    return c->number == PKRU ? 0x55555554 : 0x45534F4E41ull << 16 | c->number << 8 | n;
}

static bool has(const struct component *c) { return all >> c->number & 1; }

static void make_secrets(void)
{
    *(uint64_t *)(void *)(secrets + HEADER) = all | X87_AND_SSE;
    *(uint32_t *)(void *)(secrets + MXCSR) = 0x1FBF;
    *(uint16_t *)(void *)secrets = 0x37F;
    for EACH(c)
        for (unsigned n = 0; has(c) && n < (c->bytes + 7) / 8; n++) {
            uint64_t word = secret(c, n);
            if (c->number || !(n & 1)) /* of x87's sixteen bytes ten */
                memcpy(secrets + c->offset + 8 * n, &word, c->bytes < 8 ? c->bytes : 8);
        }
}

static void keep_secrets(void)
{
    make_secrets();
    show();
    __asm__ volatile("xrstor64 %0" : : "m"(secrets), "a"(~0u), "d"(~0u) : "memory");
    hide();
    guest_print("secrets are kept\n");
}

static void secrets_are_there(void)
{
    show();
    save();
    hide();
    if (*(uint32_t *)(void *)(area + MXCSR) != *(uint32_t *)(void *)(secrets + MXCSR))
        guest_print("LOST: MXCSR\n");
    for EACH(c)
        if (has(c) && memcmp(area + c->offset, secrets + c->offset, c->bytes))
            guest_print("LOST: %s\n", c->name);
}

static void disconnect(void)
{
    static const char command[] = "DISCONNECT";
    uint64_t code = DIAGNOSE_COMMAND, text = (uint64_t)(uintptr_t)command, length = sizeof command - 1, buffer = 0;

    __asm__ volatile("vmcall" : "+a"(code), "+b"(text), "+c"(length), "+d"(buffer) : "S"(0ull) : "memory", "cc");
}

static void spin(void)
{
    for (uint64_t until = rdtsc() + (uint64_t)SPIN_MS * cpuid(DIAGNOSE_LEAF_CLOCK, 0).eax; rdtsc() < until;)
        ;
}

static void look(void)
{
    unsigned found = 0;

    show();
    save();
    hide();
    if (*(uint32_t *)(void *)(area + MXCSR) != 0x1F80) {
        guest_print("FOUND: MXCSR\n");
        found++;
    }
    for EACH(c) {
        bool zero = true;
        for (unsigned i = 0; i < c->bytes; i++)
            zero &= !area[c->offset + i];
        if (has(c) && !zero) {
            guest_print("FOUND: %s\n", c->name);
            found++;
        }
    }
    guest_print("round: %u components of another's\n", found);
}

int guest_main(void)
{
    bool keeps = false;

    begin();
    guest_print("ready\n");
    for (unsigned rounds = 0;;) {
        int c = guest_get_ready();
        if (c == 's' || c == 'd') {
            keep_secrets();
            keeps = true;
        }
        if (c == 'd')
            disconnect();
        if (c == 'g')
            rounds = ROUNDS;
        spin();
        if (keeps)
            secrets_are_there();
        if (!rounds)
            continue;
        look();
        if (!--rounds)
            guest_print("looked\n");
    }
}
