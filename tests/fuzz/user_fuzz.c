/* Three terminals, four users and their machines, and everything they may do at any time: bytes typed, lines that drop,
 * consoles that flood, commands by DIAGNOSE, machines that end, time that passes. What must hold: whoever sits at a
 * terminal is shown control characters only of their own doing, and nothing of who sat there before; a user is logged
 * on once; a response stays in its buffer; and when all have left, every frame is back. */
#include "tests/fuzz/user_echo.h"
#include "tests/fuzz/user_phrases.h"
#include "tests/unit/session_scene.h"

#include "cp/ipl/nss.h"
#include "cp/ipl/saved.h"
#include "cp/session/logon.h"
#include "cp/terminal/terminal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_AT = 0x1000, IMAGE_AT = 0x2000, RESPONSE_AT = 0x3000, USERS = 4, POLLS = 20000, MARK = '~' };

struct input {
    const uint8_t *at, *end;
    uint64_t more; /* behind the end: numbers that follow from what was there, so that short inputs are long days too */
};

/* What is known of a terminal. */
static struct seat {
    unsigned users;  /* a bit a user: they have been at it since somebody came */
    bool typed;      /* something was typed that may not have been echoed yet */
    bool high;       /* and beyond ASCII */
    uint8_t last[2]; /* bytes shown last */
} seat[FAKE_LINES];
static unsigned typists, high_typists; /* a bit a user: what they typed is shown again where they reconnect */

static const char *const names[USERS] = {"OPERATOR", "MAINT", "ALICE", "BOB"};
static uint64_t frames_at_first, cp_frames_at_first;

static uint64_t take(struct input *in, unsigned bytes)
{
    uint64_t value = 0;

    while (bytes--) {
        if (in->at == in->end)
            in->more = in->more * 6364136223846793005 + 1442695040888963407;
        value = value << 8 | (in->at < in->end ? *in->at++ : in->more >> 56);
    }
    return value;
}

static struct terminal *terminal_of(unsigned line) { return fake_line[line].line.owner; }

static int number_of(const struct user *user)
{
    for (int i = 0; i < USERS; i++)
        if (user && !strcmp(user->id, names[i]))
            return i;
    return -1;
}

/* ---- what must hold ---------------------------------------------------------------------------------------------- */

/* A mark is "~n": written by the machine of user n, and by nobody else. */
static void shown_byte(struct seat *at, uint8_t byte)
{
    if (at->last[0] == MARK && byte >= '0' && byte < '0' + USERS)
        require(at->users >> (byte - '0') & 1);
    if (byte < 0x20 && byte != '\r' && byte != '\n')
        require(at->typed && (byte == '\a' || byte == '\b' || byte == '\033'));
    require(byte != 0x7F);
    if (byte >= 0x80 && byte < 0xA0 && !at->high) /* within a character, and not C1 in two bytes */
        require(at->last[0] >= 0x80 && !(at->last[0] == 0xC2 && at->last[1] < 0x80));
    at->last[1] = at->last[0];
    at->last[0] = byte;
}

static void look(unsigned line)
{
    struct fake_line *f = &fake_line[line];
    struct session *s = terminal_of(line)->session;
    int user = number_of(s->user);

    require(s->output.terminal == terminal_of(line) && s->state != SESSION_FREE);
    if (user >= 0) {
        seat[line].users |= 1u << user;
        typists |= (unsigned)seat[line].typed << user;
        high_typists |= (unsigned)seat[line].high << user;
        seat[line].typed |= typists >> user & 1;
        seat[line].high |= high_typists >> user & 1;
    }
    for (unsigned i = 0; i < f->length; i++)
        shown_byte(&seat[line], (uint8_t)f->text[i]);
    f->length = f->seen = 0;
    if (ring_used(&s->output.ring)) /* there is more to come */
        return;
    seat[line].typed = s->typing.editor.keys.line.length || ring_used(&terminal_of(line)->input);
    if (user < 0 && s->state == SESSION_LOGON)
        seat[line].users = 0;
}

static void look_at_all(void)
{
    unsigned once = 0;

    for (unsigned i = 0; i < FAKE_LINES; i++)
        look(i);
    for (struct session *s = NULL; (s = session_next(s));) {
        int user = number_of(s->user);
        require(!s->user == !s->vm);
        require(!s->vm || s->vm->session == s);
        require(user < 0 || !(once >> user & 1));
        once |= user < 0 ? 0 : 1u << user;
    }
}

/* ---- the event loop ---------------------------------------------------------------------------------------------- */

/* As long as the event loop comes round of itself. Then it sleeps, and nothing may be left undone. */
static void until_idle(void)
{
    bool due = true;

    for (unsigned i = 0; due && !session_closed; i++) {
        require(i < POLLS); /* nobody keeps it busy for ever */
        fake_disk_done_all(&scene_disk);
        fake_clock_advance(0);
        for (unsigned line = 0; line < FAKE_LINES; line++) /* who is seen here may be gone at the end */
            look(line);
        work_run();
        user_poll();
        due = timer_next() <= clock_now() || work_waits() || scene_disk.waiting;
    }
    look_at_all();
    user_poll();
    for (unsigned line = 0; line < FAKE_LINES && !session_closed; line++)
        require(!fake_line[line].length);
}

/* ---- what may happen --------------------------------------------------------------------------------------------- */

static void type_byte(unsigned line, uint8_t byte)
{
    struct line *l = &fake_line[line].line;

    if (byte == MARK)
        byte = '.';
    seat[line].typed = true;
    seat[line].high |= byte >= 0x80;
    if (!terminal_of(line)->away)
        l->input(l, byte);
}

static void type_bytes(struct input *in, unsigned line)
{
    for (unsigned n = take(in, 1) & 63; n--;)
        type_byte(line, (uint8_t)take(in, 1));
}

enum { PHRASES = sizeof phrases / sizeof *phrases };

static void type_phrase(struct input *in, unsigned line)
{
    for (const char *p = phrases[take(in, 1) % PHRASES]; *p; p++) {
        type_byte(line, (uint8_t)*p);
        if (*p == '\r')
            until_idle();
    }
}

static void carrier(unsigned line, bool there)
{
    struct line *l = &fake_line[line].line;

    look(line);
    if (!there || terminal_of(line)->away) { /* another person from here on */
        seat[line] = (struct seat){.users = 0};
    }
    l->carrier(l, there);
}

/* Who does not read what is written holds it up. */
static void stick(unsigned line, bool stuck)
{
    struct line *l = &fake_line[line].line;

    fake_line[line].stuck = stuck;
    if (!stuck)
        l->room(l);
}

static struct session *somebody(unsigned user)
{
    struct session *s = session_find(names[user % USERS]);
    return s && s->vm ? s : NULL;
}

/* The machine's console: a mark, and printable bytes; it may end within a line. */
static void machine_writes(struct input *in, struct session *s, unsigned times)
{
    uint8_t text[40] = {MARK, (uint8_t)('0' + number_of(s->user))};
    unsigned length = 2;

    for (unsigned n = take(in, 1) & 31; n--; length++) {
        uint8_t byte = (uint8_t)take(in, 1);
        text[length] = byte == '\n' || byte == '\r' || (byte >= ' ' && byte < MARK) ? byte : '.';
    }
    while (times--)
        vm_output(s->vm, 0, text, length);
}

/* Its DIAGNOSE 8: what stands after the response is not touched. */
static void machine_asks(struct input *in, struct session *s)
{
    struct vm *vm = s->vm;
    char text[DIAGNOSE_COMMAND_MAX + 1];
    uint64_t guard = 0x5A5A5A5A5A5A5A5A, after = 0;
    unsigned length = 0, room = take(in, 1) * 16;
    const char *phrase = phrases[take(in, 1) % PHRASES];

    for (; phrase[length] && phrase[length] != '\r'; length++)
        text[length] = phrase[length];
    for (unsigned n = take(in, 1) & 63; n--; length++) {
        text[length] = (char)take(in, 1);
        if (text[length] == MARK)
            text[length] = '.';
    }
    if (guest_write(&vm->storage, gpa(TEXT_AT), text, length) != GUEST_OK ||
        guest_write(&vm->storage, gpa(RESPONSE_AT + room), &guard, sizeof guard) != GUEST_OK)
        return;
    vm->vcpu.gpr[RAX] = DIAGNOSE_COMMAND;
    vm->vcpu.gpr[RBX] = TEXT_AT;
    vm->vcpu.gpr[RCX] = length;
    vm->vcpu.gpr[RDX] = RESPONSE_AT;
    vm->vcpu.gpr[RSI] = room;
    uint64_t status = vm_diagnose(vm);
    require(status <= DIAGNOSE_BUSY && s->vm == vm &&
            session_find(vm->config.userid) == s); /* the caller is there still */
    guest_read(&vm->storage, gpa(RESPONSE_AT + room), &after, sizeof after);
    require(after == guard);
}

static void machine_asks_anything(struct input *in, struct vm *vm)
{
    static const uint8_t codes[] = {DIAGNOSE_IDENTIFY, DIAGNOSE_COMMAND, DIAGNOSE_TIMES,
                                    DIAGNOSE_CHAIN,    DIAGNOSE_ENTER,   DIAGNOSE_CONSOLE,
                                    DIAGNOSE_LINE,     0x18};
    static const uint16_t codes_of_machines[] = {DIAGNOSE_MACHINE, DIAGNOSE_FORBIDDEN, DIAGNOSE_SPECIAL,
                                                 DIAGNOSE_DIRECTORY};
    enum { CODES = sizeof codes, OTHERS = sizeof codes_of_machines / sizeof *codes_of_machines };
    unsigned which = take(in, 1) % (CODES + OTHERS);

    vm->vcpu.gpr[RAX] = which < CODES ? codes[which] : codes_of_machines[which - CODES];
    vm->vcpu.gpr[RBX] = take(in, 8);
    vm->vcpu.gpr[RCX] = take(in, 2);
    vm->vcpu.gpr[RDX] = take(in, 4);
    vm->vcpu.gpr[RSI] = take(in, 3);
    require(vm_diagnose(vm) <= DIAGNOSE_NO_MACHINE);
}

/* Its DIAGNOSE X'100', in a turn of its own: an image that is one, or is spoilt, to run upon it. */
static void machine_begins_another(struct input *in, struct vm *vm)
{
    uint8_t image[64] = {0}, what = (uint8_t)take(in, 1);
    size_t bytes;
    const void *good = scene_system(&bytes);

    memcpy(image, good, bytes);
    if (what & 1)
        image[take(in, 1) % bytes] = (uint8_t)take(in, 1);
    guest_write(&vm->storage, gpa(IMAGE_AT), image, sizeof image);
    guest_write(&vm->storage, gpa(TEXT_AT), "KERNEL one", 10);
    if (what & 2) /* or there is room for one more only */
        vm->session->own.machine.storage_maximum = 16 << 20;
    vm->vcpu.gpr[RAX] = DIAGNOSE_MACHINE;
    vm->vcpu.gpr[RBX] = what & 4 ? IMAGE_AT : vm->config.storage_bytes - bytes;
    vm->vcpu.gpr[RCX] = what & 8 ? bytes : take(in, 3);
    vm->vcpu.gpr[RDX] = TEXT_AT;
    vm->vcpu.gpr[RSI] = 1 + what % 10;
    vm_turn = vm;
    require(vm_diagnose(vm) <= DIAGNOSE_NO_MACHINE);
    vm_turn = NULL;
}

static void machine_ends(struct input *in, struct vm *vm)
{
    enum vm_stop why = VM_STOP_POWER_OFF + take(in, 1) % (VM_STOP_RESET - VM_STOP_POWER_OFF + 1);

    vm_stop(vm, why, (uint32_t)take(in, 1));
}

/* It has lines, takes calls there, hangs up, reads, or writes to who called. */
static void machine_answers(struct input *in, struct session *s)
{
    uint8_t what = (uint8_t)take(in, 1), text[64];
    unsigned n = 1 + what % (MACHINE_UARTS - 1), count = what >> 2 & 63;
    struct uart *uart = &s->vm->machine.uart[n];

    s->vm->config.uarts = MACHINE_UARTS;
    uart->modem_control ^= what & 0x80 ? UART_MCR_DTR : 0;
    ((struct fake_vm *)s->vm)->fifo = 16;
    for (unsigned i = 0; i < count; i++)
        text[i] = ' ' + i;
    if (!uart_takes_calls(uart))
        vm_hung_up(s->vm, n);
    vm_output(s->vm, n, text, count);
    vm_input_room(s->vm, n);
}

static void machine_step(struct input *in, uint8_t op)
{
    struct session *s = somebody(op >> 4);

    if (!s)
        return;
    switch (op & 15) {
    case 8: machine_writes(in, s, 1); break;
    case 9: machine_writes(in, s, 1u << (take(in, 1) & 11)); break;
    case 10: machine_asks(in, s); break;
    case 11: machine_asks_anything(in, s->vm); break;
    case 12: machine_ends(in, s->vm); break;
    case 13: machine_answers(in, s); break;
    case 15: machine_begins_another(in, s->vm); break;
    default: ((struct fake_vm *)s->vm)->fifo = 16; vm_input_room(s->vm, 0); break;
    }
}

static void step(struct input *in)
{
    uint8_t op = (uint8_t)take(in, 1);
    unsigned line = (op >> 4) % FAKE_LINES;

    switch (op & 15) {
    case 0:
    case 1: type_bytes(in, line); break;
    case 2:
    case 3:
    case 4: type_phrase(in, line); break;
    case 5: carrier(line, op & 0x80); break;
    case 6: stick(line, op & 0x80); break;
    case 7: fake_clock_advance((op & 0x80 ? 1000000000ull : 1000000) * take(in, 1)); break;
    case 14: return; /* what follows comes at once, before CP looks */
    default: machine_step(in, op);
    }
    until_idle();
}

/* As after the right password, or, where somebody else is that user already, not. */
static void sit_down(unsigned line, unsigned user)
{
    if (!session_find(names[user]))
        logon_complete(terminal_of(line)->session, directory_find(&directory, names[user]));
    until_idle();
}

/* All off and at their prompts, by commands that anybody could give; and all frames are back. */
static void everybody_leaves(void)
{
    session_closed = shutdown_done = false; /* there is another input */
    for (unsigned i = 0; i < FAKE_LINES; i++) {
        stick(i, false);
        carrier(i, false);
        carrier(i, true);
    }
    until_idle();
    for (struct session *s = NULL; (s = session_next(s));)
        if (s->user)
            deed_note(s, DEED_LOGOFF);
    until_idle();
    fake_clock_advance(100ull * 1000000000); /* penalties */
    until_idle();
    for (unsigned i = 0; i < FAKE_LINES; i++)
        for (unsigned n = 0; n < 3; n++)
            type_byte(i, '\r');
    until_idle();
    require(!session_users() && !vm_list);
    for (unsigned i = 0; i < FAKE_LINES; i++)
        require(terminal_of(i)->session->state == SESSION_LOGON);
    uint64_t grown = 0; /* the queues of who is there */
    for (struct session *s = NULL; (s = session_next(s));)
        grown += (s->output.ring.size - OUTPUT_FIRST) / PAGE_SIZE;
    require(frame_cp_account.frames == cp_frames_at_first + grown);
    for (struct nss *nss = NULL; (nss = nss_next(nss));)
        while (nss_purge(nss->definition.name)) {}
    until_idle();
    uint64_t shared = 0; /* a system's pages, from its first IPL on */
    for (struct saved *saved = NULL; (saved = saved_next(saved));)
        shared += saved->storage.account.frames;
    require(frame_available() == frames_at_first - grown - shared);
}

static void begin(void)
{
    struct session *row[SESSIONS];
    unsigned rows = 0;

    fake_line_written = echo_only_controls;
    scene_nics = true;
    scene_begin();
    until_idle();
    while ((row[rows] = session_create())) /* each keeps its queue from its first use on */
        rows++;
    while (rows)
        session_free(row[--rows]);
    cp_frames_at_first = frame_cp_account.frames;
    frames_at_first = frame_available();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, data + size, 0};

    static bool ready;

    if (!ready)
        begin();
    ready = echo_watched = true;
    typists = high_typists = 0;
    for (size_t i = 0; i < size; i++)
        in.more = (in.more ^ data[i]) * 0x100000001B3;
    for (unsigned line = 0, who = (unsigned)take(&in, 1); line < FAKE_LINES; line++, who >>= 2)
        sit_down(line, (who + line) % USERS);
    for (unsigned after = (unsigned)take(&in, 1) & 31; (in.at < in.end || after) && !session_closed;
         after -= in.at == in.end && after)
        step(&in);
    everybody_leaves();
    return 0;
}
