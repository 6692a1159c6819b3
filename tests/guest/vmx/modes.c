/* L2 in every mode; see modes.h. */
#include "tests/guest/vmx/modes.h"

#include <string.h>

enum { SMALL = 0x200000, CR4_VMXE = 0x2000, CR0_AM = 1 << 18, CR0_NE = 0x20, CR0_PE = 1, TASK_BITMAP = 0x68,
       TASK_LIMIT = 0x2068 };
#define RFLAGS_VM (1ull << 17)

static struct page region, top, pointers, low, high, table, task[3];
struct page modes_code, modes_data, modes_stack;
struct vm modes_vm = {.region = &region};

static uint64_t address(const void *p) { return (uint64_t)(uintptr_t)p; }
static void put(struct page *page, unsigned n, uint64_t value) { ((uint64_t *)(void *)page)[n] = value; }
void modes_map(uint64_t at, uint64_t value) { put(&table, (unsigned)(at >> 12), value); }

/* One to one but for the pages of modes.h. */
static void map(void)
{
    put(&top, 0, address(&pointers) | READ_WRITE_EXECUTE);
    put(&pointers, 0, address(&low) | READ_WRITE_EXECUTE);
    put(&pointers, 3, address(&high) | READ_WRITE_EXECUTE);
    put(&low, 0, address(&table) | READ_WRITE_EXECUTE);
    for (unsigned n = 1; n < 512; n++)
        put(&low, n, n * (uint64_t)SMALL | LARGE | WRITE_BACK | READ_WRITE_EXECUTE);
    put(&high, 256, HOLE | LARGE | READ_WRITE_EXECUTE);
    put(&high, 503, APIC | LARGE | READ_WRITE_EXECUTE); /* uncacheable */
    for (unsigned n = 0; n < 512; n++)
        put(&table, n, (uint64_t)n << 12 | WRITE_BACK | READ_WRITE_EXECUTE);
    modes_map(CODE_AT, address(&modes_code) | WRITE_BACK | READ_WRITE_EXECUTE);
    modes_map(HOLE_AT, HOLE | READ_WRITE_EXECUTE);
    modes_map(DEVICE_AT + HOLE_16, HOLE | READ_WRITE_EXECUTE); /* in the device's 64 KiB */
    modes_map(DEVICE_AT, APIC | READ_WRITE_EXECUTE);
    modes_map(DATA_AT, address(&modes_data) | WRITE_BACK | READ_WRITE_EXECUTE);
    /* where its last bytes wrap */
    modes_map(DATA_AT + 0x10000, address(&modes_data) | WRITE_BACK | READ_WRITE_EXECUTE);
    modes_map(ABSENT_AT, 0);
    modes_map(STACK_AT, address(&modes_stack) | WRITE_BACK | READ_WRITE_EXECUTE);
    modes_map(STACK_AT + 0xF000, address(&modes_stack) | WRITE_BACK | READ_WRITE_EXECUTE); /* the end of 64 KiB */
    for (unsigned n = 0; n < 3; n++)
        modes_map(TASK_AT + n * 0x1000, address(&task[n]) | WRITE_BACK | READ_WRITE_EXECUTE);
}

/* The upper half of what L1 maps is for users too. */
static void let_users(void)
{
    uint64_t *entries = (uint64_t *)(read_cr3() & ~0xFFFull);

    for (unsigned level = 4; level > 1; level--) {
        entries[0] |= 4;
        if (entries[0] & LARGE)
            return;
        entries = (uint64_t *)(entries[0] & 0xFFFFFFFFFF000);
    }
    for (unsigned n = 0; n < 512; n++)
        entries[n] |= 4;
}

void modes_segment(unsigned n, uint64_t base, uint32_t limit, uint32_t rights)
{
    uint32_t cpl = rights >> 5 & 3;

    vm_set((enum vmcs_field)(VMCS_GUEST_ES_SELECTOR + 2 * n), n == TR || rights == NO_RIGHTS ? 0x18 : 0x20 | cpl);
    vm_set((enum vmcs_field)(VMCS_GUEST_ES_BASE + 2 * n), base);
    vm_set((enum vmcs_field)(VMCS_GUEST_ES_LIMIT + 2 * n), limit);
    vm_set((enum vmcs_field)(VMCS_GUEST_ES_ACCESS_RIGHTS + 2 * n), rights);
}

/* Segments of 64 KiB: code, the device, the stack and the data each begin at 0 of one. */
static void narrow(bool v86, uint32_t code_rights)
{
    static const uint32_t bases[] = {DATA_AT, CODE_AT, STACK_AT, DEVICE_AT, DATA_AT, DATA_AT};

    for (unsigned n = 0; n < 6; n++) {
        modes_segment(n, bases[n], 0xFFFF, v86 ? 0xF3 : n == CS ? code_rights : 0x93);
        vm_set((enum vmcs_field)(VMCS_GUEST_ES_SELECTOR + 2 * n), bases[n] >> 4);
    }
}

static void wide(uint32_t code_rights, uint32_t data_rights)
{
    for (unsigned n = 0; n < 6; n++)
        modes_segment(n, 0, ~0u, n == CS ? code_rights : data_rights);
}

void modes_enter(enum mode mode, uint64_t flags)
{
    bool paged = mode == CODE64 || mode == USER64;
    bool protected = mode != REAL && mode != BIG_REAL;

    vm_set(VMCS_GUEST_CR0, CR0_AM | (paged ? read_cr0() : CR0_NE | (protected ? CR0_PE : 0)));
    vm_set(VMCS_GUEST_CR4, paged ? read_cr4() : CR4_VMXE);
    vm_entry_controls(paged ? ENTRY_LONG_MODE : 0);
    switch (mode) {
    case REAL: case BIG_REAL: narrow(false, 0x93); break;
    case V86: narrow(true, 0); break;
    case CODE16: narrow(false, 0x9B); break;
    case CODE32: wide(0xC09B, 0xC093); break;
    case USER32: wide(0xC0FB, 0xC0F3); break;
    case CODE64: wide(0xA09B, 0xC093); break;
    default: wide(0xA0FB, 0xC0F3);
    }
    modes_segment(TR, TASK_AT, TASK_LIMIT, 0x8B);
    vm_set(VMCS_GUEST_RFLAGS, 2 | flags | (mode == V86 ? RFLAGS_VM : 0));
    vm_set(VMCS_GUEST_RIP, mode <= CODE16 ? 0 : CODE_AT);
}

void modes_begin(void)
{
    vm_begin();
    map();
    let_users();
    memset(task, 0xFF, sizeof task);
    memset(&task[0], 0, TASK_BITMAP);
    task[0].bytes[0x66] = TASK_BITMAP;
    task[0].bytes[0x67] = 0;
    task[0].bytes[TASK_BITMAP + TEST_PORT / 8] = 0xF0; /* four ports */
    vm_prepare(&modes_vm);
    vm_set(VMCS_EPT_POINTER, address(&top) | 3 << 3 | 6);
    vm_cpu(0, CPU2_EPT | CPU2_UNRESTRICTED_GUEST);
    vm_set(VMCS_EXCEPTION_BITMAP, 0xFFFFFFFF);
}
