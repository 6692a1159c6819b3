/* Arms breakpoints at every address from 1 MiB on, where CP and its other guests are too, and makes exits under them.
 * None of them is met here: the loop runs from storage above. `code=` and `data=` are how many KiB are swept of either,
 * `stride=` bytes from one data breakpoint to the next, `also=` an address whose next 5 KiB are swept as code.
 * Says "still here" at the end; with `stay=1` it goes on for ever then, breakpoints armed. */
#include "tests/guest/runtime/option.h"
#include "tests/guest/runtime/runtime.h"

#include <string.h>

enum { VECTOR_DEBUG = 1, FROM = 0x100000, LOOP = 0x1000000, KIB = 1024, ROUND = 64 * KIB };
#define THREE_OF(type, code) (0x42Aull | 0x111ull * ((type) | (code) << 2) << 16)

static unsigned hits;

static void note(struct guest_frame *frame)
{
    (void)frame;
    hits++;
    __asm__ volatile("mov %0, %%dr7" : : "r"(0x400ull));
}

/* A function (from, to, stride, DR7) that can be moved: breakpoints, an exit, none. */
extern const char sweep_loop[], sweep_loop_end[];
__asm__(".text\n"
        ".globl sweep_loop, sweep_loop_end\n"
        "sweep_loop: mov $0x400, %r10d\n"
        "1: mov %rdi, %dr0\n"
        "add %rdx, %rdi\n"
        "mov %rdi, %dr1\n"
        "add %rdx, %rdi\n"
        "mov %rdi, %dr2\n"
        "add %rdx, %rdi\n"
        "mov %rcx, %dr7\n"
        "out %al, $0x80\n"
        "mov %r10, %dr7\n"
        "cmp %rsi, %rdi\n"
        "jb 1b\n"
        "ret\n"
        "sweep_loop_end:\n");

static void sweep(const char *name, uint64_t begin, uint64_t kib, uint64_t stride, uint64_t dr7)
{
    void (*loop)(uint64_t, uint64_t, uint64_t, uint64_t) =
        (void (*)(uint64_t, uint64_t, uint64_t, uint64_t))(uintptr_t)LOOP;

    for (uint64_t from = begin, to = begin + kib * KIB; from < to; from += ROUND) {
        loop(from, from + ROUND < to ? from + ROUND : to, stride, dr7);
        guest_print("%s %llx\n", name, (unsigned long long)from);
    }
}

int guest_main(void)
{
    guest_handle(VECTOR_DEBUG, note);
    memcpy((void *)(uintptr_t)LOOP, sweep_loop, (size_t)(sweep_loop_end - sweep_loop));
    guest_print("sweeping\n");
    sweep("code", FROM, guest_option("code=", 384), 1, THREE_OF(0, 0));
    if (guest_option("also=", 0))
        sweep("more code", guest_option("also=", 0), 5, 1, THREE_OF(0, 0));
    sweep("data", FROM, guest_option("data=", 1536), guest_option("stride=", 8), THREE_OF(3, 2));
    guest_print("%u hits\n", hits);
    guest_print("still here\n");
    if (guest_option("stay=", 0))
        for (;;)
            sweep("again", FROM, 64, 1, THREE_OF(0, 0));
    return hits != 0;
}
