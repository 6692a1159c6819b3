/* VMREAD and VMWRITE bitmaps from the field table.  In: capabilities.  Out: bitmaps for hardware; no state. */
#include "vmcs-shadow/bitmap.h"

#include <string.h>

void vmcs_bitmap_sets(struct vmcs_set *readable, struct vmcs_set *writable, const struct vmx_capability *offered,
                      const struct vmx_capability *hardware)
{
    bool write_any = offered->msr[VMX_MISC] & hardware->msr[VMX_MISC] & VMX_MISC_VMWRITE_ANY;
    uint32_t fields = offered->fields & hardware->fields;
    vmcs_set_clear(readable);
    vmcs_set_clear(writable);
    for (unsigned i = 0; i < VMCS_FIELDS; i++) {
        const struct vmcs_field_row *row = &vmcs_field_rows[i];
        if (row->shadow == VMCS_SHADOW_NO || !(fields >> row->capability & 1))
            continue;
        vmcs_set_add(readable, i);
        if (row->shadow == VMCS_SHADOW_READ_WRITE || write_any)
            vmcs_set_add(writable, i);
    }
}

void vmcs_bitmap_close(struct vmcs_set *readable, struct vmcs_set *writable)
{
    vmcs_set_subtract(readable, &vmcs_set_cold_guest);
    vmcs_set_subtract(writable, &vmcs_set_cold);
}

static void pass(uint8_t *bitmap, uint32_t encoding)
{
    bitmap[encoding >> 3] &= (uint8_t)~(1u << (encoding & 7));
}

void vmcs_bitmap_build(uint8_t *bitmap, const struct vmcs_set *set)
{
    memset(bitmap, 0xFF, VMCS_BITMAP_BYTES);
    for (unsigned i = 0; i < VMCS_FIELDS; i++) {
        if (!vmcs_set_has(set, i))
            continue;
        uint32_t encoding = vmcs_field_rows[i].encoding;
        pass(bitmap, encoding);
        if (VMCS_ENCODING_WIDTH(encoding) == VMCS_WIDTH_64)
            pass(bitmap, encoding | VMCS_ENCODING_HIGH);
    }
}

bool vmcs_bitmap_exits(const uint8_t *bitmap, uint64_t encoding)
{
    return encoding >> 15 || (bitmap[encoding >> 3] >> (encoding & 7) & 1);
}

bool vmcs_bitmap_is_closed(const uint8_t *writes)
{
    for (unsigned i = 0; i < VMCS_FIELDS; i++)
        if (vmcs_set_has(&vmcs_set_cold, i) && !vmcs_bitmap_exits(writes, vmcs_field_rows[i].encoding))
            return false;
    return true;
}
