/* A local APIC alone on a bus, with a clock that stands still, and how a guest reaches its registers. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cp/device/lapic.h"
#include "tests/unit/fake/clock.h"

enum {
    ID = 0x02,
    VERSION = 0x03,
    TPR = 0x08,
    PPR = 0x0a,
    EOI = 0x0b,
    LDR = 0x0d,
    DFR = 0x0e,
    SVR = 0x0f,
    ISR = 0x10,
    TMR = 0x18,
    IRR = 0x20,
    ESR = 0x28,
    ICR = 0x30,
    ICR_HIGH = 0x31,
    LVT_TIMER = 0x32,
    LVT_LINT0 = 0x35,
    LVT_LINT1 = 0x36,
    LVT_ERROR = 0x37,
    INITIAL = 0x38,
    CURRENT = 0x39,
    DIVIDE = 0x3e,
    SELF_IPI = 0x3f
};
enum { BSP = 1 << 8, EXTD = 1 << 10, EN = 1 << 11, MASKED = 1 << 16, PERIODIC = 1 << 17, DEADLINE = 1 << 18 };

static __attribute__((unused)) struct bus bus;
static __attribute__((unused)) struct lapic lapic;
static __attribute__((unused)) unsigned nmis, inits, eois, last_eoi;
static __attribute__((unused)) uint64_t tsc_offset;
static struct pace pace;

static inline void changed(void *context) { (void)context; }
static inline void nmi(void *context) { (void)context; nmis++; }
static inline void init(void *context) { (void)context; inits++; }
static inline uint64_t guest_tsc(void *context, uint64_t now) { (void)context; return now + tsc_offset; }

static inline void eoi(void *context, unsigned vector)
{
    (void)context;
    eois++;
    last_eoi = vector;
}

static inline void store(unsigned reg, uint32_t value)
{
    bus_mmio_write(&bus, LAPIC_DEFAULT_BASE + reg * 16, 4, value);
}

static inline uint32_t load(unsigned reg)
{
    return bus_mmio_read(&bus, LAPIC_DEFAULT_BASE + reg * 16, 4);
}

static inline int wrmsr(uint32_t msr, uint64_t value)
{
    return lapic_write_msr(&lapic, msr, value);
}

static inline uint64_t rdmsr(uint32_t msr)
{
    uint64_t value = 0xbad;

    assert_int_equal(lapic_read_msr(&lapic, msr, &value), 0);
    return value;
}

static inline bool rdmsr_faults(uint32_t msr)
{
    uint64_t value;

    return lapic_read_msr(&lapic, msr, &value) == -1;
}

static inline bool deliver(uint8_t vector, bool level)
{
    return lapic_deliver(&lapic, &(struct lapic_message){.vector = vector, .level = level});
}

static inline int begin(void **state)
{
    static const struct lapic_host host = {
        .changed = changed, .nmi = nmi, .init = init, .eoi = eoi, .guest_tsc = guest_tsc, .pace = &pace};

    (void)state;
    fake_clock_reset(2500000000);
    fake_now = 1000;
    bus_init(&bus);
    pace_init(&pace, changed, NULL);
    lapic_init(&lapic, &host, &bus, 40);
    nmis = inits = eois = last_eoi = 0;
    tsc_offset = 0;
    return 0;
}

static inline int begin_enabled(void **state)
{
    begin(state);
    store(SVR, 0x1ff);
    return 0;
}

static inline int begin_x2apic(void **state)
{
    begin_enabled(state);
    return wrmsr(MSR_APIC_BASE, LAPIC_DEFAULT_BASE | EN | EXTD | BSP);
}

static inline int end(void **state)
{
    (void)state;
    lapic_free(&lapic);
    pace_reset(&pace);
    return timer_next() == UINT64_MAX ? 0 : -1;
}

#define TEST(setup, name) cmocka_unit_test_setup_teardown(name, setup, end)
