/* The files that are about the machine. */
#include <string.h>

#include "cms/kernel/clock.h"
#include "cms/kernel/frame.h"
#include "cms/procfs/text.h"
#include "cms/vfs/node.h"

enum { KIB_A_FRAME = FRAME_SIZE / 1024, HUNDREDTH = 10000000 };

static void meminfo(struct text *t, struct process *p)
{
    size_t all = cms_frames_total() * KIB_A_FRAME, left = cms_frames_left() * KIB_A_FRAME;
    (void)p;
    text_add(t, "MemTotal:       %8zu kB\nMemFree:        %8zu kB\nMemAvailable:   %8zu kB\n", all, left, left);
    text_add(t, "Buffers:        %8d kB\nCached:         %8d kB\nSwapTotal:      %8d kB\nSwapFree:       %8d kB\n", 0,
             0, 0, 0);
}

static void cpuinfo(struct text *t, struct process *p)
{
    (void)p;
    text_add(t, "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: a virtual processor of VM/N\n");
    text_add(t, "cpu cores\t: 1\nsiblings\t: 1\nflags\t\t: fpu cx8 cmov fxsr sse sse2 syscall nx lm\n\n");
}

static void hundredths(struct text *t, uint64_t ns, const char *behind)
{
    text_add(t, "%lu.%02lu%s", ns / HUNDREDTH / 100, ns / HUNDREDTH % 100, behind);
}

static void uptime(struct text *t, struct process *p)
{
    uint64_t now = cms_wait_now();
    (void)p;
    hundredths(t, now, " ");
    hundredths(t, now, "\n");
}

static void version(struct text *t, struct process *p)
{
    (void)p;
    text_add(t, "Linux version 6.1.0-cms (VM/N CMS) #1\n");
}

static void os_release(struct text *t, struct process *p)
{
    (void)p;
    text_add(t, "6.1.0-cms\n");
}

static void filesystems(struct text *t, struct process *p)
{
    (void)p;
    text_add(t, "nodev\ttmpfs\nnodev\tdevtmpfs\nnodev\tproc\n\terofs\n\tedf\n");
}

static void load(struct text *t, struct process *p)
{
    unsigned ready, all;
    (void)p;
    thread_count(&ready, &all);
    text_add(t, "0.00 0.00 0.00 %u/%u %d\n", ready, all, process_current()->id);
}

static void stat(struct text *t, struct process *p)
{
    uint64_t user = 0, system = 0;
    (void)p;
    for (struct process *each = process_all; each; each = each->next) {
        struct times times = process_times(each);
        user += cms_ticks_ns(times.user);
        system += cms_ticks_ns(times.system);
    }
    uint64_t idle = cms_wait_now() > user + system ? cms_wait_now() - user - system : 0;
    text_add(t, "cpu  %lu 0 %lu %lu 0 0 0 0 0 0\ncpu0 %lu 0 %lu %lu 0 0 0 0 0 0\n", user / HUNDREDTH,
             system / HUNDREDTH, idle / HUNDREDTH, user / HUNDREDTH, system / HUNDREDTH, idle / HUNDREDTH);
    text_add(t, "btime %lu\n", (cms_clock_wall() - cms_wait_now()) / 1000000000);
}

static void mounts(struct text *t, struct process *p)
{
    (void)p;
    text_add(t, "root / erofs ro 0 0\n");
    for (const struct vfs_mount *m = vfs_mounts(); m; m = m->next) {
        struct node *top = m->top(m);
        if (top)
            text_add(t, "%s %s/%s %s %s 0 0\n", m->type, m->below ? "/dev" : "", m->name, m->type,
                     top->system && top->system->read_only ? "ro" : "rw");
        node_let_go(top);
    }
}

static void one(struct text *t, struct process *p)
{
    (void)p;
    text_add(t, "1\n");
}

static void least_map(struct text *t, struct process *p)
{
    (void)p;
    text_add(t, "65536\n");
}

/* A name with a slash stands for folders that are never listed. */
const struct proc_file proc_machine_files[] = {
    {"cpuinfo", cpuinfo},
    {"filesystems", filesystems},
    {"loadavg", load},
    {"meminfo", meminfo},
    {"mounts", mounts},
    {"stat", stat},
    {"uptime", uptime},
    {"version", version},
    {"sys/kernel/osrelease", os_release},
    {"sys/vm/mmap_min_addr", least_map},
    {"sys/vm/overcommit_memory", one},
};
const unsigned proc_machine_count = sizeof proc_machine_files / sizeof *proc_machine_files;
