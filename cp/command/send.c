/* SEND: a line entered at the console of a user who is disconnected. */
#include "cp/command/families.h"

const char command_send_help[] =
    "SEND [CP] userid [text]\n"
    "Enters the text as if it were typed at the console of a user who is\n"
    "disconnected, where its answers stay: for the program in the machine, or for CP\n"
    "if the machine is stopped. After CP it is a command for CP, also if the program\n"
    "reads nothing; without text that stops the machine. The audit log tells of it,\n"
    "but not the text, which may be a password.\n";

unsigned command_send(struct call *c)
{
    char id[DIRECTORY_NAME + 1];
    struct word w;
    bool cp = word_is(call_peek(c), "CP", 2);
    if (cp)
        call_next(c, &w);
    unsigned failed = call_userid(c, "SND", id);
    c->untold = c->unread;
    if (failed)
        return failed;
    struct session *to = session_find(id);
    if (!to)
        return FAIL(c, "SND", 45, id);
    if (to->output.terminal)
        return FAIL(c, "SND", 9046, id);
    if (to->deed.noted == DEED_LOGOFF)
        return FAIL(c, "SND", 361, id);
    return sent_put(to, cp, call_remainder(c)) ? 0 : FAIL(c, "SND", 57, id, "input waits");
}
