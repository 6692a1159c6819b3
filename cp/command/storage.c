/* DISPLAY STORE: the machine's registers and storage, seen and changed. */
#include <string.h>

#include "cp/command/families.h"
#include "cp/session/task.h"
#include "cp/time/work.h"
#include "lib/format.h"

const char command_display_help[] =
    "DISPLAY {G | X | PSW | storage}\n"
    "  storage: [V | T]address[.bytes | -end]\n"
    "Shows general registers, control registers, RIP and RFLAGS, or guest-physical\n"
    "storage (T: with its characters). Numbers are hexadecimal; 1000 bytes at most.\n";
const char command_store_help[] =
    "STORE address data ...\n"
    "STORE {register | RIP | RFLAGS} value\n"
    "Changes guest-physical storage (up to 16 bytes a word, in the order written) or\n"
    "a register.\n";

enum { DISPLAY_MAX = 0x1000, ROW_BYTES = 16 };

static const char *const gpr_names[GPRS] = {"RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI",
                                            "R8",  "R9",  "R10", "R11", "R12", "R13", "R14", "R15"};

struct named_field {
    const char *name;
    enum vmcs_field field;
};
static const struct named_field control_fields[] = {
    {"CR0", VMCS_GUEST_CR0},    {"CR3", VMCS_GUEST_CR3},        {"CR4", VMCS_GUEST_CR4},
    {"EFER", VMCS_GUEST_EFER},  {"GDTR", VMCS_GUEST_GDTR_BASE}, {"IDTR", VMCS_GUEST_IDTR_BASE},
    {"TR", VMCS_GUEST_TR_BASE}, {"FS", VMCS_GUEST_FS_BASE},     {"GS", VMCS_GUEST_GS_BASE},
};
static const struct named_field psw_fields[] = {{"RIP", VMCS_GUEST_RIP}, {"RFLAGS", VMCS_GUEST_RFLAGS}};

/* ---- registers -------------------------------------------------------------------------------------------------- */

static uint64_t gpr_value(struct vcpu *v, unsigned i) { return i == RSP ? vcpu_read(v, VMCS_GUEST_RSP) : v->gpr[i]; }

static void show_gprs(struct call *c)
{
    struct vcpu *v = &c->session->vm->vcpu;
    for (unsigned i = 0; i < GPRS; i += 2)
        response_line(c->response, "%-3s = %016llX  %-3s = %016llX", gpr_names[i], (unsigned long long)gpr_value(v, i),
                      gpr_names[i + 1], (unsigned long long)gpr_value(v, i + 1));
}

static void show_fields(struct call *c, const struct named_field *field, unsigned count)
{
    for (; count--; field++)
        response_line(c->response, "%-6s = %016llX", field->name,
                      (unsigned long long)vcpu_read(&c->session->vm->vcpu, field->field));
}

/* The number of a general register, GPRS + that of a PSW field, or -1: neither. */
static int register_find(struct word name)
{
    for (unsigned i = 0; i < sizeof psw_fields / sizeof *psw_fields; i++)
        if (word_is(name, psw_fields[i].name, 3))
            return (int)(GPRS + i);
    for (unsigned i = 0; i < GPRS; i++)
        if (word_is(name, gpr_names[i], strlen(gpr_names[i])))
            return (int)i;
    return -1;
}

/* Of a machine that waits for the answer they are the call's to write, and RIP is behind it already. */
static unsigned store_register(struct call *c, unsigned number, uint64_t value)
{
    struct vcpu *v = &c->session->vm->vcpu;
    if (c->response->machine_asks)
        return FAIL(c, "CDS", 9028, number < GPRS ? gpr_names[number] : psw_fields[number - GPRS].name);
    if (number >= GPRS)
        vcpu_write(v, psw_fields[number - GPRS].field, value);
    else if (number == RSP)
        vcpu_write(v, VMCS_GUEST_RSP, value);
    else
        v->gpr[number] = value;
    response_line(c->response, "Store complete.");
    return 0;
}

/* ---- storage ---------------------------------------------------------------------------------------------------- */

struct range {
    uint64_t start, bytes;
};

enum { INVALID_HEXLOC = 4, INVALID_RANGE = 9 };

/* 0, or what is wrong as a message's number. */
static unsigned parse_range(struct word w, struct range *r)
{
    unsigned at = 0;
    uint64_t end;
    while (at < w.length && w.text[at] != '.' && w.text[at] != '-')
        at++;
    struct word tail = {w.text + at + 1, at < w.length ? w.length - at - 1 : 0};
    if (!word_hex((struct word){w.text, at}, 16, &r->start))
        return INVALID_HEXLOC;
    r->bytes = 4;
    if (at == w.length)
        return 0;
    if (!word_hex(tail, 16, &end) || (w.text[at] == '-' && end < r->start))
        return INVALID_RANGE;
    r->bytes = w.text[at] == '-' ? end - r->start + 1 : end;
    return r->bytes && r->bytes <= DISPLAY_MAX ? 0 : INVALID_RANGE;
}

static char printable(uint8_t byte) { return byte >= 0x20 && byte < 0x7f ? byte : '.'; }

static void show_row(struct call *c, uint64_t at, const uint8_t *bytes, unsigned count, bool characters)
{
    char hex[ROW_BYTES * 2 + ROW_BYTES / 4 + 1] = "", text[ROW_BYTES + 1] = "";
    unsigned used = 0;
    for (unsigned i = 0; i < count; i++)
        used += format_text(hex + used, sizeof hex - used, "%02X%s", bytes[i], i % 4 == 3 ? " " : "");
    for (unsigned i = 0; i < count; i++)
        text[i] = printable(bytes[i]);
    response_line(c->response, characters ? "V%08llX  %-36s *%s*" : "V%08llX  %s", (unsigned long long)at, hex, text);
}

static unsigned outside(struct call *c, const char *module, uint64_t address)
{
    char text[20];
    format_text(text, sizeof text, "%llX", (unsigned long long)address);
    return FAIL(c, module, 160, text);
}

struct display {
    uint64_t at, bytes; /* what is left of the storage it shows */
    bool characters;    /* how it shows it */
    char operands[DIAGNOSE_COMMAND_MAX + 1]; /* after that */
};
_Static_assert(sizeof(struct display) <= TASK_KEEPS, "kept from step to step");

static unsigned show_next_row(struct call *c, struct display *d)
{
    uint8_t bytes[ROW_BYTES];
    unsigned count = d->bytes < ROW_BYTES ? d->bytes : ROW_BYTES;
    if (guest_read(&c->session->vm->storage, gpa(d->at), bytes, count) != GUEST_OK)
        return outside(c, "CDB", d->at);
    show_row(c, d->at, bytes, count, d->characters);
    d->at += count;
    d->bytes -= count;
    return 0;
}

/* One operand: shows registers, or notes which storage is to be shown. */
static unsigned display_one(struct call *c, struct word w, struct display *d)
{
    char text[32];
    struct range r;
    word_upper(w, text, sizeof text);
    if (word_is(w, "G", 1))
        return show_gprs(c), 0;
    if (word_is(w, "X", 1))
        return show_fields(c, control_fields, sizeof control_fields / sizeof *control_fields), 0;
    if (word_is(w, "PSW", 1))
        return show_fields(c, psw_fields, 2), 0;
    d->characters = *text == 'T';
    if (*text == 'T' || *text == 'V')
        w.text++, w.length--;
    unsigned wrong = parse_range(w, &r);
    if (wrong)
        return FAIL(c, "CDB", wrong, text);
    d->at = r.start;
    d->bytes = r.bytes;
    return 0;
}

/* Row by row and operand by operand. False: there is more, and no time for it now. */
static bool display_some(struct call *c, struct display *d, unsigned *failed)
{
    struct word w;
    do {
        if (d->bytes)
            *failed = show_next_row(c, d);
        else if (call_next(c, &w))
            *failed = display_one(c, w, d);
        else
            return true;
    } while (!*failed && !work_over());
    return *failed;
}

/* The task, when it takes longer. */
static bool display_on(struct session *s, struct response *response, unsigned *code)
{
    struct display *d = task_kept(s);
    struct call c = {.session = s, .response = response, .unread = d->operands};
    bool done = display_some(&c, d, code);
    memmove(d->operands, c.unread, strlen(c.unread) + 1);
    return done;
}

unsigned command_display(struct call *c)
{
    struct display *d = task_kept(c->session);
    unsigned failed = 0;
    if (!call_peek(c).length)
        return FAIL(c, "CDB", 26, "");
    d->bytes = 0;
    if (display_some(c, d, &failed))
        return failed;
    format_text(d->operands, sizeof d->operands, "%s", c->unread);
    task_begin(c->session, display_on, c->response->machine_asks);
    return 0;
}

/* "0102AB": the bytes 01 02 AB, in this order. */
static unsigned parse_bytes(struct word w, uint8_t bytes[ROW_BYTES])
{
    if (w.length & 1 || w.length > ROW_BYTES * 2)
        return 0;
    for (unsigned i = 0; i < w.length; i += 2) {
        uint64_t byte;
        if (!word_hex((struct word){w.text + i, 2}, 2, &byte))
            return 0;
        bytes[i / 2] = byte;
    }
    return w.length / 2;
}

static unsigned store_bytes(struct call *c, uint64_t at)
{
    struct word w;
    char text[36];
    while (call_next(c, &w)) {
        uint8_t bytes[ROW_BYTES];
        unsigned count = parse_bytes(w, bytes);
        word_upper(w, text, sizeof text);
        if (!count)
            return FAIL(c, "CDS", 5, text);
        if (guest_write(&c->session->vm->storage, gpa(at), bytes, count) != GUEST_OK)
            return outside(c, "CDS", at);
        at += count;
    }
    response_line(c->response, "Store complete.");
    return 0;
}

unsigned command_store(struct call *c)
{
    struct word where;
    uint64_t value;
    char text[32];
    if (!call_next(c, &where) || !call_peek(c).length)
        return FAIL(c, "CDS", 26, "");
    int number = register_find(where);
    if (number >= 0 && word_hex(call_peek(c), 16, &value))
        return store_register(c, (unsigned)number, value);
    word_upper(where, text, sizeof text);
    if (*text == 'S' || *text == 'V')
        where.text++, where.length--;
    return word_hex(where, 16, &value) ? store_bytes(c, value) : FAIL(c, "CDS", 4, text);
}
