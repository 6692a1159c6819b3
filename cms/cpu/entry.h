/* What assembly and C must agree on: offsets in struct trap_frame and the TSS, selectors, and flags. trap.c and user.c
 * assert it. */
#pragma once

#define ENTRY_FRAME         (22 * 8) /* bytes of struct trap_frame */
#define ENTRY_FRAME_VECTOR  (15 * 8)
#define ENTRY_FRAME_CS      (18 * 8)
#define ENTRY_FRAME_RSP     (20 * 8)
#define ENTRY_TSS_RSP0      4
#define ENTRY_KERNEL_CODE   0x08
#define ENTRY_KERNEL_DATA   0x10
#define ENTRY_KERNEL_FLAGS  0x202 /* interrupts on */
#define ENTRY_USER_DATA     0x2b
#define ENTRY_USER_CODE     0x33
#define ENTRY_SYSTEM_CALL   256
