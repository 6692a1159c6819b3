/* User mode: how a thread leaves the kernel, comes back, and how the kernel goes from one thread's stack to another's.
 *
 * One processor; the kernel is never preempted. A thread in user mode comes in by SYSCALL, an exception or an
 * interrupt, always onto the top of its own kernel stack, with all its registers in a struct trap_frame there. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "cms/cpu/trap.h"

enum { USER_CODE = 0x33, USER_DATA = 0x2b }; /* what Linux programs see in CS and SS */
enum { KERNEL_STACK = 16384 };

/* MSRs of SYSCALL, SSE and the extended state, protections of the kernel. For the command level, before each program:
 * it costs little where nothing has changed, and CMS may have been saved and IPLed elsewhere since the last one. */
void user_start(void);

/* A kernel stack and what is on it while another runs. */
struct context {
    uint64_t rsp;
};
/* `stack` of KERNEL_STACK bytes will run `entry(argument)`, which must not return, when it is first switched to. */
void context_make(struct context *, void *stack, void (*entry)(void *), void *argument);
void context_switch(struct context *from, const struct context *to);

/* What goes with a thread beside its stack: loaded whenever it is switched to. */
struct user_state {
    uint64_t root;      /* CR3; 0: the kernel's own */
    uint64_t stack_top; /* of its kernel stack */
    uint64_t fs_base, gs_base; /* canonical */
    void *extended;     /* user_extended_size() bytes, 64-byte aligned: XSAVE or FXSAVE area; NULL: has none */
};
size_t user_extended_size(void);      /* @pre user_start() */
uint64_t user_extended_features(void); /* XCR0; 0: FXSAVE's only */
void user_extended_begin(void *area); /* as a new program finds it */
void user_extended_copy(void *to, const void *from);
/* What is in the processor now, of the thread that runs; for signal frames. What a program could write to must be tamed
 * before it is restored: bits that the processor refuses are cleared. */
void user_extended_save(void *area);
void user_extended_restore(const void *area);
void user_extended_tame(void *area);
/* Stores what of `from` is in the processor, loads what `to` has; either may be NULL (the command level). The next
 * thing is a context_switch(). */
void user_state_switch(struct user_state *from, const struct user_state *to);
/* After a change of the running thread's own state (new address space, FS base): all but `extended`. NULL: the command
 * level's, also after an abend in a thread. */
void user_state_load(const struct user_state *);
/* An address space goes: if it is loaded, the kernel's own is instead. */
void user_root_goes(uint64_t root);
/* FS and GS base of the running thread as they are: it may have changed them without a call. */
void user_state_note(struct user_state *);

/* Leaves for user mode with these registers; never returns. The frame is anywhere on the thread's stack. */
void user_enter(const struct trap_frame *) __attribute__((noreturn));

uint64_t user_hardware(void);      /* CPUID leaf 1, EDX: AT_HWCAP */
uint64_t user_fault_address(void); /* of the page fault that has just come */

/* The seams, for the rooms above. They run on the thread's kernel stack with interrupts off, and may change the frame:
 * whatever they leave there, the program gets no more than a program may have. */
struct user_seams {
    void (*system_call)(struct trap_frame *); /* RAX has the number, and takes the result */
    void (*exception)(struct trap_frame *);   /* from user mode; `user_fault_address()` of a page fault */
    void (*interrupted)(struct trap_frame *); /* behind an interrupt's handler that came in user mode */
};
void user_set_seams(const struct user_seams *);
