/* Question: do a debug exception and an alignment check arrive as they were raised, wherever they pass through on their
 * way? Each is raised by the payload itself, by its guest, and by its guest while the payload intercepts it. */
#include "tests/guest/vmx/vm.h"

#include <string.h>

enum { VECTOR_DB = 1, VECTOR_AC = 17, TF = 1 << 8, RF = 1 << 16, AC = 1 << 18, CR0_AM = 1 << 18, DR7_PLAIN = 0x400,
       DR7_EXECUTE_0 = 1, DR7_WRITE_1 = 1 << 2 | 0xD << 20, DR7_GENERAL = 1 << 13, CODE = 8, DATA = 0x10, TASK = 0x18,
       CODE_3 = 0x2B, DATA_3 = 0x33, RIGHTS_CODE_3 = 0xA0FB, RIGHTS_DATA_3 = 0xC0F3, USER = 4, PIC_MASTER = 0x20,
       PIC_SLAVE = 0xA0 };
#define DR6_PLAIN 0xFFFF0FF0ull
#define DR6_STALE (DR6_PLAIN | 8) /* a breakpoint of long ago */

static struct page region;
static struct vm vm = {.region = &region};

/* ---- debug registers --------------------------------------------------------------------- */

/* ---- what the handlers get ------------------------------------------------------------------ */

static uint64_t place;
uint64_t debug_rsp; /* offsets are from `place` */
extern char debug_back[];

static void print(const struct guest_frame *frame)
{
    uint64_t dr6 = read_dr6(), dr7 = read_dr7();
    guest_print("    #%llu at %+lld error %llu RF %u DR6 %#llx DR7 %#llx\n", (unsigned long long)frame->vector,
                (long long)(frame->rip - place), (unsigned long long)frame->error, !!(frame->rflags & RF),
                (unsigned long long)dr6, (unsigned long long)dr7);
}

/* One each: nothing is armed behind it. */
static void on_debug(struct guest_frame *frame)
{
    print(frame);
    write_dr6(DR6_PLAIN);
    write_dr7(DR7_PLAIN);
    frame->rflags &= ~(uint64_t)TF;
}

/* From user mode: back to where it was left. */
static void on_alignment(struct guest_frame *frame)
{
    print(frame);
    frame->cs = CODE;
    frame->ss = DATA;
    frame->rip = (uint64_t)(uintptr_t)debug_back;
    frame->rsp = debug_rsp;
    frame->rflags = 2;
}

/* ---- who raises them: each calls its place 0 -------------------------------------------------- */

#define BODY(name, text) \
    void debug_##name(void); \
    extern char debug_##name##_place[]; \
    __asm__(".text\ndebug_" #name ":\n push %rbx\n" text "\n pop %rbx\n ret\n")
#define STEP " pushf\n orl $0x100, (%rsp)\n popf\n"

BODY(step, STEP "debug_step_place: nop\n nop\n");
BODY(sti, STEP "debug_sti_place: sti\n nop\n cli\n");
BODY(mov_ss, " mov %ss, %ebx\n" STEP "debug_mov_ss_place: mov %ebx, %ss\n nop\n nop\n");
BODY(cpuid, " mov %ss, %ebx\n" STEP "debug_cpuid_place: mov %ebx, %ss\n cpuid\n nop\n");
BODY(execute, "debug_execute_place: nop\n nop\n");
BODY(write, "debug_write_place: movl $1, debug_watched(%rip)\n nop\n");
BODY(general, " mov %dr7, %rax\n or $0x2000, %eax\n mov %rax, %dr7\ndebug_general_place: mov %dr6, %rax\n nop\n");
BODY(general_sti,
     " mov %dr7, %rax\n or $0x2000, %eax\n mov %rax, %dr7\n sti\ndebug_general_sti_place: mov %dr6, %rax\n cli\n");
BODY(int1, "debug_int1_place: .byte 0xF1\n nop\n");
BODY(int1_stepped, STEP "debug_int1_stepped_place: .byte 0xF1\n nop\n");
BODY(int1_mov_ss, " mov %ss, %ebx\ndebug_int1_mov_ss_place: mov %ebx, %ss\n .byte 0xF1\n nop\n");
/* to ring 3 with RFLAGS.AC, where a misaligned access is made */
BODY(alignment, " push %rbp\n push %r12\n mov %rsp, debug_rsp(%rip)\n lea debug_watched(%rip), %rbx\n"
                " pushq $0x33\n push %rsp\n pushq $0x40002\n pushq $0x2B\n"
                " lea debug_alignment_place(%rip), %rax\n push %rax\n iretq\n"
                "debug_alignment_place: mov 1(%rbx), %eax\n ud2\n"
                "debug_back: pop %r12\n pop %rbp\n");
uint32_t debug_watched[4] __attribute__((aligned(16)));

static const struct raiser {
    const char *name;
    void (*body)(void);
    const char *place;
    uint64_t dr7;
    bool exits; /* by itself: not for L2 */
} raisers[] = {
    {"a step", debug_step, debug_step_place, 0, false},
    {"a step over STI", debug_sti, debug_sti_place, 0, false},
    {"a step over MOV SS", debug_mov_ss, debug_mov_ss_place, 0, false},
    {"a step over MOV SS and CPUID", debug_cpuid, debug_cpuid_place, 0, true},
    {"a breakpoint at an instruction", debug_execute, debug_execute_place, DR7_EXECUTE_0, false},
    {"a breakpoint at data", debug_write, debug_write_place, DR7_WRITE_1, false},
    {"general detect", debug_general, debug_general_place, 0, false},
    {"general detect behind STI", debug_general_sti, debug_general_sti_place, 0, false},
    {"INT1", debug_int1, debug_int1_place, 0, false},
    {"INT1, stepped", debug_int1_stepped, debug_int1_stepped_place, 0, false},
    {"INT1 behind MOV SS", debug_int1_mov_ss, debug_int1_mov_ss_place, 0, false},
    {"alignment", debug_alignment, debug_alignment_place, 0, false},
};

static void arm(const struct raiser *r)
{
    place = (uint64_t)(uintptr_t)r->place;
    write_dr0(place);
    write_dr1((uint64_t)(uintptr_t)debug_watched);
    write_dr6(DR6_STALE);
    write_dr7(DR7_PLAIN | r->dr7);
}

static void l2(void *raiser)
{
    const struct raiser *r = raiser;
    arm(r);
    r->body();
}

/* ---- user mode ------------------------------------------------------------------------------------ */

static uint64_t gdt[] = {0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF, 0, 0, 0x00AFFB000000FFFF, 0x00CFF3000000FFFF};
static struct {
    uint32_t reserved;
    uint64_t rsp0, rest[12];
} __attribute__((packed)) tss;
static uint8_t stack_0[8192] __attribute__((aligned(16)));

/* All of the first 4 GiB is the user's too; TR, for the stack of ring 0, is in vm.h's TASK. */
static void user_begin(void)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) gdtr = {sizeof gdt - 1, (uint64_t)(uintptr_t)gdt};
    uint64_t *top = (uint64_t *)(uintptr_t)(read_cr3() & ~0xFFFull),
             *pointers = (uint64_t *)(uintptr_t)(top[0] & ~0xFFFull);
    uint64_t at = (uint64_t)(uintptr_t)&tss;

    top[0] |= USER;
    for (unsigned i = 0; i < 4; i++) {
        uint64_t *directory = (uint64_t *)(uintptr_t)(pointers[i] & ~0xFFFull);
        pointers[i] |= USER;
        for (unsigned j = 0; j < 512; j++)
            directory[j] |= USER;
    }
    write_cr3(read_cr3());
    tss.rsp0 = (uint64_t)(uintptr_t)(stack_0 + sizeof stack_0);
    gdt[3] = (sizeof tss - 1) | (at & 0xFFFFFF) << 16 | 0x89ull << 40 | (at >> 24 & 0xFF) << 56;
    gdt[4] = at >> 32;
    __asm__ volatile("lgdt %0; ltr %w1" : : "m"(gdtr), "r"(TASK));
    write_cr0(read_cr0() | CR0_AM);
}

/* ---- who they pass ------------------------------------------------------------------------------ */

static void in_l2(const struct raiser *r, uint32_t intercepted)
{
    vm_prepare(&vm);
    vm_set(VMCS_HOST_TR_BASE, (uint64_t)(uintptr_t)&tss);
    vm_set(VMCS_GUEST_TR_BASE, (uint64_t)(uintptr_t)&tss);
    vm_exit_controls(EXIT_SAVE_DEBUG_CONTROLS);
    vm_entry_controls(ENTRY_LONG_MODE | ENTRY_LOAD_DEBUG_CONTROLS);
    vm_start(&vm, l2, (void *)(uintptr_t)r);
    vm_set(VMCS_EXCEPTION_BITMAP, intercepted);
    vm_run(&vm);
    if (!intercepted) {
        guest_check(vm_finished(&vm) && vm.entered == VMX_SUCCEED, "L2 came to its end");
        return;
    }
    vm_print_exit("    exit", &vm);
    guest_print("    at %+lld RF %u blocking %#llx pending %#llx DR7 %#llx; DR6 %#llx\n",
                (long long)(vm.exit.rip - place), !!(vm_get(VMCS_GUEST_RFLAGS) & RF),
                (unsigned long long)vm_get(VMCS_GUEST_INTERRUPTIBILITY),
                (unsigned long long)vm_get(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS),
                (unsigned long long)vm_get(VMCS_GUEST_DR7), (unsigned long long)read_dr6());
}

/* No interrupt comes when a body has them on. */
static void mask_interrupts(void)
{
    outb(PIC_SLAVE + 1, 0xFF);
    outb(PIC_MASTER + 1, 0xFF);
}

int guest_main(void)
{
    vm_begin();
    user_begin();
    mask_interrupts();
    guest_handle(VECTOR_DB, on_debug);
    guest_handle(VECTOR_AC, on_alignment);
    for (const struct raiser *r = raisers; r < raisers + sizeof raisers / sizeof *raisers; r++) {
        guest_print("%s\n  of L1\n", r->name);
        l2((void *)(uintptr_t)r);
        if (r->exits)
            continue;
        guest_print("  of L2\n");
        in_l2(r, 0);
        guest_print("  of L2, intercepted\n");
        in_l2(r, 1 << VECTOR_DB | 1 << VECTOR_AC);
        write_dr7(DR7_PLAIN);
    }
    guest_print("end\n");
    return (int)guest_failures;
}
