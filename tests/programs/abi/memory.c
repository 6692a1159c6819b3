/* Storage: mmap and its relatives, brk, stacks. */
#include "tests/programs/abi/abi.h"

#include <setjmp.h>

#include <sys/resource.h>
#include <sys/utsname.h>

enum { PAGE = 4096 };
static sigjmp_buf back;
static void jump(int number) { siglongjmp(back, number); }

static bool faults(volatile char *at, bool write)
{
    signal(SIGSEGV, jump);
    signal(SIGBUS, jump);
    if (sigsetjmp(back, 1))
        return true;
    if (write)
        *at = 1;
    else
        (void)*at;
    return false;
}

static char *map(size_t bytes, int access)
{
    char *p = mmap(NULL, bytes, access, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    return p;
}

static void new_pages_are_zero(void)
{
    char *p = map(64 * PAGE, PROT_READ | PROT_WRITE);
    for (int i = 0; i < 64 * PAGE; i += 512)
        CHECK(p[i] == 0);
    memset(p, 7, 64 * PAGE);
    CHECK(!munmap(p + PAGE, PAGE));
    CHECK(faults(p + PAGE, false) && !faults(p, false) && !faults(p + 2 * PAGE, false));
    CHECK(p[2 * PAGE] == 7);
}

static void access_is_kept(void)
{
    char *p = map(3 * PAGE, PROT_READ | PROT_WRITE);
    p[PAGE] = 5;
    CHECK(!mprotect(p + PAGE, PAGE, PROT_READ));
    CHECK(!faults(p + PAGE, false) && faults(p + PAGE, true) && !faults(p, true));
    CHECK(!mprotect(p + PAGE, PAGE, PROT_NONE) && faults(p + PAGE, false));
    CHECK(!mprotect(p + PAGE, PAGE, PROT_READ | PROT_WRITE) && p[PAGE] == 5);
    FAILS(syscall(SYS_mprotect, p + 1, PAGE, PROT_READ), EINVAL);
    CHECK(!munmap(p + PAGE, PAGE));
    FAILS(mprotect(p, 3 * PAGE, PROT_READ), ENOMEM);
}

static void requests_are_judged(void)
{
    FAILS(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), EINVAL);
    FAILS(mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0), EINVAL);
    FAILS(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, -1, 0), EBADF);
    FAILS(mmap((void *)1, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), EINVAL);
    FAILS(mmap(NULL, 1ul << 62, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
    FAILS(munmap((void *)1, PAGE), EINVAL);
    char *p = map(PAGE, PROT_READ);
    FAILS(mmap(p, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | 0x100000, -1, 0), EEXIST);
    CHECK(mmap(p, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p);
    CHECK(!faults(p, true));
}

static void reservations_cost_nothing(void)
{
    size_t bytes = 4ul << 30;
    char *p = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(p != MAP_FAILED);
    CHECK(!mprotect(p + (1ul << 30), PAGE, PROT_READ | PROT_WRITE));
    p[1ul << 30] = 1;
    CHECK(faults(p, false));
    CHECK(!munmap(p, bytes));
}

static void pages_move(void)
{
    char *p = map(2 * PAGE, PROT_READ | PROT_WRITE);
    p[0] = 1;
    p[PAGE] = 2;
    char *q = mremap(p, 2 * PAGE, 200 * PAGE, MREMAP_MAYMOVE);
    CHECK(q != MAP_FAILED && q[0] == 1 && q[PAGE] == 2 && q[199 * PAGE] == 0);
    CHECK(mremap(q, 200 * PAGE, PAGE, 0) == q);
    CHECK(faults(q + PAGE, false) && q[0] == 1);
}

static void the_break_moves(void)
{
    char *from = sbrk(0);
    CHECK(from != (void *)-1);
    CHECK(syscall(SYS_brk, from + 10 * PAGE) == (long)(from + 10 * PAGE));
    from[0] = 1;
    from[10 * PAGE - 1] = 2;
    CHECK(syscall(SYS_brk, from) == (long)from);
    CHECK(syscall(SYS_brk, from + 10 * PAGE) == (long)(from + 10 * PAGE));
    CHECK(from[10 * PAGE - 1] == 0);
    CHECK(syscall(SYS_brk, 0) == (long)(from + 10 * PAGE));
}

static int deep(int n)
{
    volatile char room[4096];
    room[0] = (char)n;
    return n ? deep(n - 1) + room[0] : 0;
}

static void stacks_grow(void)
{
    CHECK(deep(1000) != 12345);
}

static void go_deep(void)
{
    struct rlimit small = {256 * 1024, RLIM_INFINITY};
    CHECK(!setrlimit(RLIMIT_STACK, &small));
    deep(1000);
}

static void go_a_little_deep(void)
{
    struct rlimit small = {256 * 1024, RLIM_INFINITY};
    CHECK(!setrlimit(RLIMIT_STACK, &small));
    deep(10);
}

static void stacks_have_a_limit(void)
{
    int status = run_child(go_deep);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    CHECK(run_child(go_a_little_deep) == 0);
}

static void given_up_pages_are_zero(void)
{
    char *p = map(4 * PAGE, PROT_READ | PROT_WRITE);
    memset(p, 3, 4 * PAGE);
    CHECK(!madvise(p, 2 * PAGE, MADV_DONTNEED));
    CHECK(p[0] == 0 && p[2 * PAGE] == 3);
}

static void files_are_mapped(void)
{
    int file = open("/tmp/abi-map", O_RDWR | O_CREAT | O_TRUNC, 0600);
    char text[PAGE + 100];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i % 97);
    CHECK(file >= 0 && write(file, text, sizeof text) == sizeof text);
    char *p = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    CHECK(p != MAP_FAILED && !memcmp(p, text, sizeof text));
    CHECK(p[sizeof text] == 0);
    signal(SIGBUS, jump);
    CHECK(faults(p + 2 * PAGE, false));
    p[0] = 100;
    char byte;
    CHECK(pread(file, &byte, 1, 0) == 1 && byte == 0);
    char *s = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, PAGE);
    CHECK(s != MAP_FAILED);
    s[1] = 101;
    CHECK(!msync(s, PAGE, MS_SYNC));
    CHECK(pread(file, &byte, 1, PAGE + 1) == 1 && byte == 101);
    CHECK(pwrite(file, "z", 1, PAGE + 2) == 1 && s[2] == 'z');
    FAILS(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, file, 1), EINVAL);
    close(file);
    s[3] = 5;
    file = open("/tmp/abi-map", O_RDONLY);
    FAILS(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0), EACCES);
    unlink("/tmp/abi-map");
}

static void shared_pages_are_shared(void)
{
    volatile int *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 3; i++) {
        pid_t child = fork();
        if (!child) {
            shared[i] = i + 1;
            _exit(0);
        }
        CHECK(waitpid(child, NULL, 0) == child);
    }
    CHECK(shared[0] == 1 && shared[1] == 2 && shared[2] == 3);
}

static void kernels_copy_with_care(void)
{
    char *p = map(2 * PAGE, PROT_READ | PROT_WRITE);
    int pipes[2];
    CHECK(!pipe(pipes) && !munmap(p + PAGE, PAGE));
    CHECK(write(pipes[1], "abcdefgh", 8) == 8);
    FAILS(read(pipes[0], (void *)0xffffffff80000000, 4), EFAULT);
    FAILS(read(pipes[0], hostile, 4), EFAULT);
    FAILS(write(pipes[1], (void *)0x800000000000, 4), EFAULT);
    CHECK(!mprotect(p, PAGE, PROT_READ));
    FAILS(read(pipes[0], p, 4), EFAULT);
    FAILS(uname((void *)(p + PAGE - 10)), EFAULT);
}

const struct test memory_tests[] = {
    CASE(new_pages_are_zero), CASE(access_is_kept), CASE(requests_are_judged), CASE(reservations_cost_nothing),
    CASE(pages_move), CASE(the_break_moves), CASE(stacks_grow), CASE(stacks_have_a_limit),
    CASE(given_up_pages_are_zero), CASE(files_are_mapped), CASE(shared_pages_are_shared),
    CASE(kernels_copy_with_care), {0},
};
