/* The processor's doors: what a program must not do ends it by the right signal, whatever its registers are just then;
 * what it may do it does, and its registers are its own. */
#include "tests/programs/abi/abi.h"

#include <sys/syscall.h>
#include <ucontext.h>

#define CLOBBERS "memory", "cc", "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11"
#define CHILD(name, text)                       \
    static void name(void)                      \
    {                                           \
        __asm__ volatile(text : : : CLOBBERS);  \
    }
#define NOTHING "mov $39, %%eax; syscall;" /* getpid */
#define LIVES "mov $60, %%eax; mov $7, %%edi; syscall;"
#define FLAGS(set) "pushf; orl $" #set ", (%%rsp); popf;"

static bool dies_by(void (*child)(void), int signal)
{
    int status = run_child(child);
    return WIFSIGNALED(status) && WTERMSIG(status) == signal;
}

static bool lives(void (*child)(void))
{
    int status = run_child(child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 7;
}

/* ---- instructions ------------------------------------------------------------------------------------------------ */

CHILD(hlt, "hlt")
CHILD(cli, "cli")
CHILD(in, "in $0x60, %%al")
CHILD(out, "mov $0x3f8, %%edx; out %%al, %%dx")
CHILD(rdmsr, "mov $0xc0000080, %%ecx; rdmsr")
CHILD(read_cr3, "mov %%cr3, %%rax")
CHILD(lgdt, "sub $16, %%rsp; lgdt (%%rsp)")
CHILD(swapgs, "swapgs")
CHILD(sysret, "sysretq")
CHILD(xsetbv, "xor %%ecx, %%ecx; mov $1, %%eax; xor %%edx, %%edx; xsetbv")
CHILD(int_2, "int $2")
CHILD(int_8, "int $8")
CHILD(int_33, "int $33")
CHILD(kernel_data, "mov $0x10, %%eax; mov %%ax, %%ds")
CHILD(kernel_code, "push $0x08; lea 1f(%%rip), %%rax; push %%rax; lretq; 1: nop")
CHILD(undefined, "ud2")
CHILD(breakpoint, "int3")
CHILD(divide, "xor %%ecx, %%ecx; xor %%edx, %%edx; mov $1, %%eax; div %%ecx")

static void privileged_instructions_are_refused(void)
{
    CHECK(dies_by(hlt, SIGSEGV) && dies_by(cli, SIGSEGV) && dies_by(in, SIGSEGV) && dies_by(out, SIGSEGV));
    CHECK(dies_by(rdmsr, SIGSEGV) && dies_by(read_cr3, SIGSEGV) && dies_by(lgdt, SIGSEGV));
    CHECK(dies_by(swapgs, SIGSEGV) && dies_by(sysret, SIGSEGV));
    CHECK(dies_by(xsetbv, SIGSEGV) || dies_by(xsetbv, SIGILL)); /* the latter where there is no XSAVE */
    CHECK(dies_by(int_2, SIGSEGV) && dies_by(int_8, SIGSEGV) && dies_by(int_33, SIGSEGV));
    CHECK(dies_by(kernel_data, SIGSEGV) && dies_by(kernel_code, SIGSEGV));
}

static void exceptions_have_their_signals(void)
{
    CHECK(dies_by(undefined, SIGILL) && dies_by(breakpoint, SIGTRAP) && dies_by(divide, SIGFPE));
}

/* ---- addresses --------------------------------------------------------------------------------------------------- */

CHILD(read_kernel, "mov $0xffffffff80100000, %%rax; mov (%%rax), %%rax")
CHILD(read_direct, "mov $0xffff800000100000, %%rax; mov (%%rax), %%rax")
CHILD(read_wild, "mov $0x1234567890abcdef, %%rax; mov (%%rax), %%rax")
CHILD(jump_kernel, "mov $0xffffffff80100200, %%rax; jmp *%%rax")
CHILD(jump_wild, "mov $0x1234567890abcdef, %%rax; jmp *%%rax")
CHILD(jump_over_the_top, "mov $0x7fffffffeffe, %%rax; jmp *%%rax")
CHILD(push_to_kernel, "mov $0xffffffff80200000, %%rsp; push %%rax")
CHILD(fault_on_kernel_stack, "mov $0xffffffff80200000, %%rsp; ud2")
CHILD(fault_on_wild_stack, "mov $0x1234567890abcdef, %%rsp; ud2")
CHILD(call_on_kernel_stack, "mov $0xffffffff80200000, %%rsp;" NOTHING LIVES)
CHILD(call_on_wild_stack, "mov $0x1234567890abcdef, %%rsp;" NOTHING LIVES)

static void the_kernels_addresses_are_not_a_programs(void)
{
    CHECK(dies_by(read_kernel, SIGSEGV) && dies_by(read_direct, SIGSEGV) && dies_by(read_wild, SIGSEGV));
    CHECK(dies_by(jump_kernel, SIGSEGV) && dies_by(jump_wild, SIGSEGV) && dies_by(jump_over_the_top, SIGSEGV));
    CHECK(dies_by(push_to_kernel, SIGSEGV));
}

/* An exception or a call does not use the program's stack. */
static void a_stack_that_is_nowhere_hurts_nobody_else(void)
{
    CHECK(dies_by(fault_on_kernel_stack, SIGILL) || dies_by(fault_on_kernel_stack, SIGSEGV));
    CHECK(dies_by(fault_on_wild_stack, SIGILL) || dies_by(fault_on_wild_stack, SIGSEGV));
    CHECK(lives(call_on_kernel_stack) && lives(call_on_wild_stack));
}

/* ---- flags and selectors ----------------------------------------------------------------------------------------- */

CHILD(single_step, FLAGS(0x100) NOTHING "nop; nop")
CHILD(single_step_held_back, FLAGS(0x100) "mov %%ss, %%ax; mov %%ax, %%ss;" NOTHING "nop; nop")
CHILD(nested_task, FLAGS(0x4000) NOTHING LIVES)
CHILD(alignment, FLAGS(0x40000) NOTHING LIVES)
CHILD(backwards, "std;" NOTHING "pushf; pop %%rax; test $0x400, %%eax; jz 1f;" LIVES "1: ud2")
CHILD(privilege, FLAGS(0x3000) NOTHING "pushf; pop %%rax; test $0x3000, %%eax; jnz 1f;" LIVES "1: ud2")
CHILD(selectors, "mov $0x2b, %%eax; mov %%ax, %%ds; mov %%ax, %%es; mov %%ax, %%gs;" NOTHING LIVES)

static void flags_do_not_reach_the_kernel(void)
{
    CHECK(dies_by(single_step, SIGTRAP) && dies_by(single_step_held_back, SIGTRAP));
    CHECK(lives(nested_task) && lives(alignment) && lives(backwards) && lives(privilege) && lives(selectors));
}

static void registers_survive_a_call(void)
{
    uint64_t in[6] = {0x1111, 0x2222, 0x3333, 0x4444, 0x5555, 0x6666}, out[6], rcx, r11;
    __asm__ volatile("mov 0(%2), %%rbx; mov 8(%2), %%r12; mov 16(%2), %%r13; mov 24(%2), %%r14; mov 32(%2), %%r8;"
                     "mov 40(%2), %%rdx; mov $39, %%eax; lea 1f(%%rip), %%r9; syscall; 1: sub %%r9, %%rcx;"
                     "mov %%rcx, %0; mov %%r11, %1; mov %%rbx, 0(%3); mov %%r12, 8(%3); mov %%r13, 16(%3);"
                     "mov %%r14, 24(%3); mov %%r8, 32(%3); mov %%rdx, 40(%3)"
                     : "=m"(rcx), "=m"(r11)
                     : "r"(in), "r"(out)
                     : "memory", "cc", "rax", "rbx", "rcx", "rdx", "r8", "r9", "r11", "r12", "r13", "r14");
    CHECK(!memcmp(in, out, sizeof in));
    CHECK(rcx == 0 && r11 & 0x200);
}

/* ---- from signal handlers ---------------------------------------------------------------------------------------- */

static void to_nowhere(int number, siginfo_t *info, void *context)
{
    ucontext_t *c = context;
    (void)number, (void)info;
    c->uc_mcontext.gregs[REG_RIP] = 0x1234567890abcdef;
    c->uc_mcontext.gregs[REG_EFL] = 0xffffffff;
    c->uc_mcontext.gregs[REG_CSGSFS] = 0x0010000000000008;
}

static void return_to_nowhere(void)
{
    struct sigaction a = {.sa_sigaction = to_nowhere, .sa_flags = SA_SIGINFO};
    sigaction(SIGUSR1, &a, NULL);
    raise(SIGUSR1);
}

static void what_a_handler_leaves_is_not_trusted(void)
{
    CHECK(dies_by(return_to_nowhere, SIGSEGV));
    FAILS(syscall(SYS_arch_prctl, 0x1002 /* ARCH_SET_FS */, 0x1234567890abcdef), EPERM);
}

/* ---- x87 and vector registers ------------------------------------------------------------------------------------ */

static volatile int alarms;
static void count(int number) { (void)number, alarms++; }

static uint64_t vector_sum(uint64_t seed)
{
    uint64_t low;
    __asm__ volatile("movq %1, %%xmm7; movq %1, %%xmm15; mov $200000, %%ecx; 1: dec %%ecx; jnz 1b;"
                     "paddq %%xmm15, %%xmm7; movq %%xmm7, %0"
                     : "=r"(low)
                     : "r"(seed)
                     : "rcx", "xmm7", "xmm15", "cc");
    return low;
}

/* Two that compute at once, and are interrupted. */
static void vector_registers_are_a_threads_own(void)
{
    pid_t child = fork();
    uint64_t seed = child ? 1000 : 2000;
    struct itimerval often = {{0, 10000}, {0, 10000}};

    signal(SIGALRM, count);
    setitimer(ITIMER_REAL, &often, NULL);
    while (alarms < 5)
        if (vector_sum(seed) != 2 * seed)
            _exit(1);
    if (!child)
        _exit(0);
    int status = -1;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    CHECK(status == 0);
}

static void rounding_is_inherited(void)
{
    uint32_t mxcsr = 0x7f80, now = 0; /* towards zero */
    __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
    pid_t child = fork();
    __asm__ volatile("stmxcsr %0" : "=m"(now));
    if (!child)
        _exit(now == mxcsr ? 7 : 0);
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7 && now == mxcsr);
}

const struct test processor_tests[] = {
    CASE(privileged_instructions_are_refused), CASE(exceptions_have_their_signals),
    CASE(the_kernels_addresses_are_not_a_programs), CASE(a_stack_that_is_nowhere_hurts_nobody_else),
    CASE(flags_do_not_reach_the_kernel), CASE(registers_survive_a_call), CASE(what_a_handler_leaves_is_not_trusted),
    CASE(vector_registers_are_a_threads_own), CASE(rounding_is_inherited), {0},
};
