/* What moves bytes between files without the program seeing them, and readiness that is waited for. */
#include "tests/programs/abi/abi.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/xattr.h>

static const char NAME[] = "/tmp/abi-transfer", OTHER[] = "/tmp/abi-transfer-2";

static int make(const char *name, const char *text)
{
    int f = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(f >= 0 && write(f, text, strlen(text)) == (ssize_t)strlen(text) && !lseek(f, 0, SEEK_SET));
    return f;
}

static bool holds(int f, const char *text)
{
    char got[64] = "";
    return pread(f, got, sizeof got - 1, 0) == (ssize_t)strlen(text) && !strcmp(got, text);
}

static bool gives(int f, const char *text)
{
    char got[64] = "";
    return read(f, got, sizeof got - 1) == (ssize_t)strlen(text) && !strcmp(got, text);
}

static long append(int f, const struct iovec *v, int count, long offset)
{
    enum { APPEND = 0x10 };
    return syscall(SYS_pwritev2, f, v, (long)count, offset, 0L, (long)APPEND);
}

static void one_write_appends(void)
{
    struct iovec v[2] = {{(char *)"XY", 2}, {(char *)"Z", 1}};
    int f = make(NAME, "abcdef");
    CHECK(append(f, v, 2, 0) == 3 && holds(f, "abcdefXYZ") && lseek(f, 0, SEEK_CUR) == 0);
    CHECK(append(f, v, 1, -1) == 2 && holds(f, "abcdefXYZXY") && lseek(f, 0, SEEK_CUR) == 11);
    FAILS(append(f, v, 1, -2), EINVAL);
    FAILS(syscall(SYS_pwritev2, f, v, 1L, 0L, 0L, 0x1000L), EOPNOTSUPP);
    unlink(NAME);
}

static void copies_do_not_overlap(void)
{
    int f = make(NAME, "0123456789"), g = make(OTHER, ""), a = open(OTHER, O_WRONLY | O_APPEND), p[2];
    int folder = open("/tmp", O_RDONLY);
    loff_t from = 0, to = 5;
    FAILS(copy_file_range(f, &from, f, &to, 6, 0), EINVAL);
    to = 0;
    FAILS(copy_file_range(f, &from, f, &to, 5, 0), EINVAL);
    CHECK(holds(f, "0123456789") && from == 0);
    to = 5;
    CHECK(copy_file_range(f, &from, f, &to, 5, 0) == 5 && holds(f, "0123401234") && from == 5 && to == 10);
    from = 0;
    FAILS(copy_file_range(f, &from, a, NULL, 5, 0), EBADF);
    FAILS(copy_file_range(f, &from, folder, NULL, 5, 0), EISDIR);
    FAILS(copy_file_range(folder, NULL, g, NULL, 5, 0), EISDIR);
    CHECK(!pipe(p));
    FAILS(copy_file_range(f, &from, p[1], NULL, 5, 0), EINVAL);
    CHECK(copy_file_range(f, &from, g, NULL, 0, 0) == 0 && copy_file_range(f, &from, g, NULL, 4, 0) == 4);
    CHECK(holds(g, "0123") && from == 4 && lseek(g, 0, SEEK_CUR) == 4 && lseek(f, 0, SEEK_CUR) == 0);
    from = -1;
    FAILS(copy_file_range(f, &from, g, NULL, 5, 0), EOVERFLOW);
    unlink(NAME), unlink(OTHER);
}

static void sending_is_judged(void)
{
    int f = make(NAME, "0123456789"), g = make(OTHER, ""), a = open(OTHER, O_WRONLY | O_APPEND), p[2];
    off_t at = 3;
    CHECK(!pipe(p) && write(p[1], "pipe", 4) == 4);
    CHECK(sendfile(g, f, &at, 5) == 5 && at == 8 && lseek(f, 0, SEEK_CUR) == 0 && holds(g, "34567"));
    CHECK(sendfile(g, f, NULL, 0) == 0 && sendfile(g, f, NULL, 2) == 2 && lseek(f, 0, SEEK_CUR) == 2);
    FAILS(sendfile(a, f, &at, 2), EINVAL);
    FAILS(sendfile(g, p[0], NULL, 2), EINVAL);
    FAILS(sendfile(g, p[0], &at, 2), ESPIPE);
    FAILS(sendfile(g, open("/tmp", O_RDONLY), NULL, 2), EINVAL);
    FAILS(sendfile(g, f, &at, (size_t)-1), EINVAL);
    at = -1;
    FAILS(sendfile(g, f, &at, 2), EINVAL);
    CHECK(holds(g, "3456701"));
    at = 0;
    CHECK(sendfile(p[1], f, &at, 4) == 4 && gives(p[0], "pipe0123"));
    unlink(NAME), unlink(OTHER);
}

static void pipes_are_spliced(void)
{
    int p[2], q[2], f = make(NAME, "");
    loff_t at = 2;
    CHECK(!pipe(p) && !pipe(q) && write(p[1], "hello world", 11) == 11);
    CHECK(tee(p[0], q[1], 5, 0) == 5 && gives(q[0], "hello"));
    CHECK(splice(p[0], NULL, q[1], NULL, 6, 0) == 6 && gives(q[0], "hello "));
    CHECK(splice(p[0], NULL, f, NULL, 100, 0) == 5 && holds(f, "world"));
    CHECK(splice(f, &at, q[1], NULL, 2, 0) == 2 && at == 4 && gives(q[0], "rl"));
    FAILS(splice(f, NULL, f, NULL, 3, 0), EINVAL);
    FAILS(splice(p[0], &at, q[1], NULL, 3, 0), ESPIPE);
    FAILS(splice(p[0], NULL, p[1], NULL, 3, 0), EINVAL);
    FAILS(splice(p[0], NULL, q[1], NULL, 3, SPLICE_F_NONBLOCK), EAGAIN);
    FAILS(splice(p[0], NULL, q[1], NULL, 3, 0x100), EINVAL);
    FAILS(splice(-1, NULL, q[1], NULL, 3, 0), EBADF);
    FAILS(splice(p[1], NULL, q[1], NULL, 3, 0), EBADF);
    FAILS(tee(p[0], p[1], 5, 0), EINVAL);
    FAILS(tee(f, p[1], 5, 0), EINVAL);
    CHECK(splice(p[0], NULL, q[1], NULL, 0, 0) == 0);
    struct iovec v = {(char *)"abc", 3};
    CHECK(vmsplice(q[1], &v, 1, 0) == 3 && gives(q[0], "abc"));
    FAILS(vmsplice(f, &v, 1, 0), EBADF);
    CHECK(write(p[1], "x", 1) == 1);
    FAILS(splice(p[0], NULL, open(NAME, O_WRONLY | O_APPEND), NULL, 1, 0), EINVAL);
    CHECK(!close(p[1]) && splice(p[0], NULL, q[1], NULL, 9, 0) == 1 && gives(q[0], "x"));
    CHECK(splice(p[0], NULL, q[1], NULL, 9, 0) == 0 && tee(p[0], q[1], 9, 0) == 0);
    CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR && !close(q[0]) && !lseek(f, 0, SEEK_SET));
    FAILS(splice(f, NULL, q[1], NULL, 5, 0), EPIPE);
    CHECK(lseek(f, 0, SEEK_CUR) == 0);
    FAILS(readahead(q[1], 0, 1), EBADF);
    FAILS(readahead(p[0], 0, 1), EINVAL);
    CHECK(!readahead(f, 0, 1));
    unlink(NAME);
}

/* As much as there is room for, without a byte lost between two pipes; and it waits for both. */
static void splices_wait_for_both(void)
{
    static char much[100000];
    int p[2], q[2], status;
    CHECK(!pipe(p) && !pipe(q));
    pid_t writes = fork();
    if (!writes) {
        for (size_t i = 0; i < sizeof much; i++)
            much[i] = (char)(i * 7 % 251);
        _exit(write(p[1], much, sizeof much) == sizeof much ? 0 : 1);
    }
    pid_t moves = fork();
    if (!moves) {
        size_t done = 0;
        close(p[1]);
        for (ssize_t n; (n = splice(p[0], NULL, q[1], NULL, sizeof much, 0)) > 0;)
            done += (size_t)n;
        _exit(done == sizeof much ? 0 : 2);
    }
    CHECK(!close(p[1]) && !close(q[1]));
    sleep_ms(50);
    size_t got = 0;
    for (ssize_t n; (n = read(q[0], much + got, 3000)) > 0; got += (size_t)n)
        ;
    CHECK(got == sizeof much);
    for (size_t i = 0; i < sizeof much; i++)
        if (much[i] != (char)(i * 7 % 251))
            failed(__FILE__, __LINE__, "bytes in their order", (long)i);
    CHECK(waitpid(writes, &status, 0) == writes && !status && waitpid(moves, &status, 0) == moves && !status);
}

/* ---- readiness --------------------------------------------------------------------------------------------------- */

static int counter;
static void *take_it(void *unused)
{
    uint64_t value;
    sleep_ms(100);
    return read(counter, &value, sizeof value) == sizeof value ? unused : NULL;
}

static void room_in_a_counter_is_told(void)
{
    uint64_t most = UINT64_MAX - 1;
    pthread_t other;
    counter = eventfd(0, 0);
    CHECK(counter >= 0 && write(counter, &most, sizeof most) == sizeof most);
    struct pollfd p = {counter, POLLOUT, 0};
    CHECK(!poll(&p, 1, 0) && !pthread_create(&other, NULL, take_it, NULL));
    int64_t begun = now_ms();
    CHECK(poll(&p, 1, 5000) == 1 && p.revents == POLLOUT && now_ms() - begun < 4000);
    CHECK(!pthread_join(other, NULL));
}

static void all_that_are_ready_have_their_turn(void)
{
    int e = epoll_create1(0), p[3][2];
    unsigned told[3] = {0};
    struct epoll_event got;
    for (unsigned i = 0; i < 3; i++) {
        struct epoll_event want = {EPOLLIN, {.u32 = i}};
        CHECK(!pipe(p[i]) && !epoll_ctl(e, EPOLL_CTL_ADD, p[i][0], &want) && write(p[i][1], "x", 1) == 1);
    }
    for (unsigned i = 0; i < 6; i++) {
        CHECK(epoll_wait(e, &got, 1, 0) == 1 && got.data.u32 < 3);
        told[got.data.u32]++;
    }
    CHECK(told[0] == 2 && told[1] == 2 && told[2] == 2);
    got.events = EPOLLIN | EPOLLEXCLUSIVE;
    FAILS(epoll_ctl(e, EPOLL_CTL_MOD, p[0][0], &got), EINVAL);
    CHECK(!epoll_ctl(e, EPOLL_CTL_DEL, p[1][0], NULL) && !epoll_ctl(e, EPOLL_CTL_ADD, p[1][0], &got));
    got.events = EPOLLIN;
    FAILS(epoll_ctl(e, EPOLL_CTL_MOD, p[1][0], &got), EINVAL);
    struct timespec short_time = {0, 1000000}, none = {0, -1};
    struct epoll_event three[3];
    CHECK(syscall(441, e, three, 3, &short_time, NULL, 8) == 3);
    FAILS(syscall(441, e, three, 3, &none, NULL, 8), EINVAL);
}

static void owners_of_files(void)
{
    int p[2];
    CHECK(!pipe(p) && fcntl(p[0], F_GETOWN) == 0 && !fcntl(p[0], F_SETOWN, getpid()));
    CHECK(fcntl(p[0], F_GETOWN) == getpid());
    struct f_owner_ex o = {F_OWNER_PGRP, getpgrp()};
    CHECK(!fcntl(p[0], F_SETOWN_EX, &o) && fcntl(p[0], F_GETOWN) == -getpgrp() && fcntl(p[0], F_GETSIG) == 0);
    o.type = -1;
    CHECK(!fcntl(p[0], F_GETOWN_EX, &o) && o.type == F_OWNER_PGRP && o.pid == getpgrp());
    FAILS(fcntl(p[0], F_SETPIPE_SZ, -1), EINVAL);
}

/* Devices without a place have one at each offset. */
static void offsets_of_devices(void)
{
    char got[4] = "abc";
    CHECK(pread(open("/dev/zero", O_RDONLY), got, 3, 7) == 3 && !got[0] && !got[2]);
    CHECK(pwrite(open("/dev/null", O_WRONLY), got, 3, 7) == 3);
    int f = make(NAME, "abc"), p[2];
    FAILS(pwrite(f, got, 1, INT64_MAX), EINVAL);
    CHECK(lseek(f, INT64_MAX, SEEK_SET) >= -1 && lseek(f, 1, SEEK_SET) == 1);
    FAILS(lseek(f, INT64_MAX, SEEK_CUR), EINVAL);
    CHECK(!pipe(p));
    FAILS(pread(p[0], got, 1, 0), ESPIPE);
    unlink(NAME);
}

/* ---- what a file may not have ------------------------------------------------------------------------------------ */

static bool has_none(long result) { return result == -1 && (errno == ENODATA || errno == EOPNOTSUPP); }

static void attributes_are_answered(void)
{
    char value[8];
    int f = make(NAME, "x");
    CHECK(has_none(getxattr(NAME, "user.abi", value, sizeof value)));
    CHECK(has_none(lgetxattr(NAME, "system.posix_acl_access", value, sizeof value)));
    CHECK(has_none(fgetxattr(f, "user.abi", value, sizeof value)) && has_none(removexattr(NAME, "user.abi")));
    CHECK(listxattr(NAME, NULL, 0) >= 0 && llistxattr(NAME, NULL, 0) >= 0 && flistxattr(f, NULL, 0) >= 0);
    FAILS(getxattr("/tmp/abi-nonesuch", "user.abi", value, sizeof value), ENOENT);
    FAILS(listxattr("/tmp/abi-nonesuch", NULL, 0), ENOENT);
    FAILS(fgetxattr(-1, "user.abi", value, sizeof value), EBADF);
    unlink(NAME);
}

static void files_are_no_sockets(void)
{
    char name[64];
    uint32_t size = sizeof name;
    int f = make(NAME, "x");
    FAILS(syscall(SYS_getpeername, f, name, &size), ENOTSOCK);
    FAILS(syscall(SYS_getsockopt, f, 1, 3, name, &size), ENOTSOCK);
    FAILS(syscall(SYS_sendto, f, name, 1L, 0, NULL, 0), ENOTSOCK);
    FAILS(syscall(SYS_shutdown, f, 0), ENOTSOCK);
    FAILS(syscall(SYS_accept4, -1, NULL, NULL, 0), EBADF);
    unlink(NAME);
}

static void pairs_are_connected(void)
{
    int p[2], type = 0;
    char got[8] = "";
    socklen_t size = sizeof type;
    struct pollfd e = {0, POLLIN | POLLOUT | POLLRDHUP, 0};
    CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, p));
    CHECK(fcntl(p[0], F_GETFD) == FD_CLOEXEC);
    CHECK((fcntl(p[1], F_GETFL) & (O_NONBLOCK | O_ACCMODE)) == (O_NONBLOCK | O_RDWR));
    FAILS(read(p[0], got, 1), EAGAIN);
    CHECK(write(p[0], "abc", 3) == 3 && send(p[1], "xy", 2, MSG_NOSIGNAL) == 2);
    CHECK(read(p[1], got, 8) == 3 && !memcmp(got, "abc", 3) && recv(p[0], got, 8, 0) == 2 && !memcmp(got, "xy", 2));
    e.fd = p[0];
    CHECK(poll(&e, 1, 0) == 1 && e.revents == POLLOUT && send(p[1], "z", 1, 0) == 1 && poll(&e, 1, 0) == 1);
    CHECK(e.revents == (POLLIN | POLLOUT));
    CHECK(!getsockopt(p[0], SOL_SOCKET, SO_TYPE, &type, &size) && type == SOCK_STREAM && size == sizeof type);
    CHECK(!getsockopt(p[0], SOL_SOCKET, SO_ERROR, &type, &size) && type == 0);
    struct sockaddr_storage name;
    size = sizeof name;
    CHECK(!getpeername(p[0], (struct sockaddr *)&name, &size) && size == 2 && name.ss_family == AF_UNIX);
    struct iovec v[2] = {{(char *)"12", 2}, {(char *)"34", 2}};
    struct msghdr m = {.msg_iov = v, .msg_iovlen = 2};
    CHECK(sendmsg(p[0], &m, 0) == 4 && recv(p[1], got, 8, MSG_WAITALL | MSG_DONTWAIT) == 4 && !memcmp(got, "1234", 4));
    FAILS(pread(p[0], got, 1, 0), ESPIPE);
    FAILS(listen(p[0], 1), EINVAL);
    FAILS(setsockopt(p[0], SOL_SOCKET, 999, &type, sizeof type), ENOPROTOOPT);
    struct stat s;
    CHECK(!fstat(p[0], &s) && S_ISSOCK(s.st_mode));
    FAILS(socketpair(AF_UNIX, 77, 0, p), EINVAL);
    FAILS(socketpair(9999, SOCK_STREAM, 0, p), EAFNOSUPPORT);
}

static void pairs_end(void)
{
    int p[2];
    char got[8];
    struct pollfd e = {0, POLLIN | POLLRDHUP, 0};
    CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p) && write(p[0], "a", 1) == 1 && !shutdown(p[0], SHUT_WR));
    e.fd = p[1];
    CHECK(poll(&e, 1, 0) == 1 && e.revents == (POLLIN | POLLRDHUP));
    CHECK(read(p[1], got, 8) == 1 && read(p[1], got, 8) == 0 && write(p[1], "b", 1) == 1 && read(p[0], got, 8) == 1);
    FAILS(send(p[0], "c", 1, MSG_NOSIGNAL), EPIPE);
    FAILS(shutdown(p[0], 9), EINVAL);
    CHECK(!close(p[0]) && poll(&e, 1, 0) == 1 && e.revents == (POLLIN | POLLRDHUP | POLLHUP));
    FAILS(send(p[1], "c", 1, MSG_NOSIGNAL), EPIPE);
    CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    FAILS(write(p[1], "c", 1), EPIPE);
}

static int shut_here;
static void *shut_it(void *unused)
{
    sleep_ms(50);
    return shutdown(shut_here, SHUT_RDWR) ? NULL : unused;
}

static void waits_end_when_a_pair_is_shut(void)
{
    static char much[400000];
    int p[2], q[2];
    char got[8];
    pthread_t other;
    CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p) && !socketpair(AF_UNIX, SOCK_STREAM, 0, q));
    shut_here = p[0];
    CHECK(!pthread_create(&other, NULL, shut_it, NULL) && recv(p[0], got, 8, 0) == 0 && !pthread_join(other, NULL));
    CHECK(recv(p[1], got, 8, 0) == 0);
    FAILS(send(p[1], got, 1, MSG_NOSIGNAL), EPIPE);
    shut_here = q[0];
    CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR && !pthread_create(&other, NULL, shut_it, NULL));
    ssize_t n = write(q[0], much, sizeof much); /* what went before, or EPIPE */
    CHECK(n < (ssize_t)sizeof much && n != 0 && !pthread_join(other, NULL));
}

/* A poll for room is woken by the other end's reading, and bytes go both ways at once. */
static void pairs_wait(void)
{
    static char much[300000];
    int p[2], status;
    CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
    pid_t echoes = fork();
    if (!echoes) {
        close(p[0]);
        for (ssize_t n; (n = read(p[1], much, 5000)) > 0;)
            if (send(p[1], much, (size_t)n, 0) != n)
                _exit(1);
        _exit(0);
    }
    CHECK(!close(p[1]) && !fcntl(p[0], F_SETFL, O_NONBLOCK));
    size_t sent = 0, back = 0;
    while (back < sizeof much) {
        char piece[7000];
        struct pollfd e = {p[0], (short)(POLLIN | (sent < sizeof much ? POLLOUT : 0)), 0};
        CHECK(poll(&e, 1, 10000) == 1);
        size_t part = sizeof much - sent < sizeof piece ? sizeof much - sent : sizeof piece;
        for (size_t i = 0; i < part; i++)
            piece[i] = (char)((sent + i) % 251);
        ssize_t n = e.revents & POLLOUT && part ? write(p[0], piece, part) : 0;
        sent += n > 0 ? (size_t)n : 0;
        n = e.revents & POLLIN ? read(p[0], piece, sizeof piece) : 0;
        for (ssize_t i = 0; i < n; i++, back++)
            if (piece[i] != (char)(back % 251))
                failed(__FILE__, __LINE__, "bytes in their order", (long)back);
    }
    CHECK(!shutdown(p[0], SHUT_WR) && waitpid(echoes, &status, 0) == echoes && !status);
}

static void times_left_alone(void)
{
    const struct timespec omit[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};
    int f = make(NAME, "x"), place = open(NAME, O_PATH);
    CHECK(!utimensat(AT_FDCWD, "/tmp/abi-nonesuch", omit, 0) && !syscall(SYS_utimensat, f, NULL, NULL, 0));
    FAILS(syscall(SYS_utimensat, AT_FDCWD, NULL, NULL, 0), EFAULT);
    FAILS(syscall(SYS_utimensat, f, NULL, NULL, AT_SYMLINK_NOFOLLOW), EINVAL);
    FAILS(fsync(place), EBADF);
    FAILS(ftruncate(place, 0), EBADF);
    CHECK(mmap(NULL, 1, PROT_READ, MAP_PRIVATE, place, 0) == MAP_FAILED && errno == EBADF);
    FAILS(rmdir("/tmp/.."), ENOTEMPTY);
    FAILS(rmdir("/tmp/."), EINVAL);
    unlink(NAME);
}

const struct test transfer_tests[] = {
    CASE(one_write_appends), CASE(copies_do_not_overlap), CASE(sending_is_judged), CASE(pipes_are_spliced),
    CASE(splices_wait_for_both), CASE(room_in_a_counter_is_told), CASE(all_that_are_ready_have_their_turn),
    CASE(owners_of_files), CASE(offsets_of_devices), CASE(attributes_are_answered), CASE(files_are_no_sockets),
    CASE(pairs_are_connected),
    CASE(pairs_end), CASE(waits_end_when_a_pair_is_shut), CASE(pairs_wait),
    CASE(times_left_alone), {0},
};
