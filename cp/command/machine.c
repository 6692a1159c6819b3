/* IPL BEGIN STOP SYSTEM DEFINE SLEEP: what the machine does next. */
#include <string.h>

#include "cp/command/families.h"
#include "cp/command/lan.h"
#include "cp/ipl/system.h"
#include "cp/session/deed.h"
#include "cp/session/life.h"
#include "cp/session/rest.h"
#include "lib/format.h"

const char command_ipl_help[] =
    "IPL {system | vdev} [CLEAR] [PARM text]\n"
    "Starts a named system (CMS, CP, or another that was loaded with CP, as LINUX)\n"
    "in your machine, whose storage is cleared first. The text is handed to it.\n"
    "Or boots the disk of that number as a PC does, by the firmware that CP was\n"
    "started with.\n";
const char command_begin_help[] =
    "BEGIN [address]\n"
    "Lets the machine run on, or run from a hexadecimal address. After a reset there\n"
    "is nothing to run until IPL.\n";
const char command_stop_help[] =
    "STOP\n"
    "Stops the machine and enters CP READ, as #CP alone does. BEGIN goes on.\n";
const char command_system_help[] =
    "SYSTEM {CLEAR | RESET | RESTART | END}\n"
    "RESET resets CPU and devices; CLEAR the storage too; RESTART IPLs the last\n"
    "system again. END ends a machine that a program in another one of yours began,\n"
    "and that program goes on.\n";
const char command_define_help[] =
    "DEFINE STORAGE {nnnM | nG}\n"
    "DEFINE LAN lanname\n"
    "STORAGE gives the machine another storage size, up to your directory maximum.\n"
    "Storage is cleared. LAN makes a LAN of yours, if your directory entry allows\n"
    "you any, which ends with your session: those may COUPLE to it whose entries\n"
    "name it.\n";
const char command_sleep_help[] =
    "SLEEP [n [SEC | MIN | HOUR]]\n"
    "Terminal and machine rest for a time (minutes when no unit is given), or until\n"
    "you press Enter.\n";

unsigned command_ipl(struct call *c)
{
    char name[9], text[32];
    struct word w;
    if (!call_next(c, &w))
        return FAIL(c, "VMI", 26, "");
    word_upper(w, text, sizeof text);
    word_upper(w, name, sizeof name);
    if (w.length > 8 || !(system_exists(name) || system_is_device(c->session->vm, name)))
        return FAIL(c, "NSS", 9014, text);
    if (word_is(call_peek(c), "CLEAR", 2))
        call_next(c, &w);
    const char *parm = "";
    if (word_is(call_peek(c), "PARM", 4)) {
        call_next(c, &w);
        parm = call_remainder(c);
    }
    unsigned failed = call_end(c, "VMI");
    if (failed)
        return failed;
    deed_note_ipl(c->session, name, parm);
    return 0;
}

unsigned command_begin(struct call *c)
{
    struct word w;
    uint64_t address;
    bool given = call_next(c, &w);
    char text[32];
    word_upper(w, text, sizeof text);
    if (given && !word_hex(w, 16, &address))
        return FAIL(c, "BEG", 4, text);
    unsigned failed = call_end(c, "BEG");
    if (failed || c->response->machine_asks) /* it runs already */
        return failed;
    if (!given && vm_is_at_reset(c->session->vm))
        return FAIL(c, "BEG", 9015, "");
    if (given)
        vm_go_to(c->session->vm, address);
    session_begin(c->session);
    return 0;
}

unsigned command_stop(struct call *c)
{
    unsigned failed = call_end(c, "STP");
    if (!failed)
        deed_note(c->session, DEED_READ);
    return failed;
}

/* To the program that began it this is a failure like others, and has a number. */
static unsigned end_machine(struct call *c)
{
    if (!c->session->stack.waiting)
        return FAIL(c, "SYS", 9043, "");
    stack_note_end(c->session, 9042);
    return FAIL(c, "SYS", 9042, "");
}

unsigned command_system(struct call *c)
{
    static const struct {
        const char *name;
        unsigned least;
        enum deed_kind deed;
    } row[] = {{"CLEAR", 5, DEED_SYSTEM_CLEAR}, {"RESET", 5, DEED_SYSTEM_RESET}, {"RESTART", 7, DEED_SYSTEM_RESTART},
             {"END", 3, DEED_MACHINE_END}};
    struct word w;
    char text[32];
    if (!call_next(c, &w))
        return FAIL(c, "SYS", 26, "");
    unsigned failed = call_end(c, "SYS");
    for (unsigned i = 0; i < sizeof row / sizeof *row && !failed; i++) {
        if (!word_is(w, row[i].name, row[i].least))
            continue;
        if (row[i].deed == DEED_SYSTEM_RESTART && !*c->session->system)
            return FAIL(c, "SYS", 9013, "");
        if (row[i].deed == DEED_MACHINE_END)
            return end_machine(c);
        deed_note(c->session, row[i].deed);
        return 0;
    }
    word_upper(w, text, sizeof text);
    return failed ? failed : FAIL(c, "SYS", 2, text);
}

/* "64M", "1G": bytes, 0 for anything else. */
static uint64_t parse_size(struct word w)
{
    uint64_t number;
    if (w.length < 2 || !word_number((struct word){w.text, w.length - 1}, MACHINE_STORAGE_MAX_MIB, &number))
        return 0;
    char unit = w.text[w.length - 1] & ~32;
    return unit == 'M' ? number << 20 : unit == 'G' ? number << 30 : 0;
}

unsigned command_define(struct call *c)
{
    uint64_t most = c->session->vm->config.storage_maximum;
    struct word w;
    char text[32], allowed[12];
    if (!call_next(c, &w))
        return FAIL(c, "DEF", 26, "");
    word_upper(w, text, sizeof text);
    if (word_is(w, "LAN", 3))
        return define_lan(c);
    if (!word_is(w, "STORAGE", 4))
        return FAIL(c, "DEF", 2, text);
    if (word_is(call_peek(c), "AS", 2) || word_is(call_peek(c), "=", 1))
        call_next(c, &w);
    if (!call_next(c, &w))
        return FAIL(c, "DST", 26, "");
    uint64_t bytes = parse_size(w);
    word_upper(w, text, sizeof text);
    if (!bytes)
        return FAIL(c, "DST", 25, text);
    if (bytes > most) {
        format_text(allowed, sizeof allowed, "%uM", (unsigned)(most >> 20));
        return FAIL(c, "DST", 94, text, allowed);
    }
    unsigned failed = call_end(c, "DST");
    if (failed)
        return failed;
    c->session->deed.storage = bytes;
    deed_note(c->session, DEED_DEFINE_STORAGE);
    return 0;
}

static uint64_t seconds_of(struct word unit)
{
    return word_is(unit, "SEC", 1)                       ? 1
           : word_is(unit, "HOURS", 1)                   ? 3600
           : !unit.length || word_is(unit, "MINUTES", 1) ? 60
                                                         : 0;
}

unsigned command_sleep(struct call *c)
{
    struct session *s = c->session;
    struct word w, unit = {0};
    uint64_t count = 0;
    char text[32];
    bool given = call_next(c, &w);
    word_upper(w, text, sizeof text);
    if (given && (!word_number(w, 9999, &count) || !count))
        return FAIL(c, "SLP", 2, text);
    call_next(c, &unit);
    word_upper(unit, text, sizeof text);
    if (!seconds_of(unit))
        return FAIL(c, "SLP", 2, text);
    unsigned failed = call_end(c, "SLP");
    if (failed || !s->output.terminal)
        return failed;
    rest_begin(s, SESSION_SLEEP, c->response->machine_asks);
    if (given)
        session_wait(s, count * seconds_of(unit));
    return 0;
}
