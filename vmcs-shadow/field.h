/* VMCS fields: the enum, struct vmcs, and what can be known of a field from its number alone.
 *
 * Everything here is derived from fields.def.  A field has two numbers: its encoding (enum vmcs_field, the operand of
 * VMREAD and VMWRITE) and its index (0 .. VMCS_FIELDS-1, dense, in the order of the table; for bit sets and tables). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t natural_t; /* natural width: CP is 64-bit, so always eight bytes */
typedef uint64_t address_t; /* what hardware takes for a physical address */

enum vmcs_field {
#define FIELD(NAME, member, encoding, type, shadow, merge, derived, capability) VMCS_##NAME = encoding,
#include "vmcs-shadow/fields.def"
#undef FIELD
};

enum vmcs_index {
#define FIELD(NAME, member, encoding, type, shadow, merge, derived, capability) VMCS_INDEX_##NAME,
#include "vmcs-shadow/fields.def"
#undef FIELD
    VMCS_FIELDS,
    VMCS_INDEX_NONE = 0xFF
};

struct vmcs {
#define FIELD(NAME, member, encoding, type, shadow, merge, derived, capability) type member;
#include "vmcs-shadow/fields.def"
#undef FIELD
};

/* SDM "Field Encoding in VMCS" */
enum vmcs_width { VMCS_WIDTH_16, VMCS_WIDTH_64, VMCS_WIDTH_32, VMCS_WIDTH_NATURAL };
enum vmcs_area { VMCS_CONTROL, VMCS_EXIT_INFORMATION, VMCS_GUEST, VMCS_HOST };
#define VMCS_ENCODING_HIGH 1u                        /* access type: the high half of a 64-bit field */
#define VMCS_ENCODING_WIDTH(e) ((e) >> 13 & 3u)      /* enum vmcs_width */
#define VMCS_ENCODING_AREA(e) ((e) >> 10 & 3u)       /* enum vmcs_area */
#define VMCS_ENCODING_BYTES(e) ((e) >> 13 & 1u ? 8u : (e) >> 14 & 1u ? 4u : 2u)

#define VMCS_TYPE_IS_ADDRESS(type) VMCS_ADDRESS_IN_##type /* 1 or 0; of a row's type */
#define VMCS_ADDRESS_IN_uint16_t 0
#define VMCS_ADDRESS_IN_uint32_t 0
#define VMCS_ADDRESS_IN_uint64_t 0
#define VMCS_ADDRESS_IN_natural_t 0
#define VMCS_ADDRESS_IN_address_t 1

enum vmcs_shadow_class { VMCS_SHADOW_NO, VMCS_SHADOW_READ, VMCS_SHADOW_READ_WRITE };
enum vmcs_merge_class { VMCS_MERGE_COPY, VMCS_MERGE_CP, VMCS_MERGE_MERGE, VMCS_MERGE_NONE };
enum vmcs_derived_class {
    VMCS_DERIVED_NOTHING, VMCS_DERIVED_PLACE, VMCS_DERIVED_IMAGE, /* from here on as a whole: */ VMCS_DERIVED_RULES,
    VMCS_DERIVED_EPT, VMCS_DERIVED_TAG, VMCS_DERIVED_HOST, VMCS_DERIVED_EXIT,
    VMCS_DERIVED_CLASSES
};

#define FIELD(NAME, member, encoding, type, shadow, merge, derived, capability) \
    _Static_assert(sizeof(type) == VMCS_ENCODING_BYTES(encoding), #NAME ": type and encoding disagree on the width"); \
    _Static_assert(((encoding) & ~0x6C3Eu) == 0, #NAME ": encoding has a reserved bit, a high half or a large index"); \
    _Static_assert(!(VMCS_TYPE_IS_ADDRESS(type) && VMCS_MERGE_##merge == VMCS_MERGE_COPY), \
                   #NAME ": an address of the guest's would reach hardware");
#include "vmcs-shadow/fields.def"
#undef FIELD

/* One row of the table at run time. */
struct vmcs_field_row {
    uint16_t encoding;
    uint16_t offset;     /* in struct vmcs */
    uint8_t bytes;       /* 2, 4 or 8 */
    uint8_t shadow;      /* enum vmcs_shadow_class */
    uint8_t merge;       /* enum vmcs_merge_class */
    uint8_t derived;     /* enum vmcs_derived_class */
    uint8_t capability;  /* enum vmcs_capability */
};
extern const struct vmcs_field_row vmcs_field_rows[VMCS_FIELDS];

/* Index by width, area and number, plus one; 0 where there is no field. */
extern const uint8_t vmcs_field_indices[512];

/* The index of the field with this encoding (the full field's or its high half's), VMCS_INDEX_NONE if the table has no
 * such field.  Any value may be asked for: it is what a guest put in a register. */
static inline enum vmcs_index vmcs_field_find(uint64_t encoding)
{
    if (encoding & ~0x6C3Full)
        return VMCS_INDEX_NONE;
    if ((encoding & VMCS_ENCODING_HIGH) && VMCS_ENCODING_WIDTH(encoding) != VMCS_WIDTH_64)
        return VMCS_INDEX_NONE;
    unsigned slot = (unsigned)(encoding >> 6 & 0x180u) | (unsigned)(encoding >> 5 & 0x60u) |
                    (unsigned)(encoding >> 1 & 0x1Fu);
    return (enum vmcs_index)(uint8_t)(vmcs_field_indices[slot] - 1);
}

/* Name as in the table, "GUEST_RIP"; "?" for an encoding that is not in it. */
const char *vmcs_field_name(uint32_t encoding);

/* Value of a field, zero-extended.  @pre index < VMCS_FIELDS */
uint64_t vmcs_get(const struct vmcs *vmcs, enum vmcs_index index);
/* Sets a field; bits beyond its width are dropped.  @pre index < VMCS_FIELDS */
void vmcs_set(struct vmcs *vmcs, enum vmcs_index index, uint64_t value);

/* to->field = from->field.  @pre index < VMCS_FIELDS */
static inline void vmcs_copy(struct vmcs *to, const struct vmcs *from, enum vmcs_index index)
{
    const struct vmcs_field_row *row = &vmcs_field_rows[index];
    void *destination = (char *)to + row->offset;
    const void *source = (const char *)from + row->offset;
    if (row->bytes == 8)
        *(uint64_t *)destination = *(const uint64_t *)source;
    else if (row->bytes == 4)
        *(uint32_t *)destination = *(const uint32_t *)source;
    else
        *(uint16_t *)destination = *(const uint16_t *)source;
}

/* The same by encoding, with the rules of VMREAD and VMWRITE: the encoding may name a high half, and an operand of
 * 32 bits (outside 64-bit mode) reads the low half of a longer field and clears the high half when it writes.
 * @pre vmcs_field_find(encoding) != VMCS_INDEX_NONE */
uint64_t vmcs_field_read(const struct vmcs *vmcs, uint32_t encoding, bool operand64);
void vmcs_field_write(struct vmcs *vmcs, uint32_t encoding, uint64_t value, bool operand64);

/* A set of fields, by index. */
struct vmcs_set {
    uint64_t word[(VMCS_FIELDS + 63) / 64];
};
static inline void vmcs_set_add(struct vmcs_set *set, enum vmcs_index index)
{
    set->word[index >> 6] |= 1ull << (index & 63);
}
static inline void vmcs_set_remove(struct vmcs_set *set, enum vmcs_index index)
{
    set->word[index >> 6] &= ~(1ull << (index & 63));
}
static inline bool vmcs_set_has(const struct vmcs_set *set, enum vmcs_index index)
{
    return set->word[index >> 6] >> (index & 63) & 1;
}
static inline bool vmcs_set_meets(const struct vmcs_set *a, const struct vmcs_set *b)
{
    uint64_t any = 0;
    for (unsigned i = 0; i < sizeof(a->word) / sizeof(a->word[0]); i++)
        any |= a->word[i] & b->word[i];
    return any != 0;
}
static inline bool vmcs_set_empty(const struct vmcs_set *set)
{
    uint64_t any = 0;
    for (unsigned i = 0; i < sizeof(set->word) / sizeof(set->word[0]); i++)
        any |= set->word[i];
    return any == 0;
}
static inline void vmcs_set_clear(struct vmcs_set *set)
{
    *set = (struct vmcs_set){{0}};
}

/* The fields whose merge class is COPY; MERGE. */
extern const struct vmcs_set vmcs_set_copied, vmcs_set_merged;
/* By the column `derived`: the fields of each class; and those of which something is
 * derived that is made as a whole. */
extern const struct vmcs_set vmcs_set_derived[VMCS_DERIVED_CLASSES], vmcs_set_whole;
/* Fields that seldom change, as sync.h has them: all that a hypervisor writes, and of these the guest state. */
extern const struct vmcs_set vmcs_set_cold, vmcs_set_cold_guest;
/* What a hypervisor writes; what its guest changes by running; what an exit reports, with RIP and RSP. */
extern const struct vmcs_set vmcs_set_written, vmcs_set_guest, vmcs_set_exit;
static inline void vmcs_set_unite(struct vmcs_set *set, const struct vmcs_set *other)
{
    for (unsigned i = 0; i < sizeof(set->word) / sizeof(set->word[0]); i++)
        set->word[i] |= other->word[i];
}
static inline void vmcs_set_subtract(struct vmcs_set *set, const struct vmcs_set *other)
{
    for (unsigned i = 0; i < sizeof(set->word) / sizeof(set->word[0]); i++)
        set->word[i] &= ~other->word[i];
}
