/* Question: does XSETBV take exactly the combinations of components that leaf 0DH offers, whoever judges it, and is a
 * state that is not a state refused where it is loaded, as #GP in who loads it? SDM "XSETBV", "XRSTOR": SSE with AVX,
 * MPX's two together, 1 always. */
#include "tests/guest/runtime/runtime.h"

#include <string.h>

enum { CR4_OSFXSR = 1 << 9, CR4_OSXSAVE = 1 << 18, VECTOR_UD = 6, VECTOR_NM = 7, VECTOR_GP = 13, CR0_TS = 8, MXCSR = 24,
       XSTATE_BV = 512 };
static uint8_t area[8192] __attribute__((aligned(64)));
static uint32_t xcr, low, high;

static void set(void *unused) { (void)unused; __asm__ volatile("xsetbv" : : "c"(xcr), "a"(low), "d"(high)); }
static uint64_t get(void)
{
    uint32_t a, d;
    __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    return (uint64_t)d << 32 | a;
}
static void get_other(void *number) { __asm__ volatile("xgetbv" : : "c"((uint32_t)(uintptr_t)number) : "rax", "rdx"); }
static void restore(void *from) { __asm__ volatile("xrstor (%0)" : : "r"(from), "a"(~0u), "d"(~0u) : "memory"); }
static void save(void *to) { __asm__ volatile("xsave (%0)" : : "r"(to), "a"(~0u), "d"(~0u) : "memory"); }
static void fx_restore(void *from) { __asm__ volatile("fxrstor (%0)" : : "r"(from) : "memory"); }

static uint8_t try_set(uint32_t number, uint64_t value)
{
    xcr = number, low = (uint32_t)value, high = (uint32_t)(value >> 32);
    return guest_try(set, NULL);
}

static bool allowed(uint64_t value, uint64_t offered)
{
    return (value & 1) && !(value & ~offered) && (!(value & 4) || (value & 2)) && (value >> 3 & 3) % 3 == 0 &&
           ((value & 0xE0) == 0 || ((value & 0xE0) == 0xE0 && (value & 4)));
}

int guest_main(void)
{
    if (!(cpuid(1, 0).ecx & 1 << 26)) {
        guest_print("no XSAVE\n");
        return 1;
    }
    guest_check_equal(try_set(0, 1), VECTOR_UD, "not without CR4.OSXSAVE");
    write_cr4(read_cr4() | CR4_OSFXSR | CR4_OSXSAVE);
    struct guest_cpuid leaf = cpuid(13, 0);
    uint64_t offered = (uint64_t)leaf.edx << 32 | leaf.eax;
    unsigned wrong = 0, changed = 0;
    for (uint64_t value = 0; value < 0x400; value++) {
        uint64_t before = get();
        bool taken = try_set(0, value) == GUEST_NO_TRAP;
        wrong += taken != allowed(value, offered);
        changed += get() != (taken ? value : before);
    }
    for (unsigned bit = 10; bit < 64; bit++)
        wrong += (try_set(0, 1ull << bit | 1) == GUEST_NO_TRAP) != allowed(1ull << bit | 1, offered);
    guest_check_equal(wrong, 0, "combinations judged otherwise than leaf 0DH says");
    guest_check_equal(changed, 0, "values that are not the one last taken");
    guest_check_equal(try_set(1, 1), VECTOR_GP, "no XCR1");
    guest_check_equal(try_set(~0u, 1), VECTOR_GP, "no last one");
    guest_check_equal(guest_try(get_other, (void *)2), VECTOR_GP, "XCR2 cannot be read");
    (void)try_set(0, offered & 7);
    save(area);
    guest_check_equal(guest_try(restore, area), GUEST_NO_TRAP, "what was saved is restored");
    area[MXCSR + 2] = 1;
    area[XSTATE_BV] |= 2;
    guest_check_equal(guest_try(restore, area), VECTOR_GP, "a reserved bit of MXCSR");
    guest_check_equal(guest_try(fx_restore, area), VECTOR_GP, "by FXRSTOR too");
    area[MXCSR + 2] = 0;
    area[XSTATE_BV + 7] = 0x40;
    guest_check_equal(guest_try(restore, area), VECTOR_GP, "a component that is not enabled");
    area[XSTATE_BV + 7] = 0;
    area[XSTATE_BV + 16] = 1;
    guest_check_equal(guest_try(restore, area), VECTOR_GP, "a header that is not 0");
    area[XSTATE_BV + 16] = 0;
    guest_check_equal(guest_try(restore, area + 8), VECTOR_GP, "an area that is not aligned");
    write_cr0(read_cr0() | CR0_TS);
    guest_check_equal(guest_try(save, area), VECTOR_NM, "CR0.TS");
    (void)cpuid(0, 0); /* an exit, after which it is still so */
    guest_check_equal(guest_try(restore, area), VECTOR_NM, "and behind an exit");
    guest_print("end\n");
    return (int)guest_failures;
}
