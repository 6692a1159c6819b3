/* What the processor needs for programs, and what of it goes with a thread. */
#include "cms/cpu/user.h"

#include <string.h>

#include "cms/cpu/cpu.h"
#include "cms/cpu/entry.h"
#include "cms/cpu/user_trap.h"

_Static_assert(sizeof(struct trap_frame) == ENTRY_FRAME && offsetof(struct trap_frame, vector) == ENTRY_FRAME_VECTOR &&
                   offsetof(struct trap_frame, cs) == ENTRY_FRAME_CS &&
                   offsetof(struct trap_frame, rsp) == ENTRY_FRAME_RSP && USER_CODE == ENTRY_USER_CODE &&
                   USER_DATA == ENTRY_USER_DATA && (int)TRAP_SYSTEM_CALL == ENTRY_SYSTEM_CALL,
               "as the assembly has it");

enum { MSR_SYSENTER_CS = 0x174, MSR_STAR = 0xc0000081, MSR_LSTAR = 0xc0000082, MSR_SFMASK = 0xc0000084,
       MSR_FS_BASE = 0xc0000100, MSR_GS_BASE = 0xc0000101 };
enum { CR4_OSFXSR = 1 << 9, CR4_OSXMMEXCPT = 1 << 10, CR4_UMIP = 1 << 11, CR4_FSGSBASE = 1 << 16,
       CR4_OSXSAVE = 1 << 18, CR4_SMEP = 1 << 20 };
enum { LEAF1_ECX_XSAVE = 1 << 26 };
enum { LEAF7_EBX_FSGSBASE = 1 << 0, LEAF7_EBX_SMEP = 1 << 7, LEAF7_ECX_UMIP = 1 << 2 };
enum { LEAF_FEATURES = 7, LEAF_XSAVE = 0x0d };
enum { XCR0_KNOWN = 0xe7 }; /* x87 SSE AVX AVX-512: what needs nothing but the area */
enum { FXSAVE_SIZE = 512, XSAVE_HEADER_SIZE = 64 };
enum { FCW = 0, FCW_INITIAL = 0x37f, MXCSR = 24, MXCSR_MASK = 28, MXCSR_INITIAL = 0x1f80, MXCSR_MASK_LEAST = 0xffbf };

/* CF PF AF ZF SF TF DF OF NT AC ID are a program's own. */
enum { FLAG_ALWAYS = 1 << 1, FLAG_TF = 1 << 8, FLAG_IF = 1 << 9, FLAGS_OF_PROGRAMS = 0x244dd5 };
/* Off while the kernel runs: TF IF DF IOPL NT AC. */
enum { FLAGS_MASKED = 0x47700 };
enum { CODE_TOP_BITS = 47 }; /* SYSRET, and IRET, to what is not canonical fault in the kernel */

extern char canary_block[], stack_top[], tss[], user_system_call[], context_begin[];
bool user_tame(struct trap_frame *frame);

struct user_seams user_seams_now; /* the entry of SYSCALL calls the first */
_Static_assert(offsetof(struct user_seams, system_call) == 0, "as the assembly has it");

static uint64_t cr4, xcr0; /* as user_start() made them; cr4 0: not yet. xcr0 0: there is no XSAVE */
static size_t extended_size = FXSAVE_SIZE;
static uint64_t kernel_root; /* CR3 of the command level */
static uint64_t loaded_root; /* 0: that one */

void user_set_seams(const struct user_seams *seams)
{
    user_seams_now = *seams;
}

/* ---- the processor ------------------------------------------------------------------------------------------- */

/* Not SMAP: the kernel never uses a program's addresses anyway, and with it QEMU's processor takes the pops of a
 * program's far return for the kernel's. */
static void start_features(void)
{
    uint64_t wanted = cpu_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT;
    bool xsave = cpu_id(1).ecx & LEAF1_ECX_XSAVE;

    if (cpu_id(0).eax >= LEAF_FEATURES) {
        struct cpu_leaf l = cpu_id(LEAF_FEATURES);
        wanted |= (l.ebx & LEAF7_EBX_FSGSBASE ? CR4_FSGSBASE : 0) | (l.ebx & LEAF7_EBX_SMEP ? CR4_SMEP : 0) |
                  (l.ecx & LEAF7_ECX_UMIP ? CR4_UMIP : 0);
    }
    wanted = xsave ? wanted | CR4_OSXSAVE : wanted & ~(uint64_t)CR4_OSXSAVE;
    cpu_set_cr4(wanted);
    cr4 = wanted;
    xcr0 = 0;
    extended_size = FXSAVE_SIZE;
    if (!xsave)
        return;
    xcr0 = cpu_id(LEAF_XSAVE).eax & XCR0_KNOWN;
    cpu_set_xcr0(xcr0);
    extended_size = cpu_id(LEAF_XSAVE).ebx;
}

static void start_system_calls(void)
{
    cpu_set_msr(MSR_STAR, (uint64_t)(USER_DATA - 8) << 48 | (uint64_t)ENTRY_KERNEL_CODE << 32);
    cpu_set_msr(MSR_LSTAR, (uintptr_t)user_system_call);
    cpu_set_msr(MSR_SFMASK, FLAGS_MASKED);
    cpu_set_msr(MSR_SYSENTER_CS, 0); /* there is no other way in */
}

void user_start(void)
{
    if (!loaded_root)
        kernel_root = cpu_cr3();
    if (!cr4 || cpu_cr4() != cr4 || (xcr0 && cpu_xcr0() != xcr0))
        start_features();
    if (cpu_msr(MSR_LSTAR) != (uintptr_t)user_system_call)
        start_system_calls();
}

/* ---- kernel stacks ------------------------------------------------------------------------------------------- */

void context_make(struct context *context, void *stack, void (*entry)(void *), void *argument)
{
    struct {
        uint64_t r15, r14, r13, r12, rbp, rbx, rip, end[2];
    } *top = (void *)((char *)stack + KERNEL_STACK - sizeof *top);

    memset(top, 0, sizeof *top);
    top->r12 = (uintptr_t)entry;
    top->r13 = (uintptr_t)argument;
    top->rip = (uintptr_t)context_begin;
    context->rsp = (uintptr_t)top;
}

/* ---- x87 and vector registers -------------------------------------------------------------------------------- */

size_t user_extended_size(void)
{
    return extended_size;
}

uint64_t user_extended_features(void)
{
    return xcr0;
}

static void put32(void *area, unsigned offset, uint32_t value)
{
    memcpy((char *)area + offset, &value, sizeof value);
}

static uint32_t get32(const void *area, unsigned offset)
{
    uint32_t value;
    memcpy(&value, (const char *)area + offset, sizeof value);
    return value;
}

void user_extended_begin(void *area)
{
    memset(area, 0, extended_size);
    put32(area, FCW, FCW_INITIAL);
    put32(area, MXCSR, MXCSR_INITIAL);
}

void user_extended_copy(void *to, const void *from)
{
    memcpy(to, from, extended_size);
}

void user_extended_save(void *area)
{
    if (xcr0)
        cpu_xsave(area);
    else
        cpu_fxsave(area);
}

void user_extended_restore(const void *area)
{
    if (xcr0)
        cpu_xrstor(area);
    else
        cpu_fxrstor(area);
}

/* SDM "XRSTOR", "FXRSTOR": a reserved bit of MXCSR or of the header faults, in the kernel. */
void user_extended_tame(void *area)
{
    char live[FXSAVE_SIZE] __attribute__((aligned(16)));
    cpu_fxsave(live);
    uint32_t mask = get32(live, MXCSR_MASK);
    put32(area, MXCSR, get32(area, MXCSR) & (mask ? mask : MXCSR_MASK_LEAST));
    if (!xcr0)
        return;
    uint64_t present;
    char *header = (char *)area + FXSAVE_SIZE;
    memcpy(&present, header, sizeof present);
    present &= xcr0;
    memset(header, 0, XSAVE_HEADER_SIZE);
    memcpy(header, &present, sizeof present);
}

/* ---- threads ------------------------------------------------------------------------------------------------- */

static void set_fs_base(uint64_t base)
{
    if (cr4 & CR4_FSGSBASE)
        cpu_set_fs_base(base);
    else
        cpu_set_msr(MSR_FS_BASE, base);
}

static void set_gs_base(uint64_t base)
{
    if (cr4 & CR4_FSGSBASE)
        cpu_set_gs_base(base);
    else
        cpu_set_msr(MSR_GS_BASE, base);
}

static void set_stack(uint64_t top)
{
    memcpy(tss + ENTRY_TSS_RSP0, &top, sizeof top);
}

static void load_root(uint64_t root)
{
    if (root == loaded_root)
        return;
    loaded_root = root;
    cpu_set_cr3(root ? root : kernel_root);
}

static void load(const struct user_state *to)
{
    load_root(to->root);
    set_stack(to->stack_top);
    cpu_clear_selectors();
    set_fs_base(to->fs_base);
    set_gs_base(to->gs_base);
}

void user_root_goes(uint64_t root)
{
    if (root == loaded_root)
        load_root(0);
}

/* libfdt, which only the command level calls, has its canary where FS says. */
static void load_command_level(void)
{
    load_root(0);
    set_stack((uintptr_t)stack_top);
    cpu_clear_selectors();
    set_fs_base((uintptr_t)canary_block);
}

static void note_bases(struct user_state *from)
{
    if (!(cr4 & CR4_FSGSBASE))
        return; /* then only arch_prctl changes them */
    from->fs_base = cpu_fs_base();
    from->gs_base = cpu_gs_base();
}

void user_state_load(const struct user_state *to)
{
    if (to)
        load(to);
    else if (cr4)
        load_command_level();
}

void user_state_switch(struct user_state *from, const struct user_state *to)
{
    if (from) {
        note_bases(from);
        if (from->extended)
            user_extended_save(from->extended);
    }
    user_state_load(to);
    if (to && to->extended)
        user_extended_restore(to->extended);
}

void user_state_note(struct user_state *running)
{
    note_bases(running);
}

uint64_t user_hardware(void)
{
    return cpu_id(1).edx;
}

uint64_t user_fault_address(void)
{
    return cpu_fault_address();
}

/* ---- to and from programs ------------------------------------------------------------------------------------ */

void user_take_exception(struct trap_frame *frame)
{
    user_seams_now.exception(frame);
}

void user_take_interrupt(struct trap_frame *frame)
{
    user_seams_now.interrupted(frame);
}

/* Whatever the frame says, the program gets no more than a program may have; the processor would find fault with an
 * address that is not canonical while still in the kernel, so it is the program's here. True: SYSRET can do it. */
bool user_tame(struct trap_frame *frame)
{
    while (frame->rip >> CODE_TOP_BITS) {
        frame->vector = TRAP_PROTECTION;
        frame->error = 0;
        user_seams_now.exception(frame);
        cpu_interrupts_off();
    }
    frame->cs = USER_CODE;
    frame->ss = USER_DATA;
    frame->rflags = (frame->rflags & FLAGS_OF_PROGRAMS) | FLAG_ALWAYS | FLAG_IF;
    return frame->rcx == frame->rip && frame->r11 == frame->rflags && !(frame->rflags & FLAG_TF);
}
