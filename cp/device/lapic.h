/* The local APIC of the one virtual CPU: SDM "Advanced Programmable Interrupt Controller (APIC)", as an xAPIC (a page
 * of registers on the bus) and as an x2APIC (MSRs 800H-8FFH), switched by IA32_APIC_BASE.
 * In: register accesses, interrupt messages (IOAPIC, MSI), time. Out: whether a vector waits for the CPU, NMI, INIT,
 * EOI broadcasts. It starts as a PC's firmware leaves it: virtual wire (LINT0 ExtINT, LINT1 NMI), xAPIC enabled. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/device/bus.h"
#include "cp/time/pace.h"

enum {
    LAPIC_TIMER_HZ = 1000000000, /* the timer's clock before its divider; CPUID leaves 15H and 40000010H say the same */
    LAPIC_DEFAULT_BASE = 0xFEE00000u,
    LAPIC_VERSION = 0x01050014, /* 6 LVT entries, EOI broadcasts can be suppressed */
    MSR_APIC_BASE = 0x1B, MSR_TSC_DEADLINE = 0x6E0, MSR_X2APIC_FIRST = 0x800, MSR_X2APIC_LAST = 0x8FF,
};

enum lapic_lvt { LAPIC_LVT_TIMER, LAPIC_LVT_THERMAL, LAPIC_LVT_PERFORMANCE, LAPIC_LVT_LINT0, LAPIC_LVT_LINT1,
                 LAPIC_LVT_ERROR, LAPIC_LVTS };

/* SDM "Interrupt Command Register": delivery modes */
enum lapic_delivery {
    LAPIC_FIXED,
    LAPIC_LOWEST,
    LAPIC_SMI,
    LAPIC_RESERVED3,
    LAPIC_NMI,
    LAPIC_INIT,
    LAPIC_STARTUP,
    LAPIC_EXTINT
};

struct lapic_message {
    uint8_t vector;
    enum lapic_delivery delivery;
    bool logical;         /* destination mode */
    bool level;           /* trigger mode: sets TMR, so that EOI is broadcast */
    uint32_t destination; /* 8 bits from IOAPIC and MSI */
};

struct lapic_host {
    void *context;
    void (*changed)(void *context); /* lapic_vector_pending() or lapic_accepts_extint() may have changed */
    void (*nmi)(void *context);
    void (*init)(void *context);                   /* INIT: the CPU resets, the APIC has done so but for its ID */
    void (*eoi)(void *context, unsigned vector);   /* EOI of a level-triggered vector, to the IOAPIC */
    uint64_t (*guest_tsc)(void *context, uint64_t now); /* at a host TSC */
    struct pace *pace; /* of its timer */
};

struct lapic {
    struct lapic_host host;
    struct bus *bus;
    unsigned physical_bits; /* MAXPHYADDR: bits from there on in IA32_APIC_BASE are reserved */
    uint64_t base;          /* IA32_APIC_BASE */
    uint64_t mmio;          /* where its page is claimed on the bus, 0: nowhere */
    uint32_t irr[8], isr[8], tmr[8];
    uint32_t ticks[8]; /* vectors that were a timer's when they were requested last */
    uint32_t tpr, ldr, dfr, svr, esr, errors; /* esr: as software reads it; errors: since it last wrote ESR */
    uint32_t lvt[LAPIC_LVTS];
    uint64_t icr;
    int pending; /* highest vector the CPU would take now, -1: none */

    uint32_t initial_count, divide;
    bool ran_out;          /* as a one-shot, before the entry was made periodic: the count stays at 0 */
    uint64_t count_start;  /* host TSC when the count was loaded */
    uint64_t ticked;       /* host TSC when it last told of its end, or that was taken; 0: never */
    uint64_t tsc_deadline; /* guest TSC, 0: disarmed */
    struct timer timer;
    uint64_t due; /* host TSC of what the timer is armed for, which may be earlier than it looks */
};

void lapic_init(struct lapic *, const struct lapic_host *, struct bus *, unsigned physical_bits);
void lapic_reset(struct lapic *); /* as after power on and firmware */
void lapic_free(struct lapic *);  /* cancels its timer */

/* IA32_APIC_BASE, IA32_TSC_DEADLINE and the x2APIC range. 0, or -1: the access is #GP(0). */
int lapic_read_msr(struct lapic *, uint32_t msr, uint64_t *value);
int lapic_write_msr(struct lapic *, uint32_t msr, uint64_t value);

/* CR8 is bits 7:4 of the TPR. @pre value <= 15 (more is #GP, the caller's) */
static inline unsigned lapic_read_cr8(const struct lapic *l) { return l->tpr >> 4; }
void lapic_write_cr8(struct lapic *, unsigned value);

/* CPUID.01H:EDX[9] follows it */
static inline bool lapic_enabled(const struct lapic *l) { return l->base & 1u << 11; }

/* An interrupt message on the bus: taken if it is for this CPU. Returns whether it was. */
bool lapic_deliver(struct lapic *, const struct lapic_message *);
/* The same as a store of `data` to `address` in FEEx_xxxxH (SDM "Message Signalled Interrupts"). */
bool lapic_deliver_msi(struct lapic *, uint64_t address, uint32_t data);
/* LINT0 rises: an interrupt if its LVT entry is not ExtINT but fixed or NMI */
void lapic_raise_lint0(struct lapic *);

/* Is the entry of LINT0, the only one with a wire, unmasked and of that delivery mode? */
bool lapic_lint0_delivers(const struct lapic *, enum lapic_delivery);
/* Would the CPU take the 8259's interrupt (LINT0 in ExtINT mode, or an APIC that is disabled)? */
bool lapic_accepts_extint(const struct lapic *);
/* The CPU has something to take that is no timer's. */
bool lapic_others_wait(const struct lapic *);
bool lapic_is_tick(const struct lapic *, uint8_t vector);
static inline int lapic_vector_pending(const struct lapic *l) { return l->pending; }
/* IRR -> ISR; the vector, or -1 when none is pending. */
int lapic_acknowledge(struct lapic *);

/* The guest's TSC was written or its offset changed: its TSC deadline moves in host time. */
void lapic_tsc_moved(struct lapic *);
