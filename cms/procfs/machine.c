/* The files that are about the machine. */
#include <string.h>

#include "cms/kernel/clock.h"
#include "cms/kernel/frame.h"
#include "cms/kernel/random.h"
#include "cms/process/release.h"
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
    text_add(t, "Linux version " LINUX_RELEASE " (vmn@" LINUX_NODE ") " LINUX_VERSION "\n");
}

/* Files of one line that is always the same. */
#define LINE(function, line)                                                                                \
    static void function(struct text *t, struct process *p)                                                 \
    {                                                                                                       \
        (void)p;                                                                                            \
        text_add_bytes(t, line "\n", sizeof line);                                                          \
    }
LINE(os_release, LINUX_RELEASE)
LINE(os_type, "Linux")
LINE(os_version, LINUX_VERSION)
LINE(host_name, LINUX_NODE)
LINE(kernel_line, "")
LINE(swaps, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority")
LINE(one, "1")
LINE(least_map, "65536")
LINE(last_capability, "40")
LINE(most_groups, "65536")
LINE(most_regions, "65530")
LINE(entropy, "256")

static void number(struct text *t, unsigned long value) { text_add(t, "%lu\n", value); }
static void most_processes(struct text *t, struct process *p) { (void)p, number(t, PROCESS_ID_LAST + 1); }
static void most_threads(struct text *t, struct process *p) { (void)p, number(t, THREAD_MAX); }
static void most_files(struct text *t, struct process *p) { (void)p, number(t, FILES_MAX); }

static void uuid(struct text *t, const uint64_t half[2])
{
    uint64_t a = (half[0] & ~0xf000ull) | 0x4000, b = half[1] >> 2 | 1ull << 63; /* of version 4: by chance */
    text_add(t, "%08lx-%04lx-%04lx-%04lx-%012lx\n", a >> 32, a >> 16 & 0xffff, a & 0xffff, b >> 48,
             b & 0xffffffffffff);
}

static void new_uuid(struct text *t, struct process *p)
{
    uint64_t half[2] = {cms_random(), cms_random()};
    (void)p;
    uuid(t, half);
}

static void boot_uuid(struct text *t, struct process *p)
{
    static uint64_t half[2];
    (void)p;
    if (!half[0] && !half[1])
        half[0] = cms_random(), half[1] = cms_random();
    uuid(t, half);
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
    uint64_t user = 0, system = 0, switches = 0;
    unsigned ready, all;
    (void)p;
    thread_count(&ready, &all);
    for (struct process *each = process_all; each; each = each->next) {
        for (const struct thread *one = each->threads; one; one = one->sibling)
            switches += one->switches;
        struct times times = process_times(each);
        user += cms_ticks_ns(times.user);
        system += cms_ticks_ns(times.system);
    }
    uint64_t idle = cms_wait_now() > user + system ? cms_wait_now() - user - system : 0;
    text_add(t, "cpu  %lu 0 %lu %lu 0 0 0 0 0 0\ncpu0 %lu 0 %lu %lu 0 0 0 0 0 0\n", user / HUNDREDTH,
             system / HUNDREDTH, idle / HUNDREDTH, user / HUNDREDTH, system / HUNDREDTH, idle / HUNDREDTH);
    text_add(t, "intr 0\nctxt %lu\nbtime %lu\nprocesses %d\nprocs_running %u\nprocs_blocked 0\n", switches,
             (cms_clock_wall() - cms_wait_now()) / 1000000000, process_current()->id, ready);
}

/* Nothing is paged out or in. */
static void paging(struct text *t, struct process *p)
{
    (void)p;
    text_add(t, "nr_free_pages %zu\npgpgin 0\npgpgout 0\npswpin 0\npswpout 0\npgfault 0\npgmajfault 0\n",
             cms_frames_left());
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

/* A name with a slash stands for folders that are never listed. */
const struct proc_file proc_machine_files[] = {
    {"cmdline", kernel_line},
    {"cpuinfo", cpuinfo},
    {"filesystems", filesystems},
    {"loadavg", load},
    {"meminfo", meminfo},
    {"mounts", mounts},
    {"stat", stat},
    {"swaps", swaps},
    {"uptime", uptime},
    {"version", version},
    {"vmstat", paging},
    {"sys/fs/file-max", most_files},
    {"sys/fs/nr_open", most_files},
    {"sys/kernel/cap_last_cap", last_capability},
    {"sys/kernel/hostname", host_name},
    {"sys/kernel/ngroups_max", most_groups},
    {"sys/kernel/osrelease", os_release},
    {"sys/kernel/ostype", os_type},
    {"sys/kernel/pid_max", most_processes},
    {"sys/kernel/random/boot_id", boot_uuid},
    {"sys/kernel/random/entropy_avail", entropy},
    {"sys/kernel/random/uuid", new_uuid},
    {"sys/kernel/threads-max", most_threads},
    {"sys/kernel/version", os_version},
    {"sys/vm/max_map_count", most_regions},
    {"sys/vm/mmap_min_addr", least_map},
    {"sys/vm/overcommit_memory", one},
};
const unsigned proc_machine_count = sizeof proc_machine_files / sizeof *proc_machine_files;
