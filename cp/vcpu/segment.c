#include "cp/vcpu/segment.h"

#include "cp/vcpu/handlers.h"
#include "cp/vcpu/registers.h"

/* of the access rights as VMX has them */
enum { CODE = 1 << 3, READABLE_CODE = 1 << 1, WRITABLE_DATA = 1 << 1, EXPANDS_DOWN = 1 << 2, BIG = 1 << 14,
       UNUSABLE = 1 << 16 };

#define OF_SEGMENTS(what) \
    {VMCS_GUEST_ES_##what, VMCS_GUEST_CS_##what, VMCS_GUEST_SS_##what, \
     VMCS_GUEST_DS_##what, VMCS_GUEST_FS_##what, VMCS_GUEST_GS_##what}

static const enum vmcs_field bases[] = OF_SEGMENTS(BASE), limits[] = OF_SEGMENTS(LIMIT),
                             rights[] = OF_SEGMENTS(ACCESS_RIGHTS);

uint64_t segment_base(struct vcpu *vcpu, enum segment segment)
{
    if (registers_long_mode(vcpu) && segment < SEGMENT_FS)
        return 0;
    return vcpu_read(vcpu, bases[segment]);
}

/* In real mode and virtual-8086 mode any segment may be read and written. */
static bool type_allows(struct vcpu *vcpu, uint32_t ar, bool write)
{
    if (!(vcpu_read(vcpu, VMCS_GUEST_CR0) & CR0_PE) || (vcpu_read(vcpu, VMCS_GUEST_RFLAGS) & RFLAGS_VM))
        return true;
    if (ar & CODE)
        return !write && (ar & READABLE_CODE);
    return !write || (ar & WRITABLE_DATA);
}

static bool limit_allows(uint32_t ar, uint64_t limit, uint64_t offset, unsigned size)
{
    uint64_t last = offset + size - 1;

    if ((ar & (CODE | EXPANDS_DOWN)) == EXPANDS_DOWN)
        return offset > limit && last <= (ar & BIG ? 0xFFFFFFFFu : 0xFFFFu);
    return last <= limit;
}

bool segment_would_allow(struct vcpu *vcpu, enum segment segment, uint64_t offset, uint64_t linear, unsigned size,
                         bool write)
{
    if (registers_long_mode(vcpu))
        return segment_canonical(linear) && segment_canonical(linear + size - 1);
    uint32_t ar = (uint32_t)vcpu_read(vcpu, rights[segment]);
    return !(ar & UNUSABLE) && type_allows(vcpu, ar, write) &&
           limit_allows(ar, vcpu_read(vcpu, limits[segment]), offset, size);
}

bool segment_allows(struct vcpu *vcpu, enum segment segment, uint64_t offset, uint64_t linear, unsigned size,
                    bool write)
{
    if (segment_would_allow(vcpu, segment, offset, linear, size, write))
        return true;
    vcpu_queue_exception(vcpu, segment == SEGMENT_SS ? VECTOR_SS : VECTOR_GP, true, 0);
    return false;
}
