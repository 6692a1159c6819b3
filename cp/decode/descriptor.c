#include "cp/decode/descriptor.h"

enum { FAULT_NP = 11, FAULT_SS = 12, FAULT_GP = 13 };
enum { TYPE = 15, WRITABLE_DATA = 2, READABLE_CODE = 2, CONFORMING = 4, CODE = 8 };
enum { TSS_16 = 1, LDT, TSS_16_BUSY, CALL_GATE_16, TASK_GATE, TSS_32 = 9, TSS_32_BUSY = 11, CALL_GATE_32 };
#define BIT(type) (1u << (type))

static uint32_t rights_of(struct descriptor d)
{
    return (uint32_t)(d.low >> 40) & 0xF0FF;
}

static unsigned level_of(uint32_t rights)
{
    return rights >> RIGHTS_LEVEL_SHIFT & 3;
}

static unsigned type_of(uint32_t rights)
{
    return rights & TYPE;
}

bool descriptor_find(const struct descriptor_tables *t, uint16_t selector, unsigned bytes, uint64_t *linear)
{
    bool local = selector & SELECTOR_LOCAL;
    uint32_t at = selector & SELECTOR_INDEX, limit = local ? t->local_limit : t->global_limit;

    *linear = (local ? t->local : t->global) + at;
    return (!local || t->has_local) && at + bytes - 1 <= limit;
}

struct segment_value descriptor_segment(uint16_t selector, struct descriptor d, bool wide)
{
    struct segment_value s = {
        .selector = selector, .rights = rights_of(d),
        .base = (d.low >> 16 & 0xFFFFFF) | (d.low >> 56) << 24 | (wide ? d.high << 32 : 0),
        .limit = (uint32_t)((d.low & 0xFFFF) | (d.low >> 32 & 0xF0000))};

    if (s.rights & RIGHTS_GRANULAR)
        s.limit = s.limit << 12 | 0xFFF;
    return s;
}

/* May the segment be used at the current level and the selector's? */
static bool level_allows(uint32_t rights, uint16_t selector, struct descriptor_mode mode)
{
    return mode.level <= level_of(rights) && (selector & SELECTOR_LEVEL) <= level_of(rights);
}

static bool is_conforming(uint32_t rights)
{
    return (rights & (RIGHTS_CODE_OR_DATA | CODE | CONFORMING)) == (RIGHTS_CODE_OR_DATA | CODE | CONFORMING);
}

static bool is_readable(uint32_t rights)
{
    return (rights & RIGHTS_CODE_OR_DATA) && (!(rights & CODE) || (rights & READABLE_CODE));
}

static bool is_writable(uint32_t rights)
{
    return (rights & (RIGHTS_CODE_OR_DATA | CODE | WRITABLE_DATA)) == (RIGHTS_CODE_OR_DATA | WRITABLE_DATA);
}

static unsigned refused_stack(uint16_t selector, uint32_t rights, unsigned level)
{
    if ((selector & SELECTOR_LEVEL) != level || !is_writable(rights) || level_of(rights) != level)
        return FAULT_GP;
    return rights & RIGHTS_PRESENT ? 0 : FAULT_SS;
}

unsigned descriptor_refused_data(enum segment segment, uint16_t selector, struct descriptor d,
                                 struct descriptor_mode mode)
{
    uint32_t rights = rights_of(d);

    if (segment == SEGMENT_SS)
        return refused_stack(selector, rights, mode.level);
    if (!is_readable(rights) || (!is_conforming(rights) && !level_allows(rights, selector, mode)))
        return FAULT_GP;
    return rights & RIGHTS_PRESENT ? 0 : FAULT_NP;
}

static bool is_canonical(uint64_t linear)
{
    return (uint64_t)((int64_t)(linear << 16) >> 16) == linear;
}

unsigned descriptor_refused_system(bool task, struct descriptor d, bool wide)
{
    uint32_t rights = rights_of(d);
    unsigned wanted = !task ? BIT(LDT) : wide ? BIT(TSS_32) : BIT(TSS_16) | BIT(TSS_32);
    bool upper_has_type = wide && (d.high >> 40 & (RIGHTS_CODE_OR_DATA | TYPE));

    if ((rights & RIGHTS_CODE_OR_DATA) || !(BIT(type_of(rights)) & wanted) || upper_has_type)
        return FAULT_GP;
    if (!(rights & RIGHTS_PRESENT))
        return FAULT_NP;
    return is_canonical(descriptor_segment(0, d, wide).base) ? 0 : FAULT_GP;
}

static bool is_gate(unsigned type, struct descriptor_mode mode)
{
    unsigned gates = BIT(TSS_16) | BIT(CALL_GATE_16) | BIT(TASK_GATE) | BIT(TSS_32) | BIT(CALL_GATE_32);

    return BIT(type) & (mode.ia32e ? BIT(CALL_GATE_32) : gates);
}

unsigned descriptor_refused_code(uint16_t selector, struct descriptor d, struct descriptor_mode mode)
{
    uint32_t rights = rights_of(d);
    unsigned level = level_of(rights);

    if (!(rights & RIGHTS_CODE_OR_DATA))
        return is_gate(type_of(rights), mode) ? DESCRIPTOR_GATE : FAULT_GP;
    if (!(rights & CODE) || (mode.ia32e && (rights & RIGHTS_LONG) && (rights & RIGHTS_BIG)))
        return FAULT_GP;
    if (is_conforming(rights) ? level > mode.level
                              : (selector & SELECTOR_LEVEL) > mode.level || level != mode.level)
        return FAULT_GP;
    return rights & RIGHTS_PRESENT ? 0 : FAULT_NP;
}

/* The tables in the pages of LAR and LSL; 64-bit ones have the types of 32-bit ones. */
static bool shows_system(enum operation operation, unsigned type, bool ia32e)
{
    unsigned narrow = ia32e ? 0 : BIT(TSS_16) | BIT(TSS_16_BUSY);
    unsigned limits = narrow | BIT(LDT) | BIT(TSS_32) | BIT(TSS_32_BUSY);
    unsigned gates = BIT(CALL_GATE_32) | (ia32e ? 0 : BIT(CALL_GATE_16) | BIT(TASK_GATE));

    return BIT(type) & (operation == OP_LSL ? limits : operation == OP_LAR ? limits | gates : 0);
}

bool descriptor_shown(enum operation operation, uint16_t selector, struct descriptor d, struct descriptor_mode mode,
                      uint64_t *value)
{
    enum { LAR_SHOWS = 0x00F0FF00 };
    uint32_t rights = rights_of(d);

    *value = operation == OP_LSL ? descriptor_segment(selector, d, false).limit : d.low >> 32 & LAR_SHOWS;
    if (!is_conforming(rights) && !level_allows(rights, selector, mode))
        return false;
    if (!(rights & RIGHTS_CODE_OR_DATA))
        return shows_system(operation, type_of(rights), mode.ia32e);
    return operation == OP_VERR ? is_readable(rights) : operation != OP_VERW || is_writable(rights);
}
