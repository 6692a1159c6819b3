/* What every bare payload in tests/guest/ stands on: printing on the first serial line, an exit status for whoever runs
 * it, traps that are reported instead of lost, and the privileged instructions as functions.
 *
 * A payload is one C file with guest_main(). It runs in long mode at ring 0 with interrupts off, the first 4 GiB mapped
 * one to one, on the bare machine as under CP. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The payload. Its return value is its exit status: 0 means that all it checked held. */
int guest_main(void);

/* ---- saying things ----------------------------------------------------------- */

void guest_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void guest_put(char c);
int guest_get(void);       /* waits for a byte from the line */
int guest_get_ready(void); /* a byte, or -1 when none is there */

/* Ends the machine with a status: isa-debug-exit at port F4; where there is none (bare Bochs), "VMN-EXIT n" on the
 * debug port E9 and ACPI's power off. */
void guest_exit(uint32_t status) __attribute__((noreturn));

/* One line a check, "ok NAME" or "FAIL NAME: ..."; guest_failures counts for guest_main's return value. */
extern uint32_t guest_failures;
void guest_check(bool held, const char *name);
void guest_check_equal(uint64_t found, uint64_t expected, const char *name);

/* ---- what the loader handed over ------------------------------------------------ */

struct multiboot_module {
    uint32_t start, end, string, reserved;
};

struct multiboot_region {
    uint32_t size; /* of what follows */
    uint64_t start, bytes;
    uint32_t type; /* 1: usable RAM */
} __attribute__((packed));

struct multiboot_information {
    uint32_t flags, mem_lower, mem_upper, boot_device, command_line, modules, module_list;
    uint32_t symbols[4];
    uint32_t map_bytes, map;
    uint32_t drives_bytes, drives, config_table, loader_name, apm_table;
};

enum { MULTIBOOT_LOADER_MAGIC = 0x2BADB002 };
extern uint32_t guest_boot_magic, guest_boot_info; /* EAX and EBX at entry */
static inline const struct multiboot_information *guest_multiboot(void)
{
    return (const struct multiboot_information *)(uintptr_t)guest_boot_info;
}
extern char guest_end[]; /* first byte past the payload's image: memory from here on is free, modules aside */

/* ---- traps ------------------------------------------------------------------------ */

struct guest_frame {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss;
};

/* A vector without a handler is reported with its registers and ends the payload with status 0x80 + vector. */
typedef void guest_handler(struct guest_frame *);
void guest_handle(uint8_t vector, guest_handler *);

/* Runs step(argument) and says with which exception (vector < 32) it ended, or GUEST_NO_TRAP; the error code and CR2 of
 * that exception are kept. May nest; `step` must not sleep on what it did not do. */
enum { GUEST_NO_TRAP = 0xFF };
uint8_t guest_try(void (*step)(void *), void *argument);
extern uint64_t guest_try_error, guest_try_address;

/* The vector (GUEST_NO_TRAP: none) of a read or write of an MSR. */
uint8_t guest_try_read_msr(uint32_t msr, uint64_t *value);
uint8_t guest_try_write_msr(uint32_t msr, uint64_t value);

/* ---- instructions ------------------------------------------------------------------- */

struct guest_cpuid {
    uint32_t eax, ebx, ecx, edx;
};

static inline struct guest_cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct guest_cpuid r;
    __asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf) : "memory");
    return r;
}

static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
    return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

static inline uint64_t rdtsc(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

static inline uint8_t inb(uint16_t port)
{
    uint8_t v;
    __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port) : "memory");
    return v;
}

static inline uint16_t inw(uint16_t port)
{
    uint16_t v;
    __asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port) : "memory");
    return v;
}

static inline uint32_t inl(uint16_t port)
{
    uint32_t v;
    __asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port) : "memory");
    return v;
}

static inline void outb(uint16_t port, uint8_t v) { __asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port) : "memory"); }
static inline void outw(uint16_t port, uint16_t v)
{
    __asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port) : "memory");
}
static inline void outl(uint16_t port, uint32_t v)
{
    __asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port) : "memory");
}

static inline void interrupts_on(void) { __asm__ volatile("sti" : : : "memory"); }
static inline void interrupts_off(void) { __asm__ volatile("cli" : : : "memory"); }
static inline void wait_interrupt(void) { __asm__ volatile("sti; hlt; cli" : : : "memory"); } /* one, then off again */

#define GUEST_CONTROL_REGISTER(name)                                                                                   \
    static inline uint64_t read_##name(void)                                                                           \
    {                                                                                                                  \
        uint64_t v;                                                                                                    \
        __asm__ volatile("mov %%" #name ", %0" : "=r"(v) : : "memory");                                                \
        return v;                                                                                                      \
    }                                                                                                                  \
    static inline void write_##name(uint64_t v) { __asm__ volatile("mov %0, %%" #name : : "r"(v) : "memory"); }
GUEST_CONTROL_REGISTER(cr0)
GUEST_CONTROL_REGISTER(cr2)
GUEST_CONTROL_REGISTER(cr3)
GUEST_CONTROL_REGISTER(cr4)
GUEST_CONTROL_REGISTER(cr8)
GUEST_CONTROL_REGISTER(dr0)
GUEST_CONTROL_REGISTER(dr1)
GUEST_CONTROL_REGISTER(dr2)
GUEST_CONTROL_REGISTER(dr3)
GUEST_CONTROL_REGISTER(dr4)
GUEST_CONTROL_REGISTER(dr5)
GUEST_CONTROL_REGISTER(dr6)
GUEST_CONTROL_REGISTER(dr7)

static inline uint32_t mmio_read(uint64_t address) { return *(volatile uint32_t *)(uintptr_t)address; }
static inline void mmio_write(uint64_t address, uint32_t v) { *(volatile uint32_t *)(uintptr_t)address = v; }
