/* An exit of a VMCB in VMX terms. Pure: the bytes of the instruction are given. */
#pragma once
#include "cp/svm/instruction.h"
#include "cp/svm/state.h"

struct svm_code { /* instruction bytes at CS:RIP */
    uint8_t bytes[INSTRUCTION_MAX_BYTES];
    size_t count; /* 0: not asked for, or not readable */
    enum decode_mode mode;
};

enum { SVM_DEBUG_CONDITIONS = 0x600F }; /* of DR6: B0 to B3, BD, BS */

enum svm_verdict {
    SVM_REPORT,    /* *exit is filled */
    /* the guest raised one: exit's interruption_info and error say which. Reported if the controls ask for it */
    SVM_EXCEPTION,
    SVM_UNDEFINED, /* the guest is to have #UD */
    SVM_SEEN,      /* reads CR0 or CR4 (*access), of which it must see another value than the real one */
    /* INT n, INT3, INTO or INT1: exit's interruption_info and instruction_length. Reported or carried out */
    SVM_SOFTWARE,
    SVM_IRET,      /* NMIs are unblocked when this instruction is over */
};

/* Must the code be fetched to translate this exit? */
bool svm_exit_wants_code(const struct vmcb *);
/* Did VMRUN refuse the state it was given? */
bool svm_exit_refused(const struct vmcb *, const struct svm_code *);

/* Fills *exit (all but the IDT-vectoring information). An INTR is EXIT_EXTERNAL_INTERRUPT. @pre the VMCB did run */
enum svm_verdict svm_exit_translate(const struct svm_state *, const struct svm_code *, struct exit *exit,
                                    struct svm_access *access);

/* EXITINTINFO as VMX's IDT-vectoring information. `software_length`: if CP had injected the event for a software
 * instruction, the length of that instruction; exit->rip is then its address again. */
void svm_exit_vectoring(const struct vmcb *, const struct svm_code *, unsigned software_length, struct exit *exit);
