/* Whose the x87 and vector state in the processor is, by XSAVE's components. In: what the processor has,
 * what a guest enabled. Out: what is saved, restored and cleared when another guest takes the processor.
 * Moving it is cp/cpu/xstate_move.h's.
 *
 * The rules, for every host:
 *
 * 1. A component that is not in `dirty` is in its initial state.
 * 2. A guest's own components are saved when it loses the processor, and restored when it has it
 *    again: those it ever enabled, and
 *    x87 and SSE, which need no XCR0. Where its XSETBV may pass CP by, those are all that the
 *    processor has, whether CP knows them
 *    or offers them: any may have been enabled and hidden again.
 * 3. What is dirty and not of the guest that comes is cleared, so that it finds its own or
 *    nothing, without an exit that could be
 *    waited for.
 *
 * A guest that never enabled more than SSE is served by FXSAVE, which is the start of an XSAVE area: no XSETBV, which
 * would be an exit when CP is a guest itself. The area has XSAVE's standard form. Supervisor components there are none:
 * IA32_XSS is 0, and no guest reaches it. Of PKRU and the bounds registers CP itself is free: its pages are the
 * supervisor's, and CR4.PKE and BNDCFGS are 0.
 *
 * AMD's processors neither save nor restore the last instruction and operand of x87 unless an exception is pending:
 * FNINIT before each restoring keeps another guest's from staying. SDM "Managing State Using the XSAVE Feature Set",
 * APM "FXSAVE and FXRSTOR". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define XSTATE_LEGACY 0x3ull  /* x87, SSE */
#define XSTATE_KNOWN 0x2E7ull /* x87 SSE AVX AVX-512 PKRU: offered wherever the processor has them */
enum { XSTATE_LEAVES = 10 };  /* components below are offered too where a guest can enable them anyway */
enum { XSTATE_FCW = 0, XSTATE_MXCSR = 24, XSTATE_HEADER = 512, XSTATE_FCW_INITIAL = 0x40,
       XSTATE_MXCSR_INITIAL = 0x1F80 };

/* The processor's. */
struct xstate {
    uint64_t present; /* CPUID leaf 0DH; 0: no XSAVE, and FXSAVE serves */
    uint64_t dirty;   /* may be other than initial; x87 and SSE always are */
    uint64_t xcr0;    /* now, but for what a guest did unseen */
    bool unseen;      /* a guest's XSETBV need not leave it */
};

/* A guest's. */
struct xstate_guest {
    void *area;          /* XSAVE's, for all that is present; aligned to 64 */
    uint64_t xcr0, used; /* now; every component ever enabled */
};

static inline uint64_t xstate_offered(const struct xstate *x)
{
    return x->present & (x->unseen ? (1ull << XSTATE_LEAVES) - 1 : XSTATE_KNOWN);
}

/* Rule 2. */
static inline uint64_t xstate_own(const struct xstate *x, uint64_t used)
{
    return XSTATE_LEGACY | (x->unseen ? x->present : used & x->present);
}

/* Rule 3. @pre `own` is of the guest that comes */
static inline uint64_t xstate_foreign(const struct xstate *x, uint64_t own)
{
    return x->dirty & ~own & ~XSTATE_LEGACY;
}
