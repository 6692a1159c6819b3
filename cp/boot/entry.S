/* From the multiboot 1 loader (32-bit protected mode, paging off) to cp_main in long mode.
 * All physical memory below 4 GiB is mapped one to one, with 1 GiB pages where the CPU
 * has them; cp/boot maps the rest. */

#define MULTIBOOT_MAGIC 0x1BADB002
#define MULTIBOOT_FLAGS 3 /* modules on page boundaries, memory information */

    .section .multiboot, "a"
    .align 4
    .long MULTIBOOT_MAGIC, MULTIBOOT_FLAGS, -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)

    .section .text.entry, "ax"
    .code32
    .globl cp_entry
cp_entry:
    cli
    cld
    movl $boot_stack_top, %esp
    movl %eax, %esi /* the loader's magic */
    movl %ebx, %edi /* multiboot information */

    movl $0x80000001, %eax
    cpuid
    movl $boot_pdpt, %eax
    orl $3, %eax
    movl %eax, boot_pml4
    testl $(1 << 26), %edx /* 1 GiB pages */
    jz two_megabyte_pages
    xorl %ecx, %ecx
1:  movl %ecx, %eax
    shll $30, %eax
    orl $0x83, %eax
    movl %eax, boot_pdpt(, %ecx, 8)
    incl %ecx
    cmpl $4, %ecx
    jne 1b
    jmp tables_made
two_megabyte_pages:
    xorl %ecx, %ecx
1:  movl %ecx, %eax
    shll $21, %eax
    orl $0x83, %eax
    movl %eax, boot_pd(, %ecx, 8)
    incl %ecx
    cmpl $2048, %ecx
    jne 1b
    movl $boot_pd + 3, %eax
    xorl %ecx, %ecx
1:  movl %eax, boot_pdpt(, %ecx, 8)
    addl $4096, %eax
    incl %ecx
    cmpl $4, %ecx
    jne 1b
tables_made:
    movl $0x20, %eax /* CR4.PAE */
    movl %eax, %cr4
    movl $boot_pml4, %eax
    movl %eax, %cr3
    movl $0xC0000080, %ecx
    rdmsr
    orl $0x100, %eax /* EFER.LME */
    wrmsr
    movl $0x80010033, %eax /* PG WP NE ET MP PE; CD and NW off, which some firmware leaves set */
    movl %eax, %cr0
    lgdt boot_gdt_pointer
    ljmp $8, $long_mode

    .code64
long_mode:
    movl $16, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    movl $boot_stack_top, %esp
    movl %edi, %edi
    movl %esi, %esi
    xchg %rdi, %rsi
    xorl %ebp, %ebp
    call cp_main /* (magic, multiboot information) */
1:  cli
    hlt
    jmp 1b

    .section .rodata
    .align 8
boot_gdt:
    .quad 0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF
boot_gdt_pointer:
    .word 23
    .long boot_gdt

    .section .bss.page_tables, "aw", @nobits
    .align 4096
    .globl boot_pml4, boot_pdpt
boot_pml4: .skip 4096
boot_pdpt: .skip 4096
boot_pd: .skip 4 * 4096

    .section .bss
    .align 4096                  /* what the run loop has of it lies in one page */
    .skip 32768
    .globl boot_stack_top
boot_stack_top:
    .section .note.GNU-stack, "", @progbits
