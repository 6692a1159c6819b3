/* QUERY: what is. Each row of the table answers one question. */
#include <string.h>

#include "cp/command/audit.h"
#include "cp/command/families.h"
#include "cp/command/lan.h"
#include "cp/command/nss.h"
#include "cp/command/query.h"
#include "cp/command/share.h"
#include "cp/diagnose.h"
#include "cp/diagnose/chain.h"
#include "cp/directory/load.h"
#include "cp/message/level.h"
#include "cp/minidisk/link.h"
#include "cp/session/user.h"
#include "cp/storage/frame.h"
#include "cp/time/clock_text.h"
#include "cp/time/timer.h"
#include "lib/format.h"

const char command_query_help[] =
    "QUERY {CPLEVEL | LINKS vdev | NAMES | NEST | NSS | SET | STORAGE}\n"
    "QUERY {FILES | TERMINAL | TIME | USERID | USERS}\n"
    "QUERY SHARE [userid]\n"
    "QUERY AUDIT [n | ALL]\n"
    "QUERY LAN [lanname]\n"
    "QUERY [VIRTUAL] NIC [vdev]\n"
    "QUERY {RDR | PRT | PUN} [userid | SYSTEM] [ALL] [CLASS c] [HOLD | NOHOLD]\n"
    "QUERY {RDR | PRT | PUN} [userid] spoolid\n"
    "QUERY TAG {DEV {PRT | PUN} | FILE spoolid}\n"
    "QUERY userid\n"
    "QUERY VIRTUAL [ALL]\n"
    "QUERY [VIRTUAL] {CONSOLE | CPUS | DASD | ISA | LINES | STORAGE | UR | vdev}\n"
    "NAMES: who is logged on, and terminals that dialed a machine; userid: where one\n"
    "is. LINKS: who has a minidisk of yours. LINES: the lines of your machine that\n"
    "DIAL reaches.\n"
    "FILES, RDR, PRT, PUN (READER, PRINTER, PUNCH): what is in yours, or for class D\n"
    "another user's, or (SYSTEM) everybody's. UR: what SPOOL says of them; TAG: what\n"
    "the command TAG said.\n"
    "NEST: the levels of CP beneath your machine, as far as each tells. NSS: the\n"
    "systems to IPL, the pages of each that machines share, and how many machines\n"
    "do; CL is A, S (defined, not saved), P (purged, and still in use), R (being\n"
    "read from the volume) or D (damaged there). SET: your settings, IDLE being the\n"
    "minutes without a key after which you are disconnected. VIRTUAL: what your\n"
    "machine consists of.\n"
    "LAN: the LANs you may COUPLE to. NIC: what of a network your machine has, and\n"
    "how many packets went there and came.\n"
    "ISA: what it was granted beside the usual devices. STORAGE without VIRTUAL: the\n"
    "real machine's for classes B and E, else your own. TERMINAL: how wide CP takes\n"
    "it for. SHARE: what is yours of the processor, or for classes A and E another\n"
    "user's. AUDIT (class C): the last records of the audit log, 20 or n, whether\n"
    "their chain is whole, and what stands for all of them.\n";

static unsigned query_cplevel(struct call *c)
{
    char now[CLOCK_TEXT];
    response_line(c->response, "%s, service level 0000 (64-bit)", CP_LEVEL);
    response_line(c->response, "IPL at %s", clock_text_full(now, user_started_us));
    return 0;
}

static unsigned query_names(struct call *c)
{
    unsigned in_row = 0;
    char row[80] = "";
    for (struct session *s = NULL; (s = session_next(s));) {
        char name[9];
        size_t at = strlen(row);
        if (!s->user)
            continue;
        format_text(row + at, sizeof row - at, "%s%-8s - %-5s", in_row ? ", " : "", s->user->id, session_name(s, name));
        if (++in_row == 4) {
            response_line(c->response, "%s", row);
            in_row = 0, *row = 0;
        }
    }
    if (in_row)
        response_line(c->response, "%s", row);
    for (struct session *s = NULL; (s = session_next(s));) {
        char name[9];
        if (s->dial.to)
            response_line(c->response, "DIALED   - %-5s TO %s %04X", session_name(s, name), s->dial.user,
                          machine_uarts[s->dial.uart].port);
    }
    return 0;
}

static unsigned query_terminal(struct call *c)
{
    enum { PAGE_LENGTH_USUAL = 24 }; /* what CMS takes it for */
    unsigned rows = session_rows(c->session);
    response_line(c->response, "LINEND # , PAGELENGTH %03u, LINESIZE %03u", rows ? rows : PAGE_LENGTH_USUAL,
                  session_line_size(c->session));
    return 0;
}

static unsigned query_users(struct call *c)
{
    response_line(c->response, "%u USERS, %u DIALED", session_users(), dial_count());
    return 0;
}

static unsigned query_userid(struct call *c)
{
    response_line(c->response, "%-8s AT %s", c->session->user->id, CP_NODE);
    return 0;
}

static unsigned query_time(struct call *c)
{
    const struct session *s = c->session;
    uint64_t now = clock_unix_us();
    char full[CLOCK_TEXT], span[CLOCK_TEXT], mine[CLOCK_TEXT], total[CLOCK_TEXT];
    response_line(c->response, "TIME IS %s", clock_text_full(full, now));
    response_line(c->response, "CONNECT= %s VIRTCPU= %s TOTCPU= %s", clock_text_span(span, now - s->logon_us),
                  clock_text_cpu(mine, s->vm->virtual_ticks), clock_text_cpu(total, vm_total_ticks(s->vm)));
    return 0;
}

static const char *on(const struct session *s, uint8_t setting) { return s->settings & setting ? "ON" : "OFF"; }

static unsigned query_set(struct call *c)
{
    static const char *const emsg[] = {"OFF", "CODE", "TEXT", "ON"};
    const struct session *s = c->session;
    char idle[12] = "OFF";
    response_line(c->response, "MSG %-4s, WNG %-4s, EMSG %-4s, IMSG %-4s, SMSG %-4s, RUN %-4s", on(s, SET_MSG),
                  on(s, SET_WNG), emsg[s->settings / SET_EMSG_CODE & 3], on(s, SET_IMSG), on(s, SET_SMSG),
                  on(s, SET_RUN));
    if (s->user->idle)
        format_text(idle, sizeof idle, "%u", s->user->idle);
    response_line(c->response, "NESTED %-6s, MACHINE X86-64, TRACE VMX %-4s, IDLE %s",
                  nest_mode_names[s->nested].upper, on(s, SET_TRACE_VMX), idle);
    return 0;
}

static unsigned query_nest(struct call *c)
{
    static char text[DIAGNOSE_CHAIN_MAX]; /* one call at a time */
    response_text(c->response, text, chain_text(c->session->vm, text, sizeof text));
    return 0;
}

static unsigned query_storage(struct call *c)
{
    if (!(c->session->user->classes & (CLASS('B') | CLASS('E'))))
        return query_virtual_storage(c);
    response_line(c->response, "STORAGE = %uM FRAMES = %u FREE = %u", (unsigned)(frame_total() >> (20 - PAGE_SHIFT)),
                  (unsigned)frame_total(), (unsigned)frame_available());
    return 0;
}

static unsigned query_links(struct call *c)
{
    unsigned vdev, found = 0, failed = call_vdev(c, "QLK", &vdev);
    char number[5];
    if (failed || (failed = call_end(c, "CQR")))
        return failed;
    struct link *mine = link_find(c->session->user, vdev);
    format_text(number, sizeof number, "%04X", vdev);
    if (!mine)
        return FAIL(c, "QLK", 40, number);
    for (struct link *l = NULL; (l = link_next(l));)
        if (l->owner_vdev == mine->owner_vdev && !strcmp(l->owner, mine->owner) && ++found)
            response_line(c->response, "%-8s %04X %s", l->user->id, l->vdev, l->write ? "R/W" : "R/O");
    return 0;
}

static unsigned query_user(struct call *c, struct word w)
{
    char id[32], name[9];
    word_upper(w, id, sizeof id);
    if (w.length > DIRECTORY_NAME || !directory_name_valid(id, strlen(id)))
        return FAIL(c, "CQU", 3, id);
    struct session *s = session_find(id);
    if (s)
        response_line(c->response, "%-8s - %s", id, session_name(s, name));
    return s ? 0 : FAIL(c, "QSU", 45, id);
}

struct question {
    const char *name;
    unsigned least;
    unsigned (*answer)(struct call *);
    bool takes; /* operands, and refuses what is too much; else nothing may follow */
};

static const struct question questions[] = {
    {"AUDIT", 5, command_query_audit, true},
    {"CPLEVEL", 3, query_cplevel, false},
    {"LAN", 3, query_lan, true},
    {"LINKS", 5, query_links, true},
    {"NAMES", 1, query_names, false},
    {"NEST", 4, query_nest, false},
    {"NIC", 3, query_nic, true},
    {"NSS", 3, command_query_nss, false},
    {"SET", 3, query_set, false},
    {"SHARE", 4, command_query_share, true},
    {"STORAGE", 4, query_storage, false},
    {"TAG", 3, query_tag, true},
    {"TERMINAL", 4, query_terminal, false},
    {"TIME", 1, query_time, false},
    {"UR", 2, query_ur, false},
    {"USERID", 6, query_userid, false},
    {"USERS", 1, query_users, false},
    {"VIRTUAL", 1, query_virtual, true},
    {"FILES", 1, query_files, true},
    {"RDR", 3, query_rdr, true},
    {"READER", 1, query_rdr, true},
    {"PRT", 3, query_prt, true},
    {"PRINTER", 2, query_prt, true},
    {"PUNCH", 2, query_pun, true},
    {"CONSOLE", 3, query_console, false},
    {"CPUS", 3, query_cpus, false},
    {"DASD", 2, query_dasd, false},
    {"ISA", 3, query_isa, false},
    {"LINES", 5, query_lines, false},
    {0},
};

unsigned command_query(struct call *c)
{
    struct word w;
    if (!call_next(c, &w))
        return FAIL(c, "CQR", 26, "");
    for (const struct question *q = questions; q->name; q++) {
        if (!word_is(w, q->name, q->least))
            continue;
        unsigned failed = q->takes ? 0 : call_end(c, "CQR");
        return failed ? failed : q->answer(c);
    }
    uint64_t vdev;
    unsigned failed = call_end(c, "CQR");
    if (failed)
        return failed;
    if (word_hex(w, 4, &vdev) && link_find(c->session->user, vdev))
        return query_device(c, vdev);
    return query_user(c, w);
}
