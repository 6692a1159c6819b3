/* Question: does each thing that leaves a guest reach its hypervisor with the manual's reason, qualification,
 * instruction length and information, and go on where the hypervisor puts it? */
#include "tests/guest/vmx/vm.h"

#include "vmcs-shadow/capability.h"

#define L2(name, ...)                  \
    static void name(void *unused)     \
    {                                  \
        (void)unused;                  \
        __asm__ volatile(__VA_ARGS__); \
    }
#define SCRATCH "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "memory", "cc"

static struct page region, buffer;
static struct vm vm = {.region = &region};

/* ---- instructions that always exit ------------------------------------------- */
L2(l2_cpuid, "mov $1, %%eax; cpuid" : : : SCRATCH)
L2(l2_invd, "invd" : : : "memory")
L2(l2_vmcall, "xor %%eax, %%eax; vmcall" : : : SCRATCH)
L2(l2_vmlaunch, "vmlaunch" : : : SCRATCH)
L2(l2_vmresume, "vmresume" : : : SCRATCH)
L2(l2_vmxoff, "vmxoff" : : : SCRATCH)
L2(l2_vmxon, "vmxon (%%rax)" : : "a"(&buffer) : "memory", "cc")
L2(l2_vmclear, "vmclear 0x18(%%rbx,%%rcx,8)" : : "b"(&buffer), "c"(0ull) : "memory", "cc")
L2(l2_vmptrld, "vmptrld (%%r9)" : : : SCRATCH)
L2(l2_vmptrst, "vmptrst %%fs:0x7F(%%rdi)" : : "D"(&buffer) : "memory", "cc")
L2(l2_vmread_register, "vmread %%r10, %%rsi" : : : SCRATCH)
L2(l2_vmread_memory, "vmread %%rax, 0x1000(%%rdx,%%rbp,2)" : : : SCRATCH)
L2(l2_vmwrite_register, "vmwrite %%rsi, %%r15" : : : SCRATCH)
L2(l2_vmwrite_memory, "vmwrite (%%r8,%%r9,4), %%rcx" : : : SCRATCH)
L2(l2_invept, "invept (%%rax), %%rcx" : : : SCRATCH)
L2(l2_invvpid, "invvpid 8(%%rax), %%r11" : : : SCRATCH)
L2(l2_xsetbv, "xor %%ecx, %%ecx; mov $1, %%eax; xor %%edx, %%edx; xsetbv" : : : SCRATCH)

static const struct plain {
    const char *name;
    void (*body)(void *);
    uint32_t cpu, secondary;
} always[] = {
    {"CPUID", l2_cpuid, 0, 0},
    {"INVD", l2_invd, 0, 0},
    {"VMCALL", l2_vmcall, 0, 0},
    {"VMLAUNCH", l2_vmlaunch, 0, 0},
    {"VMRESUME", l2_vmresume, 0, 0},
    {"VMXOFF", l2_vmxoff, 0, 0},
    {"VMXON (rax)", l2_vmxon, 0, 0},
    {"VMCLEAR 0x18(rbx,rcx,8)", l2_vmclear, 0, 0},
    {"VMPTRLD (r9)", l2_vmptrld, 0, 0},
    {"VMPTRST fs:0x7F(rdi)", l2_vmptrst, 0, 0},
    {"VMREAD r10, rsi", l2_vmread_register, 0, 0},
    {"VMREAD rax, 0x1000(rdx,rbp,2)", l2_vmread_memory, 0, 0},
    {"VMWRITE rsi, r15", l2_vmwrite_register, 0, 0},
    {"VMWRITE (r8,r9,4), rcx", l2_vmwrite_memory, 0, 0},
    {"INVEPT (rax), rcx", l2_invept, 0, 0},
    {"INVVPID 8(rax), r11", l2_invvpid, 0, 0},
    {"XSETBV", l2_xsetbv, 0, 0},
};

/* ---- instructions that exit when a control says so ------------------------------ */
L2(l2_hlt, "hlt" : : : "memory")
L2(l2_invlpg, "invlpg (%%rax)" : : "a"(0x123456789000ull) : "memory")
L2(l2_rdpmc, "xor %%ecx, %%ecx; rdpmc" : : : SCRATCH)
L2(l2_rdtsc, "rdtsc" : : : SCRATCH)
L2(l2_rdtscp, "rdtscp" : : : SCRATCH)
L2(l2_mwait, "xor %%eax, %%eax; xor %%ecx, %%ecx; mwait" : : : SCRATCH)
L2(l2_monitor, "xor %%ecx, %%ecx; xor %%edx, %%edx; monitor" : : "a"(&buffer) : "rcx", "rdx", "memory")
L2(l2_pause, "pause" : : : "memory")
L2(l2_wbinvd, "wbinvd" : : : "memory")
L2(l2_rdrand, "rdrand %%r12" : : : "r12", "cc")
L2(l2_rdrand32, "rdrand %%ecx" : : : "rcx", "cc")
L2(l2_rdseed, "rdseed %%ax" : : : "rax", "cc")
L2(l2_invpcid, "mov $2, %%ecx; invpcid (%%rax), %%rcx" : : "a"(&buffer) : "rcx", "memory")
L2(l2_sgdt, "sgdt (%%rax)" : : "a"(&buffer) : "memory")
L2(l2_sidt, "sidt 8(%%rax)" : : "a"(&buffer) : "memory")
L2(l2_lgdt, "lgdt (%%r8)" : : : "memory")
L2(l2_lidt, "lidt (%%r8)" : : : "memory")
L2(l2_sldt, "sldt %%ebx" : : : "rbx", "memory")
L2(l2_str, "str (%%rax)" : : "a"(&buffer) : "memory")
L2(l2_lldt, "lldt %%cx" : : : "memory")
L2(l2_ltr, "ltr %%dx" : : : "memory")

static const struct plain controlled[] = {
    {"HLT", l2_hlt, CPU_HLT_EXITING, 0},
    {"INVLPG", l2_invlpg, CPU_INVLPG_EXITING, 0},
    {"RDPMC", l2_rdpmc, CPU_RDPMC_EXITING, 0},
    {"RDTSC", l2_rdtsc, CPU_RDTSC_EXITING, 0},
    {"RDTSCP", l2_rdtscp, CPU_RDTSC_EXITING, CPU2_RDTSCP},
    {"MWAIT", l2_mwait, CPU_MWAIT_EXITING, 0},
    {"MONITOR", l2_monitor, CPU_MONITOR_EXITING, 0},
    {"PAUSE", l2_pause, CPU_PAUSE_EXITING, 0},
    {"WBINVD", l2_wbinvd, 0, CPU2_WBINVD_EXITING},
    {"RDRAND r12", l2_rdrand, 0, CPU2_RDRAND_EXITING},
    {"RDRAND ecx", l2_rdrand32, 0, CPU2_RDRAND_EXITING},
    {"RDSEED ax", l2_rdseed, 0, CPU2_RDSEED_EXITING},
    {"INVPCID (rax), rcx", l2_invpcid, CPU_INVLPG_EXITING, CPU2_INVPCID},
    {"SGDT (rax)", l2_sgdt, 0, CPU2_DESCRIPTOR_TABLE_EXITING},
    {"SIDT 8(rax)", l2_sidt, 0, CPU2_DESCRIPTOR_TABLE_EXITING},
    {"LGDT (r8)", l2_lgdt, 0, CPU2_DESCRIPTOR_TABLE_EXITING},
    {"LIDT (r8)", l2_lidt, 0, CPU2_DESCRIPTOR_TABLE_EXITING},
    {"SLDT ebx", l2_sldt, 0, CPU2_DESCRIPTOR_TABLE_EXITING},
    {"STR (rax)", l2_str, 0, CPU2_DESCRIPTOR_TABLE_EXITING},
    {"LLDT cx", l2_lldt, 0, CPU2_DESCRIPTOR_TABLE_EXITING},
    {"LTR dx", l2_ltr, 0, CPU2_DESCRIPTOR_TABLE_EXITING},
};
/* Without their controls these do what they do on a bare machine. */
static const struct plain free_of_exits[] = {
    {"RDTSC free", l2_rdtsc, 0, 0},
    {"INVLPG free", l2_invlpg, 0, 0},
    {"PAUSE free", l2_pause, 0, 0},
    {"WBINVD free", l2_wbinvd, 0, 0},
    {"SGDT free", l2_sgdt, 0, 0},
    {"SLDT free", l2_sldt, 0, 0},
};

static void run_plain(const struct plain *cases, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (!vm_offers(VMX_TRUE_CPU, cases[i].cpu) ||
            (cases[i].secondary && !vm_offers(VMX_CPU2, cases[i].secondary))) {
            guest_print("%s: not offered\n", cases[i].name);
            continue;
        }
        vm_cpu(cases[i].cpu, cases[i].secondary);
        vm_trace(&vm, cases[i].name, cases[i].body, NULL);
    }
    vm_cpu(0, 0);
}

/* ---- control and debug registers ------------------------------------------------- */
enum { CR0_TS = 1 << 3, CR4_PGE = 1 << 7, CR4_OSXSAVE = 1 << 18 };
L2(l2_cr0_masked, "mov %%cr0, %%rdx; xor $8, %%rdx; mov %%rdx, %%cr0" : : : SCRATCH)
L2(l2_cr0_unmasked, "mov %%cr0, %%rax; xor $2, %%rax; mov %%rax, %%cr0; xor $2, %%rax; mov %%rax, %%cr0" : : : SCRATCH)
L2(l2_clts, "clts" : : : "memory")
L2(l2_lmsw, "smsw %%eax; or $8, %%eax; lmsw %%ax" : : : SCRATCH)
L2(l2_cr3, "mov %%cr3, %%r11; mov %%r11, %%cr3" : : : "r11", "memory")
L2(l2_cr4, "mov %%cr4, %%rbx; xor $0x80, %%rbx; mov %%rbx, %%cr4" : : : SCRATCH)
L2(l2_cr8, "mov $5, %%r9; mov %%r9, %%cr8; mov %%cr8, %%rsi" : : : "r9", "rsi", "memory")
L2(l2_dr7, "mov %%dr7, %%rcx; mov $0x400, %%r8; mov %%r8, %%dr7" : : : "rcx", "r8", "memory")
L2(l2_dr3, "mov %%rdi, %%dr3" : : : "memory")

static uint64_t seen;
static void l2_cr0_shadow(void *unused)
{
    (void)unused;
    seen = read_cr0();
}

static void control_registers(void)
{
    uint64_t cr0 = read_cr0(), cr4 = read_cr4(), cr3 = read_cr3();
    vm_set(VMCS_CR0_MASK, CR0_TS);
    vm_set(VMCS_CR0_SHADOW, cr0);
    vm_trace(&vm, "MOV to CR0, bit masked", l2_cr0_masked, NULL);
    vm_trace(&vm, "MOV to CR0, bit not masked", l2_cr0_unmasked, NULL);
    vm_set(VMCS_CR0_SHADOW, cr0 | CR0_TS);
    vm_trace(&vm, "CLTS, shadow 1", l2_clts, NULL);
    vm_trace(&vm, "MOV from CR0, shadow 1", l2_cr0_shadow, NULL);
    guest_print("CR0.TS as seen: %u\n", (unsigned)(seen >> 3 & 1));
    vm_set(VMCS_CR0_SHADOW, cr0);
    vm_trace(&vm, "CLTS, shadow 0", l2_clts, NULL);
    vm_trace(&vm, "LMSW", l2_lmsw, NULL);
    vm_set(VMCS_CR0_MASK, 0);
    vm_set(VMCS_GUEST_CR0, cr0);
    vm_set(VMCS_CR4_MASK, CR4_PGE);
    vm_set(VMCS_CR4_SHADOW, cr4);
    vm_trace(&vm, "MOV to CR4, bit masked", l2_cr4, NULL);
    vm_set(VMCS_CR4_MASK, 0);
    vm_trace(&vm, "MOV to CR4, not masked", l2_cr4, NULL);
    vm_set(VMCS_GUEST_CR4, cr4);
    vm_cpu(CPU_CR3_LOAD_EXITING | CPU_CR3_STORE_EXITING, 0);
    vm_trace(&vm, "MOV from and to CR3", l2_cr3, NULL);
    vm_set(VMCS_CR3_TARGET_COUNT, 2);
    vm_set(VMCS_CR3_TARGET_0, ~0ull);
    vm_set(VMCS_CR3_TARGET_1, cr3);
    vm_cpu(CPU_CR3_LOAD_EXITING, 0);
    vm_set(VMCS_CR3_TARGET_COUNT, 1);
    vm_trace(&vm, "MOV to CR3, value not a target", l2_cr3, NULL);
    vm_set(VMCS_CR3_TARGET_COUNT, 2);
    vm_cpu(CPU_CR3_LOAD_EXITING, 0);
    vm_trace(&vm, "MOV to CR3, value a target", l2_cr3, NULL);
    vm_set(VMCS_CR3_TARGET_COUNT, 0);
    vm_cpu(CPU_CR8_LOAD_EXITING | CPU_CR8_STORE_EXITING, 0);
    vm_trace(&vm, "MOV to and from CR8", l2_cr8, NULL);
    vm_cpu(CPU_MOV_DR_EXITING, 0);
    vm_trace(&vm, "MOV from and to DR7", l2_dr7, NULL);
    vm_trace(&vm, "MOV to DR3", l2_dr3, NULL);
    vm_cpu(0, 0);
    vm_trace(&vm, "MOV DR7 free", l2_dr7, NULL);
}

/* ---- I/O and MSRs ------------------------------------------------------------------ */
L2(l2_in_al, "inb $0x70, %%al" : : : "rax")
L2(l2_in_ax, "mov $0x1234, %%edx; inw %%dx, %%ax" : : : "rax", "rdx")
L2(l2_out_eax, "mov $0xFFFC, %%edx; outl %%eax, %%dx" : : : "rdx")
L2(l2_out_al, "outb %%al, $0x80" : : : "memory")
L2(l2_insb, "mov $0x60, %%edx; insb" : : "D"(&buffer) : "rdx", "memory")
L2(l2_rep_insw, "mov $0x61, %%edx; mov $2, %%ecx; rep insw" : : "D"(&buffer) : "rcx", "rdx", "memory")
L2(l2_rep_outsl, "mov $0x62, %%edx; mov $3, %%ecx; rep outsl" : : "S"(&buffer) : "rcx", "rdx", "memory")
L2(l2_rdmsr, "mov $0xC0000080, %%ecx; rdmsr" : : : SCRATCH)
L2(l2_wrmsr, "mov $0x174, %%ecx; xor %%eax, %%eax; xor %%edx, %%edx; wrmsr" : : : SCRATCH)

static const struct plain io[] = {
    {"IN AL, 0x70", l2_in_al, CPU_UNCONDITIONAL_IO_EXITING, 0},
    {"IN AX, DX", l2_in_ax, CPU_UNCONDITIONAL_IO_EXITING, 0},
    {"OUT DX, EAX", l2_out_eax, CPU_UNCONDITIONAL_IO_EXITING, 0},
    {"OUT 0x80, AL", l2_out_al, CPU_UNCONDITIONAL_IO_EXITING, 0},
    {"INSB", l2_insb, CPU_UNCONDITIONAL_IO_EXITING, 0},
    {"REP INSW", l2_rep_insw, CPU_UNCONDITIONAL_IO_EXITING, 0},
    {"REP OUTSL", l2_rep_outsl, CPU_UNCONDITIONAL_IO_EXITING, 0},
    {"OUT 0x80, AL free", l2_out_al, 0, 0},
    {"RDMSR", l2_rdmsr, 0, 0},
    {"WRMSR", l2_wrmsr, 0, 0},
};

/* SDM "Exit Information": where a string is, and the operand of LMSW. */
L2(l2_lmsw_memory, "lmsw 6(%%rdi)" : : "D"(&buffer) : "memory")

static void linear_addresses(void)
{
    uint64_t at = (uint64_t)(uintptr_t)&buffer;
    static const struct {
        const char *name;
        void (*body)(void *);
        uint64_t offset;
    } cases[] = {{"INSB says where it writes", l2_insb, 0}, {"REP OUTSL says where it reads", l2_rep_outsl, 0},
                 {"LMSW says where it reads", l2_lmsw_memory, 6}};

    buffer.bytes[6] = 0x3F; /* TS and more */
    vm_cpu(CPU_UNCONDITIONAL_IO_EXITING, 0);
    vm_set(VMCS_CR0_MASK, CR0_TS);
    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        vm_start(&vm, cases[i].body, NULL);
        vm_run(&vm);
        guest_check_equal(vm_get(VMCS_GUEST_LINEAR_ADDRESS), at + cases[i].offset, cases[i].name);
    }
    vm_set(VMCS_CR0_MASK, 0);
    vm_cpu(0, 0);
}

/* ---- exceptions ----------------------------------------------------------------------- */
L2(l2_ud, "ud2" : : : "memory")
L2(l2_bp, "int3" : : : "memory")
L2(l2_int1, ".byte 0xF1" : : : "memory")
L2(l2_de, "xor %%edx, %%edx; xor %%ecx, %%ecx; mov $1, %%eax; div %%ecx" : : : SCRATCH)
L2(l2_gp, "mov (%%rax), %%rcx" : : "a"(0x0001000000000000ull) : "rcx", "memory")
L2(l2_gp_selector, "mov $0x80, %%eax; mov %%ax, %%es" : : : "rax", "memory")
L2(l2_pf_read, "mov (%%rax), %%rcx" : : "a"(0x123456789ull) : "rcx", "memory")
L2(l2_pf_write, "mov %%rcx, (%%rax)" : : "a"(0x123456789ull) : "memory")

static const struct exception {
    const char *name;
    void (*body)(void *);
    uint32_t bitmap, mask, match;
    uint8_t length; /* past the instruction: a fault has no length of its own */
} exceptions[] = {
    {"#UD", l2_ud, 1 << 6, 0, 0, 2},
    {"#BP", l2_bp, 1 << 3, 0, 0, 1},
    {"INT1", l2_int1, 1 << 1, 0, 0, 1},
    {"#DE", l2_de, 1 << 0, 0, 0, 2},
    {"#GP(0)", l2_gp, 1 << 13, 0, 0, 3},
    {"#GP(selector)", l2_gp_selector, 1 << 13, 0, 0, 2},
    {"#PF read", l2_pf_read, 1 << 14, 0, 0, 3},
    {"#PF write", l2_pf_write, 1 << 14, 0, 0, 3},
    {"#PF write, mask and match write", l2_pf_write, 1 << 14, 2, 2, 3},
    {"#PF, bit 0, mask and match no page", l2_pf_read, 0, 1, 1, 3},
};

static void exception_exits(void)
{
    for (unsigned i = 0; i < sizeof(exceptions) / sizeof(*exceptions); i++) {
        const struct exception *e = &exceptions[i];
        vm_set(VMCS_EXCEPTION_BITMAP, e->bitmap);
        vm_set(VMCS_PAGE_FAULT_MASK, e->mask);
        vm_set(VMCS_PAGE_FAULT_MATCH, e->match);
        vm_start(&vm, e->body, NULL);
        vm_run(&vm);
        vm_print_exit(e->name, &vm);
        vm_set(VMCS_GUEST_RIP, vm.exit.rip + e->length);
        vm_run(&vm);
        vm_print_exit("  then", &vm);
    }
    vm_set(VMCS_PAGE_FAULT_MASK, 0);
    vm_set(VMCS_PAGE_FAULT_MATCH, 0);
}

/* Without an exit the guest's own handlers get them. */
static void l2_handles(void *unused)
{
    (void)unused;
    seen = guest_try(l2_ud, NULL) | guest_try(l2_pf_read, NULL) << 8 | guest_try(l2_gp, NULL) << 16;
}

static void exceptions_of_its_own(void)
{
    vm_set(VMCS_EXCEPTION_BITMAP, 0);
    vm_trace(&vm, "handled inside", l2_handles, NULL);
    guest_print("handled inside: vectors %llu %llu %llu\n", (unsigned long long)(seen & 0xFF),
                (unsigned long long)(seen >> 8 & 0xFF), (unsigned long long)(seen >> 16));
    vm_set(VMCS_PAGE_FAULT_MASK, 2);
    vm_set(VMCS_PAGE_FAULT_MATCH, 0);
    vm_set(VMCS_EXCEPTION_BITMAP, 1 << 14);
    vm_start(&vm, l2_handles, NULL);
    vm_run(&vm);
    vm_print_exit("#PF, mask write, match read", &vm);
    vm_set(VMCS_EXCEPTION_BITMAP, 0);
    vm_set(VMCS_PAGE_FAULT_MASK, 0);
}

/* ---- what is no instruction --------------------------------------------------------------- */
static void l2_spin(void *unused)
{
    (void)unused;
    for (;;)
        __asm__ volatile("pause");
}

static void others(void)
{
    uint64_t limit = vm_get(VMCS_GUEST_IDTR_LIMIT);
    vm_set(VMCS_GUEST_IDTR_LIMIT, 0);
    vm_start(&vm, l2_ud, NULL);
    vm_run(&vm);
    vm_print_exit("no IDT", &vm);
    vm_set(VMCS_GUEST_IDTR_LIMIT, limit);
    vm_pin(PIN_PREEMPTION_TIMER);
    vm_set(VMCS_PREEMPTION_TIMER, 0);
    vm_start(&vm, l2_cpuid, NULL);
    vm_run(&vm);
    vm_print_exit("timer 0", &vm);
    vm_set(VMCS_PREEMPTION_TIMER, 1000);
    vm_start(&vm, l2_spin, NULL);
    vm_run(&vm);
    vm_print_exit("timer 1000", &vm);
    vm_set(VMCS_PREEMPTION_TIMER, ~0u);
    vm_exit_controls(EXIT_SAVE_PREEMPTION_TIMER);
    vm_start(&vm, l2_cpuid, NULL);
    vm_run(&vm);
    vm_print_exit("timer saved", &vm);
    uint64_t left = vm_get(VMCS_PREEMPTION_TIMER);
    guest_check(left > ~0u - 0x10000000u, "the saved timer has most of its time left");
    vm_exit_controls(0);
    vm_pin(0);
}

/* The guest's registers are the hypervisor's to read and write. */
static void l2_registers(void *unused)
{
    (void)unused;
    uint64_t a = 0x1111, d = 0x2222, r15;
    __asm__ volatile("mov $0x3333, %%r15; cpuid; mov %%r15, %0" : "=r"(r15), "+a"(a), "+d"(d) : : "rbx", "rcx", "r15");
    seen = a == 0xAAAA && d == 0xDDDD && r15 == 0xFFFF;
}

static void registers(void)
{
    vm_start(&vm, l2_registers, NULL);
    vm_run(&vm);
    guest_check_equal(vm.registers.rax, 0x1111, "RAX of the guest");
    guest_check_equal(vm.registers.rdx, 0x2222, "RDX of the guest");
    guest_check_equal(vm.registers.r15, 0x3333, "R15 of the guest");
    vm.registers.rax = 0xAAAA;
    vm.registers.rdx = 0xDDDD;
    vm.registers.r15 = 0xFFFF;
    vm_skip(&vm);
    vm_run(&vm);
    guest_check_equal(seen, 1, "registers the hypervisor wrote");
    guest_check(vm_finished(&vm), "the guest ended");
}

int guest_main(void)
{
    vm_begin();
    write_cr4(read_cr4() | CR4_OSXSAVE);
    vm_prepare(&vm);
    run_plain(always, sizeof(always) / sizeof(*always));
    run_plain(controlled, sizeof(controlled) / sizeof(*controlled));
    run_plain(free_of_exits, sizeof(free_of_exits) / sizeof(*free_of_exits));
    control_registers();
    run_plain(io, sizeof(io) / sizeof(*io));
    linear_addresses();
    exception_exits();
    exceptions_of_its_own();
    others();
    registers();
    guest_print("end\n");
    return (int)guest_failures;
}
