/* The VMX instructions as functions. Operands are in fixed registers, so that what an exit says of them is the same
 * whatever the compiler does. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum vmx_result { VMX_SUCCEED, VMX_FAIL_INVALID, VMX_FAIL_VALID };

static inline enum vmx_result vmx_result(bool carry, bool zero)
{
    return carry ? VMX_FAIL_INVALID : zero ? VMX_FAIL_VALID : VMX_SUCCEED;
}

#define VMX_POINTER_INSTRUCTION(name, mnemonic)                                                                      \
    static inline enum vmx_result name(uint64_t address)                                                             \
    {                                                                                                                \
        bool carry, zero;                                                                                            \
        __asm__ volatile(mnemonic " (%%rax)" : "=@ccc"(carry), "=@ccz"(zero) : "a"(&address) : "memory");            \
        return vmx_result(carry, zero);                                                                              \
    }
VMX_POINTER_INSTRUCTION(vmx_on, "vmxon")
VMX_POINTER_INSTRUCTION(vmx_clear, "vmclear")
VMX_POINTER_INSTRUCTION(vmx_load, "vmptrld")
#undef VMX_POINTER_INSTRUCTION

#define VMX_PLAIN_INSTRUCTION(name, mnemonic)                                                      \
    static inline enum vmx_result name(void)                                                       \
    {                                                                                              \
        bool carry, zero;                                                                          \
        __asm__ volatile(mnemonic : "=@ccc"(carry), "=@ccz"(zero) : : "memory");                   \
        return vmx_result(carry, zero);                                                            \
    }
VMX_PLAIN_INSTRUCTION(vmx_off, "vmxoff")
VMX_PLAIN_INSTRUCTION(vmx_launch, "vmlaunch")
VMX_PLAIN_INSTRUCTION(vmx_resume, "vmresume")
VMX_PLAIN_INSTRUCTION(vmx_call, "vmcall")
#undef VMX_PLAIN_INSTRUCTION

static inline enum vmx_result vmx_store(uint64_t *address)
{
    bool carry, zero;
    __asm__ volatile("vmptrst (%%rax)" : "=@ccc"(carry), "=@ccz"(zero) : "a"(address) : "memory");
    return vmx_result(carry, zero);
}

static inline enum vmx_result vmx_read(uint64_t field, uint64_t *value)
{
    bool carry, zero;
    __asm__ volatile("vmread %%rcx, %%rdx"
                     : "=d"(*value), "=@ccc"(carry), "=@ccz"(zero) : "c"(field), "d"(*value) : "memory");
    return vmx_result(carry, zero);
}

static inline enum vmx_result vmx_write(uint64_t field, uint64_t value)
{
    bool carry, zero;
    __asm__ volatile("vmwrite %%rdx, %%rcx" : "=@ccc"(carry), "=@ccz"(zero) : "c"(field), "d"(value) : "memory");
    return vmx_result(carry, zero);
}

struct vmx_descriptor {
    uint64_t low, high;
};

static inline enum vmx_result vmx_invept(uint64_t type, const struct vmx_descriptor *descriptor)
{
    bool carry, zero;
    __asm__ volatile("invept (%%rdx), %%rcx" : "=@ccc"(carry), "=@ccz"(zero) : "d"(descriptor), "c"(type) : "memory");
    return vmx_result(carry, zero);
}

static inline enum vmx_result vmx_invvpid(uint64_t type, const struct vmx_descriptor *descriptor)
{
    bool carry, zero;
    __asm__ volatile("invvpid (%%rdx), %%rcx" : "=@ccc"(carry), "=@ccz"(zero) : "d"(descriptor), "c"(type) : "memory");
    return vmx_result(carry, zero);
}
