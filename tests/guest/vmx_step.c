/* Question: is an L2 that is stepped trapped once behind each instruction, for an L1 that asks for #DB, whatever is
 * resolved or carried out in between: a page of L2's that is touched first, a port, a device in memory, an EPTP switch?
 * SDM "Single-Step Exception Condition", "Saving Non-Register State" (pending debug exceptions). */
#include "tests/guest/vmx/vm.h"
#include "vmcs-shadow/capability.h"

enum { VECTOR_DB = 1, WRITE_BACK = 6, ALL = 7, LARGE = 0x80, TRAPS = 32 };
static struct page region, top, pointers, low, high, list;
static struct vm vm = {.region = &region};

static uint64_t address(const void *p) { return (uint64_t)(uintptr_t)p; }
static void put(struct page *page, unsigned n, uint64_t value) { ((uint64_t *)(void *)page)[n] = value; }

/* The first GiB and the APIC's, one to one. */
static uint64_t map(void)
{
    put(&top, 0, address(&pointers) | ALL);
    put(&pointers, 0, address(&low) | ALL);
    put(&pointers, 3, address(&high) | ALL);
    for (unsigned n = 0; n < 512; n++)
        put(&low, n, n * 0x200000ull | LARGE | WRITE_BACK << 3 | ALL);
    put(&high, 503, 0xFEE00000ull | LARGE | ALL); /* uncacheable */
    return address(&top) | 3 << 3 | WRITE_BACK;
}

/* TF is on from behind the first NOP to behind the last POPF. */
static void l2_steps(void *unused)
{
    (void)unused;
    __asm__ volatile("mov $0x3FD, %%edx; mov $0x3000000, %%esi\n"
                     "pushfq; orl $0x100, (%%rsp); popfq\n"
                     "nop\n"
                     "in %%dx, %%al\n"
                     "mov 0xFEE00030, %%eax\n"
                     "xor %%ecx, %%ecx\n"
                     "xor %%eax, %%eax\n"
                     "vmfunc\n"
                     "movb $1, (%%rsi)\n"
                     "nop\n"
                     "pushfq; andl $~0x100, (%%rsp); popfq\n"
                     "nop"
                     : : : "rax", "rcx", "rdx", "rsi", "cc", "memory");
}

int guest_main(void)
{
    vm_begin();
    uint64_t eptp = map(), before = 0;
    put(&list, 0, eptp);
    vm_prepare(&vm);
    vm_set(VMCS_EPT_POINTER, eptp);
    vm_set(VMCS_EPTP_LIST_ADDRESS, address(&list));
    vm_set(VMCS_VM_FUNCTION_CONTROLS, VM_FUNCTION_EPTP_SWITCHING);
    vm_cpu(0, CPU2_EPT | CPU2_VM_FUNCTIONS);
    vm_set(VMCS_EXCEPTION_BITMAP, 1 << VECTOR_DB);
    vm_start(&vm, l2_steps, NULL);
    for (unsigned i = 0; i < TRAPS; i++) {
        vm_run(&vm);
        if (vm_finished(&vm))
            break;
        guest_print("%s %#x qualification %#llx, %lld on, pending %#llx\n", vm_reason_name(vm.exit.reason),
                    vm.exit.interruption_info, (unsigned long long)vm.exit.qualification,
                    before ? (long long)(vm.exit.rip - before) : 0,
                    (unsigned long long)vm_get(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS));
        before = vm.exit.rip;
    }
    vm_print_exit("end", &vm);
    guest_print("end\n");
    return 0;
}
