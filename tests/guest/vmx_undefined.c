/* Question: are instructions undefined for an L2 whose secondary controls do not enable them, though its processor has
 * them, and is RDTSC none of them? SDM "Changes to Instruction Behavior in VMX Non-Root Operation". And VMMCALL, which
 * no processor with VMX has, for L1 and L2? */
#include "tests/guest/vmx/vm.h"

static struct page region;
static struct vm vm = {.region = &region};
static volatile uint8_t vectors[5];

static void rdtscp(void *unused)
{
    (void)unused;
    __asm__ volatile("rdtscp" : : : "eax", "edx", "ecx");
}

static void invpcid(void *unused)
{
    static struct vmx_descriptor all;
    (void)unused;
    __asm__ volatile("invpcid (%0), %1" : : "r"(&all), "r"(2ull) : "memory");
}

static void vmfunc(void *unused)
{
    (void)unused;
    __asm__ volatile("vmfunc" : : "a"(0), "c"(0));
}

static void vmmcall(void *unused)
{
    (void)unused;
    __asm__ volatile("vmmcall" : : "a"(~0ull));
}

static void later(void *unused)
{
    (void)unused;
    uint64_t first = rdtsc();
    vectors[3] = rdtsc() <= first;
}

static void l2(void *unused)
{
    (void)unused;
    vectors[0] = guest_try(rdtscp, NULL);
    vectors[1] = guest_try(invpcid, NULL);
    vectors[2] = guest_try(vmfunc, NULL);
    vectors[4] = guest_try(vmmcall, NULL);
    later(NULL);
}

int guest_main(void)
{
    vm_begin();
    vm_prepare(&vm);
    vm_start(&vm, l2, NULL);
    vm_run(&vm);
    vm_print_exit("L2", &vm);
    guest_print("RDTSCP %u INVPCID %u VMFUNC %u, RDTSC goes on: %s\n", vectors[0], vectors[1], vectors[2],
                vectors[3] ? "no" : "yes");
    guest_print("VMMCALL %u, in L1 %u\n", vectors[4], guest_try(vmmcall, NULL));
    vm_set(VMCS_EXCEPTION_BITMAP, 1 << 6);
    vm_start(&vm, vmmcall, NULL);
    vm_run(&vm);
    vm_print_exit("VMMCALL", &vm);
    guest_print("end\n");
    return 0;
}
