#include "cp/vcpu/vector.h"

#include <string.h>

#include "cp/vcpu/handlers.h"
#include "cp/vcpu/registers.h"
#include "cp/vcpu/xstate.h"

/* of an XSAVE area */
enum { FSW = 2, FTW = 4, ST = 32, XMM = 160, YMM_HIGH = 576, REGISTERS = 16, MMX_REGISTERS = 8, ST_BYTES = 16,
       XMM_BYTES = 16, MMX_BYTES = 8, ZMM_HIGH_BYTES = 32, EXPONENT = 8, FCW_INITIAL = 0x37F };
enum { FSW_TOP_SHIFT = 11, FSW_TOP = 7 << FSW_TOP_SHIFT };
enum { COMPONENT_X87 = 1 << 0, COMPONENT_SSE = 1 << 1, COMPONENT_AVX = 1 << 2, COMPONENT_ZMM_HIGH = 1 << 6,
       AVX_STATE = COMPONENT_SSE | COMPONENT_AVX };
enum { VECTOR_NM = 7 };

unsigned vector_refused(enum instruction_class class, const struct vector_mode *m)
{
    bool vex = class == INSTRUCTION_AVX || class == INSTRUCTION_VEX;
    bool state = class == INSTRUCTION_MMX || class == INSTRUCTION_SSE || class == INSTRUCTION_AVX;

    if ((vex || class == INSTRUCTION_PROTECTED) && !m->protected_mode)
        return VECTOR_UD;
    if (class == INSTRUCTION_AVX && (!(m->cr4 & CR4_OSXSAVE) || (m->xcr0 & AVX_STATE) != AVX_STATE))
        return VECTOR_UD;
    if (state && !vex && (m->cr0 & CR0_EM))
        return VECTOR_UD;
    if (class == INSTRUCTION_SSE && !(m->cr4 & CR4_OSFXSR))
        return VECTOR_UD;
    return state && (m->cr0 & CR0_TS) ? VECTOR_NM : 0;
}

static uint64_t *present(void *area)
{
    return (uint64_t *)(void *)((char *)area + XSTATE_HEADER);
}

static bool has(const void *area, uint64_t component)
{
    return *(const uint64_t *)(const void *)((const char *)area + XSTATE_HEADER) & component;
}

/* What was in its initial state is so in the area too from here on. */
static void make_present(void *area, uint64_t component, unsigned at, unsigned bytes)
{
    if (has(area, component))
        return;
    memset((char *)area + at, 0, bytes);
    *present(area) |= component;
}

static unsigned top(const uint8_t *area)
{
    return (area[FSW + 1] << 8 & FSW_TOP) >> FSW_TOP_SHIFT;
}

/* x87's registers stand in the order of its stack. */
static unsigned mmx_place(const uint8_t *area, unsigned reg)
{
    return ST + ST_BYTES * ((reg - top(area)) % MMX_REGISTERS);
}

static void get_part(const void *area, uint64_t component, unsigned at, void *to, unsigned bytes)
{
    if (has(area, component))
        memcpy(to, (const char *)area + at, bytes);
}

void vector_get(const void *area, enum operand kind, unsigned reg, uint8_t value[EXECUTE_VECTOR])
{
    memset(value, 0, EXECUTE_VECTOR);
    if (kind == OPERAND_MMX) {
        get_part(area, COMPONENT_X87, mmx_place(area, reg), value, MMX_BYTES);
        return;
    }
    get_part(area, COMPONENT_SSE, XMM + XMM_BYTES * reg, value, XMM_BYTES);
    get_part(area, COMPONENT_AVX, YMM_HIGH + XMM_BYTES * reg, value + XMM_BYTES, XMM_BYTES);
}

static void put_mmx(uint8_t *area, unsigned reg, const uint8_t *value)
{
    uint8_t registers[MMX_REGISTERS][ST_BYTES];

    if (!has(area, COMPONENT_X87)) {
        make_present(area, COMPONENT_X87, 0, XSTATE_MXCSR);
        memset(area + ST, 0, sizeof registers);
        area[XSTATE_FCW] = FCW_INITIAL & 0xFF, area[XSTATE_FCW + 1] = FCW_INITIAL >> 8;
    }
    for (unsigned i = 0; i < MMX_REGISTERS; i++)
        memcpy(registers[i], area + mmx_place(area, i), ST_BYTES);
    memcpy(registers[reg], value, MMX_BYTES);
    memset(registers[reg] + EXPONENT, 0xFF, 2);
    memcpy(area + ST, registers, sizeof registers);
    area[FSW + 1] &= (uint8_t)~(FSW_TOP >> 8);
    area[FTW] = 0xFF;
}

static void clear_above(uint8_t *area, unsigned zmm, unsigned reg, unsigned bytes)
{
    if (bytes <= XMM_BYTES && has(area, COMPONENT_AVX))
        memset(area + YMM_HIGH + XMM_BYTES * reg, 0, XMM_BYTES);
    if (zmm && has(area, COMPONENT_ZMM_HIGH))
        memset(area + zmm + ZMM_HIGH_BYTES * reg, 0, ZMM_HIGH_BYTES);
}

void vector_put(void *area, unsigned zmm, enum operand kind, unsigned reg, const uint8_t value[EXECUTE_VECTOR],
                unsigned bytes, bool clear)
{
    uint8_t *at = area;

    if (kind == OPERAND_MMX) {
        put_mmx(area, reg, value);
        return;
    }
    make_present(area, COMPONENT_SSE, XMM, XMM_BYTES * REGISTERS);
    memcpy(at + XMM + XMM_BYTES * reg, value, XMM_BYTES);
    if (bytes > XMM_BYTES) {
        make_present(area, COMPONENT_AVX, YMM_HIGH, XMM_BYTES * REGISTERS);
        memcpy(at + YMM_HIGH + XMM_BYTES * reg, value + XMM_BYTES, XMM_BYTES);
    }
    if (clear)
        clear_above(area, zmm, reg, bytes);
}
