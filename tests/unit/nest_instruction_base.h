/* What tests of VMX instructions share: a fake machine each test starts anew, and what an instruction came to. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "nest/instruction.h"
#include "tests/unit/fake/vmx_machine.h"

static struct fake_vmx m;

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

static inline int stop(void **state)
{
    (void)state;
    fake_vmx_stop(&m);
    return m.complaint != NULL;
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
