/* What tests of L2's exits share: L1 with a VMCS that passes all checks, into L2 and out of it. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/fake/vmx_machine.h"

static struct fake_vmx m;
static const struct exit cpuid = {.reason = EXIT_CPUID, .instruction_length = 2};

static inline int start(void **state)
{
    (void)state;
    fake_vmx_start(&m, NEST_SHADOW);
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

static inline void put_revision(uint64_t at, uint32_t bits)
{
    uint32_t revision = (uint32_t)m.offered.msr[VMX_BASIC] | bits;
    memcpy(m.storage + at, &revision, sizeof(revision));
}

/* L1 lets L2 read RIP of the VMCS at 4000H. */
static inline void offer_link(void)
{
    memset(m.storage + 0x15000, 0xFF, 4096);
    memset(m.storage + 0x16000, 0xFF, 4096);
    m.storage[0x15000 + (VMCS_GUEST_RIP >> 3)] &= (uint8_t)~(1 << (VMCS_GUEST_RIP & 7));
    put_revision(0x4000, VMCS_SHADOW_INDICATOR);
    fake_vmx_write(&m, VMCS_SECONDARY_CONTROLS, CPU2_EPT | CPU2_VMCS_SHADOWING);
    fake_vmx_write(&m, VMCS_VMREAD_BITMAP, 0x15000);
    fake_vmx_write(&m, VMCS_VMWRITE_BITMAP, 0x16000);
    fake_vmx_write(&m, VMCS_VMCS_LINK_POINTER, 0x4000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
