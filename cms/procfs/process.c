/* The files that are about one process. */
#include <string.h>

#include "cms/kernel/clock.h"
#include "cms/kernel/frame.h"
#include "cms/procfs/text.h"
#include "cms/vfs/node.h"

enum { HUNDREDTH = 10000000, STRINGS = 1024, STRINGS_MAX = 65536 };

static struct space_facts facts_of(const struct process *p)
{
    return p->space ? space_facts(p->space) : (struct space_facts){0};
}

/* The strings whose addresses are a list on the program's stack, as it began: it may have changed them. */
static void strings(struct text *t, const struct process *p, uint64_t list)
{
    uint64_t at;
    for (unsigned i = 0; i < STRINGS && t->used < STRINGS_MAX; i++) {
        char c = 1;
        if (space_copy_in(p->space, &at, list + 8 * i, sizeof at) || !at)
            return;
        while (c && t->used < STRINGS_MAX && !space_copy_in(p->space, &c, at++, 1))
            text_add_bytes(t, &c, 1);
    }
}

static void command_line(struct text *t, struct process *p)
{
    if (p->space && p->stack_begin)
        strings(t, p, p->stack_begin + 8);
}

static void environment(struct text *t, struct process *p)
{
    uint64_t arguments;
    if (p->space && p->stack_begin && !space_copy_in(p->space, &arguments, p->stack_begin, sizeof arguments))
        strings(t, p, p->stack_begin + 8 * (arguments + 2));
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
    text_add(t, "%d (%s) %c %d %d %d %lu %d 0 %lu 0 0 0 %lu %lu 0 0 %d %d %u 0 %lu %lu %lu", p->id, name_of(p),
             state_of(p), parent_of(p), p->group, p->session, terminal, p->group, p->faults,
             cms_ticks_ns(times.user) / HUNDREDTH, cms_ticks_ns(times.system) / HUNDREDTH, 20 + p->set.nice,
             p->set.nice, p->thread_count,
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

static void mount_line(struct text *t, unsigned number, unsigned above, const char *where, const char *name,
                       const char *type, const struct node *top)
{
    bool fixed = top && top->system && top->system->read_only;
    text_add(t, "%u %u 0:%lu / %s/%s %s - %s %s %s\n", number, above, top && top->system ? top->system->device : 0,
             where, name, fixed ? "ro" : "rw", type, type, fixed ? "ro" : "rw");
}

static void mount_information(struct text *t, struct process *p)
{
    enum { ROOT = 1 };
    unsigned number = ROOT;
    struct node *root = vfs_root();
    (void)p;
    mount_line(t, number, number, "", "", "erofs", root);
    node_let_go(root);
    for (const struct vfs_mount *m = vfs_mounts(); m; m = m->next) {
        struct node *top = m->top(m);
        if (top)
            mount_line(t, ++number, ROOT, m->below ? "/dev" : "", m->name, m->type, top);
        node_let_go(top);
    }
}

static void limit(struct text *t, uint64_t value)
{
    if (value == LIMIT_NONE)
        text_add(t, "%-20s ", "unlimited");
    else
        text_add(t, "%-20lu ", value);
}

static void limits(struct text *t, struct process *p)
{
    static const struct {
        const char *name, *unit;
    } row[LIMITS] = {
        {"cpu time", "seconds"}, {"file size", "bytes"}, {"data size", "bytes"}, {"stack size", "bytes"},
        {"core file size", "bytes"}, {"resident set", "bytes"}, {"processes", "processes"}, {"open files", "files"},
        {"locked memory", "bytes"}, {"address space", "bytes"}, {"file locks", "locks"},
        {"pending signals", "signals"}, {"msgqueue size", "bytes"}, {"nice priority", ""}, {"realtime priority", ""},
        {"realtime timeout", "us"},
    };
    text_add(t, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for (unsigned i = 0; i < LIMITS; i++) {
        text_add(t, "Max %-21s ", row[i].name);
        limit(t, p->limit[i].now);
        limit(t, p->limit[i].most);
        text_add(t, "%-10s\n", row[i].unit);
    }
}

static void nothing(struct text *t, struct process *p) { (void)p, text_add(t, "0\n"); }
static void group(struct text *t, struct process *p) { (void)p, text_add(t, "0::/\n"); }

const struct proc_file proc_process_files[] = {
    {"cgroup", group},     {"cmdline", command_line},      {"comm", comm},     {"environ", environment},
    {"limits", limits},    {"maps", maps},                 {"mounts", mounts}, {"mountinfo", mount_information},
    {"oom_score", nothing}, {"oom_score_adj", nothing},    {"stat", stat},     {"statm", statm},
    {"status", status},
};
const unsigned proc_process_count = sizeof proc_process_files / sizeof *proc_process_files;
