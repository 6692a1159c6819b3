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

/* It was storage when it was named, and a machine's storage only changes with a reset. */
static void store(struct vm *vm, uint64_t at, const void *bytes, size_t count)
{
    if (guest_write(&vm->storage, gpa(at), bytes, count) == GUEST_NO_FRAMES)
        vm_stop(vm, VM_STOP_NO_FRAMES, 0);
}

static bool is_storage(const struct vm *vm, uint64_t at, size_t count)
{
    return at + count > at && guest_is_ram(&vm->storage, gpa(at)) && guest_is_ram(&vm->storage, gpa(at + count - 1));
}

static uint32_t next_version(struct vm *vm) { return vm->vcpu.clock_page.version += 2; }

/* The TSC was 0 at the reset, but for what the program added since. */
static void store_time(struct vm *vm, uint64_t at)
{
    struct clock_page_time time = {.version = next_version(vm), .tsc_timestamp = vm->vcpu.tsc_adjust,
                                   .flags = CLOCK_PAGE_TSC_STABLE};

    clock_page_rate(clock_hz, &time);
    store(vm, at, &time, sizeof time);
}

static void store_wall(struct vm *vm, uint64_t at)
{
    uint64_t since = clock_ns(clock_now() + vm->vcpu.tsc_offset - vm->vcpu.tsc_adjust) / 1000;
    uint64_t begun = clock_unix_us() - since;
    struct clock_page_wall wall = {.version = next_version(vm), .sec = (uint32_t)(begun / SECOND_US),
                                   .nsec = (uint32_t)(begun % SECOND_US * 1000)};

    store(vm, at, &wall, sizeof wall);
}

int clock_page_read(struct vm *vm, uint32_t msr, uint64_t *value)
{
    *value = msr == CLOCK_PAGE_WALL ? vm->vcpu.clock_page.wall : vm->vcpu.clock_page.system;
    return cpuid_has_clock_page(vm) ? 0 : -1;
}

static int write_wall(struct vm *vm, uint64_t value)
{
    if (value % ALIGNED || !is_storage(vm, value, sizeof(struct clock_page_wall)))
        return -1;
    vm->vcpu.clock_page.wall = value;
    vm->vcpu.clock_page.wall_waits = vm->vcpu.window = true; /* looked at before the next entry */
    return 0;
}

static int write_system(struct vm *vm, uint64_t value)
{
    if (value & RESERVED ||
        ((value & ON) && !is_storage(vm, value & ~(uint64_t)ON, sizeof(struct clock_page_time))))
        return -1;
    vm->vcpu.clock_page.system = value;
    clock_page_tsc_moved(vm);
    return 0;
}

int clock_page_write(struct vm *vm, uint32_t msr, uint64_t value)
{
    if (!cpuid_has_clock_page(vm))
        return -1;
    return msr == CLOCK_PAGE_WALL ? write_wall(vm, value) : write_system(vm, value);
}

void clock_page_tsc_moved(struct vm *vm)
{
    if (vm->vcpu.clock_page.system & ON)
        vm->vcpu.clock_page.system_waits = vm->vcpu.window = true;
}

void clock_page_follow(struct vm *vm)
{
    struct clock_page *own = &vm->vcpu.clock_page;
    if (own->wall_waits)
        store_wall(vm, own->wall);
    if (own->system_waits && (own->system & ON))
        store_time(vm, own->system & ~(uint64_t)ON);
    own->wall_waits = own->system_waits = false;
}
