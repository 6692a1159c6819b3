/* Question: with a VPID kept from entry to entry, and no INVEPT or INVVPID, does L2 see the storage that this entry's
 * EPT pointer says? Translations through EPT carry its top table's address beside the VPID, so none of another's may be
 * used. SDM "Creating and Using Cached Translation Information". */
#include "tests/guest/vmx/vm.h"

enum { WHERE = 0x50000000, EPTP_FLAGS = 3 << 3 | 6, ROUNDS = 6, TREES = 3 };

static struct page regions[2], tops[TREES], pointers[TREES], directories[TREES][4], tables[TREES], frames[TREES];
static struct vm vms[2] = {{.region = &regions[0]}, {.region = &regions[1]}};
static volatile uint64_t seen;

static uint64_t address(const void *p) { return (uint64_t)(uintptr_t)p; }
static uint64_t *entry(struct page *table, unsigned i) { return (uint64_t *)(void *)table + i; }

static void tree(unsigned t)
{
    *entry(&tops[t], 0) = address(&pointers[t]) | 7;
    for (unsigned i = 0; i < 4; i++) {
        *entry(&pointers[t], i) = address(&directories[t][i]) | 7;
        for (uint64_t j = 0; j < 512; j++)
            *entry(&directories[t][i], (unsigned)j) = (i * 512 + j) << 21 | 0x80 | 6 << 3 | 7;
    }
    *entry(&directories[t][WHERE >> 30], WHERE >> 21 & 511) = address(&tables[t]) | 7;
    *entry(&tables[t], 0) = address(&frames[t]) | 6 << 3 | 7;
    *entry(&frames[t], 0) = 0xA0 + t;
}

static void look(void *unused)
{
    (void)unused;
    seen = *(volatile uint64_t *)(uintptr_t)WHERE;
}

static void prepare(struct vm *vm, unsigned t, unsigned vpid)
{
    vm_prepare(vm);
    vm_cpu(0, CPU2_EPT | (vpid ? CPU2_VPID : 0));
    vm_set(VMCS_VPID, vpid);
    vm_set(VMCS_EPT_POINTER, address(&tops[t]) | EPTP_FLAGS);
}

static unsigned look_in(struct vm *vm)
{
    seen = 0;
    vm_start(vm, look, NULL);
    vm_run(vm);
    if (!vm_finished(vm))
        vm_print_exit("look", vm);
    return (unsigned)seen;
}

int guest_main(void)
{
    static const uint8_t order[ROUNDS] = {0, 1, 0, 2, 1, 0};

    vm_begin();
    if (!vm_offers(VMX_CPU2, CPU2_EPT | CPU2_VPID)) {
        guest_print("no EPT or VPID\n");
        return 1;
    }
    for (unsigned t = 0; t < TREES; t++)
        tree(t);
    prepare(&vms[0], 0, 1);
    for (unsigned i = 0; i < ROUNDS; i++) {
        vm_set(VMCS_EPT_POINTER, address(&tops[order[i]]) | EPTP_FLAGS);
        guest_print("VPID 1, EPT pointer %u: %#x\n", order[i], look_in(&vms[0]));
    }
    for (unsigned vpid = 0; vpid < 4; vpid++) { /* without and with, others and the first again */
        vm_cpu(0, CPU2_EPT | (vpid % 3 ? CPU2_VPID : 0));
        vm_set(VMCS_VPID, vpid % 3);
        vm_set(VMCS_EPT_POINTER, address(&tops[vpid % 2]) | EPTP_FLAGS);
        guest_print("VPID %u, EPT pointer %u: %#x\n", vpid % 3, vpid % 2, look_in(&vms[0]));
    }
    prepare(&vms[1], 2, 1); /* another VMCS with the VPID of the first */
    guest_print("another VMCS, VPID 1, EPT pointer 2: %#x\n", look_in(&vms[1]));
    vmx_load(address(vms[0].region));
    vm_cpu(0, CPU2_EPT | CPU2_VPID);
    vm_set(VMCS_VPID, 1);
    vm_set(VMCS_EPT_POINTER, address(&tops[0]) | EPTP_FLAGS);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct vm *vm = &vms[i % 2];
        vmx_load(address(vm->region));
        guest_print("VMCS %u, VPID 1: %#x\n", i % 2, look_in(vm));
    }
    vmx_clear(address(vms[1].region)); /* the first again, made anew after the other was cleared */
    vmx_load(address(vms[0].region));
    vm_set(VMCS_EPT_POINTER, address(&tops[2]) | EPTP_FLAGS);
    guest_print("the other's EPT pointer: %#x\n", look_in(&vms[0]));
    guest_print("end\n");
    return 0;
}
