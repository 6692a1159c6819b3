#include "cms/syscall/syscall.h"

#include <errno.h>
#include <string.h>

#include "cms/process/fault.h"
#include "cms/syscall/file_calls.h"
#include "cms/syscall/memory_calls.h"

const struct call_row call_table[CALL_NUMBERS] = {
#define CALL(number, name, ...) [number] = {#name, call_##name, __VA_ARGS__},
#include "cms/syscall/calls.def"
#include "cms/syscall/file_calls.def"
#include "cms/syscall/memory_calls.def"
#undef CALL
};

static struct syscall_missed missed[SYSCALLS_MISSED];
static unsigned missed_count;

const struct syscall_missed *syscall_missed(unsigned index)
{
    return index < missed_count ? &missed[index] : NULL;
}

static int64_t refuse(const struct thread *t, uint64_t number)
{
    unsigned i = 0;
    while (i < missed_count && missed[i].number != number)
        i++;
    if (i < SYSCALLS_MISSED) {
        if (i == missed_count)
            memcpy(missed[missed_count++].name, t->name, sizeof t->name);
        missed[i].number = number;
        missed[i].times++;
    }
    return -ENOSYS;
}

static int64_t run(struct thread *t, const struct trap_frame *f)
{
    uint64_t number = f->rax;
    if (number >= CALL_NUMBERS || !call_table[number].run)
        return refuse(t, number);
    const struct call call = {{f->rdi, f->rsi, f->rdx, f->r10, f->r8, f->r9}};
    t->call = (unsigned)number;
    t->in_call = true;
    t->interrupted = call_table[number].interrupted;
    return call_table[number].run(&call);
}

static void system_call(struct trap_frame *f)
{
    struct thread *t = thread_current();

    t->frame = f;
    thread_account_user(t);
    int64_t result = run(t, f);
    f->rax = (uint64_t)result;
    if (t->attention || result == -EINTR)
        thread_before_program();
    t->in_call = false;
    thread_account_system(t);
}

void syscall_start(void)
{
    static const struct user_seams seams = {system_call, fault_exception, fault_interrupted};
    user_set_seams(&seams);
}
