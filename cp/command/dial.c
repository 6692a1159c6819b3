/* DIAL UNDIAL RESET: terminals at lines of other users' machines. */
#include "cp/command/families.h"
#include "cp/session/deed.h"
#include "cp/session/dial.h"
#include "lib/format.h"

const char command_dial_help[] =
    "DIAL userid [line]\n"
    "Before LOGON: connects the terminal to a line of that user's machine, such as\n"
    "02F8, or to the first that is free. The program there must take calls: a CP in\n"
    "the machine does, and lets you log on to it. #CP still reaches this CP, whose\n"
    "UNDIAL hangs up; ##CP reaches the CP you dialed, ###CP one that you dialed from\n"
    "there, and so on.\n";
const char command_undial_help[] =
    "UNDIAL\n"
    "Hangs up what DIAL connected; entered as #CP UNDIAL. ##CP UNDIAL is for the CP\n"
    "that you dialed, if you dialed on from there.\n";
const char command_reset_help[] =
    "RESET [SYSTEM | line]\n"
    "SYSTEM, or nothing: resets CPU and devices of your machine, like SYSTEM RESET.\n"
    "A line, such as 02F8: lets go the terminal that dialed it.\n";

unsigned command_dial(struct call *c)
{
    char id[DIRECTORY_NAME + 1], line[8];
    unsigned port = 0, uart = 0, failed = call_userid(c, "DIA", id);
    struct session *to;
    if (!failed && call_peek(c).length)
        failed = call_vdev(c, "DIA", &port);
    if (failed || (failed = call_end(c, "DIA")))
        return failed;
    format_text(line, sizeof line, "%04X", port);
    switch (dial_find(id, port, &to, &uart)) {
    case DIAL_FREE: dial_begin(c->session, to, uart); return 0;
    case DIAL_BUSY: return FAIL(c, "DIA", 56, line, id);
    case DIAL_NONE: break;
    }
    return FAIL(c, "DIA", 55, id);
}

unsigned command_undial(struct call *c)
{
    unsigned failed = call_end(c, "UND");
    if (!failed)
        deed_note(c->session, DEED_DROP);
    return failed;
}

/* The UART at that port, 0 if there is none, or the console. */
static unsigned line_at(const struct session *s, unsigned port)
{
    unsigned n = s->vm->config.uarts;
    while (--n && machine_uarts[n].port != port) {}
    return n;
}

unsigned command_reset(struct call *c)
{
    struct word w;
    uint64_t port;
    char text[32];
    bool given = call_next(c, &w), system = !given || word_is(w, "SYSTEM", 3);
    word_upper(w, text, sizeof text);
    if (!system && !word_hex(w, 4, &port))
        return FAIL(c, "RST", 2, text);
    unsigned failed = call_end(c, "RST"), uart = system ? 0 : line_at(c->session, (unsigned)port);
    if (failed)
        return failed;
    if (!system && !uart)
        return FAIL(c, "RST", 40, text);
    if (system)
        deed_note(c->session, DEED_SYSTEM_RESET);
    else
        dial_let_go(c->session, uart);
    return 0;
}
