/* What the rooms from here up ask of the processor. cp/cpu implements it; host tests fake it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct machine_check; /* cp/vcpu/machine_check.h */
struct vcpu;

void cpu_cr2_set(struct vcpu *, uint64_t value); /* the guest's CR2, wherever it is now */
uint64_t cpu_dr(const struct vcpu *, unsigned number); /* its DR0 to DR3, wherever they are now */
/* of a #DB, into the guest's DR6; none: they are there already */
void cpu_dr6_report(struct vcpu *, uint64_t conditions);
void cpu_look(void); /* lets in what waits, upon which the event loop has its turn before a guest runs on */
/* What the machine-check banks hold, which are empty afterwards, and no machine check is under way any more. */
void cpu_machine_check_take(struct machine_check *);
bool cpu_machine_check_under_way(void);
unsigned cpu_machine_check_banks(void); /* 0: the processor has none, or no machine checks at all */
__attribute__((noreturn)) void cpu_machine_check_end(const struct machine_check *); /* CP ends, and says why */
/* For cp/vcpu/speculation.h: one of its MSRs; VERW of a segment in storage, which clears the processor's buffers. */
void cpu_speculation_write(uint32_t msr, uint64_t value);
void cpu_buffers_clear(void);
