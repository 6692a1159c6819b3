/* A virtual machine as CP keeps it: one virtual CPU, storage, devices, accounting, and the user's session it belongs
 * to; and what the rooms from here up may do to the one that runs. Making and ending machines: cp/dispatch/vm.h. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/device/machine.h"
#include "cp/storage/guest.h"
#include "cp/time/timer.h"
#include "cp/vcpu/site.h"
#include "cp/vcpu/vcpu.h"

struct user;    /* cp/directory/directory.h */
struct session; /* cp/session/session.h */

enum vm_state {
    VM_STOPPED,  /* in CP READ, before IPL, or a disabled wait: does not run until BEGIN or IPL */
    VM_RUNNABLE,
    VM_WAITING,  /* HLT: wakes for an interrupt */
};

/* Why a machine came to a stop by itself; its session says so with the HCP message. */
enum vm_stop {
    VM_STOP_NONE, VM_STOP_USER, VM_STOP_POWER_OFF, VM_STOP_TRIPLE_FAULT, VM_STOP_DISABLED_WAIT, VM_STOP_NO_STORAGE,
    VM_STOP_NO_FRAMES, VM_STOP_BAD_ENTRY, VM_STOP_EMULATION, VM_STOP_TEST_EXIT, VM_STOP_VMX_ABORT,
    /* CP made a control block that must not run; stop_detail: the field's encoding, or a row of cp/svm/assert.c */
    VM_STOP_UNSOUND,
    VM_STOP_MACHINE_CHECK, /* the hardware failed under it */
    VM_STOP_RESET, /* the guest reset its machine: a board reset or an INIT */
    VM_STOP_TAKEN, /* others lacked frames, and it held most: its storage is being cleared */
    VM_STOPS
};

/* Of a machine among those that are ready: cp/dispatch/ready.h */
struct ready_place {
    struct vm *left, *right, *up;
    unsigned rank;
    uint64_t number; /* who came later has a higher one */
};

/* What every exit looks at comes first, in one page. */
struct vm {
    struct vm *next; /* in vm_list of cp/dispatch/vm.h */
    struct vcpu vcpu;
    enum vm_state state;
    enum vm_stop stop;
    uint32_t stop_detail;   /* VM_STOP_TEST_EXIT: the value; VM_STOP_EMULATION: exit reason */
    struct session *session;
    uint64_t virtual_ticks; /* TSC ticks spent running the guest */
    uint64_t total_ticks;   /* the same plus CP's work for it, up to its last turn: vm_total_ticks() */
    uint64_t turn_begun;    /* host TSC, while it is vm_turn */
    uint64_t vruntime;      /* ticks it had, as if its share were the usual one: cp/dispatch/scheduler.h ... */
    uint64_t vremainder;    /* ... and what division left */
    uint64_t waits_since;   /* host TSC, while it is ready and another runs */
    uint64_t steal_ticks;   /* TSC ticks in which it could have run */
    struct share share;     /* SET SHARE */
    /* Exits by reason, each once: of the machine's own program; of a guest it runs itself, dealt with by CP, or given
     * to it. */
    uint64_t exits[EXIT_REASONS], nested_handled[EXIT_REASONS], nested_reflected[EXIT_REASONS];
    uint64_t nested_calls;  /* of the exits for VMCALL: calls that stand for a VMX instruction */
    struct ready_place place;
    bool ready;
    bool stop_unseen; /* stopped by itself and vm_stopped() not yet called */
    bool held;        /* by a call of its program's that is not done; WAITING, whatever interrupts */
    bool gives_back;  /* its storage is cleared in the turns to come: cp/dispatch/give.h */
    struct machine machine;
    struct machine_config config;
    struct guest_storage storage;
    struct site sites[SITES];
};

/* Whose turn it is: from before its registers are loaded until its last exit of the turn is dealt with.
 * NULL: the event loop's own time, and the only one in which machines are made, reset, cleared or destroyed,
 * or the processor given to another. */
extern struct vm *vm_turn;

static inline uint64_t vm_total_ticks(const struct vm *vm)
{
    return vm->total_ticks + (vm == vm_turn ? clock_now() - vm->turn_begun : 0);
}

/* cp/dispatch does these. */
void vm_bury(void); /* there are new graves: their work begins */
/* INIT of the CPU, which stops: it would go on at FFFFFFF0H, where these machines have no firmware. */
void vm_init(struct vm *);
void vm_stop(struct vm *, enum vm_stop, uint32_t detail);
/* CP's own check found a control block that must not run: counts it, and stops the machine with VM_STOP_UNSOUND. */
void vm_unsound(struct vm *, uint32_t check);
void vm_unhalt(struct vm *);            /* WAITING -> RUNNABLE, unless it is held */
/* The call at hand goes on: the machine is held until MACHINE_CALL_DONE, when vm_called() says what goes to RAX. */
void vm_hold(struct vm *);
void vm_wake(struct vm *);              /* the same if what came is deliverable */
/* The guest/host masks of CR0 and CR4, after what CPUID offers changed. */
void vm_masks_write(struct vm *);

/* The program of a machine failed at VMX: by which rule, and the field's encoding, or
 * NEST_NO_FIELD. Set by cp/session. */
extern void (*vm_traced)(struct vm *, const char *rule, uint32_t field);
/* VMCALL: DIAGNOSE. Registers are in vcpu.gpr; returns what goes to RAX. Set by cp/session. */
extern uint64_t (*vm_diagnose)(struct vm *);
/* What a call that had the machine held answers; error: 0 or an errno. Set by cp/session. */
extern uint64_t (*vm_called)(struct vm *, unsigned error);
