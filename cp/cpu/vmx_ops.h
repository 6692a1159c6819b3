/* VMX instructions, each one function. SDM "VMX Instruction Reference". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/storage/address.h"

/* false: VMfailInvalid or VMfailValid */
#define VMX_POINTER_OP(name) \
    static inline bool op_##name(hpa_t region) \
    { \
        bool ok; \
        __asm__ volatile(#name " %1" : "=@cca"(ok) : "m"(region.a) : "memory"); \
        return ok; \
    }
VMX_POINTER_OP(vmxon)
VMX_POINTER_OP(vmclear)
VMX_POINTER_OP(vmptrld)

static inline uint64_t op_vmread(uint64_t field)
{
    uint64_t value;
    __asm__ volatile("vmread %1, %0" : "=rm"(value) : "r"(field) : "cc", "memory");
    return value;
}

/* Whether the current VMCS has this field. */
static inline bool op_vmcs_has(uint64_t field)
{
    uint64_t value;
    bool ok;
    __asm__ volatile("vmread %2, %1" : "=@cca"(ok), "=rm"(value) : "r"(field) : "memory");
    return ok;
}

static inline bool op_vmwrite(uint64_t field, uint64_t value)
{
    bool ok;
    __asm__ volatile("vmwrite %2, %1" : "=@cca"(ok) : "r"(field), "rm"(value) : "memory");
    return ok;
}

struct op_invalidation {
    uint64_t first, second;
};

static inline bool op_invept(uint64_t type, struct op_invalidation what)
{
    bool ok;
    __asm__ volatile("invept %1, %2" : "=@cca"(ok) : "m"(what), "r"(type) : "memory");
    return ok;
}

static inline bool op_invvpid(uint64_t type, struct op_invalidation what)
{
    bool ok;
    __asm__ volatile("invvpid %1, %2" : "=@cca"(ok) : "m"(what), "r"(type) : "memory");
    return ok;
}
