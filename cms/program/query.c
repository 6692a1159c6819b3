/* QUERY PROGRAM: what the last program that a fault ended had in its registers, and what programs asked for in vain. */
#include "cms/command/command.h"
#include "cms/console/output.h"
#include "cms/program/program.h"
#include "cms/syscall/syscall.h"

static void show(const struct process_end *end)
{
    const struct trap_frame *r = &end->registers;
    cms_text("SIGNAL %d  ADDRESS %016lX", end->status & 0x7f, end->fault_address);
    cms_text("RIP %016lX  RFLAGS %016lX  VECTOR %02lX  ERROR %lX", r->rip, r->rflags, r->vector, r->error);
    cms_text("RAX %016lX  RBX %016lX  RCX %016lX  RDX %016lX", r->rax, r->rbx, r->rcx, r->rdx);
    cms_text("RSI %016lX  RDI %016lX  RBP %016lX  RSP %016lX", r->rsi, r->rdi, r->rbp, r->rsp);
    cms_text("R8  %016lX  R9  %016lX  R10 %016lX  R11 %016lX", r->r8, r->r9, r->r10, r->r11);
    cms_text("R12 %016lX  R13 %016lX  R14 %016lX  R15 %016lX", r->r12, r->r13, r->r14, r->r15);
}

static void show_missed(void)
{
    const struct syscall_missed *m;
    for (unsigned i = 0; (m = syscall_missed(i)); i++)
        cms_text("SYSTEM CALL %lu IS NOT THERE: %s, %lu TIME%s", m->number, m->name, m->times,
                 m->times == 1 ? "" : "S");
}

int cms_query_program(const struct arguments *a)
{
    const struct process_end *end = program_last_end();
    (void)a;
    if (end)
        show(end);
    else
        cms_text("No program was ended by a fault");
    show_missed();
    return 0;
}
