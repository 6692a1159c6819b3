/* Processes without a processor: each thread is a coroutine of the host, a program is a function of the test, which
 * makes system calls by call() and finds its storage at DATA. Storage, files and the terminal are real. Where fork
 * would go on in the middle of a function, the child begins another one. */
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

#include "cms/elf/elf_layout.h"
#include "cms/kernel/clock.h"
#include "cms/kernel/frame.h"
#include "cms/kernel/heap.h"
#include "cms/kernel/random.h"
#include "cms/kernel/sleep.h"
#include "cms/process/clone.h"
#include "cms/process/end.h"
#include "cms/process/signal.h"
#include "cms/syscall/syscall.h"
#include "cms/tty/tty.h"
#include "tests/unit/vfs_scene.h"

enum { FUNCTIONS = 64, STACK = 256 << 10, SYSCALL_BYTES = 2 };
static const uint64_t CODE = 0x400000, DATA = 0x401000, GO_ON = 0x4ff000;

/* ---- time -------------------------------------------------------------------------------------------------------- */

static uint64_t ns = 1000000, tick_in, passes; /* at each look at the clock, where a test wants that */
static void (*on_pass)(void);

uint64_t cms_clock_ns(void) { return ns; }
uint64_t cms_ticks(void) { return ns += passes; }
void cms_interrupts_pass(void)
{
    if (on_pass)
        on_pass();
}
uint64_t cms_ticks_ns(uint64_t ticks) { return ticks; }
uint64_t cms_entropy(void) { return ns * 0x9e3779b97f4a7c15; }

void cms_tick_within(uint64_t within)
{
    if (!tick_in || within < tick_in)
        tick_in = within + 1;
}

/* ---- the processor ----------------------------------------------------------------------------------------------- */

static struct user_seams seams;
static ucontext_t command_context;
static unsigned loaded, saved;

void user_start(void) {}
void user_set_seams(const struct user_seams *s) { seams = *s; }
size_t user_extended_size(void) { return 576; }
uint64_t user_extended_features(void) { return 3; }
void user_extended_begin(void *area) { memset(area, 0, 576); }
void user_extended_copy(void *to, const void *from) { memcpy(to, from, 576); }
void user_extended_save(void *area) { (void)area, saved++; }
void user_extended_restore(const void *area) { (void)area, loaded++; }
void user_extended_tame(void *area) { memset((char *)area + 520, 0, 56); }
void user_state_switch(struct user_state *from, const struct user_state *to) { (void)from, (void)to; }
void user_state_load(const struct user_state *to) { (void)to; }
void user_state_note(struct user_state *s) { (void)s; }
uint64_t user_hardware(void) { return 0; }
static uint64_t fault_address;
uint64_t user_fault_address(void) { return fault_address; }

struct coroutine {
    ucontext_t context;
    void (*entry)(void *);
    void *argument;
    char stack[STACK];
};
static struct coroutine *coroutines[64];
static unsigned coroutine_count;

static void enter(int index)
{
    coroutines[index]->entry(coroutines[index]->argument);
    abort();
}

void context_make(struct context *context, void *stack, void (*entry)(void *), void *argument)
{
    (void)stack;
    if (coroutine_count == 64)
        fail_msg("a test has at most 64 threads");
    struct coroutine *c = coroutines[coroutine_count] = malloc(sizeof *c);
    c->entry = entry;
    c->argument = argument;
    getcontext(&c->context);
    c->context.uc_stack.ss_sp = c->stack;
    c->context.uc_stack.ss_size = STACK;
    makecontext(&c->context, (void (*)(void))enter, 1, (int)coroutine_count++);
    context->rsp = (uintptr_t)&c->context;
}

static ucontext_t *context_of(const struct context *c)
{
    return c->rsp ? (ucontext_t *)(uintptr_t)c->rsp : &command_context;
}

void context_switch(struct context *from, const struct context *to)
{
    swapcontext(context_of(from), context_of(to));
}

/* ---- programs ---------------------------------------------------------------------------------------------------- */

static void (*functions[FUNCTIONS])(uint64_t argument);
static unsigned function_count;

static uint64_t address_of(void (*function)(uint64_t))
{
    unsigned i = 0;
    while (i < function_count && functions[i] != function)
        i++;
    if (i == function_count)
        functions[function_count++] = function;
    return CODE + 16 * i;
}

static void run_at(uint64_t rip, uint64_t argument)
{
    functions[(rip - CODE) / 16](argument);
}

static int64_t call_from(struct trap_frame *f);

/* Back in the program: where it was, or at a handler first. */
static void go_on(struct trap_frame *f)
{
    while (f->rip != GO_ON) {
        if (f->rip == GO_ON - SYSCALL_BYTES) {
            f->rip = GO_ON;
            seams.system_call(f);
            continue;
        }
        struct trap_frame handler = *f;
        run_at(f->rip, f->rdi);
        handler.rsp += 8;
        handler.rax = 15;
        handler.rip = GO_ON;
        seams.system_call(&handler);
        *f = handler;
    }
}

static int64_t call_from(struct trap_frame *f)
{
    f->rip = GO_ON;
    f->rsp = SPACE_TOP - 4096;
    seams.system_call(f);
    go_on(f);
    return (int64_t)f->rax;
}

#define call(number, ...) call_with(number, (const uint64_t[6]){__VA_ARGS__})
static int64_t call_with(uint64_t number, const uint64_t a[6])
{
    struct trap_frame f = {.rax = number, .rdi = a[0], .rsi = a[1], .rdx = a[2], .r10 = a[3], .r8 = a[4], .r9 = a[5]};
    return call_from(&f);
}

enum { SYS_RT_SIGACTION = 13, SYS_RT_SIGPROCMASK, SYS_YIELD = 24, SYS_PAUSE = 34, SYS_NANOSLEEP, SYS_ALARM = 37,
       SYS_GETPID = 39, SYS_CLONE = 56, SYS_EXECVE = 59, SYS_EXIT, SYS_WAIT4, SYS_KILL, SYS_GETPPID = 110,
       SYS_FUTEX = 202, SYS_EXIT_GROUP = 231 };

/* clone(2), whose child runs `function`. */
static int64_t clone_to(uint64_t flags, void (*function)(uint64_t))
{
    struct trap_frame f = {.rax = SYS_CLONE, .rdi = flags, .rip = address_of(function), .rsp = SPACE_TOP - 4096};
    seams.system_call(&f);
    if (f.rip != address_of(function))
        go_on(&f);
    return (int64_t)f.rax;
}

static inline int64_t fork_to(void (*function)(uint64_t)) { return clone_to(SIGNAL_CHLD, function); }

void user_enter(const struct trap_frame *frame)
{
    struct trap_frame f = *frame;
    if (f.rip >= CODE && f.rip < CODE + 16 * FUNCTIONS)
        run_at(f.rip, f.rdi);
    else
        go_on(&f);
    call(SYS_EXIT_GROUP, 0);
    abort();
}

static void put(uint64_t at, const void *from, size_t bytes)
{
    assert_int_equal(space_copy_out(process_space(process_current()), at, from, bytes), 0);
}

static uint64_t word_at(uint64_t at)
{
    uint64_t value = 0;
    assert_int_equal(space_copy_in(process_space(process_current()), &value, at, sizeof value), 0);
    return value;
}

static inline void put_word(uint64_t at, uint64_t value) { put(at, &value, sizeof value); }

static void handle_by(int number, void (*handler)(uint64_t), uint64_t flags)
{
    const struct signal_action a = {address_of(handler), flags | ACTION_RESTORER, 0x1234, 0};
    put(DATA, &a, sizeof a);
    assert_int_equal(call(SYS_RT_SIGACTION, (uint64_t)number, DATA, 0, 8), 0);
}

static inline int64_t wait_for(int64_t id, uint32_t options, int *status)
{
    int64_t got = call(SYS_WAIT4, (uint64_t)id, DATA + 256, options);
    *status = (int)(uint32_t)word_at(DATA + 256);
    return got;
}

/* ---- the command level ------------------------------------------------------------------------------------------- */

static unsigned naps;
static void (*on_nap)(void);

/* Instead of an interrupt time goes on to the tick. */
void cms_sleep(bool bounded)
{
    (void)bounded;
    if (++naps > 100000)
        fail_msg("everybody sleeps for ever");
    ns += tick_in ? tick_in : 1000000;
    tick_in = 0;
    if (on_nap)
        on_nap();
}

static void make_program(const char *path, void (*function)(uint64_t))
{
    struct {
        struct elf_header header;
        struct elf_program program;
    } elf = {
        .header = {.identity = {0x7f, 'E', 'L', 'F', 2, 1, 1}, .type = ELF_EXECUTABLE, .machine = ELF_X86_64,
                   .entry = address_of(function), .program_offset = 64, .program_size = 56, .program_count = 1},
        .program = {.type = ELF_LOAD, .flags = 7, .address = CODE, .file_size = sizeof elf, .memory_size = 0x10000},
    };
    struct file *f;
    assert_int_equal(vfs_open(&here, path, ABI_O_WRONLY | ABI_O_CREAT | ABI_O_TRUNC, 0755, &f), 0);
    assert_int_equal(put_bytes(f, &elf, sizeof elf), sizeof elf);
    file_let_go(f);
}

static struct process_end end;

static int run_program(void (*function)(uint64_t))
{
    static const char *const words[] = {"program", NULL}, *const none[] = {NULL};
    make_program("/tmp/program", function);
    return process_run("/tmp/program", words, none, NULL, &end);
}

static int exit_of(void (*function)(uint64_t))
{
    assert_int_equal(run_program(function), 0);
    return end.status >> 8;
}

static _Alignas(4096) char arena[16 << 20];

/* New storage, with nothing in it. */
static void scene_storage(void)
{
    cms_heap_start(arena, sizeof arena);
    tmpfs_reset();
    here.place = place_make();
    here.files = files_make();
}

static int begin_scene(void **state)
{
    static bool started;
    (void)state;
    scene_begin();
    process_recover();
    scene_storage();
    if (!started) {
        tty_start();
        syscall_start();
    }
    started = true;
    naps = 0;
    on_nap = on_pass = NULL;
    passes = 0;
    return 0;
}

/* Nothing of a process is left: no record, no frame but of files, no thread. */
static int end_scene(void **state)
{
    unsigned ready, all;
    (void)state;
    thread_count(&ready, &all);
    assert_int_equal(all, 0);
    assert_null(process_all);
    while (coroutine_count)
        free(coroutines[--coroutine_count]);
    return 0;
}
#define T(name) cmocka_unit_test_setup_teardown(name, begin_scene, end_scene)
