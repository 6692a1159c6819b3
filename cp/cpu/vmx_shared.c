/* Owns what the virtual CPUs share under VMX, whichever way their VMCSs are reached: VPIDs, invalidation of
 * translations, the bitmaps of VMREAD and VMWRITE, the MSRs a guest has to itself. */
#include "cp/cpu/cpu.h"
#include "cp/cpu/ops.h"
#include "cp/cpu/vmx.h"
#include "cp/cpu/vmx_ops.h"
#include "cp/storage/frame.h"
#include "vmcs-shadow/bitmap.h"

#define MSR_TSC_AUX 0xC0000103u
enum { INVEPT_SINGLE = 1, INVVPID_SINGLE = 1 };

void vmx_flush_ept(uint64_t eptp)
{
    op_invept(INVEPT_SINGLE, (struct op_invalidation){eptp, 0});
}

void vmx_flush_vpid(uint16_t vpid)
{
    if (vmx_controls.cpu2 & CPU2_VPID)
        op_invvpid(INVVPID_SINGLE, (struct op_invalidation){vpid, 0});
}

void vmx_nested_flush_ept(struct vcpu *vcpu, uint64_t eptp)
{
    (void)vcpu;
    vmx_flush_ept(eptp);
}

void vmx_nested_flush_vpid(struct vcpu *vcpu, uint16_t vpid)
{
    (void)vcpu;
    vmx_flush_vpid(vpid);
}

/* A VPID that was used before may have translations cached; vmx_start threw away what was there before CP. */
uint16_t vmx_vpid_next(void)
{
    static uint16_t next = 1;
    static bool reused;
    uint16_t vpid = next;

    for (unsigned i = 0; i < VMX_VPIDS && reused; i++)
        vmx_flush_vpid((uint16_t)(vpid + i));
    next = (uint16_t)(next + VMX_VPIDS);
    if (next > UINT16_MAX - VMX_VPIDS)
        next = 1, reused = true;
    return vpid;
}

uint16_t vmx_vpids_of_guests(uint16_t vpid, uint16_t *count)
{
    *count = vmx_controls.cpu2 & CPU2_VPID ? VMX_VPIDS - 1 : 0;
    return (uint16_t)(vpid + 1);
}

/* [closed]: see vmcs-shadow/bitmap.h; the same for every guest: what is offered does not differ */
static void *read_bitmap[2], *write_bitmap[2];

static bool bitmaps_create(const struct vmx_capability *offered)
{
    struct vmcs_set readable, writable;

    if (read_bitmap[1] && write_bitmap[1])
        return true;
    vmcs_bitmap_sets(&readable, &writable, offered, &cpu_this.vmx);
    for (unsigned closed = 0; closed < 2; closed++) {
        if (!read_bitmap[closed])
            read_bitmap[closed] = frame_alloc(&frame_cp_account);
        if (!write_bitmap[closed])
            write_bitmap[closed] = frame_alloc(&frame_cp_account);
        if (!read_bitmap[closed] || !write_bitmap[closed])
            return false;
        vmcs_bitmap_build(read_bitmap[closed], &readable);
        vmcs_bitmap_build(write_bitmap[closed], &writable);
        vmcs_bitmap_close(&readable, &writable);
    }
    return true;
}

bool vmx_field_bitmaps(const struct vmx_capability *offered, bool closed, uint64_t *read, uint64_t *write)
{
    if (!bitmaps_create(offered))
        return false;
    *read = frame_address(read_bitmap[closed]).a;
    *write = frame_address(write_bitmap[closed]).a;
    return true;
}

bool vmx_has_tsc_aux(void)
{
    return vmx_controls.cpu2 & CPU2_RDTSCP;
}

/* Those that the VMCS has are the nest's to read there. */
static bool is_free_msr(uint32_t msr)
{
    enum { IN_VMCS, IN_CONTEXT };
    switch (msr) {
#define FREE_MSR(NAME, number, value, home, member) \
    case number: \
        return IN_##home;
#include "cp/cpu/free_msrs.def"
#undef FREE_MSR
    case MSR_TSC_AUX:
        return vmx_has_tsc_aux();
    default:
        return false;
    }
}

bool vmx_free_msr_read(uint32_t msr, uint64_t *value)
{
    if (!is_free_msr(msr))
        return false;
    *value = op_rdmsr(msr);
    return true;
}

bool vmx_free_msr_valid(uint32_t msr, uint64_t value)
{
    enum { IS_ANY, IS_ADDRESS, IS_HALF } form;
    switch (msr) {
#define FREE_MSR(NAME, number, value, home, member) \
    case number: \
        form = IS_##value; \
        break;
#include "cp/cpu/free_msrs.def"
#undef FREE_MSR
    default: /* IA32_TSC_AUX */
        form = IS_HALF;
    }
    bool canonical = (uint64_t)((int64_t)(value << 16) >> 16) == value;
    return form == IS_ANY || (form == IS_ADDRESS ? canonical : !(value >> 32));
}

bool vmx_free_msr_write(uint32_t msr, uint64_t value)
{
    if (!is_free_msr(msr) || !vmx_free_msr_valid(msr, value))
        return false;
    op_wrmsr(msr, value);
    return true;
}
