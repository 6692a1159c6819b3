/* Owns what the virtual CPUs share under VMX, whichever way their VMCSs are reached: VPIDs, invalidation of translations, the
 * bitmaps of VMREAD and VMWRITE, the MSRs a guest has to itself. */
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

static bool is_free_msr(uint32_t msr)
{
    return (msr >= 0xC0000081u && msr <= 0xC0000084u) || msr == 0xC0000102u ||
           (msr == MSR_TSC_AUX && vmx_has_tsc_aux());
}

bool vmx_free_msr_read(uint32_t msr, uint64_t *value)
{
    if (!is_free_msr(msr))
        return false;
    *value = op_rdmsr(msr);
    return true;
}

static bool free_msr_valid(uint32_t msr, uint64_t value)
{
    bool address = msr == 0xC0000082u || msr == 0xC0000083u || msr == 0xC0000102u;
    bool half = msr == 0xC0000084u || msr == MSR_TSC_AUX;
    return (!address || (uint64_t)((int64_t)(value << 16) >> 16) == value) && (!half || !(value >> 32));
}

bool vmx_free_msr_write(uint32_t msr, uint64_t value)
{
    if (!is_free_msr(msr) || !free_msr_valid(msr, value))
        return false;
    op_wrmsr(msr, value);
    return true;
}
