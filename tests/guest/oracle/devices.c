/* Templates of several instructions with devices, and of what a hypervisor may keep from its guest; see templates.c. */
#include "tests/guest/oracle/sequence.h"

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

/* What waits in a loop is the same number of instructions on no two processors. */
static bool may_wait(const struct sequence *s) { return s->mood == MOOD_PLAIN || s->mood == MOOD_WATCHED; }

static void put_out(struct sequence *s, unsigned port, unsigned value)
{
    put_set(s, RDX, port);
    PUT(s, 0xB0, (uint8_t)value);
    PUT(s, 0xEE);
}

/* HLT with interrupts off, until the PIT, whose pin of the I/O APIC is an NMI. Should it come before the HLT, run.c
 * starts it again. */
void emit_halt(struct sequence *s, const struct row *row)
{
    (void)row;
    if (s->mood != MOOD_PLAIN) {
        PUT(s, 0x90);
        return;
    }
    s->halts = true;
    PUT(s, 0xFA);
    PUT(s, 0xB0, 0x30); /* mode 0 */
    PUT(s, 0xE6, 0x43);
    PUT(s, 0xB0, 4);
    PUT(s, 0xE6, 0x40);
    PUT(s, 0xE6, 0x40);
    PUT(s, 0xF4);
}

/* A one-shot that ran out, and becomes periodic: SDM "APIC Timer". */
void emit_apic_timer(struct sequence *s, const struct row *row)
{
    enum {
        LVT = 0x320,
        INITIAL = 0x380,
        CURRENT = 0x390,
        DIVIDE = 0x3E0,
        BY_1 = 11,
        MASKED = 1 << 16,
        PERIODIC = 1 << 17
    };
    uint32_t current = ORACLE_AT(PAGE_DEVICE, CURRENT);

    (void)row;
    if (!may_wait(s)) {
        PUT(s, 0x90);
        return;
    }
    put_store(s, DIVIDE, BY_1);
    put_store(s, LVT, MASKED | ORACLE_IRQ);
    put_store(s, INITIAL, 1 + sequence_below(s, 2000));
    PUT(s, 0x8B, 0x04, 0x25, BYTES_OF_4(current));
    PUT(s, 0x85, 0xC0);
    PUT(s, 0x75, 0xF5); /* JNZ to the load */
    put_store(s, LVT, MASKED | PERIODIC | ORACLE_IRQ);
    for (unsigned n = sequence_below(s, 4); n; n--)
        PUT(s, 0x90);
    PUT(s, 0x8B, 0x04, 0x25, BYTES_OF_4(current));
    put_store(s, INITIAL, 0);
    put_store(s, LVT, MASKED | ORACLE_IRQ);
}

/* A byte or two that nobody reads meanwhile, with FIFOs or without: what is there, and what the UART says of it. */
void emit_loopback(struct sequence *s, const struct row *row)
{
    enum { DATA = 0x3F8, ENABLE, FIFO, LINE, MODEM, STATUS, LOOP = 0x10 };
    bool fifos = sequence_below(s, 4) == 0;

    (void)row;
    if (!may_wait(s)) {
        PUT(s, 0x90);
        return;
    }
    put_set(s, RDX, STATUS);
    PUT(s, 0xEC);
    PUT(s, 0xA8, 0x40);
    PUT(s, 0x74, 0xFB); /* JZ to the IN */
    put_out(s, FIFO, fifos ? 7 : 0);
    put_out(s, MODEM, LOOP);
    for (unsigned n = 1 + sequence_below(s, 2); n; n--) {
        put_out(s, DATA, sequence_below(s, 256));
        put_set(s, RDX, STATUS);
        PUT(s, 0xEC);
        PUT(s, 0xA8, 0x40);
        PUT(s, 0x74, 0xFB);
    }
    PUT(s, 0x24, 3);    /* AND AL: data ready, overrun */
    PUT(s, 0x88, 0xC4); /* MOV AH, AL */
    put_set(s, RDX, DATA);
    PUT(s, 0xEC);
    PUT(s, 0x89, 0xC3); /* MOV EBX, EAX */
    PUT(s, 0xEC);       /* Bochs keeps "data ready" of what is cleared */
    put_out(s, FIFO, 7);
    put_out(s, MODEM, 0x0B);
}

/* A bit beside the operand, which a register says. */
void emit_bit_string(struct sequence *s, const struct row *row)
{
    uint64_t at = sequence_place(s, 4, false);
    int32_t words = (int32_t)sequence_below(s, 9) - 4;

    put_set(s, RDI, at - (uint64_t)(int64_t)words * 4);
    put_set(s, RBX, (uint32_t)(words * 32 + (int32_t)sequence_below(s, 32)));
    if (row->form & LOCKABLE && sequence_below(s, 2))
        PUT(s, 0xF0, (uint8_t)row->opcode[0], (uint8_t)row->opcode[1], RBX << 3 | RDI);
    else
        PUT(s, (uint8_t)row->opcode[0], (uint8_t)row->opcode[1], RBX << 3 | RDI);
}

enum { SCRATCH_PORT = 0x3FF };

/* INS and OUTS of the UART's scratch register, which keeps what it is given. */
void emit_string_io(struct sequence *s, const struct row *row)
{
    bool repeated = sequence_below(s, 2);

    put_set(s, RDX, SCRATCH_PORT);
    put_set(s, (uint8_t)row->opcode[0] == 0x6C ? RDI : RSI, sequence_place(s, 1, false));
    if (repeated) {
        put_set(s, RCX, 1 + sequence_below(s, 4));
        PUT(s, 0xF3, (uint8_t)row->opcode[0]);
    } else {
        PUT(s, (uint8_t)row->opcode[0]);
    }
}

void emit_io(struct sequence *s, const struct row *row)
{
    (void)row;
    put_set(s, RDX, SCRATCH_PORT);
    if (sequence_below(s, 2))
        PUT(s, 0xEE);
    if (sequence_below(s, 2))
        PUT(s, 0xEC);
    else
        PUT(s, 0xE6, 0x80);
}

static void put_rdtscp(struct sequence *s)
{
    enum { TSC_AUX = 0xC0000103 };

    put_set(s, RCX, TSC_AUX);
    put_set(s, RDX, 0);
    put_set(s, RAX, sequence_below(s, 100000));
    PUT(s, 0x0F, 0x30);
    PUT(s, 0x0F, 0x01, 0xF9);
    put_set(s, RAX, 1);
    put_set(s, RDX, 2);
}

/* EPTP switching to the EPT there is, the list's only one. Elsewhere an instruction that does nothing either. */
static void put_function(struct sequence *s)
{
    put_set(s, RAX, 0);
    put_set(s, RCX, 0);
    if (s->place.guest)
        PUT(s, 0x0F, 0x01, 0xD4);
    else
        PUT(s, 0x0F, 0x1F, 0xC0);
}

/* Undefined where a control does not enable them: SDM "Changes to Instruction Behavior in VMX Non-Root Operation". */
void emit_enabled(struct sequence *s, const struct row *row)
{
    static const struct {
        uint8_t bytes, code[5];
    } lacking[] = {
        {3, {0x0F, 0x01, 0xF9}},             /* RDTSCP */
        {5, {0x66, 0x0F, 0x38, 0x82, 0x07}}, /* INVPCID RAX, [RDI] */
        {3, {0x0F, 0x01, 0xD4}},             /* VMFUNC 0 */
    };
    static const uint8_t undefined[] = {0x66, 0x66, 0x0F, 0xB9, 0xC0}; /* UD1 */
    unsigned n = sequence_below(s, sizeof lacking / sizeof *lacking);

    (void)row;
    if (n != 1 && !s->denies) {
        n ? put_function(s) : put_rdtscp(s);
        return;
    }
    put_set(s, RDI, ORACLE_AT(PAGE_DATA, TOUCHED_MIDDLE));
    put_set(s, RAX, 0);
    unsigned bytes = lacking[n].bytes;
    put(s, bytes, s->place.guest ? lacking[n].code : undefined + sizeof undefined - bytes);
}

/* Of a field that there is not both fail, and no processor does that for its guest without an exit. */
static void put_absent(struct sequence *s, bool links)
{
    put_set(s, RCX, 0x6828 + 2 * sequence_below(s, 3));
    for (unsigned n = 1 + sequence_below(s, 2); n; n--)
        links ? PUT(s, 0x0F, n == 1 ? 0x78 : 0x79, 0xC8) : PUT(s, 0x0F, 0x1F, 0xC0);
}

/* A field of the VMCS that the guest is linked to, written from a register or memory and read back to either; elsewhere
 * MOVs as long. */
void emit_linked(struct sequence *s, const struct row *row)
{
    static const uint16_t fields[] = {0x681C /* guest's RSP */, 0x6C00, 0x2010, 0x6002};
    bool links = s->place.guest && s->place.links;

    (void)row;
    if (sequence_below(s, 2)) {
        put_absent(s, links);
        return;
    }
    uint64_t from = sequence_memory(s, 8, false), to = sequence_memory(s, 8, false);
    put_set(s, RCX, fields[sequence_below(s, sizeof fields / sizeof *fields)]);
    put_set(s, RAX, sequence_random(s));
    put_set(s, RDI, from);
    put_set(s, RSI, to);
    if (sequence_below(s, 2))
        PUT(s, 0x90);
    if (sequence_below(s, 2))
        links ? PUT(s, 0x0F, 0x79, 0xC8) : PUT(s, 0x0F, 0x1F, 0xC0);
    else
        links ? PUT(s, 0x0F, 0x79, 0x0F) : PUT(s, 0x48, 0x8B, 0x07);
    if (sequence_below(s, 2))
        links ? PUT(s, 0x0F, 0x78, 0xCB) : PUT(s, 0x48, 0x89, 0xC3);
    else
        links ? PUT(s, 0x0F, 0x78, 0x0E) : PUT(s, 0x48, 0x89, 0x06);
    put_set(s, RBX, 3);
    put_set(s, RAX, 4);
}
