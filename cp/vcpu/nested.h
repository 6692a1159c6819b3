/* Virtual VMX in the run loop: the seam between cp/ and nest/. A machine has a struct nest from the moment its guest
 * first asks about VMX; until then nothing of this costs it anything. */
#pragma once
#include "cp/vcpu/exit.h"
#include "cp/vcpu/vm.h"
#include "nest/nest.h"

/* The machine's virtual VMX, made when it is first asked for. NULL: not offered, or no frames for it. */
struct nest *nested_of(struct vm *);

/* IA32_FEATURE_CONTROL and the VMX capability MSRs; 0, or -1: #GP(0) */
int nested_read_msr(struct vm *, uint32_t msr, uint64_t *value);
int nested_write_msr(struct vm *, uint32_t msr, uint64_t value);
/* May the guest set CR0 (number 0) or CR4 so? VMX operation fixes bits of both. */
bool nested_allows_cr(struct vm *, unsigned number, uint64_t value);
/* What the guest writes to CR0 or CR4, with the bits that its L1 keeps as they are. */
uint64_t nested_merged_cr(struct vm *, unsigned number, uint64_t value);
/* What goes into the real CR0 or CR4 of what runs now and into its read shadow when the guest writes `value`. */
struct nest_cr nested_cr(struct vm *, unsigned number, uint64_t value);

bool nested_shrink(struct vm *);                   /* drops what can be made again; true: that were frames */
/* power-up state: out of VMX operation, and gives back all it held */
void nested_destroy(struct vm *);

static inline bool nested_runs(const struct vcpu *vcpu) { return nest_in_guest(vcpu->nest); }

/* L1 wants an exit behind each instruction of L2. SDM "Monitor Trap Flag" */
static inline bool nested_steps(const struct vcpu *vcpu)
{
    return nested_runs(vcpu) && nest_steps(vcpu->nest);
}

/* Exits of the VMX instructions. */
enum exit_action nested_instruction(struct vm *);

/* VMCALL for DIAGNOSE_ENTER: the memory way. */
enum exit_action nested_enter(struct vm *);

/* L1 runs on a page that a CP below enters: what it does with VMX is left to that one until it has exited. */
void nested_delegate(struct vcpu *, struct vmcs_delegation *);
void nested_delegated(struct vcpu *, const struct vmcs_delegation *);

/* First of all before entering while nested_runs(): loads vmcs02. Returns when L1's timer for L2 runs out (host TSC),
 * or NEST_TIMER_FRESH. */
uint64_t nested_prepare(struct vm *);
/* An exception that CP queued for L2, or a triple fault of L2: it becomes an exit to L1 if L1 wants it, a triple fault
 * always. @pre vmcs02 is loaded */
void nested_exception(struct vm *);
bool nested_triple_fault(struct vm *); /* false: no L2 runs */
void nested_trap_flag(struct vm *); /* takes L2 out, with the exit that event_trap_flag() queued, or L1 injected */
/* L1 does, whatever L2's RFLAGS.IF and virtual NMIs. @pre nested_runs() */
bool nested_takes_interrupts(const struct vm *);
bool nested_takes_nmis(const struct vm *);
bool nested_blocks_init(const struct vm *); /* VMX operation does, L1's */
/* Before an entry for which something waits, or that is of a halted L2: takes L2 out for what is next by the manual's
 * priorities, if it is L1's and may come now. */
enum nested_next {
    NESTED_GOES_ON, /* L2, or L1, which has an exit */
    NESTED_LEAVE,   /* L2 has something delivered first: the event it is entered with, or a trap that is pending */
    NESTED_SHADOW,  /* L2 has one instruction more, in the shadow of STI or MOV SS */
    NESTED_HALTED   /* L2 halts, and nothing is for L1 */
};
enum nested_next nested_next(struct vm *); /* @pre nested_runs() */
enum { ACTIVITY_HLT = 1 };
void nested_halt(struct vm *); /* L2 halts: notes it as L2's activity state. @pre nested_runs() */
/* The machine waits, with L2 halted; L1's timer for L2 will wake it, if that runs. @pre nested_runs() */
void nested_wait(struct vm *);
bool nested_will_wake(const struct vm *); /* a halted L2 waits, and such a timer runs */
/* When L1's timer for L2 runs out, which nested_prepare() said is fresh. @pre as of nest_timer_start() */
uint64_t nested_timer_start(struct vm *, uint64_t now);
void nested_refused(struct vm *); /* the processor refused vmcs02 */
/* An exit while nested_runs(). True: dealt with; false: CP's own, to be handled as for any guest. */
bool nested_exit(struct vm *);
/* CP changed a control of its own for this machine. */
void nested_control(struct vm *, enum vmcs_index, uint64_t value);
/* Writes to the VMCS that L1 runs on. @pre nested_runs() */
void nested_write_own(struct vm *, enum vmcs_field, uint64_t value);

/* Turns a guest-physical address of the running guest (L1 or L2) into one of the machine's storage. False: it is not
 * mapped. */
bool nested_translate(struct vcpu *, uint64_t *gpa, bool write);
