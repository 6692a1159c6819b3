/* Decodes and accesses operands of VMX instructions.  In: the exit's instruction information and L1's registers, all
 * of them a guest's.  Out: bytes, or the exception the instruction raises.  SDM "Memory-operand" rules: "Segment
 * limit checking", "Type checking", "Canonical addressing". */
#include "nest/operand.h"

#include <string.h>

enum { SEGMENT_SS = 2, SEGMENT_FS = 4, SEGMENT_GS = 5, SEGMENTS = 6 };
enum { RIGHTS_CODE = 8, RIGHTS_WRITABLE = 2, RIGHTS_READABLE = 2, RIGHTS_EXPAND_DOWN = 4, RIGHTS_BIG = 1 << 14,
       RIGHTS_UNUSABLE = 1 << 16 };

bool nest_fault(struct nest *nest, unsigned vector, bool has_error, uint32_t error)
{
    nest->fault = (struct nest_fault){.vector = (uint8_t)vector, .has_error = has_error, .error = error};
    return false;
}

static uint64_t get(const struct nest *nest, enum vmcs_field field)
{
    return nest->host->get(nest->host->context, field);
}

struct nest_code nest_code_mode(const struct nest *nest)
{
    struct nest_code code;
    code.protected_mode = get(nest, VMCS_GUEST_CR0) & 1;
    code.virtual_8086 = get(nest, VMCS_GUEST_RFLAGS) >> 17 & 1;
    code.long_mode = get(nest, VMCS_GUEST_EFER) >> 10 & 1;
    code.code64 = code.long_mode && (get(nest, VMCS_GUEST_CS_ACCESS_RIGHTS) >> 13 & 1);
    code.cpl = get(nest, VMCS_GUEST_SS_ACCESS_RIGHTS) >> 5 & 3;
    return code;
}

uint64_t nest_operand_register(const struct nest *nest, unsigned number, bool long_mode)
{
    uint64_t value = number == 4 ? get(nest, VMCS_GUEST_RSP) : nest->host->gpr[number & 15];
    return long_mode ? value : (uint32_t)value;
}

void nest_operand_register_set(struct nest *nest, unsigned number, uint64_t value, bool long_mode)
{
    if (!long_mode)
        value = (uint32_t)value;
    if (number == 4)
        nest->host->set(nest->host->context, VMCS_GUEST_RSP, value);
    else
        nest->host->gpr[number & 15] = value;
}

static uint64_t offset_of(const struct nest *nest, const struct exit *exit)
{
    uint32_t information = exit->instruction_info;
    uint64_t offset = exit->qualification;
    if (!(information >> 27 & 1))
        offset += nest_operand_register(nest, information >> 23 & 15, true);
    if (!(information >> 22 & 1))
        offset += nest_operand_register(nest, information >> 18 & 15, true) << (information & 3);
    switch (information >> 7 & 7) {
    case 0:
        return (uint16_t)offset;
    case 1:
        return (uint32_t)offset;
    default:
        return offset;
    }
}

static bool canonical(uint64_t address, unsigned unused)
{
    return (uint64_t)((int64_t)(address << unused) >> unused) == address;
}

static bool canonical_range(const struct nest *nest, uint64_t first, unsigned bytes)
{
    unsigned unused = get(nest, VMCS_GUEST_CR4) >> 12 & 1 ? 64 - 57 : 64 - 48;
    return canonical(first, unused) && canonical(first + bytes - 1, unused);
}

static bool segment_fault(struct nest *nest, unsigned segment)
{
    return nest_fault(nest, segment == SEGMENT_SS ? VECTOR_SS : VECTOR_GP, true, 0);
}

/* Protected mode: usable, of a type that may be accessed so, and within the limit. */
static bool segment_allows(const struct nest *nest, unsigned segment, uint64_t offset, unsigned bytes,
                           enum nest_access access)
{
    uint32_t rights = (uint32_t)get(nest, VMCS_GUEST_ES_ACCESS_RIGHTS + 2 * segment);
    uint64_t limit = get(nest, VMCS_GUEST_ES_LIMIT + 2 * segment);
    uint64_t last = offset + bytes - 1;
    if (rights & RIGHTS_UNUSABLE)
        return false;
    if (rights & RIGHTS_CODE) {
        if (access == NEST_WRITE || !(rights & RIGHTS_READABLE))
            return false;
    } else if (access == NEST_WRITE && !(rights & RIGHTS_WRITABLE)) {
        return false;
    }
    if ((rights & (RIGHTS_CODE | RIGHTS_EXPAND_DOWN)) == RIGHTS_EXPAND_DOWN)
        return offset > limit && last <= (rights & RIGHTS_BIG ? 0xFFFFFFFFu : 0xFFFFu);
    return last <= limit;
}

static bool linear_address(struct nest *nest, const struct exit *exit, unsigned bytes, enum nest_access access,
                           uint64_t *linear)
{
    unsigned segment = exit->instruction_info >> 15 & 7;
    uint64_t offset = offset_of(nest, exit);
    if (segment >= SEGMENTS)
        return nest_fault(nest, VECTOR_UD, false, 0);
    if (nest_code_is64(nest)) {
        bool based = segment == SEGMENT_FS || segment == SEGMENT_GS;
        *linear = offset + (based ? get(nest, VMCS_GUEST_ES_BASE + 2 * segment) : 0);
        return canonical_range(nest, *linear, bytes) || segment_fault(nest, segment);
    }
    *linear = (uint32_t)(get(nest, VMCS_GUEST_ES_BASE + 2 * segment) + offset);
    return segment_allows(nest, segment, offset, bytes, access) || segment_fault(nest, segment);
}

static bool page_fault(struct nest *nest, uint64_t linear, uint32_t error)
{
    nest_fault(nest, VECTOR_PF, true, error);
    nest->fault.cr2 = linear;
    return false;
}

static void touched(const struct nest *nest, uint64_t linear, unsigned bytes, enum nest_access access)
{
    if (nest->host->touched)
        nest->host->touched(nest->host->context, linear, bytes, access);
}

/* Both pages of an operand that crosses one are translated before anything moves. */
static bool translate(struct nest *nest, const struct exit *exit, unsigned bytes, enum nest_access access,
                      uint64_t gpa[2], unsigned *first)
{
    const struct nest_host *host = nest->host;
    uint64_t linear;
    uint32_t error;
    if (!linear_address(nest, exit, bytes, access, &linear))
        return false;
    uint64_t to_end = 4096 - (linear & 4095);
    *first = to_end < bytes ? (unsigned)to_end : bytes;
    if (!host->linear(host->context, linear, access, &gpa[0], &error))
        return page_fault(nest, linear, error);
    if (*first < bytes && !host->linear(host->context, linear + *first, access, &gpa[1], &error))
        return page_fault(nest, linear + *first, error);
    touched(nest, linear, bytes, access);
    return true;
}

/* The commonest operand of all: 64-bit code, a segment without a base, a page that was used before. */
static bool load_at_once(const struct nest *nest, const struct exit *exit, void *to, unsigned bytes)
{
    const struct nest_host *host = nest->host;
    unsigned segment = exit->instruction_info >> 15 & 7;
    if (!host->view || !nest_code_is64(nest) || segment >= SEGMENT_FS)
        return false;
    uint64_t linear = offset_of(nest, exit);
    const void *at = host->view(host->context, linear, bytes);
    if (!at)
        return false;
    touched(nest, linear, bytes, NEST_READ);
    memcpy(to, at, bytes);
    return true;
}

bool nest_operand_load(struct nest *nest, const struct exit *exit, void *to, unsigned bytes)
{
    const struct nest_host *host = nest->host;
    if (load_at_once(nest, exit, to, bytes))
        return true;
    uint64_t gpa[2];
    unsigned first;
    if (!translate(nest, exit, bytes, NEST_READ, gpa, &first))
        return false;
    if (!host->read(host->context, gpa[0], to, first))
        memset(to, 0xFF, first);
    if (first < bytes && !host->read(host->context, gpa[1], (char *)to + first, bytes - first))
        memset((char *)to + first, 0xFF, bytes - first);
    return true;
}

bool nest_operand_store(struct nest *nest, const struct exit *exit, const void *from, unsigned bytes)
{
    const struct nest_host *host = nest->host;
    uint64_t gpa[2];
    unsigned first;
    if (!translate(nest, exit, bytes, NEST_WRITE, gpa, &first))
        return false;
    host->write(host->context, gpa[0], from, first);
    if (first < bytes)
        host->write(host->context, gpa[1], (const char *)from + first, bytes - first);
    return true;
}
