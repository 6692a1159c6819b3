/* The assertions on VMCBs (cp/svm/assert.h): what is made of any controls passes, and each way in which a VMCB may not
 * be is refused by the row that is about it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cp/svm/assert.h"
#include "vmcs-shadow/control.h"

static struct vmcb vmcb;
static struct svm_state state;
static const struct svm_maps maps = {.io = 0x1000, .msr_some = 0x4000, .msr_all = 0x6000, .bitmap = 0x8000};

static int good(void **context)
{
    (void)context;
    memset(&vmcb, 0, sizeof vmcb);
    state = (struct svm_state){.vmcb = &vmcb};
    state.image.processor_controls = CPU_HLT_EXITING | CPU_TPR_SHADOW | CPU_MSR_BITMAPS;
    state.image.exception_bitmap = 1 << 14;
    state.image.ept_pointer = 0x12345000 | 3 << 3 | 6;
    state.image.msr_bitmap = 0x9000; /* a union */
    svm_field_write(&state, VMCS_INDEX_GUEST_EFER, 0xD01);
    svm_field_write(&state, VMCS_INDEX_GUEST_CR4, 0x2020);
    svm_control_apply(&state, &maps);
    return 0;
}

static uint64_t next(void)
{
    static uint64_t seed = 88172645463325252ull;
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

static void what_is_made_of_any_controls_passes(void **context)
{
    (void)context;
    for (unsigned i = 0; i < 200000; i++) {
        good(NULL);
        for (unsigned k = 0; k < 8; k++)
            svm_field_write(&state, (enum vmcs_index)(next() % VMCS_FIELDS), next());
        svm_field_write(&state, VMCS_INDEX_EPT_POINTER, (next() & 0xFFFFFFF000) | 0x1000 | 0x1E);
        if (i % 3 == 0)
            svm_field_write(&state, VMCS_INDEX_MSR_BITMAP, maps.bitmap);
        svm_control_apply(&state, &maps);
        unsigned broken = svm_assert(&state, &maps);
        if (broken)
            fail_msg("not: %s", svm_assertion(broken));
    }
}

static void each_row_refuses_what_it_is_about(void **context)
{
    bool seen[64] = {false};
    unsigned rows = 0, at = 0;
    (void)context;
#define WRONG(text, ...) \
    do { \
        good(NULL); \
        assert_int_equal(svm_assert(&state, &maps), 0); \
        __VA_ARGS__; \
        unsigned by = svm_assert(&state, &maps); \
        if (!by || strcmp(svm_assertion(by), text)) \
            fail_msg("%s, but: %s", #__VA_ARGS__, by ? svm_assertion(by) : "nothing"); \
        seen[by] = true; \
    } while (0)
    static const uint8_t vectors[] = {1, 6, 13, 14, 17};
    for (at = 0; at < sizeof vectors; at++)
        WRONG("exceptions that CP takes, or VMX's controls, exit", vmcb.exceptions &= ~(1u << vectors[at]));
    static const uint32_t interrupts[] = {VMCB_INTR, VMCB_NMI, VMCB_INIT, VMCB_SHUTDOWN};
    for (at = 0; at < 4; at++)
        WRONG("interrupts, NMIs, INIT and shutdown exit", vmcb.intercepts &= ~interrupts[at]);
    static const uint32_t instructions[] = {VMCB_CPUID, VMCB_INVD, VMCB_INVLPGA, VMCB_IO, VMCB_MSR};
    for (at = 0; at < 5; at++)
        WRONG("CPUID, INVD, INVLPGA, ports and MSRs exit", vmcb.intercepts &= ~instructions[at]);
    for (at = 0; at < 7; at++)
        WRONG("SVM's instructions, XSETBV, WBINVD and INT1 exit", vmcb.intercepts2 &= ~(1u << at));
    static const uint32_t others[] = {VMCB_XSETBV, VMCB_WBINVD, VMCB_ICEBP};
    for (at = 0; at < 3; at++)
        WRONG("SVM's instructions, XSETBV, WBINVD and INT1 exit", vmcb.intercepts2 &= ~others[at]);
    WRONG("HLT exits where it is asked for", vmcb.intercepts &= ~(uint32_t)VMCB_HLT);
    WRONG("CP's interrupt flag decides", vmcb.virtual_interrupt &= ~VMCB_V_INTR_MASKING);
    WRONG("the map of ports is CP's", vmcb.io_map = 0x9000);
    WRONG("the map of MSRs is CP's: all, or those of CP's own bitmap", vmcb.msr_map = maps.msr_some); /* of a union */
    WRONG("the map of MSRs is CP's: all, or those of CP's own bitmap", vmcb.msr_map = 0x9000);
    WRONG("the map of MSRs is CP's: all, or those of CP's own bitmap", vmcb.msr_map = 0);
    WRONG("paging is nested", vmcb.nested_paging = 0);
    WRONG("paging is nested", vmcb.nested_paging = 3); /* SEV */
    WRONG("the nested root is the EPT pointer's", vmcb.nested_cr3 = 0x5000);
    WRONG("the nested root is the EPT pointer's", vmcb.nested_cr3 = 0);
    WRONG("writes to CR4 exit", vmcb.cr_writes &= (uint16_t)~(1 << 4));
    WRONG("writes to CR0 exit", vmcb.cr_writes &= (uint16_t)~1; vmcb.intercepts &= ~(uint32_t)VMCB_CR0_SELECTIVE);
    WRONG("writes to CR8 exit where CP has the TPR", vmcb.cr_writes &= (uint16_t)~(1 << 8));
    WRONG("reads of CR8 exit where CP has the TPR", vmcb.cr_reads &= (uint16_t)~(1 << 8));
    WRONG("IA32_EFER has SVME, and LME with LMA only", vmcb.efer &= ~SVM_EFER_SVME);
    WRONG("IA32_EFER has SVME, and LME with LMA only", vmcb.efer &= ~(1ull << 10));
    WRONG("CR4 is without VMXE", vmcb.cr4 |= 0x2000);
    WRONG("nothing is taken for unchanged", vmcb.clean = 1);
    while (svm_assertion(rows + 1))
        rows++;
    for (unsigned row = 1; row <= rows; row++)
        if (!seen[row])
            fail_msg("nothing breaks: %s", svm_assertion(row));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_made_of_any_controls_passes, good),
        cmocka_unit_test_setup(each_row_refuses_what_it_is_about, good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
