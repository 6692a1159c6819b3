/* One processor that CP runs on: descriptor tables, what interrupts came, what VMX holds. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/dispatch/interrupts.h"
#include "vmcs-shadow/capability.h"

struct cpu_tss {
    uint32_t reserved0;
    uint64_t rsp[3], reserved1, ist[7], reserved2;
    uint16_t reserved3, io_map;
} __attribute__((packed));

struct vmx_region; /* cp/cpu/vmx.h */

struct cpu {
    uint64_t gdt[6];
    struct cpu_tss tss;
    /* vectors that came and were not looked at yet, a bit each; cpu_events.pending says so */
    volatile uint64_t interrupts[4];
    uint64_t level[4];               /* vectors of level-triggered lines */
    volatile unsigned unacknowledged; /* of those, came and wait for their device to be served */
    struct vmx_capability vmx;       /* what this processor's VMX can do */
    struct vmx_region *loaded;       /* current VMCS */
    struct vcpu *holder;             /* whose registers beyond the VMCS the processor holds */
};

extern struct cpu cpu_this; /* one processor for now; all state of it is in here */

enum { VECTOR_IRQ = 0x20, VECTOR_TIMER = 0xEF, VECTOR_SPURIOUS = 0xFF };

/* GDT, TSS, IDT: exceptions of CP stop it with a dump, but for those below; interrupts are noted in struct cpu */
void cpu_tables_load(void);
/* TRAP_STUB_BYTES for each vector; that of #DB goes on at trap_debug, and until its end: breakpoints armed */
extern const char trap_stubs[];
extern const char trap_debug[], trap_debug_end[];
enum { TRAP_STUB_BYTES = 16 };
extern uint32_t trap_survived[32]; /* #DB, #AC and NMIs that reached CP itself, by vector */
bool cpu_interrupt_take(unsigned vector);   /* this one */

/* Finds out what must be done against the processor's speculation, and sees to it from here on. @pre cpu_backend is
 * chosen, and no virtual CPU exists */
void cpu_speculation_start(void);
/* Machine checks are enabled from here on. What an earlier CP left in the banks is noted. */
void cpu_machine_check_start(void);
void cpu_machine_check_trap(void); /* #MC in CP */

/* Real interrupt controllers. */
void apic_start(uint64_t lapic_base, uint64_t ioapic_base, uint64_t tsc_hz);
void apic_route(unsigned gsi, unsigned vector, bool level);
void apic_timer_set(uint64_t deadline_tsc); /* wakes cpu_idle, ends what runs under SVM; UINT64_MAX: none */
void apic_timer_expire(void);               /* as if it had run out by now */
void apic_timer_fired(void);                /* its interrupt came: nothing is armed */
void apic_eoi(void);


