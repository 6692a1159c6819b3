/* Virtual VMX of one virtual CPU: the one header of this folder that CP uses.
 *
 * L1 is the guest that executes VMX instructions, L2 the guest it runs with them.  vmcs01 is CP's VMCS for L1,
 * vmcs12 the one L1 wrote for L2, vmcs02 what CP runs L2 with.  Nothing here touches hardware: what is needed of it
 * is in struct nest_hardware, and what of CP in struct nest_host.
 *
 * Call order, for the run loop:
 *
 *   (a) an exit from vmcs01 whose reason nest_is_instruction()      -> nest_instruction()
 *
 *         NEST_SKIP       done; advance RIP
 *         NEST_FAULT      queue nest->fault as an exception, RIP stays
 *         NEST_ENTERED    L2 runs from here on: nest_in_guest() is true; take nest->event over as the event to inject;
 *                         go to (b)
 *         NEST_REFLECTED  L1's entry failed late: L1 stands at its host RIP; go on with vmcs01
 *         NEST_NO_FRAMES, NEST_ABORT  stop the machine
 *
 *   (b) before every entry while nest_in_guest()                    -> nest_load()
 *
 *         the vmcs02 region and what to write to it
 *
 *   (c) an exit while nest_in_guest()                               -> nest_exit()
 *
 *         NEST_CP         CP's own: handle it as for any guest; vcpu_read/vcpu_write reach vmcs02
 *         NEST_SKIP       an instruction was carried out here (VMFUNC, VMREAD, VMWRITE): advance RIP, enter again
 *         NEST_FAULT      queue nest->fault as an exception of L2, which L1 may want
 *         NEST_RESUME     was dealt with here (EPT02 filled, ...): enter again
 *         NEST_FORBIDDEN  an operand lies where L1's EPT forbids it, as host->linear() found: that is an EPT violation
 *         NEST_REFLECTED  L1 has it and stands at its host RIP in vmcs01; go on with vmcs01
 *
 *       and nest_reflect() for an exit CP makes up: an interrupt for L1 while L2 runs, INIT, a triple fault of L2
 *
 *   (d) nest_reset() on reset of the virtual CPU; nest_destroy() when the machine goes.
 *
 * MSRs of nest_is_msr() go to nest_rdmsr/nest_wrmsr; MOV to CR0/CR4 of L1 asks nest_allows_cr(). */
#pragma once
#include "nest/hardware.h"
#include "nest/mode.h"
#include "vmcs-shadow/capability.h"
#include "vmcs-shadow/exit.h"
#include "vmcs-shadow/page.h"

#define NEST_NO_ADDRESS (~0ull)
#define NEST_NO_TIMER (~0ull)
#define NEST_TIMER_FRESH 0ull
#define NEST_NO_FIELD (~0u)

/* Where a page of L1's storage is.  `bytes` is 4 KiB or 2 MiB: how far both sides are contiguous around it. */
struct nest_translation {
    uint64_t hpa;      /* of the page's start */
    uint64_t bytes;
    uint8_t rights;    /* of the mapping in EPT01, bits 0..2 as in an EPT entry: read, write, execute */
};

enum nest_access { NEST_READ, NEST_WRITE };
#define NEST_UNREACHABLE (~0u)

/* What this folder needs of the guest's side: its storage, its registers, its translation, its frames.  Every function
 * gets `context`.  A guest-physical address is L1's and may be anything. */
struct nest_host {
    void *context;
    uint64_t *gpr; /* the 16 general registers in encoding order; [4] (RSP) is not used */

    /* Fields of the VMCS that is loaded: vmcs01 while L1 runs, vmcs02 while L2 runs. */
    uint64_t (*get)(void *context, enum vmcs_field field);
    void (*set)(void *context, enum vmcs_field field, uint64_t value);

    /* L1's storage.  false: some of it is no RAM (then what was moved is undefined). */
    bool (*read)(void *context, uint64_t gpa, void *to, size_t bytes);
    bool (*write)(void *context, uint64_t gpa, const void *from, size_t bytes);
    /* Linear to guest-physical in L1's storage with the paging of what runs, L1 or L2, and its
     * privilege level 0. false: page fault with *error, or NEST_UNREACHABLE: the address lies, or its
     * tables do, where L1's EPT maps nothing. */
    bool (*linear)(void *context, uint64_t linear, enum nest_access access, uint64_t *gpa, uint32_t *error);
    /* Linear to guest-physical for who runs, which may be a guest's guest at any depth: the address is its own. May be
     * NULL: there is no chain. */
    bool (*linear_own)(void *context, uint64_t linear, enum nest_access access, uint64_t *gpa, uint32_t *error);
    /* Where these bytes of L1's linear address space lie for CP to read, at most once, if that is known at once; NULL:
     * to be found out with linear().  May be NULL.  @pre L1 runs 64-bit code at privilege level 0 */
    const void *(*view)(void *context, uint64_t linear, unsigned bytes);
    /* An operand of those bytes was read or written: there may be a breakpoint on it.  May be NULL. */
    void (*touched)(void *context, uint64_t linear, unsigned bytes, enum nest_access access);
    /* The page at gpa as CP reaches it; stays until the virtual VMX is reset. NULL: no RAM, or no
     * frames. NULL itself: no memory way. */
    void *(*page)(void *context, uint64_t gpa);
    /* The page at gpa for hardware to use until unpin; NEST_NO_ADDRESS: no RAM. */
    uint64_t (*pin)(void *context, uint64_t gpa);
    void (*unpin)(void *context, uint64_t gpa);
    /* EPT01's view of gpa; brings the page in.  false: no RAM (a device, or nothing). */
    bool (*translate)(void *context, uint64_t gpa, enum nest_access access, struct nest_translation *translation);
    /* A number that is another one when the page may have been written since; 0: not known.  May be NULL: never
     * known. */
    uint64_t (*version)(void *context, uint64_t gpa);

    /* Zeroed 4 KiB frames on L1's account, and NULL when there are none.  A frame's address is its pointer. */
    void *(*frame_alloc)(void *context);
    void (*frame_free)(void *context, void *frame);
    /* Frees a tree of EPT tables that hardware has forgotten, when there is time: `root`, the tables
     * below it, and `books`, a frame for the host's use meanwhile; so many frames in all. May be
     * NULL: frame_free() does it at once. */
    void (*tables_free)(void *context, void *books, uint64_t *root, uint64_t frames);

    /* MSRs of the virtual CPU, for the MSR lists, as L1 has them, whoever runs.  false: #GP. */
    bool (*rdmsr)(void *context, uint32_t msr, uint64_t *value);
    bool (*wrmsr)(void *context, uint32_t msr, uint64_t value);

    uint64_t (*tsc)(void *context);  /* the real TSC */

    /* A failed entry or a VMfail, for TRACE VMX: why, and the encoding of the field, or NEST_NO_FIELD.  May be NULL. */
    void (*trace)(void *context, const char *rule, uint32_t field);
};

enum nest_result {
    NEST_SKIP, NEST_FAULT, NEST_ENTERED, NEST_REFLECTED, NEST_CP, NEST_RESUME, NEST_FORBIDDEN,
    NEST_OUTER,     /* of a delegated entry: its owner must carry it out, or deal with the exit: nest_chain_return() */
    NEST_NO_FRAMES, /* CP had no frame for it: stop the machine */
    NEST_UNSOUND,   /* vmcs02 is not what it must be (nest/assert.h), a bug of CP's own, and this L2 must not run:
                       nest->unsound says where */
    NEST_WAITS,     /* L2 waits for a SIPI, which a machine of one processor never gets, and nothing else ends that:
                       stop the machine */
    NEST_ABORT,     /* VMX abort: the virtual CPU is in shutdown; nest->abort_reason says why */
};

struct nest_fault {
    uint8_t vector;
    bool has_error;
    uint32_t error;
    uint64_t cr2; /* page fault only */
};

struct nest_event {
    uint32_t info, error, length; /* as the VM-entry fields; info 0: none */
};

/* What CP never gives away, for the merge: bits of CR0 and CR4 that are forced in the real registers. */
struct nest_policy {
    uint64_t cr0_ones, cr0_zeroes, cr4_ones, cr4_zeroes;
    uint8_t physical_bits; /* MAXPHYADDR as L1's CPUID tells it */
    bool nested_page_tables; /* EPT02 in the form AMD's nested paging reads */
    bool marks_pdptes;       /* the accessed bit of PAE's top entries may be set in storage: it is not looked at */
    uint16_t vpid_first, vpid_count; /* VPIDs for L2 contexts; count 0: no VPID in vmcs02 */
};

enum { NEST_ACTIVE = 16, NEST_EPT_CACHE = 4 };

struct nest_vmcs; /* one active virtual VMCS: nest/active.h */
struct nest_ept;  /* one EPT02: nest/ept.h */

/* A translation nest_host.linear() may keep from call to call; this folder only forgets it, at reset. */
struct nest_memo {
    uint64_t page, cr0, cr3, cr4, gpa;
    const void *at;             /* the page as CP reaches it */
    const uint64_t *entries[4]; /* of L1's page tables, and what was in them */
    uint64_t values[4];
    uint8_t used, access;       /* entries in use; 0: nothing is kept */
};
enum { NEST_MEMOS = 4 };

struct nest_counts {
    uint64_t reflected[EXIT_REASONS], handled[EXIT_REASONS], instructions[EXIT_REASONS];
};

struct nest {
    struct nest *outer;               /* whose L2 is this one's L1; this one where L1 is the machine's own guest */
    struct nest *root, *innermost;    /* of a chain (nest/chain.h); of the root: the last whose L2 runs, or itself */
    struct nest_chain *chain;         /* what this one has as one that is delegated; NULL: it is the root */
    unsigned chain_walks;             /* of the root: tables that may yet be read for this exit */
    bool by_page;                     /* of the root: its L2 runs on a page */
    bool chain_missed;                /* of the root: in this exit something was not where it was looked for */
    void *l1_region;                  /* the outer's vmcs02, on which this one's L1 runs; NULL: vmcs01 */
    const struct nest_host *host;
    const struct nest_hardware *hardware;
    struct vcpu *cpu;                 /* as hardware knows it */
    enum nest_mode mode;
    struct nest_policy policy;
    const struct vmx_capability *capability, *offered; /* the hardware's; what L1 is offered of it */
    struct vmcs vmcs01;               /* CP's controls and host state: the base of every merge; see nest_base_write() */

    uint64_t feature_control;         /* IA32_FEATURE_CONTROL */
    bool vmxon, in_guest;
    bool is_delegated;                /* to the CP below, and nothing is held here */
    struct vmcs_delegation delegation; /* how things stand there */
    bool base_written;                /* vmcs01 was, since the last entry: no vmcs02 was told of it yet */
    bool untagged;                    /* vmcs01 runs without its VPID: L1 entered L2 without one */
    bool long_mode;                   /* L1's IA32_EFER.LMA, which VMX operation keeps it from changing */
    uint64_t caches;                  /* CR0.CD and NW of who runs: no entry and no exit changes them */
    uint64_t vmxon_gpa;
    struct nest_vmcs *current;        /* NULL: the current-VMCS pointer is FFFFFFFF_FFFFFFFFH */
    struct nest_vmcs *active[NEST_ACTIVE];
    unsigned active_top;              /* places of it that were ever in use */
    uint64_t use_clock;               /* for the least recently used of them */
    struct nest_ept *ept[NEST_EPT_CACHE];
    struct vmcs_set fields;           /* those L1 is offered; empty: not asked for yet, see nest_active_fields() */
    void *field_bitmaps[2];           /* what L2 may reach in a linked VMCS at most: by VMREAD, VMWRITE; NULL: unused */

    uint64_t timer_deadline;          /* TSC at which L1's preemption timer for L2 runs out; NEST_NO_TIMER: not active,
                                         NEST_TIMER_FRESH: it counts from L2's first instruction, which is to come */
    uint64_t timer_ticks;             /* that it counts, of the TSC */

    struct nest_fault fault;          /* after NEST_FAULT */
    struct nest_event event;          /* after NEST_ENTERED */
    uint32_t abort_reason;            /* after NEST_ABORT: SDM "VMX Aborts" */
    enum vmcs_index unsound;          /* after NEST_UNSOUND: the field */
    uint64_t device_gpa;              /* after NEST_CP for an EPT violation: L1's guest-physical address, no storage */
    struct nest_memo memos[NEST_MEMOS];
    struct nest_counts counts;
};

/* What a virtual VMX is made with. Pointers but vmcs01's are kept. */
struct nest_setup {
    const struct nest_host *host;
    const struct nest_hardware *hardware;
    struct vcpu *cpu;
    enum nest_mode mode;
    struct nest_policy policy;
    const struct vmx_capability *capability, *offered;
    const struct vmcs *vmcs01; /* CP's VMCS for L1: its controls and host state are what CP wants for every guest */
};

/* Memory of sizeof(struct nest) becomes the virtual VMX of a CPU after power-up. */
void nest_init(struct nest *nest, const struct nest_setup *);
/* RESET or INIT of the virtual CPU (`power_up`: IA32_FEATURE_CONTROL too): out of VMX operation, everything freed.
 * If L2 was running, vmcs02 may still be loaded: load vmcs01 first. */
void nest_reset(struct nest *nest, bool power_up);
void nest_destroy(struct nest *nest); /* frees all it had */
/* SET NEST: another mode, only while the machine is outside VMX operation.  false: it is in it. */
bool nest_set_mode(struct nest *nest, enum nest_mode mode);

/* CP changed a control of its own (interrupt window, TSC offset, bitmap): every vmcs02 follows.
 * @pre L1 has a part in the field: it is merged by a rule.  What is CP's alone stays as nest_init() was given it. */
void nest_base_write(struct nest *nest, enum vmcs_index index, uint64_t value);

static inline bool nest_in_guest(const struct nest *nest) { return nest && nest->in_guest; }
bool nest_is_instruction(unsigned basic_reason);
/* Whether it could be asked if what the guest that runs does with VMX is delegated: nest/chain.h.
 * @pre nest_in_guest() */
static inline bool nest_chain_may_delegate(const struct nest *root)
{
    return root->by_page || root->innermost != root;
}

/* A VMX instruction of L1.  @pre vmcs01 is loaded */
enum nest_result nest_instruction(struct nest *nest, const struct exit *exit);

/* The memory way: L1's call to enter with the page at gpa (vmcs-shadow/page.h); it is current from then on, as after
 * VMPTRLD.  As nest_instruction(), but NEST_SKIP always is a failure and *error says which; else RAX and RBX are the
 * page's.  @pre vmcs01 is loaded, L1 is at privilege level 0 */
enum nest_page_error {
    NEST_PAGE_NOT_OFFERED, /* by this mode; or L1 is not in VMX operation */
    NEST_PAGE_ADDRESS,     /* not a page of L1's RAM, or one that VMXON or VMPTRLD has */
    NEST_PAGE_MALFORMED,   /* revision or form; a note of a field that is not offered; a shadow VMCS */
    NEST_PAGE_NO_FRAMES,
    NEST_PAGE_FAILED,      /* VMfailValid: the VM-instruction error is in the page */
};
enum nest_result nest_enter_page(struct nest *nest, uint64_t gpa, enum nest_page_error *error);
/* Whether what runs now, or ran last, was entered so. */
bool nest_entered_by_page(const struct nest *nest);

/* L1 is about to run, and the CP below carries out what it does with VMX (nest/chain.h): lets go of all that is held
 * here for it, and says how things stand. All of it comes back as it is asked for, by nest_instruction() or
 * nest_enter_page(). @pre not nest_in_guest() */
void nest_delegate(struct nest *nest, struct vmcs_delegation *delegation);
/* L1 has run so: how things stand now. */
void nest_delegated(struct nest *nest, const struct vmcs_delegation *delegation);

/* What to do before entering L2. */
struct nest_entry {
    void *region;               /* vmcs02 */
    const struct vmcs *image;   /* vmcs02's contents */
    struct vmcs_set *write;     /* fields whose value in the region is not the image's yet, for the caller to empty when
                                   it is; never among them: the entry interruption fields (CP's event queue writes
                                   those) and the preemption timer */
    uint64_t deadline;          /* TSC at which L1 wants L2 out, NEST_NO_TIMER: never; CP's timer is set for the earlier
                                   one. NEST_TIMER_FRESH: nest_timer_start() says when */
};
/* Of a chain that is the innermost's, and the earliest deadline.
 * NEST_RESUME: *entry is filled; the caller loads entry->region and writes entry->write to it (vmcs_sync_push).
 * NEST_NO_FRAMES, NEST_UNSOUND, NEST_WAITS: stop the machine.  @pre nest_in_guest() */
enum nest_result nest_load(struct nest *root, struct nest_entry *entry);

void *nest_region(const struct nest *root); /* the same region. @pre nest_in_guest() */

/* An exit of L2, of a chain the innermost's.  NEST_FAULT: its instruction was carried out as far as to an exception.
 * @pre nest_in_guest(), vmcs02 is loaded */
enum nest_result nest_exit(struct nest *root, const struct exit *exit);
/* Gives L1 an exit that CP makes up: EXIT_EXTERNAL_INTERRUPT with interruption_info (0: not acknowledged), EXIT_INIT,
 * EXIT_TRIPLE_FAULT, EXIT_EXCEPTION_NMI with an NMI, ...  @pre nest_in_guest(), vmcs02 is loaded */
enum nest_result nest_reflect(struct nest *nest, const struct exit *exit);
/* Hardware refused vmcs02 with VMfail: our bug, but L1 gets an answer (VMfailValid 7), its RIP advanced, and lives. */
enum nest_result nest_entry_refused(struct nest *root);

bool nest_steps(const struct nest *root); /* L1's monitor trap flag. @pre nest_in_guest() */
bool nest_is_inactive(const struct nest *nest); /* L1 enters L2 so. @pre after NEST_ENTERED */
uint32_t nest_windows(const struct nest *nest); /* L1's interrupt-window and NMI-window exiting. @pre nest_in_guest() */

/* L1's preemption timer: SDM "VMX-Preemption Timer". It begins when L2 does, so that an entry is not charged with what
 * CP does for it; from then on it goes on while CP handles exits of its own. Returns its deadline.
 * @pre that is NEST_TIMER_FRESH; `now` is the TSC, and L2's first instruction is the next thing to come */
uint64_t nest_timer_start(struct nest *root, uint64_t now);
bool nest_timer_expired(const struct nest *nest, uint64_t now);

/* What becomes of an interrupt or NMI for L1 that arrives while L2 runs. */
enum nest_arrival {
    NEST_ARRIVAL_EXIT,      /* nest_reflect() it now; if *acknowledge, take the vector and pass it */
    NEST_ARRIVAL_DELIVER,   /* L1 gave its interrupts away: to L2 as to any guest (its RFLAGS.IF, its windows) */
};
enum nest_arrival nest_interrupt_arrives(const struct nest *nest, bool *acknowledge);
enum nest_arrival nest_nmi_arrives(const struct nest *nest, bool blocked); /* by L2's interruptibility */

/* MOV to CR0 or CR4 (number 0 or 4) of the guest that runs, as far as it is CP's to do: what goes into the register and
 * into its read shadow.  While L1 runs the register is L1's with CP's forced bits; while L2 runs, the bits L1 keeps
 * stay as L1 set them. */
struct nest_cr {
    uint64_t real, shadow;
};
struct nest_cr nest_cr_write(struct nest *nest, unsigned number, uint64_t value);
/* What the processor would have in the register: of L2's the bits that L1 keeps do not come from what is written. */
uint64_t nest_cr_merged(const struct nest *nest, unsigned number, uint64_t value);
/* Whether the guest that runs may write this to CR0 or CR4: in VMX operation some bits are fixed; of L2's those that
 * L1 keeps do not come from it.  false: #GP. */
bool nest_allows_cr(const struct nest *nest, unsigned number, uint64_t value);

/* IA32_FEATURE_CONTROL and IA32_VMX_*.  false: #GP. */
bool nest_is_msr(uint32_t msr);
bool nest_rdmsr(const struct nest *nest, uint32_t msr, uint64_t *value);
bool nest_wrmsr(struct nest *nest, uint32_t msr, uint64_t value);

/* In VMX operation INIT is blocked and A20M is not possible. */
static inline bool nest_blocks_init(const struct nest *nest) { return nest && nest->vmxon && !nest->in_guest; }

/* Guest-physical address of L2 to that of L1, for CP's own look at L2's memory.  false: EPT12 does not map it so. */
bool nest_translate(struct nest *root, uint64_t l2_gpa, enum nest_access access, uint64_t *l1_gpa);

/* Gives back the frames of what can be made again: the tables of EPT02. False, and nothing is given, where these are
 * fewer than one instruction of L2 may need at once (code, operands and the tables that lead to them, each by three
 * tables): L2 would then make and drop them for ever. */
enum { NEST_SHRINK_LEAST = 32 };
bool nest_shrink(struct nest *nest);

/* Changes of EPT01 under a running nest: CP took the page of L1's storage at l1_gpa away or changed its rights. */
void nest_ept01_changed(struct nest *nest, uint64_t l1_gpa, uint64_t bytes);
