/* VMREAD and VMWRITE that exit, L1's on the current VMCS and L2's on the one that is linked to: in trap
 * mode, for fields outside the shadow bitmaps, and to be told of an error.
 * A field that is shadowed in hardware lives there while its region exists; the others live in vmcs12. */
#include "nest/instruction.h"
#include "nest/page.h"

static bool readable(const struct nest *nest, uint64_t encoding, enum vmcs_index *index)
{
    *index = vmcs_field_find(encoding);
    return *index != VMCS_INDEX_NONE && capability_has_field(nest->offered, *index);
}

/* Without hardware's help the copy is what counts; with it, hardware's fields are read into the copy first: those L1
 * may have written by comparing, so that the next entry knows, then the exit information. */
static void refresh(struct nest *nest, struct nest_vmcs *vmcs)
{
    if (vmcs->page) {
        nest_page_refresh(nest, vmcs);
        return;
    }
    nest_active_open(nest, vmcs);
    nest_active_pull(nest, vmcs);
    if (vmcs->shadow_region)
        nest->hardware->shadow_pull_all(nest->cpu, vmcs->shadow_region, &vmcs->vmcs12);
}

enum nest_result nest_vmread(struct nest *nest, const struct nest_instruction *i)
{
    uint32_t information = i->exit.instruction_info;
    bool code64 = nest_code_is64(nest);
    struct nest_vmcs *vmcs = nest_instruction_vmcs(nest);
    enum vmcs_index index;
    if (!vmcs)
        return nest_fail_invalid(nest);
    uint64_t encoding = nest_operand_register(nest, nest_operand_second(information), code64);
    if (!readable(nest, encoding, &index))
        return nest_fail_field(nest, VM_ERROR_UNSUPPORTED_FIELD, (uint32_t)encoding);
    refresh(nest, vmcs);
    uint64_t value = vmcs_field_read(&vmcs->vmcs12, (uint32_t)encoding, code64);
    if (nest_operand_is_register(information))
        nest_operand_register_set(nest, nest_operand_first(information), value, code64);
    else if (!nest_operand_store(nest, &i->exit, &value, code64 ? 8 : 4))
        return NEST_FAULT;
    return nest_succeed(nest);
}

enum nest_result nest_vmwrite(struct nest *nest, const struct nest_instruction *i)
{
    uint32_t information = i->exit.instruction_info;
    bool code64 = nest_code_is64(nest);
    struct nest_vmcs *vmcs = nest_instruction_vmcs(nest);
    enum vmcs_index index;
    uint64_t value = 0;
    if (!vmcs)
        return nest_fail_invalid(nest);
    if (nest_operand_is_register(information))
        value = nest_operand_register(nest, nest_operand_first(information), code64);
    else if (!nest_operand_load(nest, &i->exit, &value, code64 ? 8 : 4))
        return NEST_FAULT;
    uint64_t encoding = nest_operand_register(nest, nest_operand_second(information), code64);
    if (!readable(nest, encoding, &index))
        return nest_fail_field(nest, VM_ERROR_UNSUPPORTED_FIELD, (uint32_t)encoding);
    if (VMCS_ENCODING_AREA(encoding) == VMCS_EXIT_INFORMATION &&
        !(nest->offered->msr[VMX_MISC] & VMX_MISC_VMWRITE_ANY))
        return nest_fail_field(nest, VM_ERROR_READ_ONLY_FIELD, (uint32_t)encoding);
    refresh(nest, vmcs);
    vmcs_field_write(&vmcs->vmcs12, (uint32_t)encoding, value, code64);
    nest_written_one(vmcs, index, NEST_BY_CP);
    nest_show(nest, vmcs);
    return nest_succeed(nest);
}
