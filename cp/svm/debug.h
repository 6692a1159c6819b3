/* Debug registers that CP loads on a guest's behalf: QEMU's processor arms breakpoints only when an instruction loads
 * them. Pure. */
#pragma once
#include "cp/svm/instruction.h"

enum { SVM_BREAKPOINTS = 4 };
#define DR7_ALWAYS 0x400ull /* its fixed bit: no breakpoint */

struct svm_range { /* of linear addresses, `bytes` of them */
    uint64_t from, bytes;
};

/* The DR7 to arm for a guest's DR7: its breakpoints on instructions, except those within `without`. None on ports,
 * since every port access is an exit. None on data: QEMU 7.2 ends itself when one is met while it delivers an event,
 * and raises one that an instruction met before its exit only after the exit, in CP. No general detection. DR7_ALWAYS:
 * nothing is to be armed. */
uint64_t svm_debug_armed(uint64_t dr7, const uint64_t dr[SVM_BREAKPOINTS], const struct svm_range *without,
                         unsigned count);

enum svm_debug_verdict {
    SVM_DEBUG_CARRY,      /* *number is the register: 0 to 3, 6, 7; *value what it becomes */
    SVM_DEBUG_UNDEFINED,  /* #UD */
    SVM_DEBUG_PROTECTION, /* #GP(0) */
    SVM_DEBUG_DETECTED,   /* #DB with DR6.BD */
};

/* What a MOV to or from a debug register does. `*value`: the general register's, 32 bits of it outside 64-bit mode;
 * only read for a MOV to a debug register. SDM "MOV-Move to/from Debug Registers", "Debug Registers". */
enum svm_debug_verdict svm_debug_access(const struct svm_access *, unsigned cpl, uint64_t cr4, uint64_t dr7,
                                        unsigned *number, uint64_t *value);
