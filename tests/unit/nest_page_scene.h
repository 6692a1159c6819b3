/* What tests of the memory way share: L1 with a page that passes all checks, the call, L2's exits. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "nest/instruction.h"
#include "nest/page.h"
#include "tests/unit/fake/vmx_machine.h"
#include "vmcs-shadow/page.h"

enum { PAGE = 0x40000, PAGE_B = 0x41000, LINK = 0x42000, SCRATCH = 0x43000, READS = 0x44000, WRITES = 0x45000 };
enum { RAX = 0, RBX = 3 };

static struct fake_vmx m;
static const struct exit cpuid = {.reason = EXIT_CPUID, .instruction_length = 2};
static enum nest_page_error error;

static inline struct vmcs_page *page_at(uint64_t gpa)
{
    return (struct vmcs_page *)(void *)(m.storage + gpa);
}

/* An empty one with its header. */
static inline struct vmcs_page *stamp_page(uint64_t gpa, uint32_t indicator)
{
    struct vmcs_page *page = page_at(gpa);
    memset(page, 0, 4096);
    page->revision = (uint32_t)(m.offered.msr[VMX_BASIC] & VMX_BASIC_REVISION_MASK) | indicator;
    page->form = VMCS_PAGE_FORM;
    return page;
}

/* With the contents fake_vmx_make_vmcs() gives a region. */
static inline struct vmcs_page *make_page(uint64_t gpa)
{
    struct vmcs_page *page = stamp_page(gpa, 0);
    fake_vmx_make_vmcs(&m, SCRATCH);
    fake_vmx_pointer(&m, EXIT_VMCLEAR, SCRATCH);
    page->fields = ((const struct nest_region *)(const void *)(m.storage + SCRATCH))->fields;
    return page;
}

static inline int begin(enum nest_mode mode)
{
    fake_vmx_start(&m, mode);
    fake_vmx_enter_operation(&m);
    make_page(PAGE);
    return 0;
}

static inline int start(void **state)
{
    (void)state;
    return begin(NEST_MEMORY);
}

static inline int stop(void **state)
{
    (void)state;
    fake_vmx_stop(&m);
    return m.complaint != NULL;
}

static inline enum nest_result call(uint64_t gpa)
{
    m.traced = NULL;
    m.gpr[RAX] = 0x14;
    m.gpr[RBX] = gpa;
    return nest_enter_page(&m.nest, gpa, &error);
}

static inline void enter(uint64_t gpa)
{
    enum nest_result result = call(gpa);
    if (m.traced)
        fail_msg("entry failed: %s", m.traced);
    assert_int_equal(result, NEST_ENTERED);
    assert_true(fake_vmx_load(&m));
}

static inline void leave_by(const struct exit *exit)
{
    assert_int_equal(fake_vmx_exit(&m, exit), NEST_REFLECTED);
    assert_ptr_equal(m.loaded, &m.first);
}

static inline void leave(void)
{
    leave_by(&cpuid);
}

/* The call fails with `why`, RBX stays, and L1 goes on. */
static inline void refuse(uint64_t gpa, enum nest_page_error why)
{
    assert_int_equal(call(gpa), NEST_SKIP);
    assert_int_equal(error, why);
    assert_int_equal(m.gpr[RBX], gpa);
    assert_false(nest_in_guest(&m.nest));
    assert_ptr_equal(m.loaded, &m.first);
}

static inline void page_write(uint64_t gpa, enum vmcs_index index, uint64_t value)
{
    vmcs_page_write(page_at(gpa), index, value);
}

/* CP says that it changed the field. */
static inline bool told(uint64_t gpa, enum vmcs_index index)
{
    return vmcs_set_has(&page_at(gpa)->changed, index);
}

/* The bit of a field in a VMREAD or VMWRITE bitmap: 0 lets L2 through. */
static inline void let_through(uint64_t bitmap, enum vmcs_field field)
{
    m.storage[bitmap + (field >> 3)] &= (uint8_t)~(1 << (field & 7));
}

/* PAGE links to the shadow page at LINK; L2 may reach what let_through() says. */
static inline struct vmcs_page *link_pages(uint64_t from, uint64_t to)
{
    struct vmcs_page *link = stamp_page(to, VMCS_SHADOW_INDICATOR);
    memset(m.storage + READS, 0xFF, 4096);
    memset(m.storage + WRITES, 0xFF, 4096);
    page_write(from, VMCS_INDEX_SECONDARY_CONTROLS, CPU2_EPT | CPU2_VMCS_SHADOWING);
    page_write(from, VMCS_INDEX_VMREAD_BITMAP, READS);
    page_write(from, VMCS_INDEX_VMWRITE_BITMAP, WRITES);
    page_write(from, VMCS_INDEX_VMCS_LINK_POINTER, to);
    return link;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
