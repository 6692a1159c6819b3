/* Owns the registers beyond the VMCS that guests use freely: x87/SSE/AVX state, XCR0, debug registers, CR2 and the
 * system-call MSRs. They stay in the processor until another virtual CPU needs it: a guest that is alone never pays for
 * them. */
#include "cp/vcpu/context.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "cp/cpu/cpu.h"
#include "cp/cpu/ops.h"
#include "cp/diagnose.h"
#include "cp/diagnose/below.h"
#include "cp/nested/hardware.h"
#include "cp/panic.h"
#include "cp/storage/frame.h"
#include "cp/vcpu/backend.h"
#include "cp/vcpu/registers.h"
#include "cp/vcpu/speculation.h"
#include "cp/vcpu/vcpu.h"
#include "cp/vcpu/vm.h"

#define XSTATE_FXSAVE(area) op_fxsave(area)
#define XSTATE_FXRSTOR(area) op_fxrstor(area)
#define XSTATE_XSAVE(area, components) op_xsave(area, components)
#define XSTATE_XRSTOR(area, components) op_xrstor(area, components)
#define XSTATE_FNINIT() op_fninit()
#define XSTATE_XSETBV(value) op_xsetbv(0, value)
#define XSTATE_XGETBV() op_xgetbv(0)
#include "cp/cpu/xstate_move.h"

#define MSR_TSC_AUX 0xC0000103u
enum { CPUID_1_ECX_XSAVE = 1 << 26 };
#define CPUID_1_ECX_HYPERVISOR (1u << 31)
#define DR6_RESET 0xFFFF0FF0ull

static struct xstate xstate;
static unsigned area_pages = 1;
static bool started, has_tsc_aux;

/* Whether a guest can execute XSETBV without an exit. VMX always exits; so does SVM, except in QEMU, which may be at
 * the bottom of any hypervisor that offers SVM. A CP below has found this out already. */
static bool xsetbv_is_unseen(void)
{
    if (cp_below_is_vmn())
        return op_cpuid(DIAGNOSE_LEAF_ASSISTS, 0).ebx & DIAGNOSE_UNSEEN_XSETBV;
    return cpu_backend == &cpu_svm && (op_cpuid(1, 0).ecx & CPUID_1_ECX_HYPERVISOR);
}

static void start(void)
{
    started = true;
    op_write_cr4(op_read_cr4() | CR4_OSFXSR);
    has_tsc_aux = op_cpuid(0x80000001, 0).edx >> 27 & 1;
    if (!(op_cpuid(1, 0).ecx & CPUID_1_ECX_XSAVE))
        return;
    op_write_cr4(op_read_cr4() | CR4_OSXSAVE);
    struct cpuid_result d = op_cpuid(0xD, 0);
    area_pages = (d.ecx + 4095) / 4096;
    xstate_begin(&xstate, (uint64_t)d.edx << 32 | d.eax, xsetbv_is_unseen());
}

uint64_t context_xcr0_supported(void)
{
    if (!started)
        start();
    return xstate_offered(&xstate);
}

bool context_xsetbv_is_unseen(void)
{
    return xstate.unseen;
}

static void set_power_up(struct vcpu *vcpu)
{
    memset(vcpu->xstate.area, 0, area_pages * PAGE_SIZE);
    xstate_power_up(&vcpu->xstate);
    vcpu->msrs = (struct vcpu_msrs){0};
}

static void set_init(struct vcpu *vcpu)
{
    vcpu->cr2 = 0;
    memset(vcpu->dr, 0, sizeof vcpu->dr);
    vcpu->dr6 = DR6_RESET;
}

int context_create(struct vcpu *vcpu)
{
    context_xcr0_supported();
    vcpu->xstate.area = frame_alloc_run(&vcpu->vm->storage.account, area_pages);
    if (!vcpu->xstate.area)
        return -ENOMEM;
    set_power_up(vcpu);
    set_init(vcpu);
    return 0;
}

void context_destroy(struct vcpu *vcpu)
{
    context_forget(vcpu);
    frame_free_run(&vcpu->vm->storage.account, vcpu->xstate.area, area_pages);
    vcpu->xstate.area = NULL;
}

static void save(struct vcpu *vcpu)
{
    struct vcpu_msrs *m = &vcpu->msrs;

    xstate_save(&xstate, &vcpu->xstate);
    vcpu->cr2 = op_read_cr2();
    vcpu->dr[0] = op_read_dr0();
    vcpu->dr[1] = op_read_dr1();
    vcpu->dr[2] = op_read_dr2();
    vcpu->dr[3] = op_read_dr3();
    vcpu->dr6 = op_read_dr6();
    if (has_tsc_aux)
        m->tsc_aux = op_rdmsr(MSR_TSC_AUX);
    if (cpu_backend->keeps_system_call_msrs)
        return;
#define SAVE_CONTEXT(number, member) m->member = op_rdmsr(number);
#define SAVE_VMCS(number, member)
#define FREE_MSR(NAME, number, value, home, member) SAVE_##home(number, member)
#include "cp/cpu/free_msrs.def"
#undef FREE_MSR
}

/* Most guests have the same values in them, and beneath a CP that carries out the load, loading a debug register is an
 * exit. */
static void debug_load(const struct vcpu *vcpu)
{
    if (op_read_dr0() != vcpu->dr[0])
        op_write_dr0(vcpu->dr[0]);
    if (op_read_dr1() != vcpu->dr[1])
        op_write_dr1(vcpu->dr[1]);
    if (op_read_dr2() != vcpu->dr[2])
        op_write_dr2(vcpu->dr[2]);
    if (op_read_dr3() != vcpu->dr[3])
        op_write_dr3(vcpu->dr[3]);
    if (op_read_dr6() != vcpu->dr6)
        op_write_dr6(vcpu->dr6);
}

static void load(const struct vcpu *vcpu)
{
    const struct vcpu_msrs *m = &vcpu->msrs;

    xstate_load(&xstate, &vcpu->xstate);
    op_write_cr2(vcpu->cr2);
    debug_load(vcpu);
    if (has_tsc_aux)
        op_wrmsr(MSR_TSC_AUX, m->tsc_aux);
    if (cpu_backend->keeps_system_call_msrs)
        return;
#define LOAD_CONTEXT(number, member) op_wrmsr(number, m->member);
#define LOAD_VMCS(number, member)
#define FREE_MSR(NAME, number, value, home, member) LOAD_##home(number, member)
#include "cp/cpu/free_msrs.def"
#undef FREE_MSR
}

void context_load(struct vcpu *vcpu)
{
    if (cpu_this.holder == vcpu)
        return;
    CP_ASSERT(!vm_turn || vm_turn == vcpu->vm); /* who has the turn would go on with another's registers */
    if (cpu_this.holder)
        save(cpu_this.holder);
    load(vcpu);
    speculation_switch();
    cpu_this.holder = vcpu;
}

uint64_t context_xcr0(struct vcpu *vcpu)
{
    if (cpu_this.holder == vcpu)
        xstate_look(&xstate, &vcpu->xstate);
    return vcpu->xstate.xcr0;
}

void context_forget(struct vcpu *vcpu)
{
    if (cpu_this.holder != vcpu)
        return;
    xstate_look(&xstate, &vcpu->xstate); /* what the next one finds */
    cpu_this.holder = NULL;
}

struct kept_msr {
    uint32_t number;
    size_t at; /* in struct vcpu_msrs */
};

/* Where the control block keeps MSRs, those of the guest that holds the processor are read and written there; those of
 * the others are loaded from memory. */
static const struct kept_msr kept_msrs[] = {
#define KEPT_CONTEXT(number, member) {number, offsetof(struct vcpu_msrs, member)},
#define KEPT_VMCS(number, member)
#define FREE_MSR(NAME, number, value, home, member) KEPT_##home(number, member)
#include "cp/cpu/free_msrs.def"
#undef FREE_MSR
};
enum { KEPT_MSRS = sizeof kept_msrs / sizeof *kept_msrs };

static uint64_t *kept_at(struct vcpu *vcpu, unsigned i)
{
    return (uint64_t *)((char *)&vcpu->msrs + kept_msrs[i].at);
}

static void write_kept(struct vcpu *vcpu)
{
    context_load(vcpu);
    for (unsigned i = 0; i < KEPT_MSRS && cpu_backend->keeps_system_call_msrs; i++)
        cpu_nested->free_msr_write(kept_msrs[i].number, *kept_at(vcpu, i));
}

void context_get(struct vcpu *vcpu)
{
    context_load(vcpu);
    save(vcpu);
    if (xstate.present)
        xstate_xcr0_set(&xstate, vcpu->xstate.xcr0); /* saving may have enabled more */
    for (unsigned i = 0; i < KEPT_MSRS && cpu_backend->keeps_system_call_msrs; i++)
        cpu_nested->free_msr_read(kept_msrs[i].number, kept_at(vcpu, i));
}

void context_put(struct vcpu *vcpu) { write_kept(vcpu); }

void context_reset(struct vcpu *vcpu)
{
    vcpu->msrs = (struct vcpu_msrs){.tsc_aux = vcpu->msrs.tsc_aux};
    write_kept(vcpu);
    context_forget(vcpu);
    set_power_up(vcpu);
    set_init(vcpu);
}

void context_init(struct vcpu *vcpu)
{
    context_load(vcpu);
    save(vcpu);
    context_forget(vcpu);
    set_init(vcpu);
}

void context_set_xcr0(struct vcpu *vcpu, uint64_t value)
{
    context_load(vcpu);
    xstate_enable(&xstate, &vcpu->xstate, value);
}

/* Saving may have enabled more than the guest has. */
void *context_xstate_get(struct vcpu *vcpu)
{
    if (cpu_this.holder == vcpu) {
        xstate_save(&xstate, &vcpu->xstate);
        if (xstate.present)
            xstate_xcr0_set(&xstate, vcpu->xstate.xcr0);
    }
    return vcpu->xstate.area;
}

void context_xstate_put(struct vcpu *vcpu)
{
    if (cpu_this.holder == vcpu)
        xstate_load(&xstate, &vcpu->xstate);
}
