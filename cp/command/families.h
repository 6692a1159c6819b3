/* What each family of commands gives the table. */
#pragma once
#include "cp/command/command.h"

#define COMMAND(name)                                                                                                  \
    unsigned command_##name(struct call *);                                                                            \
    extern const char command_##name##_help[]

COMMAND(begin);
COMMAND(change);
COMMAND(close);
COMMAND(comment);
COMMAND(couple);
COMMAND(define);
COMMAND(defsys);
COMMAND(detach);
COMMAND(dial);
COMMAND(directory);
COMMAND(disconnect);
COMMAND(display);
COMMAND(force);
COMMAND(help);
COMMAND(indicate);
COMMAND(ipl);
COMMAND(link);
COMMAND(logoff);
COMMAND(logon);
COMMAND(message);
COMMAND(msgnoh);
COMMAND(order);
COMMAND(purge);
COMMAND(query);
COMMAND(reset);
COMMAND(savesys);
COMMAND(send);
COMMAND(set);
COMMAND(shutdown);
COMMAND(sleep);
COMMAND(smsg);
COMMAND(snapshot);
COMMAND(spool);
COMMAND(stop);
COMMAND(store);
COMMAND(system);
COMMAND(tag);
COMMAND(terminal);
COMMAND(trace);
COMMAND(transfer);
COMMAND(uncouple);
COMMAND(undial);
COMMAND(warning);
COMMAND(xautolog);
