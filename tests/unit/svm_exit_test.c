/* SVM exits in VMX terms: reasons, lengths, qualifications, and the instructions SVM says nothing of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/svm_exit_scene.h"

static void fixed_instructions_have_their_reason_and_length(void **context)
{
    (void)context;
    CODE(0x0F, 0xA2);
    assert_int_equal(translate(SVM_EXIT_CPUID), SVM_REPORT);
    assert_int_equal(ex.reason, EXIT_CPUID);
    assert_int_equal(ex.instruction_length, 2);
    assert_int_equal(ex.rip, RIP);
    CODE(0x66, 0x48, 0x0F, 0xA2);
    translate(SVM_EXIT_CPUID);
    assert_int_equal(ex.instruction_length, 4);
    CODE(0xF4);
    translate(SVM_EXIT_HLT);
    assert_int_equal(ex.instruction_length, 1);
    assert_int_equal(ex.reason, EXIT_HLT);
}

static void a_processor_that_tells_the_next_instruction_is_believed(void **context)
{
    (void)context;
    vmcb.next_rip = RIP + 5;
    vmcb.exit_code = SVM_EXIT_CPUID;
    assert_false(svm_exit_wants_code(&vmcb));
    translate(SVM_EXIT_CPUID);
    assert_int_equal(ex.instruction_length, 5);
}

static void reads_and_writes_of_msrs_are_told_apart(void **context)
{
    (void)context;
    CODE(0x0F, 0x32);
    translate(SVM_EXIT_MSR);
    assert_int_equal(ex.reason, EXIT_RDMSR);
    vmcb.exit_info1 = 1;
    translate(SVM_EXIT_MSR);
    assert_int_equal(ex.reason, EXIT_WRMSR);
}

static void what_qemu_reports_as_one_is_told_apart(void **context)
{
    (void)context;
    CODE(0x0F, 0x08);
    translate(SVM_EXIT_WBINVD);
    assert_int_equal(ex.reason, EXIT_INVD);
    CODE(0x0F, 0x09);
    translate(SVM_EXIT_WBINVD);
    assert_int_equal(ex.reason, EXIT_WBINVD);
    CODE(0x0F, 0x01, 0xF9);
    translate(SVM_EXIT_RDTSC);
    assert_int_equal(ex.reason, EXIT_RDTSCP);
    assert_int_equal(ex.instruction_length, 3);
}

static void qemu_s_error_is_a_fault_of_mov_to_cr3_or_of_vmrun(void **context)
{
    (void)context;
    CODE(0x0F, 0x22, 0xD8); /* MOV CR3, RAX */
    assert_int_equal(translate(SVM_EXIT_ERROR), SVM_EXCEPTION);
    assert_int_equal(ex.interruption_info, 1u << 31 | 3 << 8 | 1 << 11 | 13);
    assert_false(svm_exit_refused(&vmcb, &code));
    CODE(0x0F, 0x22, 0xC0); /* MOV CR0, RAX */
    assert_true(svm_exit_refused(&vmcb, &code));
    code.count = 0;
    assert_true(svm_exit_refused(&vmcb, &code));
    CODE(0x0F, 0x22, 0xD8);
    vmcb.exit_code = SVM_EXIT_INVALID;
    assert_true(svm_exit_refused(&vmcb, &code));
    vmcb.exit_code = SVM_EXIT_CPUID;
    assert_false(svm_exit_refused(&vmcb, &code));
}

static void a_port_access_has_size_direction_and_port(void **context)
{
    (void)context;
    vmcb.exit_info1 = 0x3F8u << 16 | 1 << 4 | 1; /* IN, a byte */
    vmcb.exit_info2 = RIP + 1;
    translate(SVM_EXIT_IO);
    assert_int_equal(ex.reason, EXIT_IO);
    assert_int_equal(ex.qualification, 0x3F8u << 16 | 1 << 3);
    assert_int_equal(ex.instruction_length, 1);
    vmcb.exit_info1 = 0x1F0u << 16 | 1 << 6 | 1 << 3 | 1 << 2; /* REP OUTSD */
    translate(SVM_EXIT_IO);
    assert_int_equal(ex.qualification, 0x1F0u << 16 | 1 << 5 | 1 << 4 | 3);
}

static void a_nested_page_fault_has_the_kind_of_access(void **context)
{
    (void)context;
    vmcb.exit_info2 = 0xFEC00000;
    vmcb.exit_info1 = 6;
    translate(SVM_EXIT_NPF);
    assert_int_equal(ex.reason, EXIT_EPT_VIOLATION);
    assert_int_equal(ex.guest_physical, 0xFEC00000);
    assert_int_equal(ex.qualification, 2);
    vmcb.exit_info1 = 0x14;
    translate(SVM_EXIT_NPF);
    assert_int_equal(ex.qualification, 4);
    vmcb.exit_info1 = 4;
    translate(SVM_EXIT_NPF);
    assert_int_equal(ex.qualification, 1);
}

static void a_move_to_a_control_register_names_both(void **context)
{
    (void)context;
    CODE(0x41, 0x0F, 0x22, 0xE1); /* mov cr4, r9 */
    assert_int_equal(translate(SVM_EXIT_CR_WRITE + 4), SVM_REPORT);
    assert_int_equal(ex.reason, EXIT_CR_ACCESS);
    assert_int_equal(ex.qualification, 4 | 9 << 8);
    assert_int_equal(ex.instruction_length, 4);
    CODE(0x44, 0x0F, 0x22, 0xC0); /* mov cr8, rax */
    translate(SVM_EXIT_CR_WRITE + 8);
    assert_int_equal(ex.qualification, 8);
    CODE(0x0F, 0x06);
    translate(SVM_EXIT_CR_WRITE);
    assert_int_equal(ex.qualification, 2 << 4);
    CODE(0x0F, 0x01, 0xF3); /* lmsw bx */
    translate(SVM_EXIT_CR_WRITE);
    assert_int_equal(ex.qualification, 3 << 4); /* SDM: the register is MOV's alone; LMSW says what it loads */
    assert_int_equal(access_.kind, SVM_ACCESS_LMSW);
    assert_int_equal(access_.reg, 3);
    CODE(0x0F, 0x01, 0x37); /* lmsw (rdi) */
    translate(SVM_EXIT_CR_WRITE);
    assert_int_equal(ex.qualification, 3 << 4);
}

static void reads_of_cr0_and_cr4_are_the_shadows_business(void **context)
{
    (void)context;
    CODE(0x0F, 0x20, 0xC3); /* mov rbx, cr0 */
    assert_int_equal(translate(SVM_EXIT_CR_READ), SVM_SEEN);
    assert_int_equal(access_.reg, 3);
    assert_int_equal(access_.size, 8);
    CODE(0x0F, 0x01, 0x60, 0x10); /* smsw 0x10(rax) */
    assert_int_equal(translate(SVM_EXIT_CR_READ), SVM_SEEN);
    assert_true(access_.memory);
    assert_int_equal(access_.length, 4);
    assert_int_equal(access_.operand.displacement, 0x10);
    CODE(0x0F, 0x20, 0xD8); /* mov rax, cr3 */
    assert_int_equal(translate(SVM_EXIT_CR_READ + 3), SVM_REPORT);
    assert_int_equal(ex.qualification, 3 | 1 << 4);
}

static void vmx_instructions_come_out_of_undefined_opcodes(void **context)
{
    (void)context;
    CODE(0x0F, 0x01, 0xC1);
    assert_int_equal(translate(SVM_EXIT_EXCEPTION + 6), SVM_REPORT);
    assert_int_equal(ex.reason, EXIT_VMCALL);
    assert_int_equal(ex.instruction_length, 3);
    CODE(0x66, 0x0F, 0xC7, 0x74, 0xCB, 0x18); /* vmclear 0x18(rbx,rcx,8) */
    assert_int_equal(translate(SVM_EXIT_EXCEPTION + 6), SVM_REPORT);
    assert_int_equal(ex.reason, EXIT_VMCLEAR);
    assert_int_equal(ex.qualification, 0x18);
    assert_int_equal(ex.instruction_info, 0x1858103); /* as Bochs reports it */
    CODE(0x41, 0x0F, 0x78, 0xF2);                     /* vmread r10, rsi */
    translate(SVM_EXIT_EXCEPTION + 6);
    assert_int_equal(ex.instruction_info & 0xF0000478, 0x60000450);
    CODE(0x0F, 0xC7, 0x35, 0x10, 0, 0, 0); /* vmptrld 0x10(rip) */
    translate(SVM_EXIT_EXCEPTION + 6);
    assert_int_equal(ex.qualification, RIP + 7 + 0x10);
}

static void the_other_hypercall_instruction_is_taken_for_vmcall(void **context)
{
    (void)context;
    CODE(0x0F, 0x01, 0xD9);
    assert_int_equal(translate(SVM_EXIT_VMMCALL), SVM_REPORT);
    assert_int_equal(ex.reason, EXIT_VMCALL);
    assert_int_equal(ex.instruction_length, 3);
}

static void in_modes_without_vmx_they_stay_undefined(void **context)
{
    (void)context;
    CODE(0x0F, 0x01, 0xC2); /* vmlaunch */
    vmcb.cr0 = 0;
    assert_int_equal(translate(SVM_EXIT_EXCEPTION + 6), SVM_EXCEPTION);
    fresh(NULL);
    CODE(0x0F, 0x01, 0xC2);
    vmcb.cs.rights = 0xC9B; /* compatibility mode */
    code.mode = DECODE_32;
    assert_int_equal(translate(SVM_EXIT_EXCEPTION + 6), SVM_EXCEPTION);
    fresh(NULL);
    CODE(0x0F, 0x0B); /* ud2 */
    assert_int_equal(translate(SVM_EXIT_EXCEPTION + 6), SVM_EXCEPTION);
    assert_int_equal(ex.interruption_info, 0x80000306);
}

static void cr4_with_vmxe_may_come_as_a_general_protection_fault(void **context)
{
    (void)context;
    CODE(0x0F, 0x22, 0xE0);
    assert_int_equal(translate(SVM_EXIT_EXCEPTION + 13), SVM_REPORT);
    assert_int_equal(ex.reason, EXIT_CR_ACCESS);
    vmcb.cpl = 3;
    assert_int_equal(translate(SVM_EXIT_EXCEPTION + 13), SVM_EXCEPTION);
    assert_int_equal(ex.interruption_info, 0x80000B0D);
}

static void instructions_of_svm_itself_are_undefined(void **context)
{
    (void)context;
    assert_int_equal(translate(SVM_EXIT_VMRUN), SVM_UNDEFINED);
    assert_int_equal(translate(SVM_EXIT_SKINIT), SVM_UNDEFINED);
    assert_int_equal(translate(SVM_EXIT_INVLPGA), SVM_UNDEFINED);
    assert_int_equal(translate(0x12345), SVM_UNDEFINED);
}

/* As Bochs reports them. */
static void accesses_to_descriptor_tables_say_where_their_operand_is(void **context)
{
    (void)context;
    CODE(0x0F, 0x01, 0x48, 0x08); /* sidt 8(rax) */
    assert_true(svm_exit_wants_code(&(struct vmcb){.exit_code = SVM_EXIT_IDTR_READ}));
    assert_int_equal(translate(SVM_EXIT_IDTR_READ), SVM_REPORT);
    assert_int_equal(ex.reason, EXIT_GDTR_IDTR);
    assert_int_equal(ex.qualification, 8);
    assert_int_equal(ex.instruction_length, 4);
    assert_int_equal(ex.instruction_info, 0x10418100);
    CODE(0x41, 0x0F, 0x01, 0x10); /* lgdt (r8) */
    translate(SVM_EXIT_GDTR_WRITE);
    assert_int_equal(ex.instruction_info, 0x24418100);
    CODE(0x0F, 0x00, 0xC3); /* sldt ebx */
    translate(SVM_EXIT_LDTR_READ);
    assert_int_equal(ex.reason, EXIT_LDTR_TR);
    assert_int_equal(ex.instruction_info, 0x418);
    CODE(0x0F, 0x00, 0xDA); /* ltr dx */
    translate(SVM_EXIT_TR_WRITE);
    assert_int_equal(ex.instruction_info, 0x30000410);
    CODE(0x0F, 0x01, 0xC3); /* no such access */
    assert_int_equal(translate(SVM_EXIT_GDTR_READ), SVM_UNDEFINED);
}

static void invpcid_is_undefined_where_it_is_not_enabled(void **context)
{
    (void)context;
    CODE(0x66, 0x0F, 0x38, 0x82, 0x08); /* invpcid (rax), rcx */
    assert_int_equal(translate(SVM_EXIT_INVPCID), SVM_UNDEFINED);
    state.image.secondary_controls = CPU2_INVPCID;
    assert_int_equal(translate(SVM_EXIT_INVPCID), SVM_REPORT);
    assert_int_equal(ex.reason, EXIT_INVPCID);
    assert_int_equal(ex.instruction_info, 0x10418100);
}

static void vmfunc_is_an_exit_only_with_its_control_and_below_64(void **context)
{
    (void)context;
    CODE(0x0F, 0x01, 0xD4);
    assert_int_equal(translate(SVM_EXIT_EXCEPTION + 6), SVM_EXCEPTION);
    state.image.secondary_controls = CPU2_VM_FUNCTIONS;
    vmcb.rax = 63;
    assert_int_equal(translate(SVM_EXIT_EXCEPTION + 6), SVM_REPORT);
    assert_int_equal(ex.reason, EXIT_VMFUNC);
    vmcb.rax = 64;
    assert_int_equal(translate(SVM_EXIT_EXCEPTION + 6), SVM_EXCEPTION);
}

static void software_interrupts_have_their_kind_and_length(void **context)
{
    (void)context;
    CODE(0xCD, 0x80);
    assert_int_equal(translate(SVM_EXIT_INTN), SVM_SOFTWARE);
    assert_int_equal(ex.interruption_info, 0x80000480);
    assert_int_equal(ex.instruction_length, 2);
    CODE(0x66, 0xCC);
    assert_int_equal(translate(SVM_EXIT_INTN), SVM_SOFTWARE);
    assert_int_equal(ex.interruption_info, 0x80000603);
    assert_int_equal(ex.instruction_length, 2);
    CODE(0xF1);
    assert_int_equal(translate(SVM_EXIT_ICEBP), SVM_SOFTWARE);
    assert_int_equal(ex.interruption_info, 0x80000501);
    assert_int_equal(translate(SVM_EXIT_EXCEPTION + 6), SVM_SOFTWARE); /* QEMU */
    CODE(0xCE);                                                        /* undefined in 64-bit mode, and no INTO */
    assert_int_equal(translate(SVM_EXIT_EXCEPTION + 6), SVM_EXCEPTION);
    assert_int_equal(ex.interruption_info, 0x80000306);
}

static void a_walk_of_the_guests_tables_reads_and_writes(void **context)
{
    (void)context;
    vmcb.exit_info1 = SVM_NPF_TABLE | 6;
    translate(SVM_EXIT_NPF);
    assert_int_equal(ex.qualification, 3);
}

/* Nothing a guest has at RIP may lead beyond the bytes there are. */
static void lock_makes_what_exits_undefined(void **context)
{
    static const struct {
        uint64_t exit_code;
        uint8_t bytes[4], count;
    } rows[] = {
        {SVM_EXIT_CPUID, {0x0F, 0xA2}, 2},
        {SVM_EXIT_MSR, {0x0F, 0x32}, 2},
        {SVM_EXIT_HLT, {0xF4}, 1},
        {SVM_EXIT_RDTSC, {0x0F, 0x31}, 2},
        {SVM_EXIT_WBINVD, {0x0F, 0x09}, 2},
        {SVM_EXIT_XSETBV, {0x0F, 0x01, 0xD1}, 3},
        {SVM_EXIT_VMMCALL, {0x0F, 0x01, 0xD9}, 3},
        {SVM_EXIT_PAUSE, {0x90}, 1},
        {SVM_EXIT_IO, {0xEC}, 1},
        {SVM_EXIT_GDTR_READ, {0x0F, 0x01, 0x00}, 3},
        {SVM_EXIT_INTN, {0xCD, 0x80}, 2},
        {SVM_EXIT_INVLPG, {0x0F, 0x01, 0x38}, 3},
        {SVM_EXIT_CR0_SELECTIVE, {0x0F, 0x01, 0xF0}, 3},
        {SVM_EXIT_CR_READ, {0x0F, 0x01, 0xE0}, 3},
        {SVM_EXIT_CR_WRITE, {0x0F, 0x06}, 2},
        {SVM_EXIT_CR_WRITE + 3, {0x0F, 0x22, 0xD8}, 3},
        {SVM_EXIT_DR_READ, {0x0F, 0x21, 0xC0}, 3},
        {SVM_EXIT_DR_WRITE + 7, {0x0F, 0x23, 0xF8}, 3},
    };

    (void)context;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
        for (unsigned lock = 0; lock < 2; lock++) {
            code.bytes[0] = 0xF0;
            memcpy(code.bytes + lock, rows[i].bytes, rows[i].count);
            code.count = rows[i].count + lock;
            vmcb.exit_code = rows[i].exit_code;
            assert_true(svm_exit_wants_code(&vmcb));
            assert_int_equal(translate(rows[i].exit_code) == SVM_UNDEFINED, lock);
        }
}

/* Hardware that says where the next instruction is has judged the prefixes itself, and no bytes are fetched. */
static void bytes_that_nobody_asked_for_say_nothing_of_lock(void **context)
{
    static const uint8_t locked[] = {0xF0, 0x0F, 0xA2};
    (void)context;
    memcpy(code.bytes, locked, sizeof locked);
    code.count = sizeof locked;
    vmcb.next_rip = vmcb.rip + 2;
    assert_int_equal(translate(SVM_EXIT_CPUID), SVM_REPORT);
    vmcb.next_rip = 0;
    assert_int_equal(translate(SVM_EXIT_CPUID), SVM_UNDEFINED);
}

static void with_lock_cr0_is_cr8_where_the_processor_says_so(void **context)
{
    (void)context;
    CODE(0xF0, 0x0F, 0x22, 0xC1);
    assert_int_equal(translate(SVM_EXIT_CR_WRITE + 8), SVM_REPORT);
    assert_int_equal(ex.reason, EXIT_CR_ACCESS);
    assert_int_equal(ex.qualification, 8 | 1 << 8);
    assert_int_equal(ex.instruction_length, 4);
    assert_int_equal(translate(SVM_EXIT_CR_WRITE), SVM_UNDEFINED);
    assert_int_equal(translate(SVM_EXIT_CR0_SELECTIVE), SVM_UNDEFINED);
    CODE(0xF0, 0x0F, 0x20, 0xC1);
    assert_int_equal(translate(SVM_EXIT_CR_READ + 8), SVM_REPORT);
    assert_int_equal(ex.qualification, 8 | 1 << 4 | 1 << 8);
    assert_int_equal(translate(SVM_EXIT_CR_READ), SVM_UNDEFINED);
    CODE(0xF0, 0x44, 0x0F, 0x22, 0xC1); /* CR8 itself */
    assert_int_equal(translate(SVM_EXIT_CR_WRITE + 8), SVM_UNDEFINED);
}

static void any_bytes_are_translated_without_harm(void **context)
{
    static const uint64_t numbers[] = {SVM_EXIT_CR_READ,        SVM_EXIT_CR_WRITE, SVM_EXIT_EXCEPTION + 6,
                                       SVM_EXIT_EXCEPTION + 13, SVM_EXIT_CPUID,    SVM_EXIT_INVLPG,
                                       SVM_EXIT_RDTSC,          SVM_EXIT_WBINVD,   SVM_EXIT_GDTR_READ,
                                       SVM_EXIT_LDTR_WRITE,     SVM_EXIT_INVPCID,  SVM_EXIT_INTN};
    static const uint8_t starts[] = {0x0F, 0x66, 0xF3, 0xF0, 0x48, 0x67};
    (void)context;
    srand(1);
    for (unsigned i = 0; i < 200000; i++) {
        code.count = (size_t)rand() % (INSTRUCTION_MAX_BYTES + 1);
        code.mode = (enum decode_mode[]){DECODE_16, DECODE_32, DECODE_64}[rand() % 3];
        for (unsigned k = 0; k < sizeof code.bytes; k++)
            code.bytes[k] = rand() % 3 ? (uint8_t)rand() : starts[rand() % 6];
        if (translate(numbers[rand() % 12]) == SVM_REPORT && ex.instruction_length)
            assert_in_range(ex.instruction_length, 1, INSTRUCTION_MAX_BYTES + 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(fixed_instructions_have_their_reason_and_length),
        TEST(a_processor_that_tells_the_next_instruction_is_believed),
        TEST(reads_and_writes_of_msrs_are_told_apart),
        TEST(what_qemu_reports_as_one_is_told_apart),
        TEST(qemu_s_error_is_a_fault_of_mov_to_cr3_or_of_vmrun),
        TEST(a_port_access_has_size_direction_and_port),
        TEST(a_nested_page_fault_has_the_kind_of_access),
        TEST(a_move_to_a_control_register_names_both),
        TEST(reads_of_cr0_and_cr4_are_the_shadows_business),
        TEST(vmx_instructions_come_out_of_undefined_opcodes),
        TEST(the_other_hypercall_instruction_is_taken_for_vmcall),
        TEST(in_modes_without_vmx_they_stay_undefined),
        TEST(cr4_with_vmxe_may_come_as_a_general_protection_fault),
        TEST(instructions_of_svm_itself_are_undefined),
        TEST(accesses_to_descriptor_tables_say_where_their_operand_is),
        TEST(invpcid_is_undefined_where_it_is_not_enabled),
        TEST(vmfunc_is_an_exit_only_with_its_control_and_below_64),
        TEST(software_interrupts_have_their_kind_and_length),
        TEST(a_walk_of_the_guests_tables_reads_and_writes),
        TEST(lock_makes_what_exits_undefined),
        TEST(bytes_that_nobody_asked_for_say_nothing_of_lock),
        TEST(with_lock_cr0_is_cr8_where_the_processor_says_so),
        TEST(any_bytes_are_translated_without_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
