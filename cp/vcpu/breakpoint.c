#include "cp/vcpu/breakpoint.h"

#include "cp/vcpu/edge.h"
#include "cp/vcpu/registers.h"

enum { ENABLES = 0xFF };
#define CR4_DE (1ull << 3)

static unsigned field(uint64_t dr7, unsigned i)
{
    return dr7 >> (16 + 4 * i) & 15;
}

static unsigned accesses(uint64_t dr7, unsigned i, bool extensions)
{
    static const uint8_t of_type[4] = {0, BREAKPOINT_WRITE, BREAKPOINT_PORT, BREAKPOINT_READ | BREAKPOINT_WRITE};
    return of_type[field(dr7, i) & 3] & (extensions ? ~0u : ~(unsigned)BREAKPOINT_PORT);
}

/* A breakpoint begins at a multiple of its length. */
static bool overlaps(uint64_t breakpoint, unsigned length_code, uint64_t at, unsigned bytes)
{
    static const uint8_t lengths[4] = {1, 2, 8, 4};
    uint64_t length = lengths[length_code], from = breakpoint & ~(length - 1);

    return from - at < bytes || at - from < length;
}

unsigned breakpoints_met(const struct breakpoints *b, enum breakpoint_access access, uint64_t at, unsigned bytes)
{
    unsigned met = 0;
    bool enabled = false;

    for (unsigned i = 0; i < BREAKPOINTS; i++) {
        if (!(accesses(b->dr7, i, b->extensions) & access) ||
            !overlaps(b->address[i], field(b->dr7, i) >> 2, at, bytes))
            continue;
        met |= 1u << i;
        enabled |= b->dr7 >> 2 * i & 3;
    }
    return enabled ? met : 0;
}

bool breakpoints_watch(struct vcpu *vcpu)
{
    uint64_t dr7 = vcpu_read(vcpu, VMCS_GUEST_DR7);
    bool watch = false;

    for (unsigned i = 0; (dr7 & ENABLES) && i < BREAKPOINTS; i++)
        watch |= (dr7 >> 2 * i & 3) && accesses(dr7, i, true);
    return watch;
}

static __attribute__((noinline)) void note(struct vcpu *vcpu, uint64_t dr7, enum breakpoint_access access, uint64_t at,
                                           unsigned bytes)
{
    struct breakpoints b = {.dr7 = dr7, .extensions = vcpu_read(vcpu, VMCS_GUEST_CR4) & CR4_DE};
    uint64_t to_wrap = registers_long_mode(vcpu) ? bytes : 0x100000000ull - (uint32_t)at;

    for (unsigned i = 0; i < BREAKPOINTS; i++)
        b.address[i] = cpu_dr(vcpu, i);
    vcpu->breakpoints_met |= breakpoints_met(&b, access, at, bytes < to_wrap ? bytes : (unsigned)to_wrap);
    if (bytes > to_wrap)
        vcpu->breakpoints_met |= breakpoints_met(&b, access, 0, bytes - (unsigned)to_wrap);
}

void breakpoint_note(struct vcpu *vcpu, enum breakpoint_access access, uint64_t at, unsigned bytes)
{
    uint64_t dr7 = vcpu_read(vcpu, VMCS_GUEST_DR7);

    if (dr7 & ENABLES)
        note(vcpu, dr7, access, at, bytes);
}
