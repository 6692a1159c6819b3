/* Question: which privileged and VMX instructions go through, fault, or exit in each mode and at each privilege level:
 * of L1 before and in VMX operation; of L2 with everything exiting, with little, and linked to a shadow VMCS? The order
 * in which the manual asks is what counts: is it an instruction in this mode, does it exit, is it privileged.
 *
 * Not asked: MOV to DR7 that exits at level 3, as Bochs 2.7 exits before it looks at the level. */
#include "tests/guest/vmx/access.h"
#include "tests/guest/vmx/vm.h"

#include <string.h>

#include "vmcs-shadow/capability.h"

enum { LOW = 0x60000, USER_CODE = 0x18, USER_DATA = 0x20, COMPATIBLE = 0x28, USER_COMPATIBLE = 0x30, TASK = 0x38,
       CODE = 8, DATA = 0x10 };
enum { VECTOR_UD = 6, VECTOR_GP = 13, VECTOR_PF = 14, FLAG_VM = 1 << 17 };

static struct page region, shadow, other, read_bitmap, write_bitmap, ept_top, ept_pointers, ept_directories[4];
static struct vm vm = {.region = &region};
static uint64_t operand[2]; /* of instructions that have one in memory, at RAX */

static uint64_t address(const void *p) { return (uint64_t)(uintptr_t)p; }

/* ---- instructions, of one byte string in every mode; RAX: the operand's address, RCX: 10H --------------------- */

enum { VMX = 1, DEBUG = 2, PORT = 3 };

static const struct {
    const char *name;
    uint8_t bytes[6], length, kind;
} instructions[] = {
    {"VMREAD", {0x0F, 0x78, 0xCA}, 3, VMX},
    {"VMWRITE", {0x0F, 0x79, 0xCA}, 3, VMX},
    {"VMCLEAR", {0x66, 0x0F, 0xC7, 0x30}, 4, VMX},
    {"VMPTRLD", {0x0F, 0xC7, 0x30}, 3, VMX},
    {"VMPTRST", {0x0F, 0xC7, 0x38}, 3, VMX},
    {"VMXON", {0xF3, 0x0F, 0xC7, 0x30}, 4, VMX},
    {"VMXOFF", {0x0F, 0x01, 0xC4}, 3, VMX},
    {"VMLAUNCH", {0x0F, 0x01, 0xC2}, 3, VMX},
    {"VMRESUME", {0x0F, 0x01, 0xC3}, 3, VMX},
    {"INVEPT", {0x66, 0x0F, 0x38, 0x80, 0x08}, 5, VMX},
    {"INVVPID", {0x66, 0x0F, 0x38, 0x81, 0x08}, 5, VMX},
    {"VMFUNC", {0x0F, 0x01, 0xD4}, 3, VMX},
    {"HLT", {0xF4}, 1, 0},
    {"CLTS", {0x0F, 0x06}, 2, 0},
    {"MOV CR0, EAX", {0x0F, 0x22, 0xC0}, 3, 0},
    {"MOV CR3, EAX", {0x0F, 0x22, 0xD8}, 3, 0},
    {"MOV CR4, EAX", {0x0F, 0x22, 0xE0}, 3, 0},
    {"MOV DR7, EAX", {0x0F, 0x23, 0xF8}, 3, DEBUG},
    {"RDMSR", {0x0F, 0x32}, 2, 0},
    {"WRMSR", {0x0F, 0x30}, 2, 0},
    {"INVD", {0x0F, 0x08}, 2, 0},
    {"WBINVD", {0x0F, 0x09}, 2, 0},
    {"INVLPG", {0x0F, 0x01, 0x38}, 3, 0},
    {"LMSW AX", {0x0F, 0x01, 0xF0}, 3, 0},
    {"LGDT", {0x0F, 0x01, 0x10}, 3, 0},
    {"IN AL, DX", {0xEC}, 1, PORT},
    {"OUT DX, AL", {0xEE}, 1, PORT},
    {"OUTSB", {0x6E}, 1, PORT},
};
enum { INSTRUCTIONS = sizeof(instructions) / sizeof(*instructions) };

/* At LOW, followed by an end. */
static void place(unsigned n, const uint8_t *end, unsigned bytes)
{
    memcpy((void *)(uintptr_t)LOW, instructions[n].bytes, instructions[n].length);
    memcpy((void *)(uintptr_t)(LOW + instructions[n].length), end, bytes);
}

static void users_pages(void)
{
    uint64_t *top = (uint64_t *)(uintptr_t)(read_cr3() & ~0xFFFull),
             *pointers = (uint64_t *)(uintptr_t)(top[0] & ~0xFFFull);
    top[0] |= 4;
    for (unsigned i = 0; i < 4; i++) {
        uint64_t *directory = (uint64_t *)(uintptr_t)(pointers[i] & ~0xFFFull);
        pointers[i] |= 4;
        for (unsigned j = 0; j < 512; j++)
            directory[j] |= 4;
    }
    write_cr3(read_cr3());
}

/* ---- L1 ----------------------------------------------------------------------------------------------------- */

static uint64_t gdt[9] = {0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF, 0x00AFFB000000FFFF, 0x00CFF3000000FFFF,
                          0x00CF9B000000FFFF, 0x00CFFB000000FFFF};
static uint8_t task[104] __attribute__((aligned(16))), trap_stack[8192] __attribute__((aligned(16)));

struct away {
    uint64_t cs, ss, rax, rcx;
};
extern char away_landing[];
void away_go(const struct away *to);
uint64_t away_stack;
__asm__(".text\n"
        "away_go:\n"
        "push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
        "mov %rsp, away_stack\n"
        "pushq 8(%rdi); push %rsp; pushq $2; pushq 0(%rdi); pushq $0x60000\n"
        "mov 16(%rdi), %rax; mov 24(%rdi), %rcx; mov %ecx, %edx; iretq\n"
        ".global away_landing\n"
        "away_landing:\n"
        "pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx; ret\n");

static struct {
    uint64_t vector, error, rip;
} ended;

static void come_back(struct guest_frame *f)
{
    ended.vector = f->vector;
    ended.error = f->error;
    ended.rip = f->rip;
    f->cs = CODE;
    f->ss = DATA;
    f->rflags = 2;
    f->rip = address(away_landing);
    f->rsp = away_stack;
}

static void tables(void)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) pointer = {sizeof(gdt) - 1, address(gdt)};
    uint64_t top = address(trap_stack + sizeof(trap_stack)), base = address(task);
    memcpy(task + 4, &top, sizeof(top));
    task[102] = sizeof(task); /* no I/O permission map */
    gdt[TASK / 8] = 0x0000890000000000 | (sizeof(task) - 1) | (base & 0xFFFFFF) << 16 | (base >> 24 & 0xFF) << 56;
    gdt[TASK / 8 + 1] = base >> 32;
    __asm__ volatile("lgdt %0; ltr %w1" : : "m"(pointer), "r"(TASK));
    guest_handle(VECTOR_UD, come_back);
    guest_handle(VECTOR_GP, come_back);
    guest_handle(VECTOR_PF, come_back);
}

static void l1_tries(const char *when, uint16_t cs, uint16_t ss, bool all)
{
    static const uint8_t end[] = {0x0F, 0x0B};
    for (unsigned n = 0; n < INSTRUCTIONS; n++) {
        if (!all && instructions[n].kind != VMX)
            continue;
        place(n, end, sizeof(end));
        away_go(&(struct away){cs, ss, address(operand), 0x10});
        if (ended.vector == VECTOR_UD && ended.rip == (uint64_t)LOW + instructions[n].length)
            guest_print("L1 %s: %s: done\n", when, instructions[n].name);
        else
            guest_print("L1 %s: %s: #%u error %#x\n", when, instructions[n].name, (unsigned)ended.vector,
                        (unsigned)ended.error);
    }
}

static void l1(const char *when)
{
    char text[64];
    unsigned length = strlen(when);
    memcpy(text, when, length);
#define AS(name) (memcpy(text + length, name, sizeof(name)), text)
    l1_tries(AS(", level 3"), USER_CODE | 3, USER_DATA | 3, true);
    l1_tries(AS(", compatibility mode, level 3"), USER_COMPATIBLE | 3, USER_DATA | 3, true);
    l1_tries(AS(", compatibility mode"), COMPATIBLE, DATA, false);
}

/* ---- L2 ----------------------------------------------------------------------------------------------------- */

enum mode { LONG, LONG_3, COMPATIBILITY, COMPATIBILITY_3, PROTECTED, PROTECTED_3, VIRTUAL_8086, REAL, MODES };
static const char *const modes[MODES] = {"64-bit mode", "64-bit mode, level 3", "compatibility mode",
                                         "compatibility mode, level 3", "protected mode", "protected mode, level 3",
                                         "virtual-8086 mode", "real-address mode"};

static void segments(uint16_t selector, uint64_t base, uint32_t limit, uint32_t code, uint32_t data)
{
    for (unsigned n = 0; n < 6; n++) {
        vm_set((enum vmcs_field)(VMCS_GUEST_ES_SELECTOR + 2 * n), selector);
        vm_set((enum vmcs_field)(VMCS_GUEST_ES_BASE + 2 * n), base);
        vm_set((enum vmcs_field)(VMCS_GUEST_ES_LIMIT + 2 * n), limit);
        vm_set((enum vmcs_field)(VMCS_GUEST_ES_ACCESS_RIGHTS + 2 * n), n == 1 ? code : data);
    }
}

static bool is_16_bit(enum mode mode) { return mode >= VIRTUAL_8086; }

static void set_mode(enum mode mode)
{
    uint64_t cr0 = read_cr0();
    unsigned level = mode == LONG_3 || mode == COMPATIBILITY_3 || mode == PROTECTED_3 ? 3 : 0;
    uint32_t rights = level << 5;
    if (mode >= PROTECTED)
        cr0 &= ~(1ull << 31);
    if (mode == REAL)
        cr0 &= ~1ull;
    vm_set(VMCS_GUEST_CR0, cr0);
    vm_set(VMCS_CR0_SHADOW, cr0);
    vm_entry_controls(mode < PROTECTED ? ENTRY_LONG_MODE : 0);
    vm_set(VMCS_GUEST_RFLAGS, mode == VIRTUAL_8086 ? FLAG_VM | 2 : 2);
    if (mode == VIRTUAL_8086)
        segments(LOW >> 4, LOW, 0xFFFF, 0xF3, 0xF3);
    else if (mode == REAL)
        segments(LOW >> 4, LOW, 0xFFFF, 0x9B, 0x93);
    else
        segments(level ? 0x23 : 0x10, 0, ~0u, (mode <= LONG_3 ? 0xA09B : 0xC09B) | rights, 0xC093 | rights);
    vm_set(VMCS_GUEST_RIP, is_16_bit(mode) ? 0 : LOW);
    vm_set(VMCS_GUEST_RSP, LOW + 0x8000);
    vm_set(VMCS_GUEST_INTERRUPTIBILITY, 0);
    vm_set(VMCS_GUEST_ACTIVITY_STATE, 0);
    vm_set(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, 0);
}

static void identity(void)
{
    uint64_t *top = (uint64_t *)(void *)&ept_top, *pointers = (uint64_t *)(void *)&ept_pointers;
    top[0] = address(&ept_pointers) | 7;
    for (unsigned i = 0; i < 4; i++) {
        uint64_t *directory = (uint64_t *)(void *)&ept_directories[i];
        pointers[i] = address(directory) | 7;
        for (uint64_t j = 0; j < 512; j++)
            directory[j] = (i * 512 + j) << 21 | 0x80 | 6 << 3 | 7;
    }
    vm_set(VMCS_EPT_POINTER, address(&ept_top) | 3 << 3 | 6);
}

static bool finished_at(uint64_t rip)
{
    return vm.entered == VMX_SUCCEED && vm.exit.reason == EXIT_VMCALL && vm.exit.rip == rip;
}

static void l2_tries(const char *with, enum mode mode, unsigned n)
{
    static const uint8_t end[] = {0x0F, 0x01, 0xC1};
    char name[96];
    unsigned length = 0;
#define ADD(text) (memcpy(name + length, text, strlen(text) + 1), length += strlen(text))
    ADD("L2 "), ADD(with), ADD(", "), ADD(modes[mode]), ADD(": "), ADD(instructions[n].name);
    place(n, end, sizeof(end));
    set_mode(mode);
    vm.registers.rax = address(operand);
    vm.registers.rbx = is_16_bit(mode) ? 0x4000 : 0; /* 16-bit addressing takes BX + SI */
    vm.registers.rsi = 0;
    vm.registers.rcx = VMCS_GUEST_RIP;
    vm.registers.rdx = 0x80;
    vm_run(&vm);
    if (finished_at((is_16_bit(mode) ? 0u : (uint64_t)LOW) + instructions[n].length))
        guest_print("%s: done\n", name);
    else
        vm_print_exit(name, &vm);
}

static bool is_level_3(unsigned mode) { return mode == VIRTUAL_8086 || (mode < VIRTUAL_8086 && mode % 2); }

static void l2_prepare(uint32_t controls, uint32_t secondary)
{
    vm_prepare(&vm);
    identity();
    vm_cpu(controls, secondary | CPU2_EPT | CPU2_UNRESTRICTED_GUEST);
    vm_set(VMCS_GUEST_TR_BASE, address(task));
    vm_set(VMCS_EXCEPTION_BITMAP, 1 << VECTOR_UD | 1 << VECTOR_GP | 1 << VECTOR_PF);
}

static void l2_exits(void)
{
    l2_prepare(CPU_HLT_EXITING | CPU_INVLPG_EXITING | CPU_MOV_DR_EXITING | CPU_CR3_LOAD_EXITING |
               CPU_UNCONDITIONAL_IO_EXITING, 0);
    vm_set(VMCS_CR0_MASK, ~0ull);
    vm_set(VMCS_CR4_MASK, ~0ull);
    for (unsigned mode = LONG; mode < MODES; mode++)
        for (unsigned n = 0; n < INSTRUCTIONS; n++)
            if (instructions[n].kind != DEBUG || !is_level_3(mode))
                l2_tries("exiting", (enum mode)mode, n);
}

static void l2_passes(void)
{
    l2_prepare(0, 0);
    for (unsigned mode = LONG; mode < MODES; mode++)
        for (unsigned n = 0; n < INSTRUCTIONS && is_level_3(mode); n++)
            l2_tries("at ease", (enum mode)mode, n);
    task[102] = 0; /* an I/O permission map that is part of the TSS, and lets pass what port 80H has */
    for (unsigned mode = LONG; mode < MODES; mode++)
        for (unsigned n = 0; n < INSTRUCTIONS && is_level_3(mode); n++)
            if (instructions[n].kind == PORT)
                l2_tries("with a permission map", (enum mode)mode, n);
    task[102] = sizeof(task);
}

/* VMREAD and VMWRITE, 0 and 1. */
static void linked_tries(const char *with)
{
    for (unsigned mode = LONG; mode < MODES; mode++)
        for (unsigned n = 0; n < 2; n++)
            l2_tries(with, (enum mode)mode, n);
}

static void l2_linked(void)
{
    vm_stamp(&shadow, VMCS_SHADOW_INDICATOR);
    vmx_clear(address(&shadow));
    vmx_load(address(&shadow));
    vm_set(VMCS_HOST_RIP, 0x1111);
    vm_set(VMCS_GUEST_RIP, 0x2222);
    vmx_clear(address(&shadow));
    l2_prepare(0, CPU2_VMCS_SHADOWING);
    vm_set(VMCS_VMREAD_BITMAP, address(&read_bitmap));
    vm_set(VMCS_VMWRITE_BITMAP, address(&write_bitmap));
    linked_tries("without a link");
    vm_set(VMCS_VMCS_LINK_POINTER, address(&shadow));
    linked_tries("with a link");
    for (unsigned i = 0; i < 40; i++) { /* as often as it takes to have what is seldom asked for exit */
        set_mode(LONG);
        vm_start(&vm, i % 2 ? l2_vmread : l2_vmwrite, NULL);
        access.field = VMCS_GUEST_RIP;
        access.value = 0x2222;
        vm_run(&vm);
    }
    linked_tries("with a link, later");
    memset(&read_bitmap, 0xFF, sizeof(read_bitmap));
    memset(&write_bitmap, 0xFF, sizeof(write_bitmap));
    linked_tries("with a link and all bits 1");
    vmx_clear(address(&shadow));
    vmx_load(address(&shadow));
    guest_print("the shadow VMCS has host RIP %#llx, guest RIP %#llx\n", (unsigned long long)vm_get(VMCS_HOST_RIP),
                (unsigned long long)vm_get(VMCS_GUEST_RIP));
}

int guest_main(void)
{
    operand[0] = address(&other);
    memcpy((void *)(uintptr_t)(LOW + 0x4000), operand, sizeof(operand));
    users_pages();
    tables();
    l1("before VMXON");
    vm_begin();
    vm_stamp(&other, 0);
    l1("in VMX operation");
    if (!vm_offers(VMX_CPU2, CPU2_EPT | CPU2_UNRESTRICTED_GUEST | CPU2_VMCS_SHADOWING)) {
        guest_print("unrestricted guests or shadowing are not offered\n");
        return 1;
    }
    l2_exits();
    l2_passes();
    l2_linked();
    guest_print("end\n");
    return 0;
}
