/* What tests of EPT02 share: EPT12 in L1's storage, and an L2 that touches memory as hardware does. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "nest/ept.h"
#include "tests/unit/fake/vmx_machine.h"

enum { RWX = 7, WRITE_BACK = 6 << 3, LARGE_BYTES = 2 << 20 };
enum { PML4 = FAKE_EPT, PDPT = FAKE_EPT + 0x1000, PD = FAKE_EPT + 0x2000, PT = FAKE_EPT + 0x3000 };

static struct fake_vmx m;

static inline void entry_put(uint64_t at, uint64_t entry) { memcpy(m.storage + at, &entry, sizeof(entry)); }

static inline int start(void **state)
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

static inline void launch(uint64_t eptp)
{
    fake_vmx_enter_operation(&m);
    fake_vmx_make_vmcs(&m, FAKE_VMCS);
    fake_vmx_write(&m, VMCS_EPT_POINTER, eptp);
    assert_int_equal(fake_vmx_plain(&m, EXIT_VMLAUNCH), NEST_ENTERED);
    assert_true(fake_vmx_load(&m));
}

/* L2 accesses memory as hardware does: until it succeeds, or the exit is not EPT02's to mend. */
static inline enum nest_result touch(uint64_t gpa2, unsigned access, uint64_t *hpa)
{
    for (unsigned tries = 0; tries < 4; tries++) {
        if (fake_vmx_touch(&m, gpa2, access, hpa))
            return NEST_RESUME;
        struct exit exit = {.reason = EXIT_EPT_VIOLATION,
                            .qualification = access | 0x180,
                            .guest_physical = gpa2,
                            .guest_linear = gpa2};
        enum nest_result result = fake_vmx_exit(&m, &exit);
        if (result != NEST_RESUME)
            return result;
        assert_true(fake_vmx_load(&m));
    }
    fail_msg("L2 does not get on though every violation is said to be mended");
    return NEST_FAULT;
}
