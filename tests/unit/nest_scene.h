/* L1 on the fake machine: where its tests begin, its way into its guest and back, and the verdicts of its VMX
 * instructions. Each test ends with nothing kept and the machine without complaint. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "nest/ept.h"
#include "nest/instruction.h"
#include "tests/unit/fake/vmx_machine.h"

static __attribute__((unused)) struct fake_vmx m;
static const __attribute__((unused)) struct exit cpuid = {.reason = EXIT_CPUID, .instruction_length = 2};

static inline int start(void **state)
{
    (void)state;
    fake_vmx_start(&m, NEST_TRAP);
    return 0;
}

static inline int start_shadow(void **state)
{
    (void)state;
    fake_vmx_start(&m, NEST_SHADOW);
    return 0;
}

static inline int start_current(void **state)
{
    start_shadow(state);
    fake_vmx_enter_operation(&m);
    fake_vmx_make_vmcs(&m, FAKE_VMCS);
    return 0;
}

static inline int stop(void **state)
{
    (void)state;
    fake_vmx_stop(&m);
    return m.complaint != NULL;
}

static inline void enter(enum exit_reason instruction)
{
    m.traced = NULL;
    enum nest_result result = fake_vmx_plain(&m, instruction);
    if (m.traced)
        fail_msg("entry failed: %s", m.traced);
    assert_int_equal(result, NEST_ENTERED);
    assert_true(fake_vmx_load(&m));
}

static inline void leave(void)
{
    assert_int_equal(fake_vmx_exit(&m, &cpuid), NEST_REFLECTED);
}

static inline void assert_fault(enum nest_result result, unsigned vector)
{
    assert_int_equal(result, NEST_FAULT);
    assert_int_equal(m.nest.fault.vector, vector);
    assert_int_equal(m.nest.fault.has_error, vector != 6);
}

static inline void assert_invalid(enum nest_result result)
{
    assert_int_equal(result, NEST_SKIP);
    assert_int_equal(fake_vmx_verdict(&m), FAKE_FAILED_INVALID);
}

static inline void assert_error(enum nest_result result, unsigned error)
{
    assert_int_equal(result, NEST_SKIP);
    assert_int_equal(fake_vmx_verdict(&m), FAKE_FAILED_VALID);
    assert_int_equal(fake_vmx_read(&m, VMCS_INSTRUCTION_ERROR), error);
}

static inline void assert_success(enum nest_result result)
{
    assert_int_equal(result, NEST_SKIP);
    assert_int_equal(fake_vmx_verdict(&m), FAKE_SUCCEEDED);
}

static inline void put_revision(uint64_t at, uint32_t bits)
{
    uint32_t revision = (uint32_t)m.offered.msr[VMX_BASIC] | bits;
    memcpy(m.storage + at, &revision, sizeof(revision));
}

/* A test that begins outside VMX operation, and one with a VMCS that is current and good. */
#define OUTSIDE(name) cmocka_unit_test_setup_teardown(name, start, stop)
#define CURRENT(name) cmocka_unit_test_setup_teardown(name, start_current, stop)
