/* The field table at run time: rows, look-up, names, and reading and writing struct vmcs by field number.
 * In: an encoding or an index, often from a guest's register.  Out: a value, an index or a name; no state. */
#include "vmcs-shadow/field.h"
#include "vmcs-shadow/capability.h"

const struct vmcs_field_row vmcs_field_rows[VMCS_FIELDS] = {
#define FIELD(NAME, member, enc, type, sh, mg, of, cap) \
    [VMCS_INDEX_##NAME] = {.encoding = (enc), .offset = offsetof(struct vmcs, member), .bytes = sizeof(type), \
                           .shadow = VMCS_SHADOW_##sh, .merge = VMCS_MERGE_##mg, .derived = VMCS_DERIVED_##of, \
                           .capability = VMCS_CAPABILITY_##cap},
#include "vmcs-shadow/fields.def"
#undef FIELD
};

#define SLOT(e) (((e) >> 6 & 0x180u) | ((e) >> 5 & 0x60u) | ((e) >> 1 & 0x1Fu))
const uint8_t vmcs_field_indices[512] = {
#define FIELD(NAME, member, encoding, type, shadow, merge, derived, capability) \
    [SLOT(encoding)] = VMCS_INDEX_##NAME + 1,
#include "vmcs-shadow/fields.def"
#undef FIELD
};
_Static_assert(VMCS_FIELDS < VMCS_INDEX_NONE, "an index no longer fits vmcs_field_indices");

static const char *const names[VMCS_FIELDS] = {
#define FIELD(NAME, member, encoding, type, shadow, merge, derived, capability) [VMCS_INDEX_##NAME] = #NAME,
#include "vmcs-shadow/fields.def"
#undef FIELD
};

const char *vmcs_field_name(uint32_t encoding)
{
    enum vmcs_index index = vmcs_field_find(encoding);
    return index == VMCS_INDEX_NONE ? "?" : names[index];
}

uint64_t vmcs_get(const struct vmcs *vmcs, enum vmcs_index index)
{
    const struct vmcs_field_row *row = &vmcs_field_rows[index];
    const void *at = (const char *)vmcs + row->offset;
    switch (row->bytes) {
    case 2:
        return *(const uint16_t *)at;
    case 4:
        return *(const uint32_t *)at;
    default:
        return *(const uint64_t *)at;
    }
}

void vmcs_set(struct vmcs *vmcs, enum vmcs_index index, uint64_t value)
{
    const struct vmcs_field_row *row = &vmcs_field_rows[index];
    void *at = (char *)vmcs + row->offset;
    switch (row->bytes) {
    case 2:
        *(uint16_t *)at = (uint16_t)value;
        break;
    case 4:
        *(uint32_t *)at = (uint32_t)value;
        break;
    default:
        *(uint64_t *)at = value;
    }
}

uint64_t vmcs_field_read(const struct vmcs *vmcs, uint32_t encoding, bool operand64)
{
    uint64_t value = vmcs_get(vmcs, vmcs_field_find(encoding));
    if (encoding & VMCS_ENCODING_HIGH)
        return value >> 32;
    return operand64 ? value : (uint32_t)value;
}

void vmcs_field_write(struct vmcs *vmcs, uint32_t encoding, uint64_t value, bool operand64)
{
    enum vmcs_index index = vmcs_field_find(encoding);
    if (!operand64)
        value = (uint32_t)value;
    if (encoding & VMCS_ENCODING_HIGH)
        value = value << 32 | (uint32_t)vmcs_get(vmcs, index);
    vmcs_set(vmcs, index, value);
}
