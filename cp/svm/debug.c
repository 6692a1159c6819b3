/* Owns what a guest's debug registers mean where CP loads them: which breakpoints the processor is
 * given, and what each MOV may do. */
#include "cp/svm/debug.h"

enum { TYPE_CODE };
enum { DR4 = 4, DR5 = 5, DR6 = 6, DR7 = 7, REGISTERS = 8 };
#define CR4_DE (1ull << 3)
#define DR7_GD (1ull << 13)
#define DR7_WRITABLE 0xFFFF23FFull /* RTM, and bits 12, 14, 15, are 0 */
#define DR6_WRITABLE 0xE00Full
#define DR6_ALWAYS 0xFFFF0FF0ull

static unsigned field(uint64_t dr7, unsigned i)
{
    return dr7 >> (16 + 4 * i) & 15;
}

static bool is_outside(uint64_t at, const struct svm_range *without, unsigned count)
{
    for (unsigned k = 0; k < count; k++)
        if (at - without[k].from < without[k].bytes)
            return false;
    return true;
}

uint64_t svm_debug_armed(uint64_t dr7, const uint64_t dr[SVM_BREAKPOINTS], const struct svm_range *without,
                         unsigned count)
{
    uint64_t armed = DR7_ALWAYS;

    for (unsigned i = 0; i < SVM_BREAKPOINTS; i++) {
        uint64_t enabled = dr7 & 3ull << 2 * i;
        if (enabled && (field(dr7, i) & 3) == TYPE_CODE && is_outside(dr[i], without, count))
            armed |= enabled | (uint64_t)field(dr7, i) << (16 + 4 * i);
    }
    return armed;
}

enum svm_debug_verdict svm_debug_access(const struct svm_access *a, unsigned cpl, uint64_t cr4, uint64_t dr7,
                                        unsigned *number, uint64_t *value)
{
    bool alias = a->number == DR4 || a->number == DR5;

    if (a->number >= REGISTERS || (alias && (cr4 & CR4_DE)))
        return SVM_DEBUG_UNDEFINED;
    if (cpl)
        return SVM_DEBUG_PROTECTION;
    if (dr7 & DR7_GD)
        return SVM_DEBUG_DETECTED;
    *number = a->number + (alias ? DR6 - DR4 : 0);
    if (a->kind == SVM_ACCESS_MOV_FROM || *number < SVM_BREAKPOINTS)
        return SVM_DEBUG_CARRY;
    if (*value >> 32)
        return SVM_DEBUG_PROTECTION;
    *value = *number == DR7 ? (*value & DR7_WRITABLE) | DR7_ALWAYS : (*value & DR6_WRITABLE) | DR6_ALWAYS;
    return SVM_DEBUG_CARRY;
}
