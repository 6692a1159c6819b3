/* Machines as cp/dispatch/vm.c makes them, with frames and storage of CP's own; their
 * devices and the processor are fakes. */
#pragma once
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cp/dispatch/vm.h"
#include "cp/storage/grave.h"
#include "cp/vcpu/backend.h"
#include "cp/vcpu/context.h"
#include "cp/vcpu/cpuid.h"
#include "cp/vcpu/event.h"
#include "cp/vcpu/nested.h"
#include "cp/vcpu/registers.h"
#include "tests/unit/fake/panic.h"
#include "tests/unit/work_all.h"

enum { ARENA = 16 << 20, MIB = 1 << 20 };

/* ---- the edge and the devices ------------------------------------------------------------------------------------ */

uint64_t registers_cr4_own;
static unsigned in_flight, machine_resets, flushes;
static bool reads_its_ring; /* what is in flight never ends, unless the devices are reset */
static uint64_t size_at_reset; /* what the devices were told */

static int create(struct vcpu *vcpu) { return (void)vcpu, 0; }
static void destroy(struct vcpu *vcpu) { (void)vcpu; }

/* as the processors' own do: the map's root comes with the first entry */
static void flush_storage(struct vcpu *vcpu)
{
    guest_entry(&vcpu->vm->storage, gpa(0));
    flushes++;
}

static const struct cpu_backend backend = {
    .create = create, .destroy = destroy, .flush_storage = flush_storage};
const struct cpu_backend *cpu_backend = &backend;

static uint64_t cs_selector, cs_base, rip; /* of whichever machine */

static uint64_t *place_of(enum vmcs_field field)
{
    static uint64_t other;
    return field == VMCS_GUEST_CS_SELECTOR ? &cs_selector : field == VMCS_GUEST_CS_BASE ? &cs_base
           : field == VMCS_GUEST_RIP       ? &rip                                       : &other;
}

uint64_t vcpu_read_any(struct vcpu *vcpu, enum vmcs_field field) { return (void)vcpu, *place_of(field); }
void vcpu_write_any(struct vcpu *vcpu, enum vmcs_field field, uint64_t value) { (void)vcpu, *place_of(field) = value; }
int context_create(struct vcpu *vcpu) { return (void)vcpu, 0; }
void context_destroy(struct vcpu *vcpu) { (void)vcpu; }
void context_reset(struct vcpu *vcpu) { (void)vcpu; }
void context_init(struct vcpu *vcpu) { (void)vcpu; }
unsigned cpuid_physical_bits(void) { return 39; }
uint64_t cpuid_cr4_allowed(const struct vm *vm) { return (void)vm, 0; }
bool event_deliverable(struct vm *vm) { return (void)vm, false; }
void nested_destroy(struct vm *vm) { (void)vm; }
bool nested_shrink(struct vm *vm) { return (void)vm, false; }
bool nested_will_wake(const struct vm *vm) { return (void)vm, false; }
void registers_reset(struct vcpu *vcpu) { (void)vcpu, cs_selector = 0xF000, cs_base = 0xFFFF0000, rip = 0xFFF0; }
void registers_init(struct vcpu *vcpu) { (void)vcpu; }

void machine_init(struct machine *m, const struct machine_host *host, struct guest_storage *storage,
                  const struct machine_config *config)
{
    (void)host, (void)config;
    m->storage = storage;
}

void machine_reset(struct machine *m)
{
    machine_resets++;
    in_flight = reads_its_ring ? 0 : in_flight;
    size_at_reset = m->storage->bytes;
}

void machine_free(struct machine *m) { (void)m; }
bool machine_is_busy(const struct machine *m) { return (void)m, false; }
unsigned machine_in_flight(const struct machine *m) { return (void)m, in_flight; }
void machine_give_back(struct machine *m) { (void)m; }

/* ---- machines ---------------------------------------------------------------------------------------------------- */

static uint64_t frames_before;

static struct vm *make(void)
{
    struct vm *vm =
        vm_create(&(struct machine_config){.userid = "ALICE", .storage_bytes = 4 * MIB, .frame_limit = 2048});
    assert_non_null(vm);
    assert_int_equal(guest_fill(&vm->storage, gpa(0), 0x5A, 2 * MIB), GUEST_OK);
    return vm;
}

static int start(void **state)
{
    static void *arena;
    (void)state;
    if (!arena) {
        arena = aligned_alloc(PAGE_SIZE, ARENA);
        frame_add(frame_address(arena), ARENA);
        vm_destroy(make()); /* frames of a run are kept as a run */
    }
    work_all();
    in_flight = reads_its_ring = 0;
    frames_before = frame_available();
    return 0;
}

static uint8_t byte_at(struct vm *vm, uint64_t at)
{
    uint8_t value;
    assert_int_equal(guest_read(&vm->storage, gpa(at), &value, 1), GUEST_OK);
    return value;
}
