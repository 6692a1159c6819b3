/* Question: what becomes of VMX instructions whose operand, region, bitmap or list lies where no storage is? Nothing is
 * there to be read but ones, and nothing keeps what is written.
 *
 * Not asked: VMREAD and VMWRITE, which a processor with shadowing carries out itself, so that CP meets its
 * access and not the instruction. */
#include "tests/guest/vmx/vm.h"

enum { HOLE = 0xD0000000, MSR = 0x174 };

static struct page region;
static struct vm vm = {.region = &region};

static enum vmx_result pointer_at(enum vmx_result (*how)(uint64_t), uint64_t at) { return how(at); }
static enum vmx_result load_by(uint64_t at)
{
    bool carry, zero;
    __asm__ volatile("vmptrld (%%rax)" : "=@ccc"(carry), "=@ccz"(zero) : "a"(at) : "memory");
    return vmx_result(carry, zero);
}
static enum vmx_result clear_by(uint64_t at)
{
    bool carry, zero;
    __asm__ volatile("vmclear (%%rax)" : "=@ccc"(carry), "=@ccz"(zero) : "a"(at) : "memory");
    return vmx_result(carry, zero);
}
static enum vmx_result invept_by(uint64_t at) { return vmx_invept(1, (const void *)(uintptr_t)at); }
static enum vmx_result invvpid_by(uint64_t at) { return vmx_invvpid(1, (const void *)(uintptr_t)at); }
static enum vmx_result store_to(uint64_t at) { return vmx_store((void *)(uintptr_t)at); }

static void l2_port(void *unused) { (void)unused; outb(0x80, 1); }
static void l2_msr(void *unused) { (void)unused; (void)rdmsr(MSR); }

int guest_main(void)
{
    vm_begin();
    vm_prepare(&vm);
    static const struct {
        const char *name;
        enum vmx_result (*how)(uint64_t);
    } operands[] = {{"VMPTRLD by", load_by}, {"VMCLEAR by", clear_by}, {"INVEPT by", invept_by},
                    {"INVVPID by", invvpid_by}, {"VMPTRST to", store_to}, {"VMPTRLD of", vmx_load}};
    for (unsigned i = 0; i < sizeof operands / sizeof *operands; i++)
        vm_print_result(operands[i].name, pointer_at(operands[i].how, HOLE));
    vm_prepare(&vm);
    vm_cpu(CPU_IO_BITMAPS, 0);
    vm_set(VMCS_IO_BITMAP_A, HOLE), vm_set(VMCS_IO_BITMAP_B, HOLE);
    vm_trace(&vm, "I/O bitmaps", l2_port, NULL);
    vm_cpu(CPU_MSR_BITMAPS, 0);
    vm_set(VMCS_MSR_BITMAP, HOLE);
    vm_trace(&vm, "MSR bitmap", l2_msr, NULL);
    vm_set(VMCS_ENTRY_MSR_LOAD_ADDRESS, HOLE), vm_set(VMCS_ENTRY_MSR_LOAD_COUNT, 1);
    vm_trace(&vm, "MSRs to load", l2_msr, NULL);
    vm_set(VMCS_ENTRY_MSR_LOAD_COUNT, 0);
    if (vm_offers(VMX_CPU2, CPU2_EPT)) {
        vm_cpu(0, CPU2_EPT);
        vm_set(VMCS_EPT_POINTER, HOLE | 3 << 3 | 6);
        vm_start(&vm, l2_msr, NULL);
        vm_run(&vm);
        guest_print("EPT: reason %u\n", vm.exit.reason);
        vm_cpu(0, 0);
    }
    vm_trace(&vm, "then", l2_port, NULL);
    guest_print("end\n");
    return 0;
}
