/* Entry of a bare payload: multiboot 1 leaves us in 32-bit protected mode; here come long mode with the
 * first 4 GiB mapped one to one by 2 MiB pages, an IDT whose 256 gates all lead to guest_trap() in
 * runtime.c, and a call of guest_main(). */
#include "tests/guest/runtime/registers.h"

#define MULTIBOOT_MAGIC 0x1BADB002
#define MULTIBOOT_FLAGS 0x00000003 /* modules page-aligned, memory information wanted */
#define CR0_PE   (1 << 0)
#define CR0_NW   (1 << 29)
#define CR0_CD   (1 << 30)
#define CR0_PG   (1 << 31)
#define CR4_PAE  (1 << 5)
#define MSR_EFER 0xC0000080
#define EFER_LME (1 << 8)
#define PAGE_PRESENT_WRITABLE 0x03
#define PAGE_2M               0x80
#define CODE64 0x08
#define DATA   0x10
#define INTERRUPT_GATE 0x8E00

        .section .multiboot, "a"
        .balign 4
        .long   MULTIBOOT_MAGIC, MULTIBOOT_FLAGS, -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)

        .text
        .code32
        .global guest_entry
guest_entry:
        cli
        cld
        mov     $stack_top, %esp
        mov     %eax, guest_boot_magic
        mov     %ebx, guest_boot_info

        mov     $(page_directories + PAGE_PRESENT_WRITABLE), %eax
        mov     $page_pointers, %edi
        mov     $4, %ecx
1:      mov     %eax, (%edi)
        add     $0x1000, %eax
        add     $8, %edi
        loop    1b
        movl    $(page_pointers + PAGE_PRESENT_WRITABLE), page_top
        mov     $(PAGE_PRESENT_WRITABLE | PAGE_2M), %eax
        mov     $page_directories, %edi
        mov     $2048, %ecx
2:      mov     %eax, (%edi)
        add     $0x200000, %eax
        add     $8, %edi
        loop    2b

        mov     $page_top, %eax
        mov     %eax, %cr3
        mov     %cr4, %eax
        or      $CR4_PAE, %eax
        mov     %eax, %cr4
        mov     $MSR_EFER, %ecx
        rdmsr
        or      $EFER_LME, %eax
        wrmsr
        mov     %cr0, %eax
        and     $~(CR0_CD | CR0_NW), %eax       /* some firmware leaves caching off */
        or      $(CR0_PG | CR0_PE), %eax
        mov     %eax, %cr0
        lgdt    gdt_pointer
        ljmp    $CODE64, $long_mode

        .code64
long_mode:
        mov     $DATA, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        xor     %eax, %eax
        mov     %eax, %fs
        mov     %eax, %gs

        mov     $stubs, %rax                    /* gate n leads to stubs + 16 n */
        mov     $idt, %rdi
        mov     $256, %ecx
3:      mov     %ax, (%rdi)
        movw    $CODE64, 2(%rdi)
        movw    $INTERRUPT_GATE, 4(%rdi)
        mov     %rax, %rdx
        shr     $16, %rdx
        mov     %dx, 6(%rdi)
        shr     $16, %rdx
        mov     %edx, 8(%rdi)
        add     $16, %rax
        add     $16, %rdi
        dec     %ecx
        jnz     3b
        lidt    idt_pointer

        call    guest_start
4:      cli
        hlt
        jmp     4b

/* Vectors 8, 10-14, 17, 21, 29 and 30 push an error code of their own. */
        .balign 16
stubs:
        vector = 0
        .rept 256
        .balign 16
        error_code = vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21
        error_code = error_code || vector == 29 || vector == 30
        .if !error_code
        push    $0
        .endif
        .byte   0x68                            /* push imm32: never the short form, so that each stub fits 16 bytes */
        .long   vector
        jmp     trap_common
        vector = vector + 1
        .endr

        .balign 16
trap_common:
        FRAME_PUSH
        mov     %rsp, %rdi
        cld
        call    guest_trap
        pop     %rax
        pop     %rbx
        FRAME_POP_REST
        add     $16, %rsp
        iretq

/* uint8_t guest_try(void (*step)(void *), void *argument): the vector `step` trapped with, 0xFF when it did not.
 * guest_trap() unwinds to guest_try_landing with guest_try_stack. */
        .global guest_try, guest_try_landing
guest_try:
        KEPT_PUSH
        push    guest_try_stack
        mov     %rsp, guest_try_stack
        mov     %rdi, %rax
        mov     %rsi, %rdi
        sub     $8, %rsp
        call    *%rax
        add     $8, %rsp
        mov     $0xFF, %eax
guest_try_landing:
        pop     guest_try_stack
        KEPT_POP
        ret

        .data
        .balign 8
gdt:    .quad   0
        .quad   0x00AF9B000000FFFF              /* 08: 64-bit code */
        .quad   0x00CF93000000FFFF              /* 10: data */
gdt_end:
gdt_pointer:
        .word   gdt_end - gdt - 1
        .quad   gdt
idt_pointer:
        .word   256 * 16 - 1
        .quad   idt
        .global guest_boot_magic, guest_boot_info, guest_try_stack
guest_boot_magic: .long 0
guest_boot_info:  .long 0
        .balign 8
guest_try_stack:  .quad 0

        .bss
        .balign 4096
page_top:         .skip 4096
page_pointers:    .skip 4096
page_directories: .skip 4 * 4096
idt:              .skip 4096
        .skip   32 * 1024
stack_top:
