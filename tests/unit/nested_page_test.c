/* The memory way on a whole machine: L1's calls that enter a page, and what becomes of those that cannot. */
#include "tests/unit/nested_scene.h"

#include "nest/active.h"

enum { VM_PAGE = 0x30000 };

static const struct exit wbinvd = {.reason = EXIT_WBINVD, .instruction_length = 2};
static const struct exit call = {.reason = EXIT_VMCALL, .instruction_length = 3};

static int begin(void **state)
{
    (void)state;
    l1_ready(NEST_MEMORY);
    return 0;
}

static int begin_without(void **state)
{
    (void)state;
    machine_begin(NEST_OFF);
    return 0;
}

static struct vmcs_page *page_of(uint64_t at) { return guest_private(&vm->storage, gpa(at), NULL); }

/* A page with what the VMCS at FAKE_VMCS has. */
static void make_page(void)
{
    fake_vmx_pointer(processor(), EXIT_VMCLEAR, FAKE_VMCS);
    const struct nest_region *region = guest_pointer(&vm->storage, gpa(FAKE_VMCS), NULL);
    struct vmcs_page *page = page_of(VM_PAGE);
    memset(page, 0, 4096);
    page->revision = (uint32_t)(vm->vcpu.nest->offered->msr[VMX_BASIC] & VMX_BASIC_REVISION_MASK);
    page->form = VMCS_PAGE_FORM;
    page->fields = region->fields;
    set(VMCS_GUEST_RIP, L1_RIP);
}

static void asks(uint64_t at)
{
    vm->vcpu.gpr[RAX] = DIAGNOSE_ENTER;
    vm->vcpu.gpr[RBX] = at;
}

static void a_call_enters_the_page_and_its_exit_is_in_it(void **state)
{
    (void)state;
    make_page();
    asks(VM_PAGE);
    PLAY(IN_L1(call), IN_L2(cpuid), IN_L1(wbinvd));
    assert_int_equal(entered[1].rip, L2_RIP);
    assert_int_equal(entered[2].rip, L1_HOST_RIP);
    assert_int_equal(page_of(VM_PAGE)->fields.exit_reason, EXIT_CPUID);
    assert_int_equal(vm->nested_calls, 1);
    assert_int_equal(vm->nested_reflected[EXIT_CPUID], 1);
}

static void an_event_in_the_page_reaches_l2(void **state)
{
    const uint32_t event = EVENT_VALID | EVENT_HARDWARE_EXCEPTION | EVENT_ERROR | VECTOR_GP;
    (void)state;
    make_page();
    page_of(VM_PAGE)->fields.entry_interruption_info = event;
    page_of(VM_PAGE)->fields.entry_exception_error_code = 0x18;
    asks(VM_PAGE);
    PLAY(IN_L1(call), IN_L2(cpuid), IN_L1(wbinvd));
    assert_int_equal(entered[1].info, event);
    assert_int_equal(entered[2].info, 0);
}

/* CD and NW are nobody's but CP's. */
static void caches_stay_on_whatever_l2_is_entered_with(void **state)
{
    (void)state;
    make_page();
    page_of(VM_PAGE)->fields.guest_cr0 |= 3ull << 29;
    asks(VM_PAGE);
    PLAY(IN_L1(call), IN_L2({.reason = EXIT_EXTERNAL_INTERRUPT}));
    assert_int_equal(processor()->loaded->held.guest_cr0 & 3ull << 29, 0);
}

static void assert_refused(uint64_t at, uint64_t status)
{
    const struct step steps[] = {IN_L1(call), IN_L1(wbinvd)};
    uint64_t rip = get(VMCS_GUEST_RIP);

    asks(at);
    play_steps(steps, 2);
    assert_int_equal(vm->vcpu.gpr[RAX], status);
    assert_int_equal(entered[1].rip, rip + 3); /* L1 goes on behind the call */
}

static void a_call_that_cannot_be_says_why(void **state)
{
    (void)state;
    make_page();
    assert_refused(1ull << 40, DIAGNOSE_BAD_ADDRESS);
    assert_refused(VM_PAGE + 1, DIAGNOSE_BAD_ADDRESS);
    page_of(VM_PAGE)->form++;
    assert_refused(VM_PAGE, DIAGNOSE_BAD_PAGE);
    page_of(VM_PAGE)->form--;
    page_of(VM_PAGE)->fields.host_cr3 = 1ull << 60;
    assert_refused(VM_PAGE, DIAGNOSE_ENTRY_FAILED);
    page_of(VM_PAGE)->fields.host_cr3 = PT_ROOT;
    vm->config.grants |= 1 << GRANT_NO_DIAGNOSE;
    assert_refused(VM_PAGE, DIAGNOSE_NOT_OFFERED);
    vm->config.grants &= ~(1u << GRANT_NO_DIAGNOSE);
    assert_int_equal(vm->nested_calls, 5);
}

static void a_call_there_are_no_frames_for_may_be_made_again(void **state)
{
    (void)state;
    make_page();
    vm->storage.account.limit = vm->storage.account.frames;
    assert_refused(VM_PAGE, DIAGNOSE_BUSY);
    vm->storage.account.limit = 0;
    asks(VM_PAGE);
    PLAY(IN_L1(call), IN_L2(cpuid), IN_L1(wbinvd));
    assert_int_equal(page_of(VM_PAGE)->fields.exit_reason, EXIT_CPUID);
}

static void a_page_the_processor_refuses_is_an_entry_that_failed(void **state)
{
    (void)state;
    make_page();
    asks(VM_PAGE);
    PLAY(IN_L1(call), IN_L2(cpuid, .refused = true), IN_L1(wbinvd));
    assert_int_equal(vm->vcpu.gpr[RAX], DIAGNOSE_ENTRY_FAILED);
    assert_int_equal(vm->vcpu.gpr[RBX], VM_PAGE);
    assert_int_equal(entered[2].rip, L1_RIP + 3);
    assert_int_equal(stops_seen, 0);
}

static void a_call_without_virtual_vmx_is_not_offered(void **state)
{
    (void)state;
    assert_refused(VM_PAGE, DIAGNOSE_NOT_OFFERED);
}

static void a_call_from_user_mode_is_a_general_protection_fault(void **state)
{
    (void)state;
    make_page();
    set(VMCS_GUEST_SS_ACCESS_RIGHTS, 0xC0F3);
    asks(VM_PAGE);
    PLAY(IN_L1(call), IN_L1(wbinvd));
    assert_int_equal(entered[1].info, EVENT_VALID | EVENT_HARDWARE_EXCEPTION | EVENT_ERROR | VECTOR_GP);
    assert_int_equal(vm->nested_calls, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, nested_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_call_enters_the_page_and_its_exit_is_in_it),
        TEST(an_event_in_the_page_reaches_l2),
        TEST(caches_stay_on_whatever_l2_is_entered_with),
        TEST(a_call_that_cannot_be_says_why),
        TEST(a_call_there_are_no_frames_for_may_be_made_again),
        TEST(a_page_the_processor_refuses_is_an_entry_that_failed),
        cmocka_unit_test_setup_teardown(a_call_without_virtual_vmx_is_not_offered, begin_without, nested_end),
        TEST(a_call_from_user_mode_is_a_general_protection_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
