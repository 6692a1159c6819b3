/* DIRECTORY: a new one is judged, and in force. */
#include "cp/command/families.h"
#include "cp/session/replace.h"
#include "cp/session/task.h"

const char command_directory_help[] =
    "DIRECTORY {CHECK | REPLACE}\n"
    "Judges the directory that a machine of yours has given CP (DIRECTXA in CMS does\n"
    "that), as CP does when it starts. REPLACE puts it in force if it is good, and\n"
    "writes it to the volume for the next start. Who is logged on must be in it, and\n"
    "minidisks that are linked where they are; LOGON then asks for the new password,\n"
    "and gives what else is new.\n";

unsigned command_directory(struct call *c)
{
    struct word w;
    char text[32];
    call_next(c, &w);
    bool only_check = c->vain = word_is(w, "CHECK", 2);
    word_upper(w, text, sizeof text);
    if (!w.length)
        return FAIL(c, "DIR", 26, "");
    if (!only_check && !word_is(w, "REPLACE", 3))
        return FAIL(c, "DIR", 2, text);
    unsigned failed = call_end(c, "DIR");
    if (!failed)
        failed = replace_begin(c->session, c->response, only_check);
    return failed ? failed : task_run(c->session, c->response, replace_step);
}
