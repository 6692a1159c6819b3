/* A process without a processor: its storage is the test's own, of which the first and last pages cannot be reached. */
#pragma once
#include "cms/process/signal.h"
#include "cms/process/thread.h"
#include "cms/syscall/user.h"
#include "tests/unit/vfs_scene.h"

static struct process self;
static struct thread self_thread = {.process = &self};
static const uint64_t BAD = 16; /* an address that nobody has */
static uint64_t blocked_meanwhile;

struct thread *thread_current(void) { return &self_thread; }
struct process *process_current(void) { return &self; }
struct space *process_space(struct process *p) { return (void)p, NULL; }
struct files *process_files(struct process *p) { return (void)p, here.files; }
struct place *process_place(struct process *p) { return (void)p, here.place; }
void signal_block_meanwhile(struct thread *t, signal_set set) { (void)t, blocked_meanwhile = set; }

static bool reached(uint64_t address, size_t bytes)
{
    return !bytes || (address >= 65536 && address + bytes >= address && address + bytes < (1ull << 47));
}

int space_copy_in(struct space *s, void *to, uint64_t from, size_t bytes)
{
    (void)s;
    if (!reached(from, bytes))
        return -EFAULT;
    memcpy(to, (void *)(uintptr_t)from, bytes);
    return 0;
}

int space_copy_out(struct space *s, uint64_t to, const void *from, size_t bytes)
{
    (void)s;
    if (!reached(to, bytes))
        return -EFAULT;
    memcpy((void *)(uintptr_t)to, from, bytes);
    return 0;
}

int64_t space_copy_string(struct space *s, char *to, uint64_t from, size_t size)
{
    (void)s;
    if (!reached(from, 1))
        return -EFAULT;
    size_t n = strnlen((char *)(uintptr_t)from, size);
    if (n == size)
        return -ENAMETOOLONG;
    memcpy(to, (char *)(uintptr_t)from, n + 1);
    return (int64_t)n;
}

#define A(x)          ((uint64_t)(uintptr_t)(x))
#define DO(name, ...) call_##name(&(struct call){{__VA_ARGS__}})
