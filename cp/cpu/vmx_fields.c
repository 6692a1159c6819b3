/* Owns what CP writes into every VMCS of its own: its host state and the controls all guests run with. Out: an image
 * and the set of its fields that mean something. SDM "Host-State Area", "VM-Execution Control Fields". */
#include "cp/cpu/cpu.h"
#include "cp/cpu/ops.h"
#include "cp/cpu/vmx.h"
#include "cp/panic.h"
#include "cp/storage/frame.h"
#include "cp/vcpu/vm.h"

enum { SELECTOR_CODE = 8, SELECTOR_DATA = 16, SELECTOR_TSS = 24, VECTOR_MACHINE_CHECK = 18 };
enum { MSR_PAT = 0x277, MSR_EFER = 0xC0000080, MSR_FS_BASE = 0xC0000100 };
enum { EPTP_WRITE_BACK = 6, EPTP_FOUR_LEVELS = 3 << 3 };
/* #DB and #AC are benign exceptions: one that is raised by its own delivery is delivered again, for ever, within one
 * instruction, where neither an interrupt nor the preemption timer can end the guest. Any other exception ends in #DF
 * and a triple fault. */
enum { RECURRING_EXCEPTIONS = 1 << 1 | 1 << 17 };

#define PUT(NAME, member, value) ((void)(image->member = (value)), vmcs_set_add(set, VMCS_INDEX_##NAME))

void vmx_host_state(struct vmcs *image, struct vmcs_set *set, const void *exit_point)
{
    PUT(HOST_CR0, host_cr0, op_read_cr0());
    PUT(HOST_CR3, host_cr3, op_read_cr3());
    PUT(HOST_CR4, host_cr4, op_read_cr4());
    PUT(HOST_CS_SELECTOR, host_cs_selector, SELECTOR_CODE);
    PUT(HOST_SS_SELECTOR, host_ss_selector, SELECTOR_DATA);
    PUT(HOST_DS_SELECTOR, host_ds_selector, SELECTOR_DATA);
    PUT(HOST_ES_SELECTOR, host_es_selector, SELECTOR_DATA);
    PUT(HOST_FS_SELECTOR, host_fs_selector, 0);
    PUT(HOST_GS_SELECTOR, host_gs_selector, 0);
    PUT(HOST_TR_SELECTOR, host_tr_selector, SELECTOR_TSS);
    PUT(HOST_FS_BASE, host_fs_base, op_rdmsr(MSR_FS_BASE));
    PUT(HOST_GS_BASE, host_gs_base, 0);
    PUT(HOST_TR_BASE, host_tr_base, (uint64_t)&cpu_this.tss);
    PUT(HOST_GDTR_BASE, host_gdtr_base, (uint64_t)cpu_this.gdt);
    PUT(HOST_IDTR_BASE, host_idtr_base, cpu_idt_address());
    PUT(HOST_SYSENTER_CS, host_sysenter_cs, 0);
    PUT(HOST_SYSENTER_ESP, host_sysenter_esp, 0);
    PUT(HOST_SYSENTER_EIP, host_sysenter_eip, 0);
    PUT(HOST_PAT, host_pat, op_rdmsr(MSR_PAT));
    PUT(HOST_EFER, host_efer, op_rdmsr(MSR_EFER));
    PUT(HOST_RIP, host_rip, (uint64_t)exit_point);
}

/* Where CP had no frame for a root, nothing is mapped: the page at address 0 is not the machine's table. */
uint64_t vmx_eptp(const struct guest_storage *storage)
{
    static const uint64_t empty[PAGE_SIZE / sizeof(uint64_t)] __attribute__((aligned(PAGE_SIZE)));
    const void *root = storage->root ? storage->root : empty;

    return frame_address(root).a | EPTP_WRITE_BACK | EPTP_FOUR_LEVELS;
}

void vmx_own_controls(struct vmcs *image, struct vmcs_set *set, const struct vcpu *vcpu, uint16_t vpid)
{
    PUT(PIN_CONTROLS, pin_controls, vmx_controls.pin);
    PUT(PROCESSOR_CONTROLS, processor_controls, vmx_controls.cpu);
    PUT(SECONDARY_CONTROLS, secondary_controls, vmx_controls.cpu2);
    PUT(EXIT_CONTROLS, exit_controls, vmx_controls.exit);
    PUT(ENTRY_CONTROLS, entry_controls, vmx_controls.entry);
    PUT(EXCEPTION_BITMAP, exception_bitmap, RECURRING_EXCEPTIONS | 1u << VECTOR_MACHINE_CHECK);
    PUT(PAGE_FAULT_MASK, page_fault_mask, 0);
    PUT(PAGE_FAULT_MATCH, page_fault_match, 0);
    PUT(CR3_TARGET_COUNT, cr3_target_count, 0);
    PUT(EXIT_MSR_STORE_COUNT, exit_msr_store_count, 0);
    PUT(EXIT_MSR_LOAD_COUNT, exit_msr_load_count, 0);
    PUT(ENTRY_MSR_LOAD_COUNT, entry_msr_load_count, 0);
    PUT(ENTRY_INTERRUPTION_INFO, entry_interruption_info, 0);
    PUT(MSR_BITMAP, msr_bitmap, frame_address(vmx_msr_bitmap).a);
    PUT(TSC_OFFSET, tsc_offset, vcpu->tsc_offset);
    PUT(VMCS_LINK_POINTER, vmcs_link_pointer, ~0ull);
    PUT(EPT_POINTER, ept_pointer, vmx_eptp(&vcpu->vm->storage));
    if (vmx_controls.cpu2 & CPU2_VPID)
        PUT(VPID, vpid, vpid);
}
