/* A virtual machine as vm_create makes it, on a processor that is a struct vmcs: what the backend, the context and
 * CPUID promise, without hardware. A header, so that only the tests that want it are linked with it; every fake is
 * weak. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cp/dispatch/vm.h"
#include "cp/nested/hardware.h"
#include "cp/storage/frame.h"
#include "cp/vcpu/backend.h"
#include "cp/vcpu/context.h"
#include "cp/vcpu/cpuid.h"
#include "cp/vcpu/edge.h"
#include "cp/vcpu/event.h"
#include "cp/vcpu/exits.h"
#include "cp/vcpu/handlers.h"
#include "cp/vcpu/registers.h"
#include "tests/unit/fake/clock.h"
#include "tests/unit/work_all.h"
#include "vmcs-shadow/control.h"

#define SCENE_FAKE __attribute__((weak))
#define CPU2_ALL   (CPU2_EPT | CPU2_RDTSCP | CPU2_INVPCID | CPU2_UNRESTRICTED_GUEST)

enum { SCENE_MIB = 32, SCENE_GUEST_MIB = 8, SCENE_HZ = 1000000000, SCENE_XCR0 = 0xE7 };

static struct vm *vm;
static unsigned linear_flushes, storage_flushes;

/* SCENE_PROCESSOR: the includer has a processor of its own: vcpu_read_any() and vcpu_write_any(), cpu_backend,
 * cpu_nested. */
#ifndef SCENE_PROCESSOR
/* ---- processor: the current VMCS of a virtual CPU is the struct its `backend` points at ------------------------ */

static enum vmcs_index scene_index(enum vmcs_field field)
{
    enum vmcs_index index = vmcs_field_find(field);
    assert_int_not_equal(index, VMCS_INDEX_NONE);
    return index;
}

SCENE_FAKE uint64_t vcpu_read_any(struct vcpu *v, enum vmcs_field field)
{
    return vmcs_get(v->backend, scene_index(field));
}
SCENE_FAKE void vcpu_write_any(struct vcpu *v, enum vmcs_field field, uint64_t value)
{
    vmcs_set(v->backend, scene_index(field), value);
}
static int scene_create(struct vcpu *v) { return (v->backend = calloc(1, sizeof(struct vmcs))) ? 0 : -12; }
static void scene_destroy(struct vcpu *v) { free(v->backend); }
static void scene_flush_linear(struct vcpu *v) { (void)v, linear_flushes++; }
static void scene_flush_storage(struct vcpu *v) { (void)v, storage_flushes++; }

static const struct cpu_backend scene_backend = {
    .name = "struct vmcs",
    .create = scene_create,
    .destroy = scene_destroy,
    .read = vcpu_read_any,
    .write = vcpu_write_any,
    .flush_linear = scene_flush_linear,
    .flush_storage = scene_flush_storage,
};
SCENE_FAKE const struct cpu_backend *cpu_backend = &scene_backend;
SCENE_FAKE const struct cpu_nested *cpu_nested; /* no virtual VMX beneath: what asks for it must bear that */
#endif

SCENE_FAKE void cpu_cr2_set(struct vcpu *v, uint64_t value) { v->cr2 = value; }
SCENE_FAKE uint64_t cpu_dr(const struct vcpu *v, unsigned number) { return v->dr[number]; }
SCENE_FAKE void cpu_dr6_report(struct vcpu *v, uint64_t bits) { v->dr6 = bits ? debug_dr6(v->dr6, bits) : v->dr6; }
SCENE_FAKE unsigned scene_looks;
SCENE_FAKE void cpu_look(void) { scene_looks++; }

static bool scene_no_context;

SCENE_FAKE int context_create(struct vcpu *v)
{
    v->xstate.xcr0 = v->xstate.used = !scene_no_context;
    return scene_no_context ? -12 : 0;
}
SCENE_FAKE void context_destroy(struct vcpu *v) { (void)v; }
SCENE_FAKE void context_reset(struct vcpu *v) { v->xstate.xcr0 = v->xstate.used = 1; }
SCENE_FAKE void context_init(struct vcpu *v) { v->cr2 = 0; }
SCENE_FAKE bool scene_xsetbv_is_unseen;
SCENE_FAKE bool context_xsetbv_is_unseen(void) { return scene_xsetbv_is_unseen; }
SCENE_FAKE uint64_t context_xcr0(struct vcpu *v) { return v->xstate.xcr0; }
SCENE_FAKE void context_set_xcr0(struct vcpu *v, uint64_t value) { v->xstate.xcr0 = value; }
SCENE_FAKE uint8_t scene_xstate[4096];
SCENE_FAKE unsigned scene_xstate_puts;
SCENE_FAKE void *context_xstate_get(struct vcpu *v) { return (void)v, scene_xstate; }
SCENE_FAKE void context_xstate_put(struct vcpu *v) { (void)v, scene_xstate_puts++; }

/* ---- CPUID of a processor that has everything, XSAVE components where real ones have them ---------------------- */

static struct cpuid_answer everything(uint32_t leaf, uint32_t subleaf)
{
    static const struct cpuid_answer components[10] = {
        [2] = {256, 576, 0, 0},  [3] = {64, 960, 0, 0},    [4] = {64, 1024, 0, 0}, [5] = {64, 1088, 0, 0},
        [6] = {512, 1152, 2, 0}, [7] = {1024, 1664, 0, 0}, [9] = {8, 2688, 0, 0},
    };
    if (leaf == 0xD && subleaf >= 2)
        return subleaf < 10 ? components[subleaf] : (struct cpuid_answer){0};
    if (leaf == 0x80000008u)
        return (struct cpuid_answer){0x3927, ~0u, ~0u, ~0u}; /* 39 and 57 bits */
    return (struct cpuid_answer){~0u, ~0u, ~0u, ~0u};
}

/* ---- the scene ------------------------------------------------------------------------------------------------ */

static inline void scene_frames(void)
{
    static void *arena;
    if (arena)
        return;
    arena = aligned_alloc(PAGE_SIZE, SCENE_MIB << 20);
    frame_add(hpa((uint64_t)(uintptr_t)arena), SCENE_MIB << 20);
}

static inline struct vm *scene_vm(enum nest_mode nested)
{
    struct machine_config config = {
        .userid = "SCENE", .storage_bytes = SCENE_GUEST_MIB << 20, .uarts = 1,
        .grants = 1 << GRANT_DEBUG_EXIT, .nesting = nested};
    struct vm *made = vm_create(&config);
    assert_non_null(made);
    return made;
}

/* A machine in flat protected mode, paging off, interrupts off. */
static inline int scene_begin(void **state)
{
    (void)state;
    scene_frames();
    fake_clock_reset(SCENE_HZ);
    cpuid_policy_init(everything, CPU2_ALL, SCENE_XCR0, SCENE_HZ);
    vm = scene_vm(NEST_OFF);
    registers_start_flat(&vm->vcpu, 0x100000, 0, 0);
    vm->state = VM_RUNNABLE;
    linear_flushes = storage_flushes = 0;
    return 0;
}

static inline int scene_end(void **state)
{
    (void)state;
    vm_destroy(vm);
    return 0;
}

static inline uint64_t get(enum vmcs_field field) { return vcpu_read(&vm->vcpu, field); }
static inline void set(enum vmcs_field field, uint64_t value) { vcpu_write(&vm->vcpu, field, value); }

static inline void poke(uint64_t at, uint64_t value, size_t bytes)
{
    assert_int_equal(guest_write(&vm->storage, gpa(at), &value, bytes), GUEST_OK);
}

static inline uint64_t peek(uint64_t at, size_t bytes)
{
    uint64_t value = 0;
    assert_int_equal(guest_read(&vm->storage, gpa(at), &value, bytes), GUEST_OK);
    return value;
}

/* The exception that waits, or -1: none. Takes it. */
static inline int taken_exception(void)
{
    uint32_t info = vm->vcpu.event_info;
    vm->vcpu.event_info = 0;
    vm->vcpu.event_made = false;
    return (info & EVENT_VALID) && (info & EVENT_TYPE) == EVENT_HARDWARE_EXCEPTION ? (int)(info & 0xFF) : -1;
}

static inline void assert_general_protection(enum exit_action action)
{
    assert_int_equal(action, EXIT_INJECT);
    assert_int_equal(vm->vcpu.event_error, 0);
    assert_int_equal(taken_exception(), VECTOR_GP);
}

/* Long mode with a 64-bit code segment; CR3 as it is. */
static inline void scene_long_mode(void)
{
    set(VMCS_GUEST_EFER, EFER_LME | EFER_LMA | EFER_NXE);
    set(VMCS_GUEST_CR4, CR4_PAE | CR4_VMXE);
    set(VMCS_GUEST_CR0, CR0_PE | CR0_ET | CR0_NE | CR0_WP | CR0_PG);
    set(VMCS_CR0_SHADOW, CR0_PE | CR0_ET | CR0_WP | CR0_PG);
    set(VMCS_GUEST_CS_ACCESS_RIGHTS, 0xA09B);
    set(VMCS_ENTRY_CONTROLS, get(VMCS_ENTRY_CONTROLS) | ENTRY_LONG_MODE);
}

#define scene_test(name) cmocka_unit_test_setup_teardown(name, scene_begin, scene_end)
