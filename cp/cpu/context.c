/* Owns the registers beyond the VMCS that guests use freely: x87/SSE/AVX state, XCR0, debug registers, CR2 and the
 * system-call MSRs. They stay in the processor until another virtual CPU needs it: a guest that is alone never pays for
 * them. SDM "Managing State Using the XSAVE Feature Set". */
#include "cp/cpu/context.h"

#include <errno.h>
#include <string.h>

#include "cp/cpu/backend.h"
#include "cp/cpu/cpu.h"
#include "cp/cpu/nested.h"
#include "cp/cpu/ops.h"
#include "cp/cpu/panic.h"
#include "cp/cpu/vcpu.h"
#include "cp/dispatch/speculation.h"
#include "cp/dispatch/vm.h"
#include "cp/storage/frame.h"

enum { MSR_STAR = 0xC0000081, MSR_LSTAR, MSR_CSTAR, MSR_SFMASK, MSR_KERNEL_GS_BASE = 0xC0000102, MSR_TSC_AUX };
enum { CPUID_1_ECX_XSAVE = 1 << 26, XCR0_X87 = 1, XCR0_LEGACY = 3, XSAVE_HEADER = 512, FCW = 0, MXCSR = 24,
       FCW_RESET = 0x40, MXCSR_RESET = 0x1F80 };
#define DR6_RESET 0xFFFF0FF0ull
#define XCR0_KNOWN 0x2E7ull /* x87 SSE AVX AVX-512 PKRU: what CP knows how to hand from guest to guest */
#define CR4_OSFXSR (1ull << 9)
#define CR4_OSXSAVE (1ull << 18)

static uint64_t supported; /* XCR0 bits; 0: no XSAVE, FXSAVE serves */
static unsigned area_pages = 1;
static uint64_t xcr0_now;
static bool started, has_tsc_aux;

static void start(void)
{
    started = true;
    op_write_cr4(op_read_cr4() | CR4_OSFXSR);
    has_tsc_aux = op_cpuid(0x80000001, 0).edx >> 27 & 1;
    if (!(op_cpuid(1, 0).ecx & CPUID_1_ECX_XSAVE))
        return;
    op_write_cr4(op_read_cr4() | CR4_OSXSAVE);
    struct cpuid_result d = op_cpuid(0xD, 0);
    supported = ((uint64_t)d.edx << 32 | d.eax) & XCR0_KNOWN;
    area_pages = (d.ecx + 4095) / 4096;
    xcr0_now = XCR0_X87;
    op_xsetbv(0, xcr0_now);
}

uint64_t context_xcr0_supported(void)
{
    if (!started)
        start();
    return supported;
}

/* An XSAVE header of zeroes is the initial state of every component that has no value below. */
static void set_power_up(struct vcpu *vcpu)
{
    memset(vcpu->fpu, 0, area_pages * PAGE_SIZE);
    *(uint16_t *)((char *)vcpu->fpu + FCW) = FCW_RESET;
    *(uint32_t *)((char *)vcpu->fpu + MXCSR) = MXCSR_RESET;
    vcpu->xcr0 = vcpu->xcr0_used = XCR0_X87;
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
    vcpu->fpu = frame_alloc_run(&frame_cp_account, area_pages);
    if (!vcpu->fpu)
        return -ENOMEM;
    set_power_up(vcpu);
    set_init(vcpu);
    return 0;
}

void context_destroy(struct vcpu *vcpu)
{
    context_forget(vcpu);
    frame_free_run(&frame_cp_account, vcpu->fpu, area_pages);
    vcpu->fpu = NULL;
}

static void xcr0_set(uint64_t value)
{
    if (value != xcr0_now)
        op_xsetbv(0, xcr0_now = value);
}

/* A guest that never enabled more than SSE is served by FXSAVE, which is the start of an XSAVE area: no XSETBV, which
 * would be an exit when CP is a guest itself. SSE state counts whatever XCR0 says: CR4.OSFXSR alone lets a guest use
 * it. */
static bool legacy(const struct vcpu *vcpu)
{
    return !(vcpu->xcr0_used & ~(uint64_t)XCR0_LEGACY);
}

static void fpu_save(struct vcpu *vcpu)
{
    if (legacy(vcpu)) {
        op_fxsave(vcpu->fpu);
        *(uint64_t *)((char *)vcpu->fpu + XSAVE_HEADER) = XCR0_LEGACY;
    } else {
        xcr0_set(vcpu->xcr0_used | XCR0_LEGACY);
        op_xsave(vcpu->fpu, vcpu->xcr0_used | XCR0_LEGACY);
    }
}

static void fpu_load(const struct vcpu *vcpu)
{
    if (legacy(vcpu)) {
        op_fxrstor(vcpu->fpu);
    } else {
        xcr0_set(vcpu->xcr0_used | XCR0_LEGACY);
        op_xrstor(vcpu->fpu, vcpu->xcr0_used | XCR0_LEGACY);
    }
    if (supported)
        xcr0_set(vcpu->xcr0);
}

/* QEMU's SVM lets a guest execute XSETBV unseen. */
static void xcr0_look(struct vcpu *vcpu)
{
    if (!supported)
        return;
    vcpu->xcr0 = xcr0_now = op_xgetbv(0);
    vcpu->xcr0_used |= xcr0_now;
}

static void save(struct vcpu *vcpu)
{
    struct vcpu_msrs *m = &vcpu->msrs;

    xcr0_look(vcpu);
    fpu_save(vcpu);
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
    m->star = op_rdmsr(MSR_STAR);
    m->lstar = op_rdmsr(MSR_LSTAR);
    m->cstar = op_rdmsr(MSR_CSTAR);
    m->sfmask = op_rdmsr(MSR_SFMASK);
    m->kernel_gs_base = op_rdmsr(MSR_KERNEL_GS_BASE);
}

static void load(const struct vcpu *vcpu)
{
    const struct vcpu_msrs *m = &vcpu->msrs;

    fpu_load(vcpu);
    op_write_cr2(vcpu->cr2);
    op_write_dr0(vcpu->dr[0]);
    op_write_dr1(vcpu->dr[1]);
    op_write_dr2(vcpu->dr[2]);
    op_write_dr3(vcpu->dr[3]);
    op_write_dr6(vcpu->dr6);
    if (has_tsc_aux)
        op_wrmsr(MSR_TSC_AUX, m->tsc_aux);
    if (cpu_backend->keeps_system_call_msrs)
        return;
    op_wrmsr(MSR_STAR, m->star);
    op_wrmsr(MSR_LSTAR, m->lstar);
    op_wrmsr(MSR_CSTAR, m->cstar);
    op_wrmsr(MSR_SFMASK, m->sfmask);
    op_wrmsr(MSR_KERNEL_GS_BASE, m->kernel_gs_base);
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
        xcr0_look(vcpu);
    return vcpu->xcr0;
}

void context_forget(struct vcpu *vcpu)
{
    if (cpu_this.holder != vcpu)
        return;
    xcr0_look(vcpu); /* what the next one finds */
    cpu_this.holder = NULL;
}

/* Where the control block keeps MSRs, who holds the processor reaches them; the others are loaded anew from memory. */
void context_reset(struct vcpu *vcpu)
{
    static const uint32_t msrs[] = {MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_SFMASK, MSR_KERNEL_GS_BASE};

    context_load(vcpu);
    for (unsigned i = 0; i < sizeof msrs / sizeof *msrs && cpu_backend->keeps_system_call_msrs; i++)
        cpu_nested->free_msr_write(msrs[i], 0);
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

/* Components enabled for the first time hold whatever another guest left in the processor: they start initialised. */
void context_set_xcr0(struct vcpu *vcpu, uint64_t value)
{
    uint64_t fresh = value & ~vcpu->xcr0_used & ~(uint64_t)XCR0_LEGACY;

    context_load(vcpu);
    xcr0_set(value);
    if (fresh) {
        static const uint8_t initial[4096] __attribute__((aligned(64)));
        op_xrstor(initial, fresh);
    }
    vcpu->xcr0 = value;
    vcpu->xcr0_used |= value;
}
