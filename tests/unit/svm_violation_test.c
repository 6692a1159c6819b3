/* What SVM leaves out of a nested page fault is found again: the linear address, whether it is the access itself or a
 * page table's entry, and the writing half of a read-modify-write. Only what a walk of the guest's tables proves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cp/svm/violation.h"
#include "cp/vcpu/cpuid.h"
#include "cp/vcpu/nested.h"

enum { P = 1, W = 2, PML4 = 0x1000, PDPT = 0x2000, PD = 0x3000, PT = 0x4000, STORAGE = 1 << 20 };
/* linear; at +MOVED */
enum { CODE = 0x10000, DATA = 0x11000, NEXT = 0x12000, STACK = 0x13000, IDT = 0x14000, MOVED = 0x80000 };
enum { READ = 1, WRITE = 2, FETCH = 4, LINEAR = 1 << 7, FINAL = 1 << 8 };

static struct vm vm;
static struct vmcs fields;
static struct svm_code code;

uint64_t vcpu_read_any(struct vcpu *v, enum vmcs_field field) { return (void)v, vmcs_field_read(&fields, field, true); }
void vcpu_write_any(struct vcpu *v, enum vmcs_field field, uint64_t value)
{
    (void)v;
    vmcs_field_write(&fields, field, value, true);
}
bool nested_translate(struct vcpu *v, uint64_t *at, bool write) { return (void)v, (void)at, (void)write, true; }
unsigned cpuid_physical_bits(void) { return 39; }

static uint64_t gpr(void *context, unsigned reg) { return (void)context, vm.vcpu.gpr[reg]; }
static uint64_t base(void *context, enum segment segment) { return (void)context, (void)segment, 0; }
static const struct execute_seams seams = {.read_gpr = gpr, .segment_base = base};

static void entry(uint64_t at, uint64_t value)
{
    assert_int_equal(guest_write(&vm.storage, gpa(at), &value, 8), GUEST_OK);
}

static int begin(void **state)
{
    static void *arena;

    (void)state;
    if (!arena) {
        arena = aligned_alloc(PAGE_SIZE, 8 << 20);
        frame_add(hpa((uint64_t)(uintptr_t)arena), 8 << 20);
    }
    memset(&vm, 0, sizeof vm);
    vm.vcpu.vm = &vm;
    guest_storage_init(&vm.storage, STORAGE, 0);
    fields = (struct vmcs){.guest_cr0 = 1ull << 31 | 1, .guest_cr4 = 1 << 5, .guest_efer = 0x500, .guest_cr3 = PML4,
                           .guest_idtr_base = IDT};
    entry(PML4, PDPT | P | W);
    entry(PDPT, PD | P | W);
    entry(PD, PT | P | W);
    for (unsigned at = CODE; at <= IDT; at += 0x1000)
        entry(PT + at / 0x1000 * 8, (at + MOVED) | P | W);
    vm.vcpu.gpr[RBX] = DATA + 0x123;
    vm.vcpu.gpr[RSP] = STACK + 0x800;
    return 0;
}

static int end(void **state)
{
    (void)state;
    guest_storage_free(&vm.storage);
    return 0;
}

static void complete(const char *bytes, uint64_t physical, uint64_t qualification, bool table, uint32_t vectoring)
{
    code = (struct svm_code){.mode = DECODE_64, .count = strlen(bytes)};
    memcpy(code.bytes, bytes, code.count);
    vm.vcpu.exit = (struct exit){.reason = EXIT_EPT_VIOLATION, .rip = CODE + 8, .guest_physical = physical,
                                 .qualification = qualification, .idt_vectoring_info = vectoring};
    svm_violation_complete(&vm.vcpu, &seams, &code, table);
}

static void assert_found(uint64_t linear, uint64_t qualification)
{
    assert_int_equal(vm.vcpu.exit.guest_linear, linear);
    assert_int_equal(vm.vcpu.exit.qualification, qualification);
}

static void the_operand_in_memory_is_told_by_its_linear_address(void **state)
{
    (void)state;
    complete("\x89\x03", DATA + MOVED + 0x123, WRITE, false, 0); /* MOV [RBX], EAX */
    assert_found(DATA + 0x123, WRITE | LINEAR | FINAL);
    complete("\x8b\x03", DATA + MOVED + 0x123, READ, false, 0);
    assert_found(DATA + 0x123, READ | LINEAR | FINAL);
}

static void so_is_its_part_in_the_next_page(void **state)
{
    (void)state;
    vm.vcpu.gpr[RBX] = DATA + 0xFFE;
    complete("\x89\x03", NEXT + MOVED, WRITE, false, 0);
    assert_found(NEXT, WRITE | LINEAR | FINAL);
}

static void one_that_is_read_and_written_is_a_write(void **state)
{
    (void)state;
    complete("\x01\x03", DATA + MOVED + 0x123, READ, false, 0); /* ADD [RBX], EAX */
    assert_found(DATA + 0x123, WRITE | LINEAR | FINAL);
}

static void a_fetch_is_of_the_instruction(void **state)
{
    (void)state;
    complete("", CODE + MOVED + 8, FETCH, false, 0);
    assert_found(CODE + 8, FETCH | LINEAR | FINAL);
}

static void an_entry_of_a_page_table_belongs_to_the_address_that_was_translated(void **state)
{
    (void)state;
    complete("\x89\x03", PT + DATA / 0x1000 * 8, READ | WRITE, true, 0);
    assert_true(vm.vcpu.exit.qualification & LINEAR);
    assert_false(vm.vcpu.exit.qualification & FINAL);
}

static void the_stack_of_a_push_is_found(void **state)
{
    (void)state;
    complete("\x50", STACK + MOVED + 0x7F8, WRITE, false, 0);
    assert_found(STACK + 0x7F8, WRITE | LINEAR | FINAL);
}

static void in_the_delivery_of_an_event_it_is_the_gate_or_the_stack(void **state)
{
    (void)state;
    complete("\x89\x03", IDT + MOVED + 14 * 16, READ, false, 1u << 31 | 14);
    assert_found(IDT + 14 * 16, READ | LINEAR | FINAL);
    complete("\x89\x03", STACK + MOVED + 0x7F8, WRITE, false, 1u << 31 | 14);
    assert_found(STACK + 0x7F8, WRITE | LINEAR | FINAL);
    complete("\x89\x03", DATA + MOVED + 0x123, WRITE, false, 1u << 31 | 14); /* not the instruction's */
    assert_found(0, WRITE);
}

static void what_no_walk_proves_is_not_told(void **state)
{
    (void)state;
    complete("\x89\x03", 0xF0123, WRITE, false, 0);
    assert_found(0, WRITE);
    complete("\x89\x03", DATA + MOVED + 0x123, WRITE, true, 0); /* that page holds no tables */
    assert_found(0, WRITE);
    entry(PT + DATA / 0x1000 * 8, 0);
    complete("\x89\x03", DATA + MOVED + 0x123, WRITE, false, 0);
    assert_found(0, WRITE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_operand_in_memory_is_told_by_its_linear_address),
        TEST(so_is_its_part_in_the_next_page),
        TEST(one_that_is_read_and_written_is_a_write),
        TEST(a_fetch_is_of_the_instruction),
        TEST(an_entry_of_a_page_table_belongs_to_the_address_that_was_translated),
        TEST(the_stack_of_a_push_is_found),
        TEST(in_the_delivery_of_an_event_it_is_the_gate_or_the_stack),
        TEST(what_no_walk_proves_is_not_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
