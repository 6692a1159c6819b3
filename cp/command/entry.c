/* LOGON LOGOFF DISCONNECT FORCE XAUTOLOG: coming and going. */
#include <string.h>

#include "cp/command/families.h"
#include "cp/directory/load.h"
#include "cp/session/deed.h"
#include "cp/session/life.h"
#include "cp/session/logon.h"
#include "lib/format.h"

const char command_logon_help[] =
    "LOGON userid [HERE] [NOIPL]\n"
    "Logs you on; CP then asks for the password, which is no part of the command. A\n"
    "user who is disconnected is reconnected, and the machine goes on. HERE takes\n"
    "the session over from another terminal. NOIPL leaves the machine stopped\n"
    "instead of starting the system your directory entry names.\n";
const char command_logoff_help[] =
    "LOGOFF [HOLD]\n"
    "Ends your session: your machine is gone, your minidisks stay. DISCONNECT keeps\n"
    "the machine. The connection ends with it, over SSH and where you dialed to this\n"
    "CP, unless you say HOLD.\n";
const char command_disconnect_help[] =
    "DISCONNECT [HOLD]\n"
    "Leaves the terminal; the machine runs on. LOGON brings you back, and what the\n"
    "machine wrote meanwhile is shown then. The connection ends as with LOGOFF,\n"
    "unless you say HOLD.\n";
const char command_force_help[] =
    "FORCE userid\n"
    "Logs another user off.\n";
const char command_xautolog_help[] =
    "XAUTOLOG userid\n"
    "Logs a user on without a terminal and starts its system; your console tells\n"
    "when that is done. Class A or B may do so for everybody, class G for users\n"
    "whose directory entry says so.\n";

unsigned command_logon(struct call *c)
{
    char id[DIRECTORY_NAME + 1];
    bool here = false, noipl = false;
    struct word w;
    unsigned failed = call_userid(c, "LGA", id);
    if (failed)
        return failed;
    while (call_next(c, &w)) {
        if (word_is(w, "HERE", 4))
            here = true;
        else if (word_is(w, "NOIPL", 3))
            noipl = true;
        else
            return FAIL(c, "LGA", 9017, ""); /* it may be a password: not shown */
    }
    if (c->session->user) {
        char name[9];
        return FAIL(c, "LGA", 54, session_name(c->session, name));
    }
    logon_begin(c->session, id, here, noipl);
    return 0;
}

/* The only operand of some, if it is there. */
static bool call_hold(struct call *c)
{
    struct word w;
    return word_is(call_peek(c), "HOLD", 2) && call_next(c, &w);
}

unsigned command_logoff(struct call *c)
{
    bool hold = call_hold(c);
    unsigned failed = call_end(c, "LOG");
    if (!failed && c->session->user)
        deed_note_logoff(c->session, NULL, hold);
    else if (!failed)
        session_leave(c->session, hold);
    return failed;
}

unsigned command_disconnect(struct call *c)
{
    bool hold = call_hold(c);
    unsigned failed = call_end(c, "DIS");
    if (failed)
        return failed;
    if (!c->session->output.terminal)
        return FAIL(c, "DIS", 9027, "DISCONNECT");
    deed_note_disconnect(c->session, hold);
    return 0;
}

unsigned command_force(struct call *c)
{
    char id[DIRECTORY_NAME + 1];
    unsigned failed = call_userid(c, "FRC", id);
    struct session *target = failed ? NULL : session_find(id);
    if (failed || (failed = call_end(c, "FRC")))
        return failed;
    if (!target)
        return FAIL(c, "FRC", 45, id);
    if (target->deed.noted == DEED_LOGOFF)
        return FAIL(c, "FRC", 361, id);
    deed_note_logoff(target, target == c->session ? NULL : c->session->user->id, false);
    return 0;
}

unsigned command_xautolog(struct call *c)
{
    char id[DIRECTORY_NAME + 1];
    const struct user *mine = c->session->user;
    unsigned failed = call_userid(c, "XAL", id);
    const struct user *user = failed ? NULL : directory_find(&directory, id);
    if (failed || (failed = call_end(c, "XAL")))
        return failed;
    if (!user)
        return FAIL(c, "XAL", 53, id);
    if (!(mine->classes & (CLASS('A') | CLASS('B'))) && !directory_may_autolog(user, mine->id))
        return FAIL(c, "XAL", 9024, id);
    if (session_find(id) || deed_autolog_noted(id))
        return FAIL(c, "XAL", 9023, id);
    if (!deed_note_autolog(id, mine->id))
        return FAIL(c, "XAL", 9025, "");
    response_line(c->response, "Command accepted");
    return 0;
}
