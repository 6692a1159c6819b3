/* Multiboot 1 entry: 32-bit protected mode, paging off, EAX = magic, EBX = information.
 * Leaves in 64-bit mode at the kernel's own addresses: the image KERNEL bytes above where it lies, and all storage
 * and devices from DIRECT_ENTRY on, in large pages so that few page-table pages are touched (cms/kernel/frame.h says it
 * to C). Nothing is mapped in the lower half, which is for programs: a null pointer faults. */
#define MULTIBOOT_MAGIC 0x1badb002
#define MULTIBOOT_FLAGS 0x00000003 /* modules on page boundaries; memory information wanted */

#define KERNEL          0xffffffff80000000
#define DIRECT_ENTRY    256 /* of the PML4: 0xffff800000000000 */
#define KERNEL_GIB      510 /* of its PDPT */

#define PAGE_PRESENT_WRITE 0x03
#define PAGE_UNCACHED      0x18 /* PCD, PWT */
#define PAGE_MARKED        0x60 /* accessed, dirty */
#define PAGE_LARGE         0x80
#define PAGE_GLOBAL        0x100
#define CR4_PAE            0x20
#define CR4_PGE            0x80
#define MSR_EFER           0xc0000080
#define EFER_SCE_LME       0x101
#define EFER_NXE           11 /* bit */
#define MSR_FS_BASE        0xc0000100
#define CR0_PE_PG_WP_NE_MP 0x80010023
#define CPUID_NX           20 /* leaf 80000001 EDX */
#define CPUID_1G_PAGES     26

#define STACK_SIZE 0x18000

    .section .multiboot, "a"
    .balign 4
    .long MULTIBOOT_MAGIC, MULTIBOOT_FLAGS, -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)

/* 512 GiB, so that 64-bit PCI BARs are reached; the fourth GiB holds the devices. All is marked as the processor would:
 * it then has no reason to write here, and machines that share one saved copy keep sharing it. */
    .section .tables, "a"
    .balign 4096
page_boot: /* the image also where it lies, until it runs where it is linked */
    .quad page_pdpt - KERNEL + PAGE_PRESENT_WRITE + PAGE_MARKED
    .skip (DIRECT_ENTRY - 1) * 8
    .quad page_pdpt - KERNEL + PAGE_PRESENT_WRITE + PAGE_MARKED
    .skip (511 - DIRECT_ENTRY - 1) * 8
    .quad page_pdpt_kernel - KERNEL + PAGE_PRESENT_WRITE + PAGE_MARKED
    .globl page_pml4
page_pml4: /* the upper half of this one is that of every address space */
    .skip DIRECT_ENTRY * 8
    .quad page_pdpt - KERNEL + PAGE_PRESENT_WRITE + PAGE_MARKED
    .skip (511 - DIRECT_ENTRY - 1) * 8
    .quad page_pdpt_kernel - KERNEL + PAGE_PRESENT_WRITE + PAGE_MARKED
page_pdpt:
    .set gib, 0
    .rept 512
    .quad gib * 0x40000000 + PAGE_PRESENT_WRITE + PAGE_MARKED + PAGE_LARGE + PAGE_GLOBAL + (gib == 3) * -PAGE_UNCACHED
    .set gib, gib + 1
    .endr
page_pdpt_kernel:
    .skip KERNEL_GIB * 8
    .quad PAGE_PRESENT_WRITE + PAGE_MARKED + PAGE_LARGE + PAGE_GLOBAL
    .skip 8

    .section .page, "aw", @nobits
    .balign 4096
page_pd:   .skip 4 * 4096 /* untouched on a machine with 1 GiB pages */
    .balign 16
stack_bottom: .skip STACK_SIZE
    .globl stack_top
stack_top:
double_fault_stack: .skip 2048
double_fault_stack_top:
any_time_stack: .skip 2048
any_time_stack_top:

    .section .data
    .balign 16
gdt: /* in the order that SYSCALL and SYSRET want: cms/cpu/user_entry.S */
    .quad 0
    .quad 0x00209a0000000000 /* 08: 64-bit code */
    .quad 0x0000920000000000 /* 10: data */
gdt_tss:
    .quad 0, 0               /* 18: TSS */
    .quad 0x0000f20000000000 /* 28: programs' data */
    .quad 0x0020fa0000000000 /* 30: programs' code */
gdt_end:
gdt_pointer_boot:
    .word gdt_end - gdt - 1
    .long gdt - KERNEL
gdt_pointer:
    .word gdt_end - gdt - 1
    .quad gdt
    .globl boot_no_execute
boot_no_execute: .byte 0
    .balign 16
    .globl canary_block
canary_block:
    .skip 0x28
    .quad 0x7a3c19e05bd4f6a1
    .balign 16
    .globl tss
tss:
    .long 0
    .quad stack_top              /* RSP0: cms/cpu/user.c changes it */
    .skip 0x24 - 12
    .quad double_fault_stack_top /* IST1 */
    .quad any_time_stack_top     /* IST2: for what may come where RSP is a program's */
    .skip 0x66 - 0x34
    .word 0x68                   /* no I/O bitmap: no port is a program's */

    .section .text.boot, "ax"
    .code32
    .globl boot_entry
boot_entry:
    cli
    cld
    movl $stack_top - KERNEL, %esp
    movl %eax, %edi /* main's arguments */
    movl %ebx, %esi

    movl $0x80000001, %eax
    cpuid
    movl %edx, %ebp
    btl $CPUID_1G_PAGES, %edx
    jc mapped

    xorl %ecx, %ecx
    movl $PAGE_PRESENT_WRITE | PAGE_LARGE | PAGE_GLOBAL, %eax
1:  movl %eax, page_pd - KERNEL(, %ecx, 8)
    addl $0x200000, %eax
    incl %ecx
    cmpl $3 * 512, %ecx
    jne 2f
    orl $PAGE_UNCACHED, %eax
2:  cmpl $4 * 512, %ecx
    jne 1b
    xorl %ecx, %ecx
    movl $page_pd - KERNEL + PAGE_PRESENT_WRITE, %eax
    movl %eax, page_pdpt_kernel - KERNEL + KERNEL_GIB * 8
1:  movl %eax, page_pdpt - KERNEL(, %ecx, 8)
    addl $0x1000, %eax
    incl %ecx
    cmpl $4, %ecx
    jne 1b

mapped:
    movl $page_boot - KERNEL, %eax
    movl %eax, %cr3
    movl %cr4, %eax
    orl $CR4_PAE, %eax
    movl %eax, %cr4
    movl $MSR_EFER, %ecx
    rdmsr
    orl $EFER_SCE_LME, %eax
    btl $CPUID_NX, %ebp
    jnc 1f
    btsl $EFER_NXE, %eax
1:  wrmsr
    movl $CR0_PE_PG_WP_NE_MP, %eax /* also clears CD and NW, which some firmware leaves set */
    movl %eax, %cr0
    lgdt gdt_pointer_boot - KERNEL
    ljmp $0x08, $long_mode

    .code64
long_mode:
    movq $long_mode_kernel, %rax
    jmp *%rax

    .text
long_mode_kernel:
    btl $CPUID_NX, %ebp
    setc boot_no_execute(%rip)
    movq $page_pml4 - KERNEL, %rax
    movq %rax, %cr3
    movq %cr4, %rax
    orq $CR4_PGE, %rax
    movq %rax, %cr4

    movq $tss, %rax
    movw $0x67, gdt_tss
    movw %ax, gdt_tss + 2
    shrq $16, %rax
    movb %al, gdt_tss + 4
    movb $0x89, gdt_tss + 5
    movb %ah, gdt_tss + 7
    shrq $16, %rax
    movl %eax, gdt_tss + 8
    lgdt gdt_pointer

    movl $0x10, %eax
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %fs
    movl %eax, %gs
    movl $0x18, %ecx
    ltr %cx
    movq $canary_block, %rax /* libfdt is built with a stack protector */
    movq %rax, %rdx
    shrq $32, %rdx
    movl $MSR_FS_BASE, %ecx
    wrmsr
    movl %edi, %edi
    movl %esi, %esi
    movq $stack_top, %rsp
    xorl %ebp, %ebp
    call boot_main
1:  cli
    hlt
    jmp 1b
