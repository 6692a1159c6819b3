/* The processor: every instruction C has no words for.  CMS's only inline assembly. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

static inline void cpu_out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint8_t cpu_in8(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

/* All of them to that port, in one instruction: beneath a hypervisor one exit, not one for each. */
static inline void cpu_out8_run(uint16_t port, const void *from, uint32_t bytes)
{
    uint64_t count = bytes;
    __asm__ volatile("cld; rep outsb" : "+S"(from), "+c"(count) : "d"(port) : "memory", "cc");
}

static inline void cpu_out32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint32_t cpu_in32(uint16_t port)
{
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

/* Device registers: one plain MOV each, which is what a hypervisor's decoder knows best. */
#define CPU_MMIO(bits, suffix, constraint)                                                              \
    static inline uint##bits##_t cpu_mmio_read##bits(const volatile void *address)                      \
    {                                                                                                   \
        uint##bits##_t value;                                                                           \
        __asm__ volatile("mov" suffix " %1, %0"                                                         \
                         : "=" constraint(value)                                                        \
                         : "m"(*(const volatile uint##bits##_t *)address)                               \
                         : "memory");                                                                   \
        return value;                                                                                   \
    }                                                                                                   \
    static inline void cpu_mmio_write##bits(volatile void *address, uint##bits##_t value)               \
    {                                                                                                   \
        __asm__ volatile("mov" suffix " %1, %0"                                                         \
                         : "=m"(*(volatile uint##bits##_t *)address)                                    \
                         : constraint(value)                                                            \
                         : "memory");                                                                   \
    }
CPU_MMIO(8, "b", "q")
CPU_MMIO(16, "w", "r")
CPU_MMIO(32, "l", "r")
#undef CPU_MMIO

/* Orders stores before later loads: between publishing a ring entry and looking at the device's answer. */
static inline void cpu_fence(void)
{
    __asm__ volatile("mfence" : : : "memory");
}

static inline void cpu_compiler_barrier(void)
{
    __asm__ volatile("" : : : "memory");
}

static inline void cpu_interrupts_on(void)
{
    __asm__ volatile("sti" : : : "memory");
}

static inline void cpu_interrupts_off(void)
{
    __asm__ volatile("cli" : : : "memory");
}

/* One instruction's time with interrupts on, and off again: STI takes effect behind the instruction that follows it. */
static inline void cpu_interrupts_pass(void)
{
    __asm__ volatile("sti; nop; nop; cli" : : : "memory");
}

/* Sleeps until an interrupt.  Called with interrupts off, after finding nothing to do; an interrupt between that look
 * and the HLT still ends it, also on a processor that does not hold it back until HLT as STI should: cms/cpu/trap.c
 * then goes on behind the HLT. Returns with interrupts off. */
void cpu_wait(void);

static inline uint64_t cpu_tsc(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

/* RDRAND; false: it had none to give. */
static inline bool cpu_random(uint64_t *value)
{
    bool given;
    __asm__ volatile("rdrand %0; setc %1" : "=r"(*value), "=qm"(given) : : "cc");
    return given;
}

struct cpu_leaf {
    uint32_t eax, ebx, ecx, edx;
};

static inline struct cpu_leaf cpu_id(uint32_t leaf)
{
    struct cpu_leaf r;
    __asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(0));
    return r;
}

static inline uint64_t cpu_msr(uint32_t number)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number));
    return (uint64_t)high << 32 | low;
}

static inline void cpu_set_msr(uint32_t number, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "a"((uint32_t)value), "d"((uint32_t)(value >> 32)), "c"(number) : "memory");
}

#define CPU_CONTROL(number)                                                     \
    static inline uint64_t cpu_cr##number(void)                                 \
    {                                                                           \
        uint64_t value;                                                         \
        __asm__ volatile("mov %%cr" #number ", %0" : "=r"(value));              \
        return value;                                                           \
    }                                                                           \
    static inline void cpu_set_cr##number(uint64_t value)                       \
    {                                                                           \
        __asm__ volatile("mov %0, %%cr" #number : : "r"(value) : "memory");     \
    }
CPU_CONTROL(3)
CPU_CONTROL(4)
#undef CPU_CONTROL

/* Forgets what is known of one page. */
static inline void cpu_invalidate(uint64_t address)
{
    __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

/* @pre CR4.OSXSAVE */
static inline uint64_t cpu_xcr0(void)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static inline void cpu_set_xcr0(uint64_t value)
{
    __asm__ volatile("xsetbv" : : "a"((uint32_t)value), "d"((uint32_t)(value >> 32)), "c"(0));
}

/* All that XCR0 enables, at a multiple of 64. */
static inline void cpu_xsave(void *area)
{
    __asm__ volatile("xsave64 (%0)" : : "r"(area), "a"(-1), "d"(-1) : "memory");
}

static inline void cpu_xrstor(const void *area)
{
    __asm__ volatile("xrstor64 (%0)" : : "r"(area), "a"(-1), "d"(-1) : "memory");
}

static inline void cpu_fxsave(void *area)
{
    __asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

static inline void cpu_fxrstor(const void *area)
{
    __asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}

/* @pre CR4.FSGSBASE */
#define CPU_BASE(segment)                                                       \
    static inline uint64_t cpu_##segment##_base(void)                           \
    {                                                                           \
        uint64_t value;                                                         \
        __asm__ volatile("rd" #segment "base %0" : "=r"(value));                \
        return value;                                                           \
    }                                                                           \
    static inline void cpu_set_##segment##_base(uint64_t value)                 \
    {                                                                           \
        __asm__ volatile("wr" #segment "base %0" : : "r"(value) : "memory");    \
    }
CPU_BASE(fs)
CPU_BASE(gs)
#undef CPU_BASE

/* DS, ES, FS and GS, where a program has loaded any, as a new one finds them; the bases of FS and GS may change. */
static inline void cpu_clear_selectors(void)
{
    uint32_t ds, es, fs, gs;
    __asm__ volatile("mov %%ds, %0; mov %%es, %1; mov %%fs, %2; mov %%gs, %3"
                     : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
    if (ds | es | fs | gs)
        __asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%fs; mov %0, %%gs" : : "r"(0));
}

static inline uint64_t cpu_fault_address(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr2, %0" : "=r"(value));
    return value;
}

struct cpu_table {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

static inline void cpu_load_idt(const struct cpu_table *table)
{
    __asm__ volatile("lidt %0" : : "m"(*table));
}

/* DIAGNOSE: argument and result registers as cp/diagnose.h says. */
struct cpu_diagnose {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi;
};

static inline void cpu_diagnose(struct cpu_diagnose *d)
{
    __asm__ volatile("vmcall"
                     : "+a"(d->rax), "+b"(d->rbx), "+c"(d->rcx), "+d"(d->rdx)
                     : "S"(d->rsi), "D"(d->rdi)
                     : "memory", "cc");
}

/* Nothing more will happen on this machine. */
static inline void __attribute__((noreturn)) cpu_stop(void)
{
    for (;;)
        __asm__ volatile("cli; hlt");
}
