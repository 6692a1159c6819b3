/* The files that are about one process. */
#include <string.h>

#include "cms/kernel/clock.h"
#include "cms/kernel/frame.h"
#include "cms/procfs/text.h"
#include "cms/vfs/node.h"

enum { HUNDREDTH = 10000000, ARGUMENTS_MAX = 1024, STRINGS_MAX = 65536 };

static struct space_facts facts_of(const struct process *p)
{
    return p->space ? space_facts(p->space) : (struct space_facts){0};
}

/* From the program's own stack, as it began: it may have changed them. */
static void command_line(struct text *t, struct process *p)
{
    uint64_t count = 0, at;
    if (!p->space || !p->stack_begin || space_copy_in(p->space, &count, p->stack_begin, sizeof count))
        return;
    for (uint64_t i = 0; i < count && i < ARGUMENTS_MAX && t->used < STRINGS_MAX; i++) {
        char c = 1;
        if (space_copy_in(p->space, &at, p->stack_begin + 8 * (i + 1), sizeof at))
            return;
        while (c && t->used < STRINGS_MAX && !space_copy_in(p->space, &c, at++, 1))
            text_add_bytes(t, &c, 1);
    }
}

static const char *name_of(const struct process *p) { return p->threads ? p->threads->name : ""; }

static char state_of(const struct process *p)
{
    if (p->zombie)
        return 'Z';
    if (p->stopped)
        return 'T';
    for (const struct thread *t = p->threads; t; t = t->sibling)
        if (t->state == THREAD_READY || t->state == THREAD_RUNS)
            return 'R';
    return 'S';
}

static int parent_of(const struct process *p) { return p->parent ? p->parent->id : 1; }

static void comm(struct text *t, struct process *p) { text_add(t, "%s\n", name_of(p)); }

static void stat(struct text *t, struct process *p)
{
    struct times times = process_times(p);
    struct space_facts f = facts_of(p);
    uint64_t terminal = abi_device_number(5, 0);
    text_add(t, "%d (%s) %c %d %d %d %lu %d 0 %lu 0 0 0 %lu %lu 0 0 20 0 %u 0 %lu %lu %lu", p->id, name_of(p),
             state_of(p), parent_of(p), p->group, p->session, terminal, p->group, p->faults,
             cms_ticks_ns(times.user) / HUNDREDTH, cms_ticks_ns(times.system) / HUNDREDTH, p->thread_count,
             p->started / HUNDREDTH, f.mapped, f.resident / FRAME_SIZE);
    text_add(t, " 18446744073709551615 0 0 %lu 0 0 0 0 0 0 0 0 0 %d 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n", p->stack_begin,
             p->exit_signal);
}

static void statm(struct text *t, struct process *p)
{
    struct space_facts f = facts_of(p);
    text_add(t, "%lu %lu 0 0 0 0 0\n", f.mapped / FRAME_SIZE, f.resident / FRAME_SIZE);
}

static void status(struct text *t, struct process *p)
{
    struct space_facts f = facts_of(p);
    text_add(t, "Name:\t%s\nState:\t%c\nTgid:\t%d\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n", name_of(p), state_of(p),
             p->id, p->id, parent_of(p));
    text_add(t, "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nVmSize:\t%8lu kB\nVmRSS:\t%8lu kB\nThreads:\t%u\n",
             f.mapped / 1024, f.resident / 1024, p->thread_count);
}

static void maps(struct text *t, struct process *p)
{
    struct space_region_facts r;
    for (uint64_t at = 0; p->space && space_region_at(p->space, at, &r); at = r.end) {
        bool stack = p->stack_begin >= r.start && p->stack_begin < r.end;
        text_add(t, "%08lx-%08lx %c%c%c%c %08lx 00:00 0%s\n", r.start, r.end, r.access & SPACE_READ ? 'r' : '-',
                 r.access & SPACE_WRITE ? 'w' : '-', r.access & SPACE_EXECUTE ? 'x' : '-', r.shared ? 's' : 'p',
                 r.object ? r.offset : 0, stack ? "                          [stack]" : "");
    }
}

static void mounts(struct text *t, struct process *p)
{
    for (unsigned i = 0; i < proc_machine_count; i++)
        if (!strcmp(proc_machine_files[i].name, "mounts"))
            proc_machine_files[i].write(t, p);
}

const struct proc_file proc_process_files[] = {
    {"cmdline", command_line}, {"comm", comm},     {"maps", maps}, {"mounts", mounts}, {"stat", stat},
    {"statm", statm},          {"status", status},
};
const unsigned proc_process_count = sizeof proc_process_files / sizeof *proc_process_files;
