/* Instructions that exit on SVM and of which it says too little: where their operands are and how long they are. */
#pragma once
#include "cp/decode/instruction.h"
#include "vmcs-shadow/exit.h"

/* Prefixes before the opcode, at most `count`; *rex is the REX prefix or 0, *lock whether LOCK is among them. */
unsigned svm_prefixes(const uint8_t *bytes, size_t count, enum decode_mode, uint8_t *rex, bool *lock);

enum svm_access_kind { SVM_ACCESS_MOV_TO, SVM_ACCESS_MOV_FROM, SVM_ACCESS_CLTS, SVM_ACCESS_LMSW, SVM_ACCESS_SMSW,
                       SVM_ACCESS_INVLPG };

/* An access to a control or debug register, or INVLPG. */
struct svm_access {
    /* enum svm_access_kind; the numbers of the first four are those of the VMX exit qualification */
    uint8_t kind;
    uint8_t number;     /* of the control or debug register */
    uint8_t reg;        /* general register, or */
    bool debug, memory; /* `operand` says where in memory */
    uint8_t length, size;
    struct instruction operand;
};

/* false: none of these, or not all there, or an undefined opcode by its LOCK. */
bool svm_access_decode(const uint8_t *bytes, size_t count, enum decode_mode, struct svm_access *);

/* A VMX instruction as a VMX processor reports it: reason, length, displacement as qualification, instruction
 * information. exit->rip is given. false: not a VMX instruction. SDM "VM-Exit Instruction-Information Field". */
bool svm_vmx_instruction(const struct instruction *, struct exit *);

/* The same for SGDT, SIDT, LGDT, LIDT, SLDT, STR, LLDT, LTR and INVPCID, from their bytes. false: none of these. */
bool svm_system_instruction(const uint8_t *bytes, size_t count, enum decode_mode, struct exit *);
