/* Exceptions and interrupts.  Interrupts go to handlers set by drivers, with interrupts off; an exception of a program
 * is told to who runs it (cms/cpu/user.h); one of the kernel is an abend: it is told to the abend handler, which either
 * goes back to a saved place or stops. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { TRAP_IRQ_BASE = 32, TRAP_COUNT = 48 };
enum trap_vector {
    TRAP_PROTECTION = 13,
    TRAP_PAGE_FAULT = 14,
    TRAP_SYSTEM_CALL = 256, /* SYSCALL, which has none */
};

struct trap_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t vector, error, rip, cs, rflags, rsp, ss;
};

/* Of a program, not the kernel. */
static inline bool trap_is_user(const struct trap_frame *frame)
{
    return frame->cs & 3;
}

struct trap_place {
    uint64_t rbx, rbp, r12, r13, r14, r15, rsp, rip;
};

/* Loads the IDT; interrupts stay off. */
void trap_start(void);
/* irq 0..15 as the two 8259 number them. */
void trap_set_irq(unsigned irq, void (*handler)(void *context), void *context);
/* True while an interrupt handler runs: an exception then leaves a device half served. */
bool trap_in_interrupt(void);
/* `handler` must not return. */
void trap_set_abend(void (*handler)(const struct trap_frame *frame));

int trap_save(struct trap_place *place) __attribute__((returns_twice));
void trap_return(const struct trap_place *place, int value) __attribute__((noreturn));
