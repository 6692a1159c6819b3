/* Moving x87 and vector state between the processor and guests' areas, as cp/vcpu/xstate.h rules. The instructions are
 * macros of who includes this, the processor's or a model's:
 *
 *   XSTATE_FXSAVE(area), XSTATE_FXRSTOR(area), XSTATE_XSAVE(area, components),
 *   XSTATE_XRSTOR(area, components), XSTATE_FNINIT(),
 *   XSTATE_XSETBV(value), XSTATE_XGETBV()
 *
 * Without them there is nothing here. */
#pragma once
#include "cp/vcpu/xstate.h"

#ifdef XSTATE_XSETBV
static inline void xstate_begin(struct xstate *x, uint64_t present, bool unseen)
{
    *x = (struct xstate){.present = present, .dirty = present, .xcr0 = present & 1, .unseen = unseen};
    if (present)
        XSTATE_XSETBV(x->xcr0);
}

static inline void xstate_xcr0_set(struct xstate *x, uint64_t value)
{
    if (value != x->xcr0)
        XSTATE_XSETBV(x->xcr0 = value);
}

/* Instructions on components want them enabled: some without those they depend on XSETBV would
 * refuse, all there are it takes. */
static inline void xstate_reach(struct xstate *x, uint64_t components)
{
    if (components & ~x->xcr0)
        xstate_xcr0_set(x, x->present);
}

/* The guest that has the processor may have changed XCR0 unseen. That it did says that any may. */
static inline void xstate_look(struct xstate *x, struct xstate_guest *guest)
{
    if (!x->present)
        return;
    uint64_t found = XSTATE_XGETBV();
    if (found != x->xcr0) {
        x->xcr0 = found;
        x->unseen = true;
        x->dirty = x->present;
    }
    guest->xcr0 = found;
    guest->used |= found;
}

/* What the header does not name is in its initial state: not x87, whose control word after a reset is
 * another. @pre the area is all zeroes */
static inline void xstate_power_up(struct xstate_guest *guest)
{
    *(uint16_t *)((char *)guest->area + XSTATE_FCW) = XSTATE_FCW_INITIAL;
    *(uint32_t *)((char *)guest->area + XSTATE_MXCSR) = XSTATE_MXCSR_INITIAL;
    *(uint64_t *)((char *)guest->area + XSTATE_HEADER) = XSTATE_LEGACY;
    guest->xcr0 = guest->used = 1;
}

static inline void xstate_save(struct xstate *x, struct xstate_guest *guest)
{
    xstate_look(x, guest);
    uint64_t own = xstate_own(x, guest->used);
    if (own == XSTATE_LEGACY) {
        XSTATE_FXSAVE(guest->area);
        *(uint64_t *)((char *)guest->area + XSTATE_HEADER) = XSTATE_LEGACY;
    } else {
        xstate_reach(x, own);
        XSTATE_XSAVE(guest->area, own);
    }
}

static inline void xstate_load(struct xstate *x, const struct xstate_guest *guest)
{
    static const struct {
        uint8_t legacy[XSTATE_MXCSR];
        uint32_t mxcsr;
        uint8_t rest[XSTATE_HEADER + 64 - XSTATE_MXCSR - 4];
    } initial __attribute__((aligned(64))) = {.mxcsr = XSTATE_MXCSR_INITIAL};
    uint64_t own = xstate_own(x, guest->used), foreign = xstate_foreign(x, own);

    if (foreign) {
        xstate_reach(x, foreign);
        XSTATE_XRSTOR(&initial, foreign);
    }
    XSTATE_FNINIT();
    if (own == XSTATE_LEGACY) {
        XSTATE_FXRSTOR(guest->area);
    } else {
        xstate_reach(x, own);
        XSTATE_XRSTOR(guest->area, own);
    }
    x->dirty = own;
    if (x->present)
        xstate_xcr0_set(x, guest->xcr0);
}

/* An XSETBV that did leave the guest. What it enables for the first time is in its initial state, by rules 1 and 3.
 * @pre the value was checked; the guest has the processor */
static inline void xstate_enable(struct xstate *x, struct xstate_guest *guest, uint64_t value)
{
    xstate_xcr0_set(x, value);
    guest->xcr0 = value;
    guest->used |= value;
    x->dirty |= value;
}
#endif
