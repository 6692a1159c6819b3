/* Question: does what a machine sends its console arrive, byte for byte and in order, by whatever ways it mixes: OUT,
 * REP OUTS and DIAGNOSE X'58', between them every other register of the UART written at random? And is what is none of
 * it refused, or stopped where it should? The command line says what: nothing, or "forever", REP OUTS that do not
 * end. */
#include "tests/guest/vmx/vm.h"

#include <string.h>

#include "cp/diagnose.h"

enum { DATA = 0x3F8, IER = DATA + 1, FCR = DATA + 2, LCR = DATA + 3, MCR = DATA + 4, LSR = DATA + 5, MSR = DATA + 6,
       SCRATCH = DATA + 7, EMPTY = 0x20, LOOP = 0x10, DLAB = 0x80, LINES = 1500, LINE = 8, PIECE = 600, PAGE = 4096 };
#define LAPIC 0xFEE00000ull

static struct page source[2];
static struct page region;
static struct vm vm = {.region = &region};

static uint64_t address(const volatile void *p) { return (uint64_t)(uintptr_t)p; }

static uint64_t console(uint64_t at, uint64_t count, uint64_t *taken)
{
    uint64_t code = DIAGNOSE_CONSOLE, c = count, b = at;
    __asm__ volatile("vmcall" : "+a"(code), "+b"(b), "+c"(c) : : "memory");
    *taken = c;
    return code;
}

static void settle(void)
{
    while (!(inb(LSR) & EMPTY)) {}
}

/* ---- what is refused --------------------------------------------------------------------------------------------- */

static void judge(void)
{
    uint64_t end = 0x100000 + (uint64_t)guest_multiboot()->mem_upper * 1024, taken;
    const struct {
        uint64_t at, count, status;
    } cases[] = {{address(source), 0, DIAGNOSE_BAD_LENGTH},
                 {address(source), DIAGNOSE_CONSOLE_MAX + 1, DIAGNOSE_BAD_LENGTH},
                 {address(source), 1ull << 32 | 1, DIAGNOSE_BAD_LENGTH},
                 {address(source), 1ull << 63 | 1, DIAGNOSE_BAD_LENGTH},
                 {address(source), ~0ull, DIAGNOSE_BAD_LENGTH},
                 {~0ull, 1, DIAGNOSE_BAD_ADDRESS},
                 {~0ull - 8, 9, DIAGNOSE_BAD_ADDRESS},
                 {1ull << 52, 1, DIAGNOSE_BAD_ADDRESS},
                 {1ull << 63, 1, DIAGNOSE_BAD_ADDRESS},
                 {LAPIC, 1, DIAGNOSE_BAD_ADDRESS},
                 {end - 1, 2, DIAGNOSE_BAD_ADDRESS},
                 {end, 1, DIAGNOSE_BAD_ADDRESS}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t status = console(cases[i].at, cases[i].count, &taken);
        if (status != cases[i].status || taken != cases[i].count)
            guest_print("case %u\n", i), guest_failures++;
    }
    settle();
    guest_check_equal(console(end - 8, 8, &taken), DIAGNOSE_OK, "the last bytes of storage may be sent");
    outb(MCR, LOOP);
    uint64_t status = console(address(source), 8, &taken);
    outb(MCR, 0);
    guest_check_equal(status, DIAGNOSE_OK, "in loopback the call is none the less one");
    guest_check_equal(taken, 0, "that takes nothing");
}

/* ---- REP OUTS that stop in the middle ---------------------------------------------------------------------------- */

struct repeat {
    uint16_t port;
    uint64_t from, count;
};

static void repeat_out(struct repeat *r)
{
    __asm__ volatile("rep outsb" : "+S"(r->from), "+c"(r->count) : "d"(r->port) : "memory");
}

static struct repeat held;

static void step_repeat(void *unused)
{
    (void)unused;
    __asm__ volatile("mov %0, %%rsi; mov %1, %%rcx; rep outsb; mov %%rsi, %0; mov %%rcx, %1"
                     : "+m"(held.from), "+m"(held.count) : "d"(held.port) : "rsi", "rcx", "memory");
}

static void stop_in_the_middle(void)
{
    uint64_t past = 1ull << 47; /* of the lower half of addresses */
    held = (struct repeat){DATA, past - 4, 8};
    settle();
    guest_check(guest_try(step_repeat, NULL) < 32, "REP OUTS from where nothing is is a fault");
    held = (struct repeat){0x80, address(source), 2 * PAGE};
    guest_check_equal(guest_try(step_repeat, NULL), GUEST_NO_TRAP, "REP OUTS over a page's end is none");
    guest_check_equal(held.count, 0, "and comes to its end");
    guest_check_equal(held.from, address(source) + 2 * PAGE, "with its address");
    outb(LCR, DLAB | 3);
    memset(&source[0], 0x5A, PAGE);
    held = (struct repeat){DATA, address(source), PAGE};
    step_repeat(NULL);
    uint8_t divisor = inb(DATA);
    outb(DATA, 1);
    outb(LCR, 3);
    guest_check_equal(divisor, 0x5A, "a divisor takes the last byte");
    held = (struct repeat){DATA, LAPIC + 0x30, 1}; /* a device's register, which is no storage */
    settle();
    outb(MCR, LOOP);
    outb(FCR, 7);
    repeat_out(&held);
    uint8_t looped = inb(DATA);
    outb(MCR, 0);
    guest_check_equal(held.count, 0, "a device can be read so");
    guest_check_equal(looped, mmio_read(LAPIC + 0x30) & 0xFF, "as it is");
}

/* ---- every way, in order ----------------------------------------------------------------------------------------- */

static uint32_t seed = 1;

static uint32_t any(uint32_t below)
{
    seed = seed * 1103515245 + 12345;
    return (seed >> 8) % below;
}

static void disturb(void)
{
    settle();
    switch (any(8)) {
    case 0: outb(FCR, (uint8_t)any(256)); break;
    case 1: outb(IER, (uint8_t)any(256)); break;
    case 2: outb(MCR, LOOP), outb(DATA, 'x'), outb(FCR, 7), outb(MCR, (uint8_t)any(16)); break;
    case 3: outb(LCR, DLAB), outb(DATA, (uint8_t)any(256)), outb(IER, 3), outb(LCR, (uint8_t)any(128)); break;
    case 4: inb(FCR), inb(MSR), outb(MSR, 255), outb(LSR, 0); break;
    case 5: outw(SCRATCH, 0x5555), outl(LCR, 0x00000003); break;
    default: break;
    }
    outb(LCR, 3);
}

static void by_byte(const char *text, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        settle();
        outb(DATA, (uint8_t)text[i]);
    }
}

static void by_repeat(const char *text, unsigned count)
{
    for (unsigned done = 0; done < count; done += 16) {
        struct repeat r = {DATA, address(text + done), count - done < 16 ? count - done : 16};
        settle();
        repeat_out(&r);
    }
}

static void by_call(const char *text, unsigned count)
{
    for (uint64_t done = 0, taken; done < count; done += taken) {
        settle();
        if (console(address(text + done), count - done, &taken) || taken > count - done)
            guest_exit(99);
        if (taken)
            continue;
        by_byte(text + done, 1);
        taken = 1;
    }
}

static void every_way(void)
{
    static void (*const ways[])(const char *, unsigned) = {by_byte, by_repeat, by_call, by_call};
    static char text[PIECE];
    for (unsigned n = 0; n < LINES;) {
        unsigned length = 0;
        for (unsigned some = any(PIECE / LINE); length < some * LINE && n < LINES; n++, length += LINE) {
            memcpy(text + length, "<00000\r\n", LINE);
            for (unsigned digit = 0, value = n; digit < 5; digit++, value /= 10)
                text[length + 5 - digit] = (char)('0' + value % 10);
        }
        disturb();
        if (length)
            ways[any(4)](text, length);
    }
}

/* ---- from L2 ----------------------------------------------------------------------------------------------------- */

static void l2_calls(void *unused)
{
    uint64_t taken;
    (void)unused;
    console(address(source), 8, &taken);
}

static void l2_repeats(void *unused)
{
    struct repeat r = {DATA, address("from L2\r\n"), 9};
    (void)unused;
    settle();
    repeat_out(&r);
}

static void below(void)
{
    if (!(cpuid(1, 0).ecx & 1u << 5)) {
        guest_print("no VMX\n");
        return;
    }
    vm_begin();
    vm_prepare(&vm);
    vm_start(&vm, l2_calls, NULL);
    vm_run(&vm);
    guest_check(vm.entered == VMX_SUCCEED && !vm_finished(&vm), "L2's call is L1's");
    vm_start(&vm, l2_repeats, NULL);
    vm_run(&vm);
    guest_check(vm.entered == VMX_SUCCEED && vm_finished(&vm), "L2's REP OUTS are sent");
    vmx_off();
}

/* 32 bits of address and count: the address comes round, through devices and what is not there. */
static void forever(void)
{
    static const uint16_t ports[] = {0x80, DATA, IER, FCR, LCR, SCRATCH, 0x2F8, 0x61};
    guest_print("without end\n");
    outb(MCR, LOOP);
    for (unsigned n = 0;; n++) {
        uint64_t from = 0x200000, count = n % 2 ? 100000 : 0xFFFFFFFF;
        __asm__ volatile("addr32 rep outsb"
                         : "+S"(from), "+c"(count) : "d"(ports[n % (sizeof ports / sizeof *ports)]) : "memory");
    }
}

int guest_main(void)
{
    const struct multiboot_information *information = guest_multiboot();
    const char *what = information->flags & 4 ? (const char *)(uintptr_t)information->command_line : "";

    if (strstr(what, "forever"))
        forever();
    if (!(cpuid(DIAGNOSE_LEAF_ASSISTS, 0).eax & DIAGNOSE_ASSIST_CONSOLE))
        return 77;
    judge();
    stop_in_the_middle();
    guest_print("BEGIN\n");
    every_way();
    outb(MCR, 3);
    settle();
    guest_print("END\n");
    below();
    return guest_failures ? 1 : 0;
}
