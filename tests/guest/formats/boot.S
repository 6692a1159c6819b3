/* One kernel that is begun by multiboot 2 or, with PVH defined, by PVH: it says what it was told and ends. */
    .code32
#ifdef PVH
    .section .note, "a", @note
    .long 4, 4, 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .long start
#else
    .section .header, "a"
    .balign 8
header:
    .long 0xE85250D6, 0, header_end - header, -(0xE85250D6 + header_end - header)
    .word 1, 0 /* information: command line, memory map */
    .long 16, 1, 6
    .word 5, 1 /* a framebuffer, if there is one */
    .long 20, 80, 25, 0
    .balign 8
    .word 0, 0
    .long 8
header_end:
#endif
    .text
    .globl start
start:
    movl $stack_end, %esp
    pushl %ebx
    pushl %eax
    call main
1:  hlt
    jmp 1b
    .bss
    .balign 16
    .skip 8192
stack_end:
    .section .note.GNU-stack, "", @progbits
