/* What pure code asks of the processor and the machine CP runs on. cp/cpu implements it; host tests fake it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct machine_check; /* cp/vcpu/machine_check.h */
struct vcpu;

void cpu_cr2_set(struct vcpu *, uint64_t value); /* the guest's CR2, wherever it is now */
void cpu_dr6_report(struct vcpu *, uint64_t conditions); /* of a #DB, into the guest's DR6; none: they are there already */
void cpu_look_soon(void);                        /* the event loop has its turn before a guest runs on */
/* What the machine-check banks hold, which are empty afterwards, and no machine check is under way any more. */
void cpu_machine_check_take(struct machine_check *);
bool cpu_machine_check_under_way(void);
unsigned cpu_machine_check_banks(void); /* 0: the processor has none, or no machine checks at all */
__attribute__((noreturn)) void cpu_machine_check_end(const struct machine_check *); /* CP ends, and says why */
/* For cp/vcpu/speculation.h: one of its MSRs; VERW of a segment in storage, which clears the processor's buffers. */
void cpu_speculation_write(uint32_t msr, uint64_t value);
void cpu_buffers_clear(void);
/* How CP ends, for who started its machine: told by cp_power_off, when all output is out. By the machine's
 * isa-debug-exit port where the tree has one, else as "VMN-EXIT n" on the emulator's debug console. */
void cp_exit_status(unsigned status);
void cp_exit_port(uint16_t port); /* 0: none */
__attribute__((noreturn)) void cp_power_off(void);

/* What the CP below this one, if there is one, tells of the levels from here down (DIAGNOSE "chain"): length of the
 * text, 0 when nobody tells. At most `size` bytes, without NUL. */
uint32_t cp_below_chain(char *text, uint32_t size);
bool cp_below_is_vmn(void); /* this CP runs in a machine of another */
const char *cp_machine_name(void); /* what it runs on: "REAL MACHINE", or the hypervisor, as CPUID tells */
bool cp_below_offers(uint32_t assists); /* it is one that offers all these (enum diagnose_assist) */
const char *cp_virtualization(void); /* of the processor: "VMX", "SVM" */
