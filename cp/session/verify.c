/* Hashing passwords. In: sessions that wait for it, machines that run. Out: pieces of work, one a turn. */
#include "cp/session/verify.h"

#include "cp/dispatch/vm.h"
#include "cp/session/session.h"
#include "cp/session/turn.h"
#include "cp/terminal/terminal.h"

static struct session *served; /* last; NULL: nobody yet */

static void fall_due(struct timer *timer)
{
    (void)timer;
    turn_wanted = true;
}

static struct timer due = {.expire = fall_due};

static bool wants(const struct session *s)
{
    return session_states[s->state].awaits == AWAITS_HASH && !s->deed.noted;
}

static struct session *next_of(struct session *from)
{
    struct session *s = from;
    while ((s = session_next(s)) && !wants(s)) {}
    return s;
}

static struct session *pick(void)
{
    struct session *s = served ? next_of(served) : NULL;
    return served = s ? s : next_of(NULL);
}

/* A machine that runs gets as long as the piece took, and so does each of some others. */
static unsigned others(void)
{
    unsigned running = 0;
    for (struct vm *vm = vm_list; vm && running < VERIFY_OTHERS; vm = vm->next)
        running += vm->state == VM_RUNNABLE;
    return running;
}

void verify_begin(struct session *s, const char *setting, const char *text, size_t length)
{
    sha512_crypt_begin(&s->crypt, setting, text, length);
    if (!due.armed)
        timer_arm(&due, clock_now());
}

/* A piece, with looks at the lines: a UART's sixteen bytes come in less time than it takes. */
static bool step(struct session *s)
{
    enum { LOOKS = 3 };
    bool done = false;
    for (unsigned i = 0; i < LOOKS && !done; i++) {
        done = sha512_crypt_step(&s->crypt, VERIFY_BLOCKS / LOOKS);
        terminal_look();
    }
    return done;
}

void verify_poll(void)
{
    struct session *s = due.armed ? NULL : pick();
    if (!s)
        return;
    uint64_t begun = clock_now();
    bool done = step(s);
    uint64_t now = clock_now();
    timer_arm(&due, now + (now - begun) * others());
    if (!done)
        return;
    session_states[s->state].follows(s);
    terminal_look(); /* a machine was made, it may be */
}
