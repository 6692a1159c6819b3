/* What was on its way to the guest when SVM left it, in VMX terms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/svm_exit_scene.h"

static void an_event_on_its_way_becomes_vectoring_information(void **context)
{
    (void)context;
    vmcb.exit_interrupt_info = 0x80000B0E | 5ull << 32;
    translate(SVM_EXIT_NPF);
    svm_exit_vectoring(&vmcb, &code, 0, &ex);
    assert_int_equal(ex.idt_vectoring_info, 0x80000B0E);
    assert_int_equal(ex.idt_vectoring_error, 5);
    CODE(0xCD, 0x40);
    vmcb.exit_interrupt_info = 0x80000440;
    translate(SVM_EXIT_NPF);
    svm_exit_vectoring(&vmcb, &code, 0, &ex);
    assert_int_equal(ex.idt_vectoring_info, 0x80000440);
    assert_int_equal(ex.instruction_length, 2);
    translate(SVM_EXIT_NPF); /* one that was injected: RIP had gone past it */
    svm_exit_vectoring(&vmcb, &code, 3, &ex);
    assert_int_equal(ex.rip, RIP - 3);
    assert_int_equal(ex.instruction_length, 3);
    vmcb.exit_interrupt_info = 0x80000200; /* an NMI of KVM's */
    translate(SVM_EXIT_NPF);
    svm_exit_vectoring(&vmcb, &code, 0, &ex);
    assert_int_equal(ex.idt_vectoring_info, 0x80000202);
}

static void a_fault_at_a_gate_names_it_as_the_manual_says(void **context)
{
    (void)context;
    vmcb.exit_info1 = 64 * 16 + 2;         /* QEMU's */
    vmcb.exit_interrupt_info = 0x80000040; /* an interrupt of vector 64 */
    translate(SVM_EXIT_EXCEPTION + 13);
    svm_exit_vectoring(&vmcb, &code, 0, &ex);
    assert_int_equal(ex.interruption_error, 64 * 8 + 2 + 1);
    vmcb.exit_interrupt_info = 0x80000440;
    translate(SVM_EXIT_EXCEPTION + 13);
    svm_exit_vectoring(&vmcb, &code, 2, &ex);
    assert_int_equal(ex.interruption_error, 64 * 8 + 2);
    vmcb.exit_info1 = 64 * 8 + 2; /* a processor's own */
    translate(SVM_EXIT_EXCEPTION + 13);
    svm_exit_vectoring(&vmcb, &code, 2, &ex);
    assert_int_equal(ex.interruption_error, 64 * 8 + 2);
}

static void int3_is_told_from_int_3_by_its_opcode(void **context)
{
    (void)context;
    vmcb.exit_interrupt_info = 0x80000403;
    CODE(0xCC);
    translate(SVM_EXIT_NPF);
    svm_exit_vectoring(&vmcb, &code, 0, &ex);
    assert_int_equal(ex.idt_vectoring_info, 0x80000603);
    assert_int_equal(ex.instruction_length, 1);
    CODE(0xCD, 0x03);
    translate(SVM_EXIT_NPF);
    svm_exit_vectoring(&vmcb, &code, 0, &ex);
    assert_int_equal(ex.idt_vectoring_info, 0x80000403);
}

/* A processor that tells INT3 as an exception: what it is as long as is told by its bytes alone. */
static void int3_with_prefixes_is_as_long_as_its_bytes(void **context)
{
    (void)context;
    vmcb.exit_interrupt_info = 0x80000303;
    CODE(0x66, 0x2E, 0xCC);
    translate(SVM_EXIT_NPF);
    assert_true(svm_exit_wants_code(&vmcb));
    svm_exit_vectoring(&vmcb, &code, 0, &ex);
    assert_int_equal(ex.idt_vectoring_info, 0x80000603);
    assert_int_equal(ex.instruction_length, 3);
    vmcb.exit_interrupt_info = 0x8000030E; /* a page fault has none */
    assert_false(svm_exit_wants_code(&vmcb));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_event_on_its_way_becomes_vectoring_information),
        TEST(a_fault_at_a_gate_names_it_as_the_manual_says),
        TEST(int3_is_told_from_int_3_by_its_opcode),
        TEST(int3_with_prefixes_is_as_long_as_its_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
