/* What Linux on x86-64 fixes of signals: numbers, codes, and the structures that programs hand in and find on their
 * stacks. signal(7), sigaction(2), <asm/sigcontext.h>, <asm/ucontext.h>. */
#pragma once
#include <stdint.h>

enum {
    SIGNAL_HUP = 1, SIGNAL_INT, SIGNAL_QUIT, SIGNAL_ILL, SIGNAL_TRAP, SIGNAL_ABRT, SIGNAL_BUS, SIGNAL_FPE, SIGNAL_KILL,
    SIGNAL_USR1, SIGNAL_SEGV, SIGNAL_USR2, SIGNAL_PIPE, SIGNAL_ALRM, SIGNAL_TERM, SIGNAL_STKFLT, SIGNAL_CHLD,
    SIGNAL_CONT, SIGNAL_STOP, SIGNAL_TSTP, SIGNAL_TTIN, SIGNAL_TTOU, SIGNAL_URG, SIGNAL_XCPU, SIGNAL_XFSZ,
    SIGNAL_VTALRM, SIGNAL_PROF, SIGNAL_WINCH, SIGNAL_IO, SIGNAL_PWR, SIGNAL_SYS,
    SIGNAL_REAL_TIME = 32, /* the first that queue */
    SIGNAL_LAST = 64,
};

enum { SIGNAL_DEFAULT = 0, SIGNAL_IGNORE = 1 }; /* instead of a handler */
enum { SIGNAL_BLOCK, SIGNAL_UNBLOCK, SIGNAL_SETMASK };

enum {
    ACTION_NOCLDSTOP = 1, ACTION_NOCLDWAIT = 2, ACTION_SIGINFO = 4, ACTION_RESTORER = 0x04000000,
    ACTION_ONSTACK = 0x08000000, ACTION_RESTART = 0x10000000, ACTION_NODEFER = 0x40000000,
};
static const uint64_t ACTION_RESETHAND = 0x80000000;
static const uint64_t ACTION_KNOWN __attribute__((unused)) = 0xdc000807; /* 0x800: SA_EXPOSE_TAGBITS, nothing here */

enum {
    CODE_USER = 0, CODE_KERNEL = 0x80, CODE_QUEUE = -1, CODE_TIMER = -2, CODE_TKILL = -6,
    CODE_ILL_OPERAND = 2, CODE_FPE_DIVIDE = 1, CODE_FPE_OVERFLOW = 4, CODE_FPE_UNDERFLOW = 5, CODE_FPE_INEXACT = 6,
    CODE_FPE_INVALID = 7, CODE_FPE_INTEGER_OVERFLOW = 2, CODE_FPE_DIVIDE_FLOAT = 3,
    CODE_SEGV_MAPPING = 1, CODE_SEGV_ACCESS = 2, CODE_SEGV_BOUNDS = 3,
    CODE_BUS_ALIGNMENT = 1, CODE_BUS_ADDRESS = 2, CODE_BUS_OBJECT = 3, CODE_TRAP_BREAKPOINT = 1, CODE_TRAP_TRACE = 2,
    CODE_CHILD_EXITED = 1, CODE_CHILD_KILLED = 2, CODE_CHILD_DUMPED = 3, CODE_CHILD_STOPPED = 5,
    CODE_CHILD_CONTINUED = 6,
};

/* siginfo_t */
struct signal_info {
    int32_t number, error, code, pad;
    union {
        struct {
            int32_t process, user;
            union {
                uint64_t value;
                int32_t status;
            };
            int64_t user_time, system_time; /* in clock ticks */
        };
        struct {
            int32_t timer, overrun;
            uint64_t timer_value;
        };
        uint64_t address;
        uint8_t bytes[112];
    };
};
_Static_assert(sizeof(struct signal_info) == 128, "siginfo_t");

/* What rt_sigaction(2) of the kernel takes */
struct signal_action {
    uint64_t handler, flags, restorer, mask;
};
struct signal_stack {
    uint64_t start;
    int32_t flags, pad;
    uint64_t size;
};
enum { STACK_ON = 1, STACK_DISABLE = 2, STACK_LEAST = 2048 };
static const uint32_t STACK_AUTODISARM = 0x80000000;

struct signal_context {
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
    uint16_t cs, gs, fs, ss;
    uint64_t error, vector, old_mask, cr2;
    uint64_t extended; /* address of the FXSAVE or XSAVE area, 0: none */
    uint64_t reserved[8];
};
_Static_assert(sizeof(struct signal_context) == 256, "struct sigcontext");

struct signal_ucontext {
    uint64_t flags, link;
    struct signal_stack stack;
    struct signal_context context;
    uint64_t mask;
};
enum { UCONTEXT_XSTATE = 1, UCONTEXT_SS = 2, UCONTEXT_STRICT_SS = 4 };

/* struct rt_sigframe: at the stack pointer a handler is entered with */
struct signal_frame {
    uint64_t restorer;
    struct signal_ucontext ucontext;
    struct signal_info info;
};
_Static_assert(sizeof(struct signal_frame) == 440, "struct rt_sigframe");
