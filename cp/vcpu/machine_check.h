/* Machine checks: what the processor's banks tell of a hardware error, what CP does about it, and who hears of it.
 * SDM "Machine-Check Architecture". */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cp/vcpu/exit.h"
#include "cp/vcpu/vm.h"

enum { MACHINE_CHECK_BANKS = 32 };

/* IA32_MCG_STATUS */
enum { MACHINE_CHECK_RESTART = 1 << 0 /* RIPV */, MACHINE_CHECK_AT_RIP = 1 << 1 /* EIPV */,
       MACHINE_CHECK_UNDER_WAY = 1 << 2 /* MCIP */ };
/* IA32_MCi_STATUS */
#define MACHINE_CHECK_VALID (1ull << 63)
#define MACHINE_CHECK_OVERFLOW (1ull << 62)
#define MACHINE_CHECK_UNCORRECTED (1ull << 61)
#define MACHINE_CHECK_HAS_ADDRESS (1ull << 58)
#define MACHINE_CHECK_CONTEXT_CORRUPT (1ull << 57)
#define MACHINE_CHECK_ACTION_REQUIRED (1ull << 55) /* of AMD: the task's context is corrupt */

struct machine_check_bank {
    unsigned number;
    uint64_t status;  /* IA32_MCi_STATUS, valid */
    uint64_t address; /* if the status says there is one */
};

struct machine_check {
    uint64_t global;  /* IA32_MCG_STATUS */
    bool recovers;    /* the banks tell what must be done (MCG_SER_P) */
    unsigned banks;   /* those with an error */
    struct machine_check_bank bank[MACHINE_CHECK_BANKS];
};

enum machine_check_verdict {
    MACHINE_CHECK_GO_ON,  /* corrected, or nobody has used what is bad */
    MACHINE_CHECK_VICTIM, /* what ran cannot go on; all else can */
    MACHINE_CHECK_FATAL,  /* the processor itself cannot be relied on */
};

/* What a #MC means to what it interrupted. CP as a victim is the end of CP: @see machine_check_in_cp. */
enum machine_check_verdict machine_check_judge(const struct machine_check *);
/* One line of at most `size` bytes with its NUL: the first of the worst banks. */
void machine_check_text(const struct machine_check *, char *text, size_t size);

void machine_check_note(const struct machine_check *); /* the event loop will tell of it, as of one that did no harm */
/* In CP's own #MC: true, CP goes on and the event loop will tell; false, it must end. Calls nothing
 * that may be what was interrupted. */
bool machine_check_in_cp(const struct machine_check *);
/* A #MC took the place of what the machine's program did: it goes on, or its machine stops
 * (VM_STOP_MACHINE_CHECK), or CP ends. */
enum exit_action machine_check_in_guest(struct vm *);
/* A machine's processor shut down: by itself (VM_STOP_TRIPLE_FAULT), or by a machine check that was not intercepted. */
void machine_check_shut_down(struct vm *);

/* From here on the banks are looked at now and then for errors that raised no exception. */
void machine_check_watch(void);
extern volatile bool machine_check_waits; /* some were noted that nobody was told of yet */
void machine_check_report(void);          /* tells of them; between exits */
/* Told of an error, and of what came of it, in words. Set by cp/session. */
extern void (*machine_check_told)(const struct machine_check *, const char *outcome);
