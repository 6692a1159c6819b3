/* Question: does a machine that ends while it runs a guest of its own give back all it had? Runs one under EPT and VPID
 * with a second VMCS linked for shadowing, then, as the command line says, goes on so for ever ("spin") or loads an
 * empty IDT and traps ("triple"). */
#include "tests/guest/vmx/vm.h"

#include <string.h>

#include "vmcs-shadow/capability.h"

enum { TABLES = 4, SPARE = 3, ROUNDS_BEFORE_TOLD = 100 };

static struct page region, linked, top, pointers, low, spare[SPARE], bitmaps[2];
static struct vm vm = {.region = &region};

static uint64_t address(const void *p) { return (uint64_t)(uintptr_t)p; }

static void l2_exits_for_ever(void *unused)
{
    (void)unused;
    for (;;)
        __asm__ volatile("cpuid" : : : "rax", "rbx", "rcx", "rdx", "memory");
}

static void use_ept(void)
{
    *(uint64_t *)(void *)&top = address(&pointers) | 7;
    *(uint64_t *)(void *)&pointers = address(&low) | 7;
    for (unsigned n = 0; n < 1 + guest_multiboot()->mem_upper / 2048 && n < 512; n++)
        ((uint64_t *)(void *)&low)[n] = n * 0x200000ull | 0x80 | 6 << 3 | 7;
    vm_set(VMCS_EPT_POINTER, address(&top) | (TABLES - 1) << 3 | 6);
    vm_set(VMCS_VPID, 1);
}

/* More VMCSs than run: each that is active holds something of CP's. */
static void fill_active(void)
{
    for (unsigned n = 0; n < SPARE; n++) {
        vm_stamp(&spare[n], 0);
        vmx_clear(address(&spare[n]));
        vmx_load(address(&spare[n]));
    }
    vmx_load(address(&region));
}

static uint32_t shadowing(void)
{
    if (!vm_offers(VMX_CPU2, CPU2_VMCS_SHADOWING))
        return 0;
    vm_stamp(&linked, VMCS_SHADOW_INDICATOR);
    vmx_clear(address(&linked));
    vm_set(VMCS_VMCS_LINK_POINTER, address(&linked));
    vm_set(VMCS_VMREAD_BITMAP, address(&bitmaps[0]));
    vm_set(VMCS_VMWRITE_BITMAP, address(&bitmaps[1]));
    return CPU2_VMCS_SHADOWING;
}

__attribute__((noreturn)) static void fault_three_times(void)
{
    static const struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) empty = {0, 0};
    __asm__ volatile("lidt %0; ud2" : : "m"(empty));
    __builtin_unreachable();
}

int guest_main(void)
{
    const struct multiboot_information *information = guest_multiboot();
    const char *how = information->flags & 4 ? (const char *)(uintptr_t)information->command_line : "";

    vm_begin();
    vm_prepare(&vm);
    fill_active();
    use_ept();
    vm_cpu(0, CPU2_EPT | CPU2_VPID | shadowing());
    vm_start(&vm, l2_exits_for_ever, NULL);
    for (unsigned round = 0;; round++) {
        vm_run(&vm);
        if (vm.entered != VMX_SUCCEED || (vm.exit.reason & 0xFFFF) != EXIT_CPUID) {
            vm_print_result("entry", vm.entered);
            vm_print_exit("exit", &vm);
            return 1;
        }
        vm_skip(&vm);
        if (round == ROUNDS_BEFORE_TOLD)
            guest_print("a guest runs\n");
        if (round > ROUNDS_BEFORE_TOLD && strstr(how, "triple"))
            fault_three_times();
    }
}
