/* KVM's clock, which Linux takes by itself (Documentation/virt/kvm/x86/msr.rst, "MSR_KVM_WALL_CLOCK_NEW",
 * "MSR_KVM_SYSTEM_TIME_NEW"): the program names places in its storage, where it then finds how to make time of its TSC,
 * without an exit. Its rate is CP's own, so nothing has to be measured; the clock begins with the machine's reset.
 * In: addresses nobody vouches for. Out: a few bytes of the machine's storage, or #GP. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct vm;

enum { CLOCK_PAGE_WALL = 0x4B564D00, CLOCK_PAGE_SYSTEM = 0x4B564D01 };

/* struct pvclock_vcpu_time_info: ns = system_time + ((TSC - tsc_timestamp) shifted left by tsc_shift) *
 * tsc_to_system_mul / 2^32. Odd versions: it is being changed. */
struct clock_page_time {
    uint32_t version, pad0;
    uint64_t tsc_timestamp, system_time;
    uint32_t tsc_to_system_mul;
    int8_t tsc_shift;
    uint8_t flags, pad[2];
};
_Static_assert(sizeof(struct clock_page_time) == 32, "the ABI's");
enum { CLOCK_PAGE_TSC_STABLE = 1 };

/* struct pvclock_wall_clock: what time it was when the clock began. */
struct clock_page_wall {
    uint32_t version, sec, nsec;
};

struct clock_page {
    uint64_t wall, system; /* the MSRs as they were written; bit 0 of `system`: on */
    uint32_t version;      /* of both, the last stored */
    bool wall_waits, system_waits; /* to be stored */
};

/* Fills in multiplier and shift. @pre hz is not 0 */
void clock_page_rate(uint64_t hz, struct clock_page_time *);

int clock_page_read(struct vm *, uint32_t msr, uint64_t *value);
/* 0, or -1, #GP: a reserved bit, or what is no storage. */
int clock_page_write(struct vm *, uint32_t msr, uint64_t value);
/* The guest's TSC is another from now on. */
void clock_page_tsc_moved(struct vm *);
/* Before an entry: stores what waits, once, however often a list of MSRs wrote them. Without a frame for it the machine
 * stops. */
void clock_page_follow(struct vm *);
