/* Single instructions of the processor, and nothing else: each function is one of them. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct cpuid_result {
    uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid_result op_cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_result r;
    __asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
    return r;
}

static inline uint64_t op_rdmsr(uint32_t msr)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
    return (uint64_t)high << 32 | low;
}

static inline void op_wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

static inline uint64_t op_xgetbv(uint32_t index)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(index));
    return (uint64_t)high << 32 | low;
}

static inline uint64_t op_rdtsc(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

static inline uint64_t op_read_cr0(void) { uint64_t v; __asm__ volatile("mov %%cr0, %0" : "=r"(v)); return v; }
static inline uint64_t op_read_cr2(void) { uint64_t v; __asm__ volatile("mov %%cr2, %0" : "=r"(v)); return v; }
static inline uint64_t op_read_cr3(void) { uint64_t v; __asm__ volatile("mov %%cr3, %0" : "=r"(v)); return v; }
static inline uint64_t op_read_cr4(void) { uint64_t v; __asm__ volatile("mov %%cr4, %0" : "=r"(v)); return v; }
static inline void op_write_cr0(uint64_t v) { __asm__ volatile("mov %0, %%cr0" : : "r"(v) : "memory"); }
static inline void op_write_cr2(uint64_t v) { __asm__ volatile("mov %0, %%cr2" : : "r"(v) : "memory"); }
static inline void op_write_cr4(uint64_t v) { __asm__ volatile("mov %0, %%cr4" : : "r"(v) : "memory"); }

#define OP_DEBUG_REGISTER(n) \
    static inline uint64_t op_read_dr##n(void) \
    { \
        uint64_t v; \
        __asm__ volatile("mov %%dr" #n ", %0" : "=r"(v)); \
        return v; \
    } \
    static inline void op_write_dr##n(uint64_t v) { __asm__ volatile("mov %0, %%dr" #n : : "r"(v)); }
OP_DEBUG_REGISTER(0)
OP_DEBUG_REGISTER(1)
OP_DEBUG_REGISTER(2)
OP_DEBUG_REGISTER(3)
OP_DEBUG_REGISTER(6)
static inline uint64_t op_read_dr(unsigned number) /* 0 to 3, or 6 */
{
    switch (number) {
    case 0: return op_read_dr0();
    case 1: return op_read_dr1();
    case 2: return op_read_dr2();
    case 3: return op_read_dr3();
    default: return op_read_dr6();
    }
}

/* With the physical address of a VMCB. */
static inline void op_vmsave(uint64_t vmcb) { __asm__ volatile("vmsave %0" : : "a"(vmcb) : "memory"); }

/* DIAGNOSE: RAX = code, two arguments; RCX is a result too. */
static inline uint64_t op_diagnose(uint64_t code, uint64_t rbx, uint64_t *rcx, uint64_t *rdx)
{
    __asm__ volatile("vmcall" : "+a"(code), "+b"(rbx), "+c"(*rcx), "+d"(*rdx) : : "memory", "cc");
    return code;
}

static inline void op_verw(const uint16_t *selector)
{
    __asm__ volatile("verw %0" : : "m"(*selector) : "cc", "memory");
}
static inline void op_wbinvd(void) { __asm__ volatile("wbinvd" : : : "memory"); }
static inline void op_cli(void) { __asm__ volatile("cli" : : : "memory"); }
/* One instruction boundary with interrupts on: what is pending is delivered. */
static inline void op_interrupt_window(void) { __asm__ volatile("sti; nop; cli" : : : "memory"); }
/* Sleeps until an interrupt was delivered; one that came before is not lost, since STI takes effect after HLT has
 * begun. */
static inline void op_halt(void) { __asm__ volatile("sti; hlt; cli" : : : "memory"); }
static inline void op_stop(void) { __asm__ volatile("cli; hlt" : : : "memory"); }

static inline void op_xsetbv(uint32_t index, uint64_t value)
{
    __asm__ volatile("xsetbv" : : "c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

static inline void op_xsave(void *area, uint64_t components)
{
    __asm__ volatile("xsave64 (%0)"
                     : : "r"(area), "a"((uint32_t)components), "d"((uint32_t)(components >> 32)) : "memory");
}

static inline void op_xrstor(const void *area, uint64_t components)
{
    __asm__ volatile("xrstor64 (%0)"
                     : : "r"(area), "a"((uint32_t)components), "d"((uint32_t)(components >> 32)) : "memory");
}

static inline void op_fxsave(void *area) { __asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory"); }
static inline void op_fxrstor(const void *area) { __asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory"); }

static inline void op_fninit(void) { __asm__ volatile("fninit" : : : "memory"); }

static inline void op_clear(void *to, uint64_t quadwords)
{
    __asm__ volatile("rep stosq" : "+D"(to), "+c"(quadwords) : "a"(0ull) : "memory");
}

struct op_table_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

static inline void op_lgdt(const struct op_table_pointer *p) { __asm__ volatile("lgdt %0" : : "m"(*p)); }
static inline void op_lidt(const struct op_table_pointer *p) { __asm__ volatile("lidt %0" : : "m"(*p)); }
static inline void op_ltr(uint16_t selector) { __asm__ volatile("ltr %0" : : "r"(selector)); }
