/* Question: do breakpoints on data trap behind a VMX instruction whose operand they are, and those of L2 on data and
 * ports behind what CP carries out for it, whoever takes its #DB, while what exits to L1 meets none? SDM "Breakpoint
 * Field Recognition", "Debug Exceptions" (as VM exits). */
#include "tests/guest/vmx/vm.h"

enum { VECTOR_DB = 1, WRITE = 1, PORT = 2, ACCESS = 3, LINE = 0x3FD, DEVICE = 0xFEE00080, LINEAR_FIELD = 0x681E };
#define DR6_NONE 0xFFFF0FF0ull
#define DR7_NONE 0x400ull
#define CR4_DE 8ull

static struct page region, other;
static struct vm vm = {.region = &region};
static uint8_t buffer[64] __attribute__((aligned(64)));

static volatile struct {
    unsigned count;
    uint64_t dr6;
} got;

static void note(struct guest_frame *frame)
{
    (void)frame;
    got.count++;
    got.dr6 |= read_dr6();
    write_dr6(DR6_NONE);
}

static uint64_t on(unsigned type, unsigned bytes)
{
    static const uint8_t code[9] = {[1] = 0, [2] = 1, [4] = 3, [8] = 2};
    return DR7_NONE | 2 | (uint64_t)(type | code[bytes] << 2) << 16;
}

static void arm(const void *at)
{
    got.count = 0, got.dr6 = 0;
    write_dr0((uintptr_t)at);
    write_dr6(DR6_NONE);
}

static void say(const char *name)
{
    write_dr7(DR7_NONE);
    guest_print("%s: %u, %llx\n", name, got.count, (unsigned long long)(got.dr6 & 0x400F));
}

/* ---- operands of L1 -------------------------------------------------------------------- */

#define WATCH(at, type, bytes, instruction) \
    do { \
        arm(at); \
        write_dr7(on(type, bytes)); \
        __asm__ volatile(instruction : : "D"(buffer), "a"((uint64_t)LINEAR_FIELD), "c"(1ull) : "memory", "cc"); \
        say(instruction); \
    } while (0)

static void operands(void)
{
    uint64_t pointer = (uintptr_t)&region, second = (uintptr_t)&other;

    WATCH(buffer + 4, WRITE, 4, "vmptrst (%%rdi)");
    WATCH(buffer + 8, WRITE, 4, "vmptrst (%%rdi)");
    __builtin_memcpy(buffer, &pointer, sizeof pointer);
    WATCH(buffer, ACCESS, 8, "vmptrld (%%rdi)");
    WATCH(buffer, WRITE, 8, "vmptrld (%%rdi)");
    WATCH(buffer, WRITE, 1, "vmread %%rax, (%%rdi)");
    WATCH(buffer + 7, ACCESS, 1, "vmwrite (%%rdi), %%rax");
    __builtin_memcpy(buffer, &second, sizeof second);
    WATCH(buffer, ACCESS, 1, "vmclear (%%rdi)");
    __builtin_memset(buffer, 0, sizeof buffer);
    WATCH(buffer + 12, ACCESS, 4, "invept (%%rdi), %%rcx");
    WATCH(buffer, ACCESS, 4, "vmxon (%%rdi)"); /* in VMX operation, which fails it before it looks */
}

/* ---- L2 -------------------------------------------------------------------------------- */

static void l2_in(void *unused) { (void)unused, (void)inb(LINE); }
static void l2_load(void *unused) { (void)unused, (void)mmio_read(DEVICE); }
static void l2_ins(void *unused)
{
    (void)unused;
    __asm__ volatile("rep insb" : : "D"(buffer), "c"(4ull), "d"(LINE) : "memory");
}

static void enter(const char *name, void (*body)(void *), uint64_t at, uint64_t dr7, uint32_t bitmap, uint32_t controls)
{
    vm_prepare(&vm);
    vm_entry_controls(ENTRY_LONG_MODE | ENTRY_LOAD_DEBUG_CONTROLS);
    vm_cpu(controls, 0);
    vm_set(VMCS_EXCEPTION_BITMAP, bitmap);
    vm_set(VMCS_GUEST_DR7, dr7);
    arm((const void *)(uintptr_t)at);
    vm_start(&vm, body, NULL);
    vm.registers.rcx = 0;
    vm_run(&vm);
    vm_print_exit(name, &vm);
    guest_print("  pending %#llx RCX %lld", (unsigned long long)vm_get(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS),
                bitmap ? (long long)vm.registers.rcx : 0);
    say(", L2 got");
}

static void l2(void)
{
    const uint32_t db = 1 << VECTOR_DB;

    enter("IN", l2_in, LINE, on(PORT, 1), 0, 0);
    enter("IN, #DB for L1", l2_in, LINE, on(PORT, 1), db, 0);
    enter("IN, which exits", l2_in, LINE, on(PORT, 1), db, CPU_UNCONDITIONAL_IO_EXITING);
    enter("IN, not watched", l2_in, LINE, on(ACCESS, 1), db, 0);
    enter("a device", l2_load, DEVICE, on(ACCESS, 4), 0, 0);
    enter("a device, #DB for L1", l2_load, DEVICE, on(ACCESS, 4), db, 0);
    enter("REP INS", l2_ins, (uintptr_t)buffer + 1, on(WRITE, 1), 0, 0);
    enter("REP INS, #DB for L1", l2_ins, (uintptr_t)buffer + 1, on(WRITE, 1), db, 0);
}

int guest_main(void)
{
    guest_handle(VECTOR_DB, note);
    vm_begin();
    write_cr4(read_cr4() | CR4_DE);
    vm_prepare(&vm);
    vm_stamp(&other, 0);
    operands();
    l2();
    guest_print("end\n");
    return 0;
}
