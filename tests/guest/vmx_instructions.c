/* Question: does each VMX instruction succeed, VMfail or fault as the manual says, case by case?
 *
 * Not asked: VMCALL in root operation. Bochs 2.7 stops the machine at it, and under CP it is DIAGNOSE. */
#include "tests/guest/vmx/vm.h"

#include <string.h>

#include "vmcs-shadow/capability.h"

enum { CR4_VMXE = 1 << 13, CR0_NE = 1 << 5, MSR_FEATURE_CONTROL = 0x3A };
#define NONE (~0ull)

static struct page vmxon_region, first, second, odd;
static struct page vm_region;
static struct vm vm = {.region = &vm_region};

static uint64_t address(const void *p) { return (uint64_t)(uintptr_t)p; }

/* ---- one attempt: a fault, or how the instruction ended ------------------------- */

struct attempt {
    enum vmx_result (*instruction)(uint64_t, uint64_t);
    uint64_t a, b;
    enum vmx_result result;
};

static void step(void *p)
{
    struct attempt *attempt = p;
    attempt->result = attempt->instruction(attempt->a, attempt->b);
}


static void try(const char *name, enum vmx_result (*instruction)(uint64_t, uint64_t), uint64_t a, uint64_t b)
{
    struct attempt attempt = {instruction, a, b, VMX_SUCCEED};
    uint8_t vector = guest_try(step, &attempt);
    if (vector != GUEST_NO_TRAP)
        guest_print("%s: #%u error %#llx\n", name, vector, (unsigned long long)(vector == 6 ? 0 : guest_try_error));
    else
        vm_print_result(name, attempt.result);
}

static enum vmx_result on(uint64_t a, uint64_t b) { (void)b; return vmx_on(a); }
static enum vmx_result off(uint64_t a, uint64_t b) { (void)a, (void)b; return vmx_off(); }
static enum vmx_result clear(uint64_t a, uint64_t b) { (void)b; return vmx_clear(a); }
static enum vmx_result load(uint64_t a, uint64_t b) { (void)b; return vmx_load(a); }
static enum vmx_result store(uint64_t a, uint64_t b) { (void)b; return vmx_store((uint64_t *)(uintptr_t)a); }
static enum vmx_result launch(uint64_t a, uint64_t b) { (void)a, (void)b; return vmx_launch(); }
static enum vmx_result resume(uint64_t a, uint64_t b) { (void)a, (void)b; return vmx_resume(); }
static enum vmx_result read(uint64_t a, uint64_t b) { return vmx_read(a, &b); }
static enum vmx_result write(uint64_t a, uint64_t b) { return vmx_write(a, b); }
static enum vmx_result invept(uint64_t a, uint64_t b) { return vmx_invept(a, (const void *)(uintptr_t)b); }
static enum vmx_result invvpid(uint64_t a, uint64_t b) { return vmx_invvpid(a, (const void *)(uintptr_t)b); }

/* Memory operands at a linear address that is not mapped, or not canonical. */
#define UNMAPPED 0x200000000ull
#define NOT_CANONICAL 0x0000800000000000ull
static enum vmx_result on_from(uint64_t a, uint64_t b)
{
    (void)b;
    __asm__ volatile("vmxon (%0)" : : "r"(a) : "memory", "cc");
    return VMX_SUCCEED;
}
static enum vmx_result load_from(uint64_t a, uint64_t b)
{
    (void)b;
    __asm__ volatile("vmptrld (%0)" : : "r"(a) : "memory", "cc");
    return VMX_SUCCEED;
}
static enum vmx_result read_to(uint64_t a, uint64_t b)
{
    __asm__ volatile("vmread %1, (%0)" : : "r"(a), "r"(b) : "memory", "cc");
    return VMX_SUCCEED;
}
static enum vmx_result write_from(uint64_t a, uint64_t b)
{
    __asm__ volatile("vmwrite (%0), %1" : : "r"(a), "r"(b) : "memory", "cc");
    return VMX_SUCCEED;
}

/* ---- outside VMX operation -------------------------------------------------------- */

static void before_vmxon(void)
{
    try("VMXOFF before VMXON", off, 0, 0);
    try("VMCLEAR before VMXON", clear, address(&first), 0);
    try("VMPTRLD before VMXON", load, address(&first), 0);
    try("VMPTRST before VMXON", store, address(&odd), 0);
    try("VMREAD before VMXON", read, VMCS_GUEST_RIP, 0);
    try("VMWRITE before VMXON", write, VMCS_GUEST_RIP, 0);
    try("VMLAUNCH before VMXON", launch, 0, 0);
    try("VMRESUME before VMXON", resume, 0, 0);
    try("INVEPT before VMXON", invept, 2, address(&odd));
    try("INVVPID before VMXON", invvpid, 2, address(&odd));
    try("VMXON with CR4.VMXE 0", on, address(&vmxon_region), 0);
}

static void vmxon(void)
{
    if (!(rdmsr(MSR_FEATURE_CONTROL) & 1))
        wrmsr(MSR_FEATURE_CONTROL, 5);
    write_cr4(read_cr4() | CR4_VMXE);
    write_cr0(read_cr0() & ~(uint64_t)CR0_NE);
    try("VMXON with CR0.NE 0", on, address(&vmxon_region), 0);
    write_cr0(read_cr0() | rdmsr(MSR_VMX_FIRST + VMX_CR0_FIXED0));
    try("VMXON not aligned", on, address(&vmxon_region) + 8, 0);
    try("VMXON beyond the physical addresses", on, 1ull << 52, 0);
    try("VMXON with bit 63", on, address(&vmxon_region) | 1ull << 63, 0);
    try("VMXON with another revision", on, address(&odd), 0);
    vm_stamp(&vmxon_region, VMCS_SHADOW_INDICATOR);
    try("VMXON with the shadow indicator", on, address(&vmxon_region), 0);
    vm_stamp(&vmxon_region, 0);
    try("VMXON operand not mapped", on_from, UNMAPPED, 0);
    try("VMXON", on, address(&vmxon_region), 0);
}

/* ---- without a current VMCS --------------------------------------------------------- */

static void without_current(void)
{
    uint64_t current = 0;
    guest_check(vmx_store(&current) == VMX_SUCCEED && current == NONE, "VMPTRST of no VMCS stores ones");
    try("VMREAD of no VMCS", read, VMCS_GUEST_RIP, 0);
    try("VMREAD of no VMCS, no such field", read, 0xFFFF, 0);
    try("VMWRITE of no VMCS", write, VMCS_GUEST_RIP, 0);
    try("VMLAUNCH of no VMCS", launch, 0, 0);
    try("VMRESUME of no VMCS", resume, 0, 0);
    try("VMXON again, no VMCS", on, address(&vmxon_region), 0);
    try("VMCLEAR not aligned, no VMCS", clear, address(&first) + 1, 0);
    try("VMPTRLD of the VMXON region, no VMCS", load, address(&vmxon_region), 0);
    try("INVEPT of no type, no VMCS", invept, 0, address(&odd));
}

static void clear_vmxe(void *unused)
{
    (void)unused;
    write_cr4(read_cr4() & ~(uint64_t)CR4_VMXE);
}
static void clear_ne(void *unused)
{
    (void)unused;
    write_cr0(read_cr0() & ~(uint64_t)CR0_NE);
}
static void fixed_bits(void)
{
    guest_print("CR4.VMXE to 0: #%u\n", guest_try(clear_vmxe, NULL));
    guest_print("CR0.NE to 0: #%u\n", guest_try(clear_ne, NULL));
}

/* ---- with one ------------------------------------------------------------------------- */

static void pointers(void)
{
    uint64_t current = 0;
    vm_stamp(&first, 0);
    vm_stamp(&second, 0);
    try("VMCLEAR", clear, address(&first), 0);
    try("VMPTRLD", load, address(&first), 0);
    guest_check(vmx_store(&current) == VMX_SUCCEED && current == address(&first), "VMPTRST stores what VMPTRLD loaded");
    try("VMPTRLD not aligned", load, address(&first) + 0x10, 0);
    try("VMPTRLD beyond the physical addresses", load, 1ull << 52, 0);
    try("VMPTRLD with bit 63", load, address(&second) | 1ull << 63, 0);
    try("VMPTRLD of the VMXON region", load, address(&vmxon_region), 0);
    try("VMPTRLD of another revision", load, address(&odd), 0);
    try("VMPTRLD operand not mapped", load_from, UNMAPPED, 0);
    try("VMPTRLD operand not canonical", load_from, NOT_CANONICAL, 0);
    guest_check(vmx_store(&current) == VMX_SUCCEED && current == address(&first), "a failed VMPTRLD changes nothing");
    try("VMCLEAR not aligned", clear, address(&first) + 0x800, 0);
    try("VMCLEAR beyond the physical addresses", clear, 1ull << 52, 0);
    try("VMCLEAR of the VMXON region", clear, address(&vmxon_region), 0);
    try("VMCLEAR of another", clear, address(&second), 0);
    guest_check(vmx_store(&current) == VMX_SUCCEED && current == address(&first),
                "VMCLEAR of another leaves the current");
    try("VMXON again", on, address(&vmxon_region), 0);
    try("VMPTRST not mapped", store, UNMAPPED, 0);
}

static void fields(void)
{
    uint64_t value = 0;
    try("VMWRITE", write, VMCS_GUEST_RIP, 0x123456789ABCDEF0);
    guest_check(vmx_read(VMCS_GUEST_RIP, &value) == VMX_SUCCEED && value == 0x123456789ABCDEF0, "VMREAD gives it back");
    try("VMREAD of no such field", read, 0x6C3E, 0);
    try("VMREAD with a reserved bit of the encoding", read, VMCS_GUEST_RIP | 1 << 12, 0);
    try("VMREAD with bit 32 of the encoding", read, VMCS_GUEST_RIP | 1ull << 32, 0);
    try("VMREAD of the high half of a 32-bit field", read, VMCS_PIN_CONTROLS | 1, 0);
    try("VMWRITE of no such field", write, 0x281E, 0);
    try("VMWRITE with a reserved bit of the encoding", write, VMCS_GUEST_RIP | 1 << 15, 0);
    vmx_write(VMCS_TSC_OFFSET, 0x1122334455667788);
    vmx_write(VMCS_TSC_OFFSET | 1, 0xFFFFFFFFAABBCCDD);
    guest_check(vmx_read(VMCS_TSC_OFFSET, &value) == VMX_SUCCEED && value == 0xAABBCCDD55667788,
                "a high half is written alone");
    guest_check(vmx_read(VMCS_TSC_OFFSET | 1, &value) == VMX_SUCCEED && value == 0xAABBCCDD,
                "a high half is read alone");
    vmx_write(VMCS_GUEST_CS_SELECTOR, 0xFFFFFFFFFFFF1234);
    guest_check(vmx_read(VMCS_GUEST_CS_SELECTOR, &value) == VMX_SUCCEED && value == 0x1234,
                "16 bits are kept of a 16-bit field");
    vmx_write(VMCS_GUEST_CS_LIMIT, 0xFFFFFFFF87654321);
    guest_check(vmx_read(VMCS_GUEST_CS_LIMIT, &value) == VMX_SUCCEED && value == 0x87654321,
                "32 bits are kept of a 32-bit field");
    try("VMREAD to memory not mapped", read_to, UNMAPPED, VMCS_GUEST_RIP);
    try("VMWRITE from memory not mapped", write_from, UNMAPPED, VMCS_GUEST_RIP);
    try("VMREAD to memory not canonical", read_to, NOT_CANONICAL, VMCS_GUEST_RIP);
    bool any = rdmsr(MSR_VMX_FIRST + VMX_MISC) & VMX_MISC_VMWRITE_ANY;
    guest_check((vmx_write(VMCS_EXIT_QUALIFICATION, 5) == VMX_SUCCEED) == any,
                "VMWRITE of a read-only field as IA32_VMX_MISC says");
}

static void switching(void)
{
    uint64_t value = 0;
    vmx_write(VMCS_HOST_RSP, 0x1111);
    vmx_load(address(&second));
    vmx_write(VMCS_HOST_RSP, 0x2222);
    vmx_load(address(&first));
    guest_check(vmx_read(VMCS_HOST_RSP, &value) == VMX_SUCCEED && value == 0x1111, "each VMCS keeps its own fields");
    vmx_clear(address(&first));
    guest_check(vmx_store(&value) == VMX_SUCCEED && value == NONE, "VMCLEAR of the current leaves none");
    vmx_load(address(&first));
    guest_check(vmx_read(VMCS_HOST_RSP, &value) == VMX_SUCCEED && value == 0x1111, "VMCLEAR keeps the fields");
    vmx_load(address(&second));
    guest_check(vmx_read(VMCS_HOST_RSP, &value) == VMX_SUCCEED && value == 0x2222, "and so has the other");
}

/* ---- launch state ------------------------------------------------------------------------ */

static void l2_nothing(void *unused) { (void)unused; }

static void launching(void)
{
    vm_prepare(&vm);
    try("VMRESUME of a clear VMCS", resume, 0, 0);
    vm_start(&vm, l2_nothing, NULL);
    vm_run(&vm);
    vm_print_exit("VMLAUNCH", &vm);
    try("VMLAUNCH of a launched VMCS", launch, 0, 0);
    vmx_load(address(&second));
    vmx_load(address(vm.region));
    vm_start(&vm, l2_nothing, NULL);
    vm_run(&vm);
    vm_print_exit("VMRESUME after another was current", &vm);
    vmx_clear(address(vm.region));
    vmx_load(address(vm.region));
    try("VMRESUME after VMCLEAR", resume, 0, 0);
    vm.launched = false;
    vm_start(&vm, l2_nothing, NULL);
    vm_run(&vm);
    vm_print_exit("VMLAUNCH after VMCLEAR", &vm);
    vm_set(VMCS_GUEST_RFLAGS, 0);
    vm_run(&vm);
    vm_print_exit("VMRESUME that fails late", &vm);
    vm_start(&vm, l2_nothing, NULL);
    vm_run(&vm);
    vm_print_exit("VMRESUME after it", &vm);
    vmx_clear(address(vm.region));
    vmx_load(address(vm.region));
    vm.launched = false;
    vm_set(VMCS_GUEST_RFLAGS, 0);
    vm_run(&vm);
    vm_print_exit("VMLAUNCH that fails late", &vm);
    try("VMRESUME after it", resume, 0, 0);
}

static enum vmx_result launch_blocked(uint64_t a, uint64_t b)
{
    bool carry, zero;
    (void)a, (void)b;
    __asm__ volatile("mov %%ss, %%eax; mov %%eax, %%ss; vmlaunch" : "=@ccc"(carry), "=@ccz"(zero) : : "rax", "memory");
    return vmx_result(carry, zero);
}

/* ---- invalidation --------------------------------------------------------------------------- */

static void invalidation(void)
{
    struct vmx_descriptor eptp = {0x1000 | 3 << 3 | 6, 0}, bad = {0x1000 | 7 << 3 | 6, 0};
    struct vmx_descriptor vpid = {1, 0x5000}, none = {0, 0}, reserved = {1 | 1 << 16, 0}, far = {1, NOT_CANONICAL};
    try("INVEPT type 0", invept, 0, address(&eptp));
    try("INVEPT type 3", invept, 3, address(&eptp));
    try("INVEPT type 1", invept, 1, address(&eptp));
    try("INVEPT type 2", invept, 2, address(&eptp));
    try("INVEPT type 1, invalid EPTP", invept, 1, address(&bad));
    try("INVEPT type 2, descriptor not mapped", invept, 2, UNMAPPED);
    try("INVVPID type 0", invvpid, 0, address(&vpid));
    try("INVVPID type 1", invvpid, 1, address(&vpid));
    try("INVVPID type 2", invvpid, 2, address(&vpid));
    try("INVVPID type 3", invvpid, 3, address(&vpid));
    try("INVVPID type 4", invvpid, 4, address(&vpid));
    try("INVVPID type 1, VPID 0", invvpid, 1, address(&none));
    try("INVVPID type 2, VPID 0", invvpid, 2, address(&none));
    try("INVVPID type 1, reserved bits", invvpid, 1, address(&reserved));
    try("INVVPID type 0, address not canonical", invvpid, 0, address(&far));
}

int guest_main(void)
{
    before_vmxon();
    vmxon();
    without_current();
    fixed_bits();
    pointers();
    fields();
    switching();
    launching();
    vm_prepare(&vm);
    try("VMLAUNCH after MOV SS", launch_blocked, 0, 0);
    vm_prepare(&vm);
    invalidation();
    try("VMXOFF", off, 0, 0);
    try("VMXOFF again", off, 0, 0);
    try("VMXON after VMXOFF", on, address(&vmxon_region), 0);
    uint64_t current = 0;
    guest_check(vmx_store(&current) == VMX_SUCCEED && current == NONE, "VMXON leaves no current VMCS");
    guest_print("end\n");
    return (int)guest_failures;
}
