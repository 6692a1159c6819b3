/* Weak: a test that has processes has all this of them. */
#include "tests/unit/fake/cms_caller.h"

#include <errno.h>
#include <string.h>

#include "cms/kernel/wait.h"
#include "cms/vfs/caller.h"

int fake_caller_process, fake_caller_group, fake_caller_session, fake_caller_session_of_group;
bool fake_caller_leads, fake_caller_ignores, fake_caller_orphaned, fake_caller_halted;
int fake_caller_signals[65], fake_caller_group_signal, fake_caller_signalled_group;
uint64_t fake_wait_now;
int (*fake_wait)(void), (*fake_work)(void);
unsigned fake_waits, fake_wakes;

void fake_caller_reset(void)
{
    fake_caller_process = fake_caller_group = fake_caller_session = fake_caller_session_of_group = 100;
    fake_caller_leads = true;
    fake_caller_ignores = fake_caller_orphaned = fake_caller_halted = false;
    memset(fake_caller_signals, 0, sizeof fake_caller_signals);
    fake_caller_group_signal = fake_caller_signalled_group = 0;
    fake_wait_now = 1;
    fake_wait = fake_work = NULL;
    fake_waits = fake_wakes = 0;
}

__attribute__((weak)) int caller_process(void) { return fake_caller_process; }
__attribute__((weak)) int caller_group(void) { return fake_caller_group; }
__attribute__((weak)) int caller_session(void) { return fake_caller_session; }
__attribute__((weak)) bool caller_leads_session(void) { return fake_caller_leads; }
__attribute__((weak)) bool caller_ignores_or_blocks(int signal) { return (void)signal, fake_caller_ignores; }
__attribute__((weak)) void caller_signal(int signal) { fake_caller_signals[signal]++; }
__attribute__((weak)) int caller_session_of_group(int group) { return (void)group, fake_caller_session_of_group; }
__attribute__((weak)) bool caller_group_is_orphaned(int group) { return (void)group, fake_caller_orphaned; }
__attribute__((weak)) void caller_halt(void) { fake_caller_halted = true; }
__attribute__((weak)) uint64_t caller_random(void) { return 0x0123456789abcdef; }
__attribute__((weak)) int64_t caller_time(void) { return 1700000000ll * 1000000000 + (int64_t)fake_wait_now; }

__attribute__((weak)) void caller_signal_group(int group, int signal)
{
    fake_caller_signalled_group = group;
    fake_caller_group_signal = signal;
}

__attribute__((weak)) int cms_wait(struct wait_queue *queue, uint64_t deadline)
{
    (void)queue, (void)deadline;
    fake_waits++;
    return fake_wait ? fake_wait() : -EINTR;
}

__attribute__((weak)) int cms_wait_any(struct wait_queue *const queues[], unsigned count, uint64_t deadline)
{
    (void)queues, (void)count;
    return cms_wait(NULL, deadline);
}

__attribute__((weak)) void cms_wake(struct wait_queue *queue)
{
    queue->wakes++;
    fake_wakes++;
}

__attribute__((weak)) int cms_work(void) { return fake_work ? fake_work() : 0; }
__attribute__((weak)) bool cms_wait_is_over(void) { return false; }
__attribute__((weak)) void cms_wait_end(struct wait_queue *queue) { cms_wake(queue); }
__attribute__((weak)) uint64_t cms_wait_now(void) { return fake_wait_now; }
