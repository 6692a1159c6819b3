/* A whole virtual machine on the fake processor, run by the event loop: a script says what the guest does each time it
 * runs, and the scene notes what each entry brought it. */
#pragma once
#define SCENE_PROCESSOR
#include "tests/unit/dispatch_scene.h"

#include "cp/cpu/cpu.h"
#include "cp/dispatch/account.h"
#include "cp/dispatch/run.h"
#include "cp/dispatch/scheduler.h"
#include "cp/nested/host.h"
#include "cp/vcpu/nested.h"
#include "tests/unit/fake/vmx_cpu.h"

#define UNUSED __attribute__((unused)) /* not every test needs all of it */

const struct cpu_backend *cpu_backend = &fake_cpu_backend;
const struct cpu_nested *cpu_nested = &fake_cpu_nested;

uint64_t vcpu_read_any(struct vcpu *v, enum vmcs_field field) { return cpu_backend->read(v, field); }
void vcpu_write_any(struct vcpu *v, enum vmcs_field field, uint64_t value) { cpu_backend->write(v, field, value); }

static inline struct fake_vmx *processor(void) { return fake_cpu_of(&vm->vcpu); }

/* ---- the script: one step is one entry and what ends it ---------------------------------------------------------- */

enum { L1 = 1, L2 = 2, STEPS = 64 };

struct step {
    unsigned level;       /* who runs: checked */
    struct exit exit;     /* its end; rip: where the guest stands, unless told */
    uint64_t ticks;       /* how long it ran; ~0: to the deadline */
    bool refused;         /* it does not: the processor takes the control block for bad */
    void (*then)(void);   /* what happens before the exit */
};

/* What an entry was given. */
struct entered {
    struct vm *vm;
    uint32_t info, error;
    uint64_t rip, deadline, at; /* at: when */
};

static const struct step *script;
static unsigned script_steps, steps_done;
static struct entered entered[STEPS];
static jmp_buf script_over;
static unsigned windows_opened, loaded, idles, served;
static uint64_t idle_until;

static void over(void) { longjmp(script_over, 1); }

static bool scene_run(struct vcpu *v, uint64_t deadline)
{
    const struct vmcs *held = &fake_cpu_of(v)->loaded->held;

    if (steps_done == script_steps)
        over();
    const struct step *step = &script[steps_done];
    bool event = held->entry_interruption_info & EVENT_VALID;
    assert_int_equal(step->level, fake_cpu_of(v)->loaded == &fake_cpu_of(v)->first ? L1 : L2);
    assert_int_equal(step->level == L2, nested_runs(v));
    entered[steps_done++] = (struct entered){
        v->vm, event ? held->entry_interruption_info : 0, event ? held->entry_exception_error_code : 0,
        held->guest_rip, deadline, fake_now};
    fake_now += step->ticks == ~0ull ? deadline - fake_now : step->ticks;
    v->exit = step->exit;
    if (!v->exit.rip)
        v->exit.rip = held->guest_rip;
    if (step->then)
        step->then();
    return !step->refused;
}

/* Runs the event loop until the script is over and the machine would run again, or nothing would ever happen. */
UNUSED static void play_steps(const struct step *steps, unsigned count)
{
    script = steps;
    script_steps = count;
    steps_done = idles = 0;
    fake_cpu_run = scene_run;
    if (!setjmp(script_over))
        run_loop();
    vm_turn = NULL; /* a turn that the script's end cut short */
    if (steps_done != count)
        fail_msg("the machine ran %u times, not %u", steps_done, count);
}
#define IN_L1(...) {.level = L1, .exit = __VA_ARGS__}
#define IN_L2(...) {.level = L2, .exit = __VA_ARGS__}
#define PLAY(...) \
    do { \
        const struct step steps_here[] = {__VA_ARGS__}; \
        play_steps(steps_here, sizeof steps_here / sizeof *steps_here); \
    } while (0)

/* ---- the processor beyond its VMCSs ------------------------------------------------------------------------------ */

struct cpu cpu_this;
struct cpu_events cpu_events;
static uint64_t came[4]; /* interrupts that wait for a window of CP's */

void context_load(struct vcpu *v) { loaded++, cpu_this.holder = v; }
void cpu_interrupts_served(void) { served++; }

void cpu_interrupts_take(uint64_t taken[4])
{
    for (unsigned i = 0; i < 4; i++) {
        taken[i] = cpu_this.interrupts[i];
        cpu_this.interrupts[i] = 0;
    }
    cpu_events.pending = false;
}

void cpu_interrupt_window(void)
{
    windows_opened++;
    for (unsigned i = 0; i < 4; i++) {
        cpu_this.interrupts[i] |= came[i];
        cpu_events.pending |= came[i] != 0;
        came[i] = 0;
    }
}

UNUSED static void device_interrupts(unsigned vector) { came[vector / 64] |= 1ull << vector % 64; }

void cpu_idle(uint64_t deadline)
{
    idle_until = deadline;
    idles++;
    if (deadline == UINT64_MAX)
        over(); /* nothing will ever happen */
    if (deadline > fake_now)
        fake_now = deadline;
    cpu_interrupt_window();
}

/* ---- the scene ------------------------------------------------------------------------------------------------- */

static unsigned stops_seen;
UNUSED static void stop_seen(struct vm *stopped) { (void)stopped, stops_seen++; }

/* With virtual VMX of this mode; runnable, in flat protected mode, interrupts off, its APIC on. */
UNUSED static void machine_begin(enum nest_mode mode)
{
    scene_frames();
    fake_clock_reset(SCENE_HZ);
    cpuid_policy_init(everything, CPU2_ALL, SCENE_XCR0, SCENE_HZ);
    cpu_events = (struct cpu_events){.exact = true};
    cpu_this = (struct cpu){0};
    memset(came, 0, sizeof came);
    windows_opened = loaded = idles = served = stops_seen = 0;
    vm_stopped = stop_seen;
    vm = scene_vm(mode);
    registers_start_flat(&vm->vcpu, 0x100000, 0, 0);
    assert_int_equal(msr_policy_write(vm, 0x1B, LAPIC_DEFAULT_BASE | 1 << 8 | 1 << 10 | 1 << 11), 0);
    assert_int_equal(msr_policy_write(vm, 0x80F, 0x1FF), 0);
    vm_begin(vm);
}

UNUSED static void interrupt(uint8_t vector)
{
    lapic_deliver(&vm->machine.lapic, &(struct lapic_message){.vector = vector, .delivery = LAPIC_FIXED});
}
UNUSED static void interrupt_51(void) { interrupt(0x51); }
UNUSED static void nmi(void) { lapic_deliver(&vm->machine.lapic, &(struct lapic_message){.delivery = LAPIC_NMI}); }
UNUSED static void init(void) { lapic_deliver(&vm->machine.lapic, &(struct lapic_message){.delivery = LAPIC_INIT}); }
