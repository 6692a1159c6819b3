/* What sessions need of those above them: cp/command knows the commands, cp/diagnose the calls of machines. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/diagnose.h"

struct candidates;
struct response;
struct session;
struct vm;

/* Runs one command line, of the terminal or of the machine; returns the command's return code. Case does not matter,
 * leading "#CP" and "CP" are dropped, an empty line is nothing. */
unsigned command_run(struct session *, struct response *, const char *line);

/* Offers what may stand behind `line`, which is a command up to the word that is being typed: names of commands that
 * the session may use, or what its command takes there. */
void command_complete(const struct session *, const char *line, struct candidates *);

/* DIAGNOSE 8 of the session's machine, as far as it is done: what is left of it while the machine rests. */
struct asked {
    uint64_t to, size; /* what is left of its buffer, guest-physical; size 0: the console answers */
    uint64_t used;     /* bytes of it, by now */
    bool truncated;
    char lines[DIAGNOSE_COMMAND_MAX + 1]; /* after the one the rest is for */
};

/* vm.h's vm_diagnose: obeys the call in the virtual CPU's registers, returns what goes to RAX. */
uint64_t diagnose(struct vm *);
uint64_t diagnose_called(struct vm *, unsigned error); /* vm.h's vm_called */
/* A step of the task that a line of the call began. True: it was the last, and the lines after it were obeyed, up to
 * one that has the machine rest again; if none does, the call has its results. @pre the machine asked for the task */
bool diagnose_go_on(struct session *);
