/* Multiboot 1 entry: 32-bit protected mode, paging off, EAX = magic, EBX = information.
 * Leaves in 64-bit mode with memory mapped one to one, in large pages so that few page-table pages are touched. */
#define MULTIBOOT_MAGIC 0x1badb002
#define MULTIBOOT_FLAGS 0x00000003 /* modules on page boundaries; memory information wanted */

#define PAGE_PRESENT_WRITE 0x03
#define PAGE_UNCACHED      0x18 /* PCD, PWT */
#define PAGE_MARKED        0x60 /* accessed, dirty */
#define PAGE_LARGE         0x80
#define CR4_PAE            0x20
#define MSR_EFER           0xc0000080
#define EFER_LME           0x100
#define CR0_PE_PG_NE_MP    0x80000023
#define CPUID_1G_PAGES     26 /* leaf 80000001 EDX */

#define STACK_SIZE 0x18000

    .section .multiboot, "a"
    .balign 4
    .long MULTIBOOT_MAGIC, MULTIBOOT_FLAGS, -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)

/* 512 GiB, so that 64-bit PCI BARs are reached; the fourth GiB holds the devices. All is marked as the processor would:
 * it then has no reason to write here, and machines that share one saved copy keep sharing it. */
    .section .tables, "a"
    .balign 4096
page_pml4:
    .quad page_pdpt + PAGE_PRESENT_WRITE + PAGE_MARKED
    .skip 4096 - 8
page_pdpt:
    .set gib, 0
    .rept 512
    .quad gib * 0x40000000 + PAGE_PRESENT_WRITE + PAGE_MARKED + PAGE_LARGE + (gib == 3) * -PAGE_UNCACHED
    .set gib, gib + 1
    .endr

    .section .page, "aw", @nobits
    .balign 4096
page_pd:   .skip 4 * 4096 /* untouched on a machine with 1 GiB pages */
    .balign 16
stack_bottom: .skip STACK_SIZE
stack_top:
double_fault_stack: .skip 2048
double_fault_stack_top:

    .section .data
    .balign 16
gdt:
    .quad 0
    .quad 0x00209a0000000000 /* 08: 64-bit code */
    .quad 0x0000920000000000 /* 10: data */
gdt_fs:
    .quad 0x0000920000000000 /* 18: FS, whose base carries the stack protector's canary for libfdt */
gdt_tss:
    .quad 0, 0               /* 20: TSS, for the double fault's own stack */
gdt_end:
    .balign 4
    .word 0
gdt_pointer:
    .word gdt_end - gdt - 1
    .long gdt
    .long 0
    .balign 16
canary_block:
    .skip 0x28
    .quad 0x7a3c19e05bd4f6a1
    .balign 16
tss:
    .skip 0x24
    .quad double_fault_stack_top /* IST1 */
    .skip 0x68 - 0x2c
    .section .text.boot, "ax"
    .code32
    .globl boot_entry
boot_entry:
    cli
    cld
    movl $stack_top, %esp
    movl %eax, %edi /* main's arguments */
    movl %ebx, %esi

    movl $0x80000001, %eax
    cpuid
    btl $CPUID_1G_PAGES, %edx
    jc mapped

    xorl %ecx, %ecx
    movl $PAGE_PRESENT_WRITE | PAGE_LARGE, %eax
1:  movl %eax, page_pd(, %ecx, 8)
    addl $0x200000, %eax
    incl %ecx
    cmpl $3 * 512, %ecx
    jne 2f
    orl $PAGE_UNCACHED, %eax
2:  cmpl $4 * 512, %ecx
    jne 1b
    xorl %ecx, %ecx
    movl $page_pd + PAGE_PRESENT_WRITE, %eax
1:  movl %eax, page_pdpt(, %ecx, 8)
    addl $0x1000, %eax
    incl %ecx
    cmpl $4, %ecx
    jne 1b

mapped:
    movl $page_pml4, %eax
    movl %eax, %cr3
    movl %cr4, %eax
    orl $CR4_PAE, %eax
    movl %eax, %cr4
    movl $MSR_EFER, %ecx
    rdmsr
    orl $EFER_LME, %eax
    wrmsr
    movl $CR0_PE_PG_NE_MP, %eax /* also clears CD and NW, which some firmware leaves set */
    movl %eax, %cr0

    movl $canary_block, %eax
    movw %ax, gdt_fs + 2
    shrl $16, %eax
    movb %al, gdt_fs + 4
    movb %ah, gdt_fs + 7
    movl $tss, %eax
    movw $0x67, gdt_tss
    movw %ax, gdt_tss + 2
    shrl $16, %eax
    movb %al, gdt_tss + 4
    movb $0x89, gdt_tss + 5
    movb %ah, gdt_tss + 7
    lgdt gdt_pointer
    ljmp $0x08, $long_mode

    .code64
long_mode:
    movl $0x10, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl $0x18, %ecx
    movl %ecx, %fs
    movl %eax, %gs
    movl $0x20, %ecx
    ltr %cx
    movl %edi, %edi
    movl %esi, %esi
    movl $stack_top, %esp
    xorl %ebp, %ebp
    call boot_main
1:  cli
    hlt
    jmp 1b
