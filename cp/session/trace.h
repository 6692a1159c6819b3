/* TRACE VMX: failures of a machine's program at VMX, a few a second of them, on its user's console. */
#pragma once
#include <stdint.h>

struct session;
struct vm;

struct trace {
    uint64_t until;       /* host TSC: the end of the second in which so many messages ... */
    unsigned shown, lost; /* ... were shown, and so many not */
};

void trace_vmx(struct vm *, const char *rule, uint32_t field); /* vm_traced */
void trace_flush(struct session *);                            /* tells how many were not shown */
