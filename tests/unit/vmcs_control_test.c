/* What must agree about a control in more than one place and no compiler sees: the table (vmcs-shadow/controls.def),
 * the capability MSRs, and the sources of payloads and of nest/, which are read here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/sources.h"
#include "vmcs-shadow/capability.h"
#include "vmcs-shadow/exit.h"

enum word { WORD_PIN, WORD_CPU, WORD_CPU2, WORD_EXIT, WORD_ENTRY, WORDS };
enum merge { MERGE_EITHER, MERGE_BOTH, MERGE_INNER, MERGE_OUTER, MERGE_ALWAYS, MERGE_RULE, MERGE_NEVER };
enum { OFFERED_NO, OFFERED_YES };

static const struct control {
    enum word word;
    const char *name;
    uint32_t bit;
    bool offered;
    enum merge merge;
    bool exits;
    const char *exit[2];
} controls[] = {
#define CONTROL(w, NAME, b, o, m, e, e2) \
    {WORD_##w, #w "_" #NAME, 1u << (b), OFFERED_##o, MERGE_##m, \
     __builtin_strcmp(#e, "NONE") || __builtin_strcmp(#e2, "NONE"), /* of clang too a constant */ \
     {"EXIT_" #e, "EXIT_" #e2}},
#include "vmcs-shadow/controls.def"
#undef CONTROL
};
enum { CONTROLS = sizeof controls / sizeof *controls };

static void a_bit_is_one_control(void **state)
{
    uint32_t seen[WORDS] = {0};
    (void)state;
    for (unsigned i = 0; i < CONTROLS; i++) {
        if (seen[controls[i].word] & controls[i].bit)
            fail_msg("%s has the bit of another", controls[i].name);
        seen[controls[i].word] |= controls[i].bit;
    }
}

static void a_control_that_is_called_exiting_has_an_exit(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CONTROLS; i++) {
        const char *end = strstr(controls[i].name, "_EXITING");
        if (end && !end[8] && !controls[i].exits)
            fail_msg("%s has no exit", controls[i].name);
    }
}

/* A machine that has all there is, and must have nothing. */
static void the_capability_msrs_offer_what_the_table_does(void **state)
{
    static const struct {
        enum vmx_msr msr;
        uint32_t default1; /* reads as may-be-1 whatever is offered */
    } msrs[WORDS] = {{VMX_TRUE_PIN, 0x16}, {VMX_TRUE_CPU, 0x0401E172}, {VMX_CPU2, 0}, {VMX_TRUE_EXIT, 0x36DFF},
                     {VMX_TRUE_ENTRY, 0x11FF}};
    struct vmx_capability hardware = {.fields = 0}, offered;
    uint32_t expected[WORDS] = {0};
    (void)state;
    for (unsigned i = VMX_PIN; i <= VMX_TRUE_ENTRY; i++)
        hardware.msr[i] = 0xFFFFFFFFull << 32;
    hardware.msr[VMX_BASIC] = VMX_BASIC_TRUE_CONTROLS;
    hardware.msr[VMX_MISC] = VMX_MISC_VMWRITE_ANY;
    hardware.msr[VMX_EPT_VPID_CAP] = EPT_CAP_ACCESSED_DIRTY;
    capability_offer(&offered, &hardware, true);
    for (unsigned i = 0; i < CONTROLS; i++)
        if (controls[i].offered)
            expected[controls[i].word] |= controls[i].bit;
    for (unsigned word = 0; word < WORDS; word++)
        assert_int_equal(offered.msr[msrs[word].msr] >> 32, expected[word] | msrs[word].default1);
}

/* ---- sources -------------------------------------------------------------------- */

static const char *const c_and_headers[] = {".c", ".h", NULL};

static void each_control_that_is_offered_is_asked_for_by_a_payload(void **state)
{
    (void)state;
    sources_read_all("tests/guest", false, "vmx_", c_and_headers, NULL);
    sources_read_all("tests/guest/vmx", false, "", c_and_headers, NULL);
    for (unsigned i = 0; i < CONTROLS; i++)
        if (controls[i].offered && !sources_have(controls[i].name))
            fail_msg("%s is offered, and no payload asks for it", controls[i].name);
    assert_false(sources_have("CPU2_APIC_ACCESSES")); /* it can say no */
}

/* Or payloads print an exit as "?". */
static void each_exit_of_a_control_that_is_offered_has_a_name_in_payloads(void **state)
{
    (void)state;
    sources_read("tests/guest/vmx/report.c");
    for (unsigned i = 0; i < CONTROLS; i++)
        for (unsigned n = 0; n < 2; n++)
            if (controls[i].offered && strcmp(controls[i].exit[n], "EXIT_NONE") && !sources_have(controls[i].exit[n]))
                fail_msg("%s has no row in tests/guest/vmx/report.c", controls[i].exit[n]);
}

/* vmcs02 has CP's own, whatever L1 asked for: then somebody else looks at what L1 asked for. */
static void each_control_that_cp_carries_out_itself_is_looked_at(void **state)
{
    static const char *const but[] = {"assert.", "merge_controls.", "bits.", NULL};
    (void)state;
    sources_read_all("nest", false, "", c_and_headers, but);
    for (unsigned i = 0; i < CONTROLS; i++)
        if (controls[i].offered && (controls[i].merge == MERGE_OUTER || controls[i].merge == MERGE_ALWAYS) &&
            !sources_have(controls[i].name))
            fail_msg("%s is offered, and CP never looks whether L1 asks for it", controls[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bit_is_one_control),
        cmocka_unit_test(a_control_that_is_called_exiting_has_an_exit),
        cmocka_unit_test(the_capability_msrs_offer_what_the_table_does),
        cmocka_unit_test_teardown(each_control_that_is_offered_is_asked_for_by_a_payload, sources_forget),
        cmocka_unit_test_teardown(each_exit_of_a_control_that_is_offered_has_a_name_in_payloads, sources_forget),
        cmocka_unit_test_teardown(each_control_that_cp_carries_out_itself_is_looked_at, sources_forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
