/* Owns the table from SVM's exit codes to VMX's exit reasons, and the building of qualifications. */
#include "cp/svm/exit.h"

#include "vmcs-shadow/control.h"

enum { TYPE_NMI = 2, TYPE_EXCEPTION = 3, TYPE_SOFTWARE = 4, TYPE_PRIVILEGED = 5, TYPE_SOFTWARE_EXCEPTION = 6,
       VECTOR_NMI = 2, VECTOR_DB = 1, VECTOR_BP = 3, VECTOR_OF = 4, VECTOR_DF = 8, VECTOR_UD = 6, VECTOR_NP = 11,
       VECTOR_GP = 13, VECTOR_PF = 14, VECTOR_AC = 17, VM_FUNCTIONS = 64 };
#define INFO_VALID (1u << 31)
#define INFO_ERROR (1u << 11)
#define EFER_LMA (1ull << 10)

/* Exits that are an instruction of fixed form, or none (length 0). */
/* what is rare stays out of the page that every exit goes through */
#define APART __attribute__((noinline))

static const struct row {
    uint8_t reason, length;
} rows[SVM_EXIT_CODES] = {
    [SVM_EXIT_INTR] = {EXIT_EXTERNAL_INTERRUPT, 0}, [SVM_EXIT_INIT] = {EXIT_INIT, 0},
    [SVM_EXIT_VINTR] = {EXIT_INTERRUPT_WINDOW, 0}, [SVM_EXIT_SHUTDOWN] = {EXIT_TRIPLE_FAULT, 0},
    [SVM_EXIT_RDTSC] = {EXIT_RDTSC, 2}, [SVM_EXIT_RDPMC] = {EXIT_RDPMC, 2}, [SVM_EXIT_CPUID] = {EXIT_CPUID, 2},
    [SVM_EXIT_INVD] = {EXIT_INVD, 2}, [SVM_EXIT_PAUSE] = {EXIT_PAUSE, 1}, [SVM_EXIT_HLT] = {EXIT_HLT, 1},
    [SVM_EXIT_MSR] = {EXIT_RDMSR, 2}, [SVM_EXIT_RDTSCP] = {EXIT_RDTSCP, 3}, [SVM_EXIT_WBINVD] = {EXIT_WBINVD, 2},
    [SVM_EXIT_MONITOR] = {EXIT_MONITOR, 3}, [SVM_EXIT_MWAIT] = {EXIT_MWAIT, 3}, [SVM_EXIT_MWAIT + 1] = {EXIT_MWAIT, 3},
    [SVM_EXIT_XSETBV] = {EXIT_XSETBV, 3},
    [SVM_EXIT_VMMCALL] = {EXIT_VMCALL, 3}, /* which KVM beneath CP writes over a guest's VMCALL */
};

static bool is_access(uint64_t code)
{
    return code < SVM_EXIT_EXCEPTION || code == SVM_EXIT_CR0_SELECTIVE || code == SVM_EXIT_INVLPG;
}

/* Of which VMX tells where the operand is. */
static bool is_system(uint64_t code)
{
    return (code >= SVM_EXIT_IDTR_READ && code <= SVM_EXIT_TR_WRITE) || code == SVM_EXIT_INVPCID;
}

/* Instructions that LOCK makes undefined, which QEMU carries out. */
static bool is_lockless(uint64_t code)
{
    return code == SVM_EXIT_IO || is_system(code) || (code < SVM_EXIT_CODES && rows[code].length);
}

/* An event of an instruction was on its way; INT3 and INTO are told as exceptions by some processors. */
static bool is_delivering_software(const struct vmcb *vmcb)
{
    uint64_t info = vmcb->exit_interrupt_info;
    unsigned vector = info & 0xFF, type = info >> 8 & 7;

    return (info & VMCB_EVENT_VALID) &&
           (type == VMCB_EVENT_SOFTWARE ||
            (type == VMCB_EVENT_EXCEPTION && (vector == VECTOR_BP || vector == VECTOR_OF)));
}

bool svm_exit_wants_code(const struct vmcb *vmcb)
{
    uint64_t code = vmcb->exit_code;

    if (is_access(code) || code == SVM_EXIT_ERROR || code == SVM_EXIT_EXCEPTION + VECTOR_UD ||
        code == SVM_EXIT_EXCEPTION + VECTOR_GP)
        return true;
    if (is_delivering_software(vmcb))
        return true;
    return code == SVM_EXIT_RDTSC || code == SVM_EXIT_WBINVD || is_system(code) || code == SVM_EXIT_INTN ||
           code == SVM_EXIT_ICEBP || (is_lockless(code) && !vmcb->next_rip);
}

static bool has_lock(const struct svm_code *code)
{
    uint8_t rex;
    bool lock;

    svm_prefixes(code->bytes, code->count, code->mode, &rex, &lock);
    return lock;
}

/* Where the processor does not say where the next instruction is: the prefixes and the fixed rest. */
static unsigned length_of(const struct vmcb *vmcb, const struct svm_code *code, unsigned fixed)
{
    uint8_t rex;
    bool lock;

    if (vmcb->next_rip)
        return (unsigned)(vmcb->next_rip - vmcb->rip) & 15;
    return fixed + svm_prefixes(code->bytes, code->count, code->mode, &rex, &lock);
}

/* SDM "Exit Qualification for I/O Instructions"; APM "IOIO Intercepts". */
static enum svm_verdict port(const struct vmcb *vmcb, struct exit *exit)
{
    enum { TYPE_IN = 1, STRING = 4, REPEAT = 8 };
    uint64_t info = vmcb->exit_info1;

    exit->reason = EXIT_IO;
    exit->instruction_length = (uint32_t)(vmcb->exit_info2 - vmcb->rip) & 15;
    exit->qualification = ((info >> 4 & 7) - 1) | (info & TYPE_IN) << 3 | (info & STRING) << 2 | (info & REPEAT) << 2 |
                          (info & 0xFFFF0000u);
    return SVM_REPORT;
}

/* SDM "Exit Qualification for EPT Violations": the kind of access. Entries of page tables are always
 * written to, so that an access to one is both: APM "Nested versus Guest Page Faults, Fault Ordering". The
 * linear address is not known here. */
static enum svm_verdict page(const struct vmcb *vmcb, struct exit *exit)
{
    enum { ERROR_WRITE = 2, ERROR_FETCH = 16, READ = 1, WRITE = 2, FETCH = 4 };
    uint64_t error = vmcb->exit_info1;

    exit->reason = EXIT_EPT_VIOLATION;
    exit->guest_physical = vmcb->exit_info2;
    if (error & SVM_NPF_TABLE)
        exit->qualification = READ | WRITE;
    else
        exit->qualification = error & ERROR_FETCH ? FETCH : error & ERROR_WRITE ? WRITE : READ;
    return SVM_REPORT;
}

static enum svm_verdict raised(unsigned vector, uint64_t error, struct exit *exit)
{
    const uint32_t with_error = 1u << VECTOR_DF | 0x1Fu << 10 | 1u << VECTOR_AC;
    bool has_error = with_error >> vector & 1 && vector != 15;
    unsigned type = vector == VECTOR_BP || vector == VECTOR_OF ? TYPE_SOFTWARE_EXCEPTION : TYPE_EXCEPTION;

    exit->reason = EXIT_EXCEPTION_NMI;
    exit->interruption_info = INFO_VALID | type << 8 | (has_error ? INFO_ERROR : 0) | vector;
    exit->interruption_error = has_error ? (uint32_t)error : 0;
    return SVM_EXCEPTION;
}

/* Hardware with VMX raises #UD for these in such modes, before anything else. */
static bool vmx_mode(const struct svm_state *s, const struct instruction *i)
{
    const struct vmcb *vmcb = s->vmcb;
    bool compatible = (vmcb->efer >> 10 & 1) && !(vmcb->cs.rights >> 9 & 1);

    /* SDM "VMFUNC": of any mode, but undefined without its control and beyond function 63 */
    if (i->operation == OP_VMFUNC)
        return (s->image.secondary_controls & CPU2_VM_FUNCTIONS) && (uint32_t)vmcb->rax < VM_FUNCTIONS;
    return i->operation == OP_VMCALL || ((vmcb->cr0 & 1) && !(vmcb->rflags >> 17 & 1) && !compatible);
}

static APART enum svm_verdict software(const struct svm_code *code, struct exit *exit)
{
    static const struct {
        uint8_t opcode, length, type, vector; /* the vector is the byte after INT n */
    } forms[] = {{0xCD, 2, TYPE_SOFTWARE, 0}, {0xCC, 1, TYPE_SOFTWARE_EXCEPTION, VECTOR_BP},
                 {0xCE, 1, TYPE_SOFTWARE_EXCEPTION, VECTOR_OF}, {0xF1, 1, TYPE_PRIVILEGED, VECTOR_DB}};
    uint8_t rex;
    bool lock;
    unsigned n = svm_prefixes(code->bytes, code->count, code->mode, &rex, &lock);

    for (unsigned i = 0; i < sizeof forms / sizeof *forms && !lock; i++) {
        if (n + forms[i].length > code->count || code->bytes[n] != forms[i].opcode)
            continue;
        unsigned vector = forms[i].type == TYPE_SOFTWARE ? code->bytes[n + 1] : forms[i].vector;
        exit->reason = EXIT_EXCEPTION_NMI;
        exit->interruption_info = INFO_VALID | (uint32_t)forms[i].type << 8 | vector;
        exit->instruction_length = n + forms[i].length;
        return SVM_SOFTWARE;
    }
    return SVM_UNDEFINED;
}

static APART enum svm_verdict undefined(const struct svm_state *s, const struct svm_code *code, struct exit *exit)
{
    struct instruction instruction;

    if (instruction_decode(code->bytes, code->count, code->mode, &instruction) == DECODE_OK &&
        vmx_mode(s, &instruction) && svm_vmx_instruction(&instruction, exit))
        return SVM_REPORT;
    if (software(code, exit) == SVM_SOFTWARE &&
        (exit->interruption_info >> 8 & 7) == TYPE_PRIVILEGED) /* QEMU has no INT1 */
        return SVM_SOFTWARE;
    exit->instruction_length = 0;
    return raised(VECTOR_UD, 0, exit);
}

/* SDM "Exit Qualification for Control-Register Accesses", "for MOV DR". */
static APART enum svm_verdict access_report(const struct svm_access *a, struct exit *exit)
{
    exit->instruction_length = a->length;
    if (a->kind == SVM_ACCESS_INVLPG) {
        exit->reason = EXIT_INVLPG;
        return SVM_REPORT;
    }
    if (a->debug) {
        exit->reason = EXIT_DR_ACCESS;
        exit->qualification =
            (a->number & 7u) | (uint64_t)(a->kind == SVM_ACCESS_MOV_FROM) << 4 | (uint64_t)a->reg << 8;
        return SVM_REPORT;
    }
    if (a->kind == SVM_ACCESS_SMSW || (a->kind == SVM_ACCESS_MOV_FROM && (a->number == 0 || a->number == 4)))
        return SVM_SEEN;
    exit->reason = EXIT_CR_ACCESS;
    bool names_register = a->kind == SVM_ACCESS_MOV_TO || a->kind == SVM_ACCESS_MOV_FROM;
    exit->qualification = a->number | (uint64_t)a->kind << 4 | (names_register ? (uint64_t)a->reg << 8 : 0);
    return SVM_REPORT;
}

/* Of accesses, LOCK is left to MOV to and from CR0 alone, which is CR8 then. A processor without that CR8 should not
 * have executed it, and QEMU takes it for CR0. */
static APART enum svm_verdict access(uint64_t exit_code, const struct svm_code *code, struct exit *exit,
                                     struct svm_access *a)
{
    bool is_cr8 = exit_code == SVM_EXIT_CR_READ + 8 || exit_code == SVM_EXIT_CR_WRITE + 8;

    if (!svm_access_decode(code->bytes, code->count, code->mode, a) || (has_lock(code) && !is_cr8))
        return SVM_UNDEFINED;
    return access_report(a, exit);
}

static bool is_mov_to(unsigned number, const struct svm_code *code, struct svm_access *a)
{
    return svm_access_decode(code->bytes, code->count, code->mode, a) && a->kind == SVM_ACCESS_MOV_TO && !a->debug &&
           a->number == number;
}

static APART enum svm_verdict exception(const struct svm_state *s, const struct svm_code *code, struct exit *exit,
                                        struct svm_access *a)
{
    unsigned vector = s->vmcb->exit_code & 31;

    if (vector == VECTOR_UD)
        return undefined(s, code, exit);
    /* VMXE is reserved here: some say so before they look at intercepts */
    if (vector == VECTOR_GP && is_mov_to(4, code, a) && !(s->vmcb->cpl & 3))
        return access_report(a, exit);
    if (vector == VECTOR_PF)
        exit->qualification = s->vmcb->exit_info2;
    if (vector == VECTOR_DB)
        exit->qualification = s->vmcb->dr6 & SVM_DEBUG_CONDITIONS;
    return raised(vector, s->vmcb->exit_info1, exit);
}

bool svm_exit_refused(const struct vmcb *vmcb, const struct svm_code *code)
{
    struct svm_access a;

    return vmcb->exit_code == SVM_EXIT_INVALID || (vmcb->exit_code == SVM_EXIT_ERROR && !is_mov_to(3, code, &a));
}

/* INVPCID exits also where the guest is not to have it. */
static APART enum svm_verdict system_report(const struct svm_state *s, const struct svm_code *code, struct exit *exit)
{
    if (s->vmcb->exit_code == SVM_EXIT_INVPCID && !(s->image.secondary_controls & CPU2_INVPCID))
        return SVM_UNDEFINED;
    return svm_system_instruction(code->bytes, code->count, code->mode, exit) ? SVM_REPORT : SVM_UNDEFINED;
}

/* QEMU reports RDTSCP as RDTSC and INVD as WBINVD. */
static uint64_t told_apart(uint64_t number, const struct svm_code *code)
{
    uint8_t rex;
    bool lock;
    unsigned n = svm_prefixes(code->bytes, code->count, code->mode, &rex, &lock);

    if (code->count < n + 2)
        return number;
    if (number == SVM_EXIT_RDTSC)
        return code->bytes[n + 1] == 0x01 ? SVM_EXIT_RDTSCP : SVM_EXIT_RDTSC;
    return code->bytes[n + 1] == 0x08 ? SVM_EXIT_INVD : SVM_EXIT_WBINVD;
}

enum svm_verdict svm_exit_translate(const struct svm_state *s, const struct svm_code *code, struct exit *exit,
                                    struct svm_access *a)
{
    const struct vmcb *vmcb = s->vmcb;
    uint64_t number = vmcb->exit_code;

    *exit = (struct exit){.rip = vmcb->rip};
    if (number == SVM_EXIT_NPF)
        return page(vmcb, exit);
    if (number == SVM_EXIT_ERROR)
        return raised(VECTOR_GP, 0, exit);
    if (is_lockless(number) && has_lock(code) && svm_exit_wants_code(vmcb)) /* or its bytes are of another */
        return SVM_UNDEFINED;
    if (number == SVM_EXIT_IO)
        return port(vmcb, exit);
    if (is_access(number))
        return access(number, code, exit, a);
    if (is_system(number))
        return system_report(s, code, exit);
    if (number >= SVM_EXIT_EXCEPTION && number < SVM_EXIT_INTR)
        return exception(s, code, exit, a);
    if (number == SVM_EXIT_NMI) {
        exit->interruption_info = INFO_VALID | TYPE_NMI << 8 | VECTOR_NMI;
        return SVM_REPORT; /* reason 0 */
    }
    if (number == SVM_EXIT_INTN || number == SVM_EXIT_ICEBP)
        return software(code, exit);
    if (number == SVM_EXIT_IRET)
        return SVM_IRET;
    if (number >= SVM_EXIT_CODES || !rows[number].reason)
        return SVM_UNDEFINED; /* the instructions of SVM itself, which no guest is told of */
    if (number == SVM_EXIT_RDTSC || number == SVM_EXIT_WBINVD)
        number = told_apart(number, code);
    exit->reason = rows[number].reason + (number == SVM_EXIT_MSR && vmcb->exit_info1 ? EXIT_WRMSR - EXIT_RDMSR : 0);
    exit->instruction_length = rows[number].length ? length_of(vmcb, code, rows[number].length) : 0;
    return SVM_REPORT;
}

/* QEMU tells INT3 and INTO from INT 3 and INT 4 no more than by their opcode. */
static bool is_one_byte(const struct svm_code *code)
{
    enum { INT3 = 0xCC, INTO = 0xCE };
    uint8_t rex;
    bool lock;
    unsigned n = svm_prefixes(code->bytes, code->count, code->mode, &rex, &lock);

    return n < code->count && (code->bytes[n] == INT3 || code->bytes[n] == INTO);
}

/* SDM "Error Code": a fault in the delivery of an event names its gate in steps of 8, and whether the event came from
 * outside the program. QEMU counts in steps of 16 in IA-32e mode, and never says the latter. */
static void gate_error(const struct vmcb *vmcb, unsigned vector, bool software, struct exit *exit)
{
    enum { EXTERNAL = 1, IDT = 2, GATE = 8 };
    unsigned step = vmcb->efer & EFER_LMA ? 2 * GATE : GATE, by = exit->interruption_info & 0xFF;

    if (exit->reason == EXIT_EXCEPTION_NMI && (exit->interruption_info & INFO_ERROR) &&
        (by == VECTOR_GP || by == VECTOR_NP) && exit->interruption_error == (vector * step | IDT))
        exit->interruption_error = vector * GATE | IDT | (software ? 0 : EXTERNAL);
}

void svm_exit_vectoring(const struct vmcb *vmcb, const struct svm_code *code, unsigned software_length,
                        struct exit *exit)
{
    uint64_t info = vmcb->exit_interrupt_info;
    unsigned vector = info & 0xFF, type = info >> 8 & 7;

    if (!(info & VMCB_EVENT_VALID))
        return;
    bool software = is_delivering_software(vmcb);
    if (software && (type == VMCB_EVENT_EXCEPTION || (!software_length && is_one_byte(code))))
        type = TYPE_SOFTWARE_EXCEPTION;
    if (type == VMCB_EVENT_NMI) /* SVM ignores its vector, and KVM says 0 */
        vector = VECTOR_NMI;
    gate_error(vmcb, vector, software, exit);
    exit->idt_vectoring_info = INFO_VALID | (uint32_t)(info & INFO_ERROR) | type << 8 | vector;
    exit->idt_vectoring_error = (uint32_t)(info >> 32);
    if (!software)
        return;
    exit->rip -= software_length;
    exit->instruction_length = software_length ? software_length
                                               : length_of(vmcb, code, type == VMCB_EVENT_SOFTWARE ? 2 : 1);
}
