/* Question: can a processor that never comes to the end of an instruction be taken from who has it? The command line
 * says by what, "ac" or "db", and whether by the payload or "l2", its guest, whose exception it does not ask for:
 *
 *   ac: ring 3 of protected mode with a stack at an odd address and RFLAGS.AC; the gate of #AC leads
 *   to ring 3, so that its frame is
 *       pushed there, which is an #AC, and so on;
 *   db: a breakpoint at the frame which the delivery of #DB writes. */
#include "tests/guest/vmx/vm.h"

#include <string.h>

enum { VECTOR_DB = 1, CODE = 8, DATA = 0x10, TASK = 0x18, CODE_32 = 0x28, CODE_3 = 0x33, DATA_3 = 0x3B,
       RIGHTS_CODE_3 = 0xC0FB, RIGHTS_DATA_3 = 0xC0F3, FLAGS_AC = 0x40002, CR0_AM = 1 << 18, PAGE_4M = 0x87,
       DR7_WRITE_0_EIGHT = 0x401 | 9 << 16, CR4_PSE = 1 << 4, CR4_PAE = 1 << 5, EPT_LEVELS = 4 };
#define CR0_PG (1ull << 31)
#define GATE_3(at) (((at) & 0xFFFF) | (uint64_t)CODE_3 << 16 | 0xEE00ull << 32 | (uint64_t)((at) >> 16) << 48)

static uint64_t address(const void *p) { return (uint64_t)(uintptr_t)p; }

struct pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

static uint64_t gdt[] = {0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF, 0, 0, 0x00CF9B000000FFFF, 0x00CFFB000000FFFF,
                         0x00CFF3000000FFFF};
static struct {
    uint32_t reserved;
    uint64_t rsp[3], reserved1, ist[7];
    uint32_t rest[3];
} __attribute__((packed)) tss;
static uint8_t stack_3[4096] __attribute__((aligned(4096))), stack_debug[4096] __attribute__((aligned(16)));
static struct page directory; /* of protected mode: 4 MiB pages, the user's too */
static uint64_t gates[256] __attribute__((aligned(16)));
static const struct pointer idtr_3 = {sizeof gates - 1, 0};
static struct pointer idtr;

/* ---- #AC ------------------------------------------------------------------------------- */

extern char loop_user[], loop_leave[];
uint32_t loop_stack, loop_directory; /* what the code below takes along */
void loop_ac(void);
__asm__(".text\n"
        "loop_ac:\n"
        "    ljmp *loop_target(%rip)\n"
        ".code32\n"
        "loop_leave:\n"
        "    mov %cr0, %eax\n    and $0x7FFFFFFF, %eax\n    mov %eax, %cr0\n"
        "    mov $0xC0000080, %ecx\n    rdmsr\n    and $~0x100, %eax\n    wrmsr\n"
        "    mov loop_directory, %eax\n    mov %eax, %cr3\n"
        "    mov %cr4, %eax\n    and $~0x20, %eax\n    or $0x10, %eax\n    mov %eax, %cr4\n"
        "    mov %cr0, %eax\n    or $0x80040000, %eax\n    mov %eax, %cr0\n"
        "    mov $0x10, %eax\n    mov %eax, %ss\n    mov $stack_leave, %esp\n"
        "    pushl $0x3B\n    pushl loop_stack\n    pushl $0x40002\n    pushl $0x33\n    pushl $loop_user\n"
        "    iret\n"
        "loop_user:\n"
        "    mov (%esp), %eax\n"
        "    jmp loop_user\n"
        ".code64\n"
        ".section .rodata\n"
        "loop_target: .long loop_leave, 0x28\n"
        ".bss\n .skip 256\nstack_leave:\n .skip 16\n"
        ".text\n");

static void prepare_ac(void)
{
    for (unsigned i = 0; i < 1024; i++)
        ((uint32_t *)(void *)&directory)[i] = i << 22 | PAGE_4M;
    for (unsigned i = 0; i < 256; i++)
        gates[i] = GATE_3((uint32_t)address(loop_user));
    idtr = idtr_3;
    idtr.base = address(gates);
    loop_stack = (uint32_t)address(stack_3 + sizeof stack_3 / 2 + 1);
    loop_directory = (uint32_t)address(&directory);
}

/* ---- #DB ------------------------------------------------------------------------------- */

static void use_debug_stack(void)
{
    __asm__ volatile("sidt %0" : "=m"(idtr));
    ((uint8_t *)(uintptr_t)idtr.base)[16 * VECTOR_DB + 4] = 1; /* IST1 */
    tss.ist[0] = address(stack_debug + sizeof stack_debug);
}

static void loop_db(void)
{
    volatile uint64_t *first = (uint64_t *)(void *)(stack_debug + sizeof stack_debug - 8);

    __asm__ volatile("mov %0, %%dr0; mov %1, %%dr7" : : "r"(first), "r"((uint64_t)DR7_WRITE_0_EIGHT));
    *first = 0;
    for (;;)
        __asm__ volatile("");
}

/* ---- who ------------------------------------------------------------------------------- */

static struct page region;
static struct vm vm = {.region = &region};

static void tables(void)
{
    struct pointer gdtr = {sizeof gdt - 1, address(gdt)};
    uint64_t at = address(&tss);

    gdt[3] = (sizeof tss - 1) | (at & 0xFFFFFF) << 16 | 0x89ull << 40 | (at >> 24 & 0xFF) << 56;
    gdt[4] = at >> 32;
    __asm__ volatile("lgdt %0; ltr %w1" : : "m"(gdtr), "r"(TASK));
}

static void l2_db(void *unused)
{
    (void)unused;
    loop_db();
}

static void segment(enum vmcs_field selector, uint16_t value, uint32_t rights)
{
    vm_set(selector, value);
    vm_set((enum vmcs_field)(selector - VMCS_GUEST_ES_SELECTOR + VMCS_GUEST_ES_ACCESS_RIGHTS), rights);
}

/* There already. */
static void start_in_ring_3(void)
{
    vm_entry_controls(0);
    vm_set(VMCS_GUEST_CR0, read_cr0() | CR0_AM);
    vm_set(VMCS_GUEST_CR4, (read_cr4() & ~(uint64_t)CR4_PAE) | CR4_PSE);
    vm_set(VMCS_GUEST_CR3, address(&directory));
    vm_set(VMCS_GUEST_EFER, 0);
    vm_set(VMCS_GUEST_IDTR_BASE, idtr.base);
    vm_set(VMCS_GUEST_IDTR_LIMIT, idtr.limit);
    segment(VMCS_GUEST_CS_SELECTOR, CODE_3, RIGHTS_CODE_3);
    segment(VMCS_GUEST_SS_SELECTOR, DATA_3, RIGHTS_DATA_3);
    segment(VMCS_GUEST_DS_SELECTOR, DATA_3, RIGHTS_DATA_3);
    segment(VMCS_GUEST_ES_SELECTOR, DATA_3, RIGHTS_DATA_3);
    vm_set(VMCS_GUEST_RIP, address(loop_user));
    vm_set(VMCS_GUEST_RSP, loop_stack);
    vm_set(VMCS_GUEST_RFLAGS, FLAGS_AC);
}

static int in_l2(bool alignment)
{
    vm_begin();
    vm_prepare(&vm);
    vm_set(VMCS_GUEST_TR_BASE, address(&tss));
    vm_start(&vm, l2_db, NULL);
    if (alignment)
        start_in_ring_3();
    vm_run(&vm);
    vm_print_exit("L2 came to an end", &vm);
    return 1;
}

int guest_main(void)
{
    const struct multiboot_information *information = guest_multiboot();
    const char *how = information->flags & 4 ? (const char *)(uintptr_t)information->command_line : "";
    bool alignment = strstr(how, "ac"), l2 = strstr(how, "l2");

    tables();
    if (alignment)
        prepare_ac();
    else
        use_debug_stack();
    guest_print("begins: %s of %s\n", alignment ? "#AC" : "#DB", l2 ? "L2" : "L1");
    if (l2)
        return in_l2(alignment);
    if (alignment) {
        __asm__ volatile("lidt %0" : : "m"(idtr));
        loop_ac();
    }
    loop_db();
    return 1;
}
