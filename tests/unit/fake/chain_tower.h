/* Two CPs, one in a machine of the other. CP0 is the fake machine of vmx_machine.h with the root nest; CP1 is its L1: a
 * nest of its own, whose VMCSs are pages in storage as those of cp/cpu/memory_nested.c are. Its guest is V2, a
 * hypervisor whose part the test plays, and V2's guest is L3.
 *
 * As CP runs identity-mapped, a frame of CP1's is at the same address in its storage and here. */
#pragma once
#include "tests/unit/fake/vmx_machine.h"
#include "vmcs-shadow/page.h"

#define TOWER_BANK 0x10000000ull /* CP1's storage: its frames, and behind them what is V2's */
enum { TOWER_FRAMES = 1024, TOWER_V2_PAGES = 64, TOWER_V2_BYTES = TOWER_V2_PAGES * 4096, TOWER_REGIONS = 48 };
#define TOWER_V2 (TOWER_BANK + TOWER_FRAMES * 4096ull) /* where V2's storage is in CP1's */
#define TOWER_BYTES ((TOWER_FRAMES + TOWER_V2_PAGES) * 4096ull)
enum { TOWER_CALL = 0x14, TOWER_ENTRY_FAILED = 0x40 };

/* A VMCS of CP1's, as struct memory_region. */
struct tower_region {
    struct vmcs_page *page;
    struct vmcs_set touched;
};

struct tower {
    struct fake_vmx m; /* CP0 */
    struct nest nest;  /* CP1's */
    struct nest_host host;
    struct nest_hardware vmx;
    struct vmx_capability offered; /* to V2 */
    struct vmcs base;
    struct tower_region first, *active, regions[TOWER_REGIONS];
    uint8_t frame_used[TOWER_FRAMES];
    unsigned frames_held;
    uint64_t *ept01; /* its last table: one entry for each page of V2's */
    struct nest_event event0, event1; /* on its way to what CP0, what CP1 enters */
    uint64_t deadline1; /* TSC at which CP1 wants to run */
    int vector1;        /* interrupt that CP1 has for V2; -1: none */

    /* What the test is told, and says. */
    struct exit entry;    /* V2's call or instruction that enters, at which it stands if it is stopped */
    bool in_l3;           /* L3 is what V2's call runs, whoever carries it out */
    unsigned h2_exits;    /* that V2 got of L3 */
    bool done;            /* an instruction was carried out by a CP */
    unsigned delegated, outer, carried_exits; /* calls that CP0 carried out and did not; exits CP0 gave V2 itself */
    bool (*delegates)(struct tower *); /* NULL: always */
    void (*between)(struct tower *);   /* CP1 runs, and is about to enter; may be NULL */
    void (*seen)(struct tower *, const struct exit *); /* CP1 has an exit of V2; may be NULL */
    int frames_spare; /* that CP0 has for each call that is delegated; -1: all */
};

void tower_start(struct tower *);
/* false: something was kept, or hardware complains */
bool tower_stop(struct tower *);

/* V2's storage as V2 reaches it; CP1 brings the page in. NULL: none there. */
void *tower_v2(struct tower *, uint64_t gpa2);
/* CP1 takes a page of V2's away, for a while, and says so. @pre CP1 runs */
void tower_page_out(struct tower *, uint64_t gpa2);
/* CP1 executes INVEPT of its own EPT (0: of all), VMCLEAR. @pre it runs */
void tower_invept(struct tower *, uint64_t eptp);
void tower_vmclear(struct tower *, const struct vmcs_page *page);
uint64_t tower_eptp(const struct tower *);

/* An exit of what runs, as hardware makes it, until V2 or L3 runs again. */
void tower_exit(struct tower *, struct exit *exit);
/* An interrupt for CP1 arrives. */
void tower_interrupt(struct tower *);
/* CP0 gives the innermost back to its owner. @pre it is in a chain */
void tower_give_back(struct tower *);
/* CP1 enters until V2 or L3 runs. */
void tower_run(struct tower *);

/* V2 executes an instruction that exits. */
void tower_v2_executes(struct tower *, enum exit_reason reason);
/* The same with a memory operand of 16 bytes, and a register operand: VMCLEAR, INVEPT, ... */
void tower_v2_operand(struct tower *, enum exit_reason reason, uint64_t first, uint64_t second, uint64_t type);
/* VMLAUNCH, VMRESUME; VMREAD, VMWRITE, by hardware if what it runs on says so. */
void tower_v2_enters(struct tower *, enum exit_reason reason);
uint64_t tower_v2_read(struct tower *, enum vmcs_field field);
void tower_v2_write(struct tower *, enum vmcs_field field, uint64_t value);
/* Its call to enter a page; and again, if it stands there yet while L3 should run. */
void tower_v2_call(struct tower *, uint64_t gpa2);
void tower_settle(struct tower *);
/* Whether L3 is what the processor runs: else V2 stands at its call. */
bool tower_l3_runs(const struct tower *);
bool tower_chained(const struct tower *); /* by CP0 alone */
/* A page at gpa2 in V2's storage, with contents that pass all checks, its EPT at `tables`. */
struct vmcs_page *tower_make_page(struct tower *, uint64_t gpa2, uint64_t tables);
enum { TOWER_V2_VMXON = 0x1000, TOWER_V2_OPERAND = 0x2000 };
