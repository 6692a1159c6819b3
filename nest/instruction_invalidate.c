/* INVEPT and INVVPID.  EPT02 is emptied where L1 asks for EPT12's translations to go; L2's linear translations are
 * under vmcs02's own VPIDs, one for each virtual VMCS, so all that carry the VPID L1 names are flushed. */
#include "nest/chain.h"
#include "nest/ept.h"
#include "nest/instruction.h"

enum { INVEPT_SINGLE = 1, INVEPT_ALL = 2 };
enum { INVVPID_ADDRESS = 0, INVVPID_SINGLE = 1, INVVPID_ALL = 2, INVVPID_SINGLE_BUT_GLOBALS = 3 };

struct descriptor {
    uint64_t first, second;
};

static bool offers(const struct nest *nest, uint32_t control, uint64_t capability)
{
    return capability_may_set(nest->offered->msr[VMX_CPU2], control) &&
           (nest->offered->msr[VMX_EPT_VPID_CAP] & capability) == capability;
}

static uint64_t type_of(const struct nest *nest, const struct nest_instruction *i)
{
    return nest_operand_register(nest, nest_operand_second(i->exit.instruction_info), nest_code_is64(nest));
}

enum nest_result nest_invept(struct nest *nest, const struct nest_instruction *i)
{
    struct descriptor descriptor;
    uint64_t type = type_of(nest, i);
    if (!offers(nest, CPU2_EPT, EPT_CAP_INVEPT))
        return nest_raise_ud(nest);
    if (type != INVEPT_SINGLE && type != INVEPT_ALL)
        return nest_fail(nest, VM_ERROR_INVALIDATION);
    if (!nest_operand_load(nest, &i->exit, &descriptor, sizeof(descriptor)))
        return NEST_FAULT;
    if (descriptor.second || (type == INVEPT_SINGLE && !nest_ept_pointer_valid(nest, descriptor.first)))
        return nest_fail(nest, VM_ERROR_INVALIDATION);
    if (type == INVEPT_SINGLE)
        nest_ept_flush(nest, descriptor.first);
    else
        nest_ept_flush_all(nest);
    nest_chain_forget(nest, type == INVEPT_SINGLE ? descriptor.first : NEST_NO_ADDRESS);
    return nest_succeed(nest);
}

/* vpid 0: every virtual VMCS.  The flush itself waits for the next entry. */
static void flush(struct nest *nest, uint16_t vpid)
{
    for (unsigned i = 0; i < NEST_ACTIVE; i++)
        if (nest->active[i] && (!vpid || nest->active[i]->vmcs12.vpid == vpid))
            nest->active[i]->stale.parts |= NEST_STALE_TAG;
}

static bool canonical(const struct nest *nest, uint64_t address)
{
    bool five_levels = nest->host->get(nest->host->context, VMCS_GUEST_CR4) >> 12 & 1;
    unsigned unused = five_levels ? 64 - 57 : 64 - 48;
    return (uint64_t)((int64_t)(address << unused) >> unused) == address;
}

enum nest_result nest_invvpid(struct nest *nest, const struct nest_instruction *i)
{
    struct descriptor descriptor;
    uint64_t type = type_of(nest, i);
    if (!offers(nest, CPU2_VPID, VPID_CAP_INVVPID))
        return nest_raise_ud(nest);
    if (type > INVVPID_SINGLE_BUT_GLOBALS)
        return nest_fail(nest, VM_ERROR_INVALIDATION);
    if (!nest_operand_load(nest, &i->exit, &descriptor, sizeof(descriptor)))
        return NEST_FAULT;
    if (descriptor.first >> 16 || (type != INVVPID_ALL && !descriptor.first))
        return nest_fail(nest, VM_ERROR_INVALIDATION);
    if (type == INVVPID_ADDRESS && !canonical(nest, descriptor.second))
        return nest_fail(nest, VM_ERROR_INVALIDATION);
    flush(nest, type == INVVPID_ALL ? 0 : (uint16_t)descriptor.first);
    return nest_succeed(nest);
}
