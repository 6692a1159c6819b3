#include "cp/vcpu/clock_page.h"

#include <stddef.h>

#include "cp/vcpu/cpuid.h"
#include "cp/vcpu/vm.h"

enum { ON = 1, RESERVED = 2, ALIGNED = 4 };
#define SECOND_NS 1000000000ull
#define SECOND_US 1000000ull

/* The multiplier is below 2^32 and has its top bit, so it is exact to a part in 2^31. */
void clock_page_rate(uint64_t hz, struct clock_page_time *time)
{
    int8_t shift = 0;

    for (; hz > 2 * SECOND_NS; hz >>= 1)
        shift--;
    for (; hz <= SECOND_NS; hz <<= 1)
        shift++;
    time->tsc_to_system_mul = (uint32_t)((SECOND_NS << 32) / hz);
    time->tsc_shift = shift;
}

/* -1: an address that the machine has no storage at. */
static int store(struct vm *vm, uint64_t at, const void *bytes, size_t count)
{
    enum guest_access result = guest_write(&vm->storage, gpa(at), bytes, count);

    if (result == GUEST_NO_FRAMES)
        vm_stop(vm, VM_STOP_NO_FRAMES, 0);
    return result == GUEST_NOT_RAM ? -1 : 0;
}

static uint32_t next_version(struct vm *vm) { return vm->vcpu.clock_page.version += 2; }

/* The TSC was 0 at the reset, but for what the program added since. */
static int store_time(struct vm *vm, uint64_t at)
{
    struct clock_page_time time = {.version = next_version(vm), .tsc_timestamp = vm->vcpu.tsc_adjust,
                                   .flags = CLOCK_PAGE_TSC_STABLE};

    clock_page_rate(clock_hz, &time);
    return store(vm, at, &time, sizeof time);
}

static int store_wall(struct vm *vm, uint64_t at)
{
    uint64_t since = clock_ns(clock_now() + vm->vcpu.tsc_offset - vm->vcpu.tsc_adjust) / 1000;
    uint64_t begun = clock_unix_us() - since;
    struct clock_page_wall wall = {.version = next_version(vm), .sec = (uint32_t)(begun / SECOND_US),
                                   .nsec = (uint32_t)(begun % SECOND_US * 1000)};

    return store(vm, at, &wall, sizeof wall);
}

int clock_page_read(struct vm *vm, uint32_t msr, uint64_t *value)
{
    *value = msr == CLOCK_PAGE_WALL ? vm->vcpu.clock_page.wall : vm->vcpu.clock_page.system;
    return cpuid_has_clock_page(vm) ? 0 : -1;
}

static int write_wall(struct vm *vm, uint64_t value)
{
    if (value % ALIGNED || store_wall(vm, value))
        return -1;
    vm->vcpu.clock_page.wall = value;
    return 0;
}

static int write_system(struct vm *vm, uint64_t value)
{
    if (value & RESERVED || ((value & ON) && store_time(vm, value & ~(uint64_t)ON)))
        return -1;
    vm->vcpu.clock_page.system = value;
    return 0;
}

int clock_page_write(struct vm *vm, uint32_t msr, uint64_t value)
{
    if (!cpuid_has_clock_page(vm))
        return -1;
    return msr == CLOCK_PAGE_WALL ? write_wall(vm, value) : write_system(vm, value);
}

/* It was storage when it was named, and a machine's storage only changes with a reset. Only what is another is stored:
 * an MSR list of a guest's may write the TSC hundreds of times. */
void clock_page_tsc_moved(struct vm *vm)
{
    struct clock_page *own = &vm->vcpu.clock_page;
    if (!(own->system & ON))
        return;
    struct clock_page_time time = {.version = next_version(vm), .tsc_timestamp = vm->vcpu.tsc_adjust};
    store(vm, own->system & ~(uint64_t)ON, &time, offsetof(struct clock_page_time, system_time));
}
