/* Question: does L2 in protected mode go on at 0 behind the last instruction of its 4 GiB, whoever carries that out,
 * and is what exits there told of with the address it is at? SDM "Instruction Pointer"; "Checks on Guest RIP and
 * RFLAGS" wants bits 63:32 to be 0. */
#include "tests/guest/vmx/vm.h"

#include <string.h>

enum { FRAME = 0x2000000, LARGE = 0x200000, CODE32 = 0xC09B, DATA32 = 0xC093 };
#define END 0x100000000ull

static struct page region, shadow, bitmap, ept_top, ept_pointers, ept_directories[4], functions;
static struct vm vm = {.region = &region};

static const struct {
    const char *name;
    uint8_t length, bytes[3];
    uint64_t rax, rcx, rdx, rbx;
} instructions[] = {
    /* so that it is there by now, as no exit may come where Bochs tells of it wrongly */
    {"the beginning", 0, {0}, 0, 0, 0, 0},
    {"NOP", 1, {0x90}, 0, 0, 0, 0},
    {"OUT", 2, {0xE6, 0x80}, 0, 0, 0, 0},
    {"IN", 1, {0xEC}, 0, 0, 0x80, 0},
    {"RDMSR", 2, {0x0F, 0x32}, 0, 0x10, 0, 0},
    {"WRMSR", 2, {0x0F, 0x30}, 0x00070406, 0x277, 0x00070406, 0},
    {"WBINVD", 2, {0x0F, 0x09}, 0, 0, 0, 0},
    {"MOV to DR7", 3, {0x0F, 0x23, 0xF8}, 0x400, 0, 0, 0},
    {"MOV to CR3", 3, {0x0F, 0x22, 0xD8}, 0x1000, 0, 0, 0},
    {"MOV to CR4", 3, {0x0F, 0x22, 0xE0}, 0x2000, 0, 0, 0},
    {"SMSW", 3, {0x0F, 0x01, 0xE0}, 0, 0, 0, 0},
    {"CLTS", 2, {0x0F, 0x06}, 0, 0, 0, 0},
    {"VMFUNC", 3, {0x0F, 0x01, 0xD4}, 0, 0, 0, 0},
    {"VMREAD", 3, {0x0F, 0x78, 0xCA}, 0, VMCS_GUEST_RIP, 0, 0},
    {"VMWRITE", 3, {0x0F, 0x79, 0xCA}, 0, VMCS_GUEST_RIP, 0, 0},
    {"CPUID", 2, {0x0F, 0xA2}, 0, 0, 0, 0},
    {"VMCALL", 3, {0x0F, 0x01, 0xC1}, 0, 0, 0, 0},
};

static uint64_t address(const void *p) { return (uint64_t)(uintptr_t)p; }

/* One to one, but that the last 2 MiB of the first 4 GiB are storage. */
static void translations(void)
{
    uint64_t *top = (uint64_t *)(void *)&ept_top, *pointers = (uint64_t *)(void *)&ept_pointers,
             eptp = address(&ept_top) | 3 << 3 | 6;

    top[0] = address(&ept_pointers) | 7;
    for (unsigned i = 0; i < 4; i++) {
        uint64_t *directory = (uint64_t *)(void *)&ept_directories[i];
        pointers[i] = address(directory) | 7;
        for (uint64_t j = 0; j < 512; j++)
            directory[j] = (i == 3 && j == 511 ? (uint64_t)FRAME : (i * 512 + j) << 21) | 0x80 | 6 << 3 | 7;
    }
    vm_set(VMCS_EPT_POINTER, eptp);
    vm_set(VMCS_EPTP_LIST_ADDRESS, address(&functions));
    vm_set(VMCS_VM_FUNCTION_CONTROLS, 1);
    memcpy(&functions, &eptp, sizeof eptp);
}

static void protected_mode(void)
{
    uint64_t cr0 = read_cr0() & ~(1ull << 31);

    vm_set(VMCS_GUEST_CR0, cr0), vm_set(VMCS_CR0_SHADOW, cr0);
    vm_entry_controls(0);
    for (unsigned n = 0; n < 6; n++)
        vm_set((enum vmcs_field)(VMCS_GUEST_ES_ACCESS_RIGHTS + 2 * n), n == 1 ? CODE32 : DATA32);
    vm_set(VMCS_GUEST_RFLAGS, 2);
    vm_set(VMCS_GUEST_RSP, FRAME);
    vm_set(VMCS_GUEST_ACTIVITY_STATE, 0), vm_set(VMCS_GUEST_INTERRUPTIBILITY, 0);
}

int guest_main(void)
{
    /* behind a jump: Bochs 2.7's exits at what it fell into tell of 4 GiB */
    static const uint8_t call[] = {0xEB, 0, 0x0F, 0x01, 0xC1};
    volatile uint8_t *zero = (volatile uint8_t *)0;

    __asm__("" : "+r"(zero)); /* not NULL to the compiler */
    for (unsigned i = 0; i < sizeof call; i++)
        zero[i] = call[i];
    vm_begin();
    if (!vm_offers(VMX_CPU2, CPU2_EPT | CPU2_UNRESTRICTED_GUEST | CPU2_VM_FUNCTIONS | CPU2_VMCS_SHADOWING)) {
        guest_print("unrestricted guests, VM functions or shadowing are not offered\n");
        return 1;
    }
    vm_stamp(&shadow, VMCS_SHADOW_INDICATOR);
    vmx_clear(address(&shadow));
    vm_prepare(&vm);
    translations();
    vm_cpu(CPU_MSR_BITMAPS, CPU2_EPT | CPU2_UNRESTRICTED_GUEST | CPU2_VM_FUNCTIONS | CPU2_VMCS_SHADOWING);
    vm_set(VMCS_MSR_BITMAP, address(&bitmap));
    vm_set(VMCS_VMREAD_BITMAP, address(&bitmap));
    vm_set(VMCS_VMWRITE_BITMAP, address(&bitmap));
    vm_set(VMCS_VMCS_LINK_POINTER, address(&shadow));
    vm_set(VMCS_EXCEPTION_BITMAP, 1 << 6 | 1 << 13 | 1 << 14);
    for (unsigned n = 0; n < sizeof instructions / sizeof *instructions; n++) {
        protected_mode();
        memcpy((void *)(uintptr_t)(FRAME + LARGE - instructions[n].length), instructions[n].bytes,
               instructions[n].length);
        vm_set(VMCS_GUEST_RIP, (uint32_t)(END - instructions[n].length));
        vm.registers =
            (struct vm_registers){.rax = instructions[n].rax, .rcx = instructions[n].rcx, .rdx = instructions[n].rdx};
        vm_run(&vm);
        if (vm.entered == VMX_SUCCEED)
            guest_print("RIP %#llx ", (unsigned long long)vm_get(VMCS_GUEST_RIP));
        vm_print_exit(instructions[n].name, &vm);
    }
    guest_print("end\n");
    return 0;
}
