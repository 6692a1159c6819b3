/* Owns the decoding of what cp/decode has no need of: MOV to and from control and debug registers, CLTS, LMSW, SMSW,
 * INVLPG; and the VMX exit information of VMX instructions, which arrive here as undefined opcodes. */
#include "cp/svm/instruction.h"

#include <string.h>

enum { ESCAPE = 0x0F, GROUP_6 = 0x00, GROUP_7 = 0x01, MAP_0F38_BYTE = 0x38, INVEPT = 0x80, INVPCID = 0x82, CLTS = 0x06,
       MOVZX_16 = 0xB7, MOV_FROM_CR = 0x20, MOV_FROM_DR, MOV_TO_CR, MOV_TO_DR };
enum { REX_B = 1, REX_R = 4, REX_W = 8, GROUP_SMSW = 4, GROUP_LMSW = 6, GROUP_INVLPG = 7 };

static bool is_prefix(uint8_t byte)
{
    static const uint32_t rows[8] = {/* a bit each */
        [1] = 1 << 0x06 | 1 << 0x0E | 1 << 0x16 | 1 << 0x1E, [3] = 0xF << 4, [7] = 1 << 0x10 | 1 << 0x12 | 1 << 0x13};
    return rows[byte >> 5] >> (byte & 31) & 1;
}

unsigned svm_prefixes(const uint8_t *bytes, size_t count, enum decode_mode mode, uint8_t *rex, bool *lock)
{
    unsigned n = 0;

    *rex = 0;
    *lock = false;
    for (; n < count && n < INSTRUCTION_MAX_BYTES; n++) {
        if (mode == DECODE_64 && (bytes[n] & 0xF0) == 0x40) {
            *rex = bytes[n];
        } else if (is_prefix(bytes[n])) {
            *rex = 0; /* REX counts only right before the opcode */
            *lock |= bytes[n] == 0xF0;
        } else {
            break;
        }
    }
    return n;
}

/* The register form is used whatever ModRM.mod says; with LOCK, CR0 is CR8 where the processor has that. APM "MOV
 * CRn". */
static bool mov_decode(const uint8_t *at, unsigned prefixes, uint8_t rex, bool lock, enum decode_mode mode,
                       struct svm_access *a)
{
    a->kind = at[1] >= MOV_TO_CR ? SVM_ACCESS_MOV_TO : SVM_ACCESS_MOV_FROM;
    a->debug = at[1] & 1;
    a->number = (uint8_t)((at[2] >> 3 & 7) | (rex & REX_R) << 1);
    if (lock && (a->debug || a->number))
        return false;
    if (lock)
        a->number = 8;
    a->reg = (uint8_t)((at[2] & 7) | (rex & REX_B) << 3);
    a->size = mode == DECODE_64 ? 8 : 4;
    a->length = (uint8_t)(prefixes + 3);
    return true;
}

/* A two-byte opcode with ModRM has the operand that MOVZX in its place would have. */
static bool operand_decode(const uint8_t *bytes, size_t count, unsigned prefixes, enum decode_mode mode,
                           struct instruction *to)
{
    uint8_t copy[INSTRUCTION_MAX_BYTES];

    if (count > sizeof copy)
        count = sizeof copy;
    memcpy(copy, bytes, count);
    copy[prefixes + 1] = MOVZX_16;
    return instruction_decode(copy, count, mode, to) == DECODE_OK;
}

static bool group_decode(const uint8_t *bytes, size_t count, unsigned prefixes, uint8_t rex, enum decode_mode mode,
                         struct svm_access *a)
{
    uint8_t modrm = bytes[prefixes + 2];
    unsigned which = modrm >> 3 & 7;

    if (which != GROUP_SMSW && which != GROUP_LMSW && which != GROUP_INVLPG)
        return false;
    a->memory = modrm < 0xC0;
    if (a->memory && !operand_decode(bytes, count, prefixes, mode, &a->operand))
        return false;
    if (which == GROUP_INVLPG && !a->memory)
        return false; /* SWAPGS and its like */
    a->kind = which == GROUP_SMSW ? SVM_ACCESS_SMSW : which == GROUP_LMSW ? SVM_ACCESS_LMSW : SVM_ACCESS_INVLPG;
    a->reg = (uint8_t)((modrm & 7) | (rex & REX_B) << 3);
    bool narrow = memchr(bytes, 0x66, prefixes);
    a->size = rex & REX_W ? 8 : (mode == DECODE_16) == narrow ? 4 : 2;
    a->length = a->memory ? a->operand.length : (uint8_t)(prefixes + 3);
    return true;
}

bool svm_access_decode(const uint8_t *bytes, size_t count, enum decode_mode mode, struct svm_access *a)
{
    uint8_t rex;
    bool lock;
    unsigned n = svm_prefixes(bytes, count, mode, &rex, &lock);
    const uint8_t *at = bytes + n;

    *a = (struct svm_access){0};
    if (count < n + 2 || at[0] != ESCAPE)
        return false;
    if (at[1] == CLTS && !lock) {
        a->kind = SVM_ACCESS_CLTS;
        a->length = (uint8_t)(n + 2);
        return true;
    }
    if (count < n + 3)
        return false;
    if (at[1] >= MOV_FROM_CR && at[1] <= MOV_TO_DR)
        return mov_decode(at, n, rex, lock, mode, a);
    return at[1] == GROUP_7 && !lock && group_decode(bytes, count, n, rex, mode, a);
}

static const uint8_t reasons[OPERATIONS] = {
    [OP_VMCALL] = EXIT_VMCALL, [OP_VMLAUNCH] = EXIT_VMLAUNCH, [OP_VMRESUME] = EXIT_VMRESUME, [OP_VMXOFF] = EXIT_VMXOFF,
    [OP_VMCLEAR] = EXIT_VMCLEAR, [OP_VMPTRLD] = EXIT_VMPTRLD, [OP_VMPTRST] = EXIT_VMPTRST, [OP_VMXON] = EXIT_VMXON,
    [OP_VMREAD] = EXIT_VMREAD, [OP_VMWRITE] = EXIT_VMWRITE, [OP_INVEPT] = EXIT_INVEPT, [OP_INVVPID] = EXIT_INVVPID,
    [OP_VMFUNC] = EXIT_VMFUNC,
};

enum { INFO_ADDRESS_SHIFT = 7, INFO_REGISTER = 1 << 10, INFO_SEGMENT_SHIFT = 15, INFO_INDEX_SHIFT = 18,
       INFO_NO_INDEX = 1 << 22, INFO_BASE_SHIFT = 23, INFO_NO_BASE = 1 << 27, INFO_REG2_SHIFT = 28, INFO_REG1_SHIFT = 3,
       INFO_32_BIT = 1 << 11, INFO_IDENTITY_SHIFT = 28 };

static uint32_t memory_information(const struct instruction *i)
{
    uint32_t info = (uint32_t)(i->address_size == 8 ? 2 : i->address_size == 4) << INFO_ADDRESS_SHIFT;

    info |= (uint32_t)i->segment << INFO_SEGMENT_SHIFT;
    info |= i->index == NO_REGISTER ? INFO_NO_INDEX
                                    : (uint32_t)i->index << INFO_INDEX_SHIFT | (uint32_t)__builtin_ctz(i->scale | 8);
    return info | (i->base >= BASE_RIP ? INFO_NO_BASE : (uint32_t)i->base << INFO_BASE_SHIFT);
}

bool svm_vmx_instruction(const struct instruction *i, struct exit *exit)
{
    bool in_register = i->destination == OPERAND_RM_REGISTER || i->source == OPERAND_RM_REGISTER;
    bool in_memory = i->destination == OPERAND_MEMORY || i->source == OPERAND_MEMORY;

    if (!reasons[i->operation])
        return false;
    exit->reason = reasons[i->operation];
    exit->instruction_length = i->length;
    exit->qualification = 0;
    exit->instruction_info = 0;
    if (in_register)
        exit->instruction_info = INFO_REGISTER | (uint32_t)i->base << INFO_REG1_SHIFT;
    if (in_memory) {
        exit->instruction_info = memory_information(i);
        exit->qualification = (uint64_t)i->displacement + (i->base == BASE_RIP ? exit->rip + i->length : 0);
    }
    if (i->destination == OPERAND_REGISTER || i->source == OPERAND_REGISTER)
        exit->instruction_info |= (uint32_t)i->reg << INFO_REG2_SHIFT;
    return true;
}

static void operand_report(const struct instruction *i, struct exit *exit)
{
    exit->instruction_info = memory_information(i);
    exit->qualification = (uint64_t)i->displacement + (i->base == BASE_RIP ? exit->rip + i->length : 0);
    exit->instruction_length = i->length;
}

/* SDM "Format of the VM-Exit Instruction-Information Field as Used for LIDT, LGDT, SIDT, or SGDT" and "... for LLDT,
 * LTR, SLDT, and STR": which of the four it is has the number it has in its opcode group. */
static bool table_instruction(const uint8_t *bytes, size_t count, enum decode_mode mode, unsigned n, uint8_t rex,
                              struct exit *exit)
{
    bool global = bytes[n + 1] == GROUP_7;
    uint8_t modrm = bytes[n + 2];
    unsigned which = modrm >> 3 & 7;
    struct instruction operand;

    if (which > 3)
        return false;
    exit->reason = global ? EXIT_GDTR_IDTR : EXIT_LDTR_TR;
    exit->qualification = 0;
    if (modrm >= 0xC0) {
        if (global)
            return false;
        exit->instruction_info = INFO_REGISTER | ((modrm & 7u) | (rex & REX_B) << 3) << INFO_REG1_SHIFT;
        exit->instruction_length = n + 3;
    } else {
        if (!operand_decode(bytes, count, n, mode, &operand))
            return false;
        operand_report(&operand, exit);
    }
    bool narrow = memchr(bytes, 0x66, n);
    if (global && which >= 2 && mode != DECODE_64 && (mode == DECODE_16) == narrow)
        exit->instruction_info |= INFO_32_BIT;
    exit->instruction_info |= which << INFO_IDENTITY_SHIFT;
    return true;
}

/* INVPCID has the form of INVEPT. */
static bool invpcid(const uint8_t *bytes, size_t count, enum decode_mode mode, unsigned n, struct exit *exit)
{
    uint8_t copy[INSTRUCTION_MAX_BYTES];
    struct instruction instruction;

    if (count > sizeof copy)
        count = sizeof copy;
    memcpy(copy, bytes, count);
    copy[n + 2] = INVEPT;
    if (instruction_decode(copy, count, mode, &instruction) != DECODE_OK || !svm_vmx_instruction(&instruction, exit))
        return false;
    exit->reason = EXIT_INVPCID;
    return true;
}

bool svm_system_instruction(const uint8_t *bytes, size_t count, enum decode_mode mode, struct exit *exit)
{
    uint8_t rex;
    bool lock;
    unsigned n = svm_prefixes(bytes, count, mode, &rex, &lock);

    if (count < n + 3 || bytes[n] != ESCAPE)
        return false;
    if (bytes[n + 1] == MAP_0F38_BYTE && bytes[n + 2] == INVPCID)
        return invpcid(bytes, count, mode, n, exit);
    return (bytes[n + 1] == GROUP_6 || bytes[n + 1] == GROUP_7) && table_instruction(bytes, count, mode, n, rex, exit);
}
