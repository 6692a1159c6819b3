/* Files, descriptors, pipes, folders. */
#include "tests/programs/abi/abi.h"

#include <dirent.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#define NAME "/tmp/abi-file"

static void files_are_written_and_read(void)
{
    char text[20] = "";
    struct stat s;
    int file = open(NAME, O_RDWR | O_CREAT | O_TRUNC, 0644);
    CHECK(file >= 0);
    CHECK(write(file, "hello world", 11) == 11);
    CHECK(lseek(file, 6, SEEK_SET) == 6 && read(file, text, 20) == 5 && !memcmp(text, "world", 5));
    CHECK(read(file, text, 20) == 0);
    CHECK(pread(file, text, 5, 0) == 5 && !memcmp(text, "hello", 5) && lseek(file, 0, SEEK_CUR) == 11);
    CHECK(!fstat(file, &s) && s.st_size == 11 && S_ISREG(s.st_mode) && (s.st_mode & 0777) == 0644);
    CHECK(!ftruncate(file, 4096 * 3) && !fstat(file, &s) && s.st_size == 4096 * 3);
    CHECK(pread(file, text, 4, 8000) == 4 && !text[0]);
    CHECK(!ftruncate(file, 3) && lseek(file, 0, SEEK_END) == 3);
    FAILS(lseek(file, -1, SEEK_SET), EINVAL);
    CHECK(!close(file));
    FAILS(read(file, text, 1), EBADF);
    CHECK(!unlink(NAME));
    FAILS(open(NAME, O_RDONLY), ENOENT);
    FAILS(unlink(NAME), ENOENT);
}

static void descriptors_can_be_opened_again(void)
{
    char path[32], text[8] = "";
    int ends[2], file = open(NAME, O_RDWR | O_CREAT | O_TRUNC, 0644);
    CHECK(!pipe(ends) && write(ends[1], "piped", 5) == 5 && write(file, "kept", 4) == 4 && !unlink(NAME));
    snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
    int again = open(path, O_RDONLY);
    CHECK(again >= 0 && !close(ends[0]) && read(again, text, 8) == 5 && !memcmp(text, "piped", 5));
    snprintf(path, sizeof path, "/dev/fd/%d", ends[1]);
    int other = open(path, O_WRONLY);
    CHECK(other >= 0 && !close(ends[1]) && write(other, "x", 1) == 1 && !close(other));
    CHECK(read(again, text, 8) == 1 && read(again, text, 8) == 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    CHECK(dup2(open(path, O_RDONLY), 0) == 0 && (file = open("/dev/stdin", O_RDONLY)) >= 0);
    CHECK(read(file, text, 8) == 4 && !memcmp(text, "kept", 4));
}

static void an_epoll_does_not_keep_files_open(void)
{
    struct epoll_event e = {.events = EPOLLIN};
    int ends[2], list = epoll_create1(0);
    char byte;
    CHECK(!pipe(ends) && !epoll_ctl(list, EPOLL_CTL_ADD, ends[1], &e) && !close(ends[1]));
    CHECK(read(ends[0], &byte, 1) == 0);
    CHECK(epoll_wait(list, &e, 1, 0) == 0);
}

static void opening_is_judged(void)
{
    int file = open(NAME, O_WRONLY | O_CREAT | O_EXCL, 0600);
    char byte;
    CHECK(file >= 0);
    FAILS(open(NAME, O_WRONLY | O_CREAT | O_EXCL, 0600), EEXIST);
    FAILS(read(file, &byte, 1), EBADF);
    FAILS(open("/tmp", O_WRONLY), EISDIR);
    FAILS(open(NAME "/x", O_RDONLY), ENOTDIR);
    FAILS(open(NAME, O_RDONLY | O_DIRECTORY), ENOTDIR);
    FAILS(open(hostile, O_RDONLY), EFAULT);
    FAILS(open("", O_RDONLY), ENOENT);
    close(file);
    unlink(NAME);
}

static void appends_go_to_the_end(void)
{
    char text[8];
    int file = open(NAME, O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);
    CHECK(write(file, "ab", 2) == 2 && lseek(file, 0, SEEK_SET) == 0 && write(file, "cd", 2) == 2);
    CHECK(pread(file, text, 8, 0) == 4 && !memcmp(text, "abcd", 4));
    struct iovec v[2] = {{(char *)"12", 2}, {(char *)"345", 3}}, r[2] = {{text, 3}, {text + 3, 5}};
    CHECK(writev(file, v, 2) == 5 && lseek(file, 4, SEEK_SET) == 4 && readv(file, r, 2) == 5);
    CHECK(!memcmp(text, "12345", 5));
    CHECK(pwrite(file, "xy", 2, 0) == 2 && lseek(file, 0, SEEK_CUR) == 9); /* Linux' own: pwrite(2), BUGS */
    CHECK(pread(file, text, 8, 0) == 8 && !memcmp(text, "abcd1234", 8));
    CHECK(pread(file, text, 8, 9) == 2 && !memcmp(text, "xy", 2));
    close(file);
    unlink(NAME);
}

static void descriptors_are_copied(void)
{
    int file = open(NAME, O_RDWR | O_CREAT | O_TRUNC, 0600), copy = dup(file), flags;
    CHECK(copy > file && write(file, "x", 1) == 1 && lseek(copy, 0, SEEK_CUR) == 1);
    CHECK(dup2(file, 50) == 50 && fcntl(50, F_GETFD) == 0);
    CHECK(fcntl(50, F_SETFD, FD_CLOEXEC) == 0 && fcntl(50, F_GETFD) == FD_CLOEXEC);
    CHECK(fcntl(file, F_DUPFD_CLOEXEC, 60) == 60 && fcntl(60, F_GETFD) == FD_CLOEXEC);
    flags = fcntl(file, F_GETFL);
    CHECK((flags & O_ACCMODE) == O_RDWR);
    CHECK(!fcntl(file, F_SETFL, O_APPEND) && fcntl(copy, F_GETFL) & O_APPEND);
    FAILS(dup(200), EBADF);
    FAILS(dup2(file, -1), EBADF);
    FAILS(fcntl(200, F_GETFD), EBADF);
    pid_t child = fork();
    if (!child) {
        (void)!write(file, "yz", 2);
        _exit(0);
    }
    CHECK(waitpid(child, NULL, 0) == child && lseek(file, 0, SEEK_CUR) == 3);
    unlink(NAME);
}

static void pipes_pass_bytes(void)
{
    int ends[2];
    char text[10];
    CHECK(!pipe2(ends, O_NONBLOCK));
    FAILS(read(ends[0], text, 1), EAGAIN);
    CHECK(write(ends[1], "12345", 5) == 5 && read(ends[0], text, 10) == 5);
    int available = -1;
    CHECK(write(ends[1], "123", 3) == 3 && !ioctl(ends[0], FIONREAD, &available) && available == 3);
    CHECK(read(ends[0], text, 10) == 3);
    size_t filled = 0;
    for (ssize_t n; (n = write(ends[1], text, 10)) > 0;)
        filled += (size_t)n;
    CHECK(filled >= 4096);
    CHECK(!close(ends[1]));
    size_t emptied = 0;
    for (ssize_t n; (n = read(ends[0], text, 10)) > 0;)
        emptied += (size_t)n;
    CHECK(emptied == filled && read(ends[0], text, 1) == 0);
    close(ends[0]);
    CHECK(!pipe2(ends, O_NONBLOCK));
    static char page[4096];
    for (int i = 0; i < 16; i++)
        CHECK(write(ends[1], page, sizeof page) == sizeof page);
    FAILS(write(ends[1], page, 1), EAGAIN);
    CHECK(!close(ends[0]) && !close(ends[1]));
    CHECK(!pipe(ends) && !close(ends[0]));
    signal(SIGPIPE, SIG_IGN);
    FAILS(write(ends[1], "x", 1), EPIPE);
    FAILS(lseek(ends[1], 0, SEEK_SET), ESPIPE);
}

static void much_goes_through_a_pipe(void)
{
    enum { BYTES = 1000000 };
    int ends[2];
    static char buffer[10000];
    CHECK(!pipe(ends));
    pid_t child = fork();
    if (!child) {
        close(ends[0]);
        for (int done = 0; done < BYTES; done += sizeof buffer) {
            for (size_t i = 0; i < sizeof buffer; i++)
                buffer[i] = (char)((done + (int)i) % 251);
            if (write(ends[1], buffer, sizeof buffer) != sizeof buffer)
                _exit(1);
        }
        _exit(0);
    }
    close(ends[1]);
    int got = 0;
    for (ssize_t n; (n = read(ends[0], buffer, 777)) > 0; got += (int)n)
        for (ssize_t i = 0; i < n; i++)
            if (buffer[i] != (char)((got + i) % 251))
                CHECK(!"bytes are in order");
    CHECK(got == BYTES);
    int status;
    CHECK(waitpid(child, &status, 0) == child && !status);
}

static void edges_are_told_though_nothing_was_read(void)
{
    int ends[2], list = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event e = {.events = EPOLLIN | EPOLLET}, got;
    CHECK(!pipe(ends) && !epoll_ctl(list, EPOLL_CTL_ADD, ends[0], &e));
    for (int i = 0; i < 3; i++) {
        CHECK(write(ends[1], "x", 1) == 1);
        CHECK(epoll_wait(list, &got, 1, 0) == 1 && epoll_wait(list, &got, 1, 0) == 0);
    }
    CHECK(!close(ends[0]) && !close(ends[1]) && !close(list));
}

static void broken_pipes_end(void)
{
    int ends[2], status;
    CHECK(!pipe(ends));
    pid_t child = fork();
    if (!child) {
        close(ends[0]);
        (void)!write(ends[1], "x", 1);
        _exit(0);
    }
    close(ends[1]);
    close(ends[0]);
    CHECK(waitpid(child, &status, 0) == child);
    CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE) || !status);
}

static void polls_tell_what_is_ready(void)
{
    int ends[2];
    CHECK(!pipe(ends));
    struct pollfd p[2] = {{ends[0], POLLIN, 0}, {ends[1], POLLOUT, 0}};
    CHECK(poll(p, 2, 0) == 1 && !p[0].revents && p[1].revents == POLLOUT);
    int64_t from = now_ms();
    CHECK(poll(p, 1, 30) == 0 && now_ms() - from >= 29);
    CHECK(write(ends[1], "x", 1) == 1 && poll(p, 1, -1) == 1 && p[0].revents == POLLIN);
    close(ends[1]);
    char byte;
    CHECK(read(ends[0], &byte, 1) == 1 && poll(p, 1, -1) == 1 && p[0].revents == POLLHUP);
    p[0].fd = 199;
    CHECK(poll(p, 1, -1) == 1 && p[0].revents == POLLNVAL);
    fd_set set;
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    struct timeval soon = {0, 1000};
    CHECK(select(ends[0] + 1, &set, NULL, NULL, &soon) == 1 && FD_ISSET(ends[0], &set));
    CHECK(select(0, NULL, NULL, NULL, &soon) == 0);
}

static void folders_hold_names(void)
{
    char path[300];
    struct stat s;
    int seen = 0;
    CHECK(!mkdir("/tmp/abi-folder", 0755));
    FAILS(mkdir("/tmp/abi-folder", 0755), EEXIST);
    for (int i = 0; i < 50; i++) {
        snprintf(path, sizeof path, "/tmp/abi-folder/name%d", i);
        close(open(path, O_CREAT | O_WRONLY, 0600));
    }
    DIR *folder = opendir("/tmp/abi-folder");
    CHECK(folder);
    for (struct dirent *e; (e = readdir(folder));)
        seen += !strncmp(e->d_name, "name", 4);
    closedir(folder);
    CHECK(seen == 50);
    FAILS(rmdir("/tmp/abi-folder"), ENOTEMPTY);
    CHECK(!chdir("/tmp/abi-folder") && getcwd(path, sizeof path) && !strcmp(path, "/tmp/abi-folder"));
    CHECK(!stat("name3", &s) && !stat("../abi-folder/./name3", &s));
    CHECK(!rename("name3", "other") && access("name3", F_OK) == -1 && !access("other", F_OK));
    CHECK(!symlink("other", "link") && !lstat("link", &s) && S_ISLNK(s.st_mode));
    CHECK(!stat("link", &s) && S_ISREG(s.st_mode));
    CHECK(readlink("link", path, sizeof path) == 5 && !memcmp(path, "other", 5));
    CHECK(!symlink("loop", "loop"));
    FAILS(open("loop", O_RDONLY), ELOOP);
    memset(path, 'x', 299);
    path[299] = 0;
    FAILS(open(path, O_RDONLY), ENAMETOOLONG);
    CHECK(!unlink("link") && !unlink("loop") && !unlink("other"));
    for (int i = 0; i < 50; i++) {
        snprintf(path, sizeof path, "name%d", i);
        unlink(path);
    }
    CHECK(!chdir("/") && !rmdir("/tmp/abi-folder"));
    FAILS(unlink("/tmp"), EISDIR);
}

static void erased_files_live_on(void)
{
    char text[4];
    struct stat s;
    int file = open(NAME, O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(file >= 0 && !unlink(NAME) && write(file, "abc", 3) == 3 && pread(file, text, 3, 0) == 3);
    CHECK(!fstat(file, &s) && s.st_nlink == 0);
}

/* O_TMPFILE gives a file that has no name yet; one that was erased has none any more. */
static void names_are_given_once(void)
{
    char path[64];
    struct stat s;
    int unnamed = open("/tmp", O_TMPFILE | O_RDWR, 0600), alone = open("/tmp", O_TMPFILE | O_RDWR | O_EXCL, 0600);
    int erased = open("/tmp/abi-erased", O_RDWR | O_CREAT, 0600);
    CHECK(unnamed >= 0 && alone >= 0 && erased >= 0 && !unlink("/tmp/abi-erased"));
    snprintf(path, sizeof path, "/proc/self/fd/%d", unnamed);
    CHECK(!linkat(AT_FDCWD, path, AT_FDCWD, "/tmp/abi-named", AT_SYMLINK_FOLLOW) && !stat("/tmp/abi-named", &s));
    CHECK(s.st_nlink == 1 && !unlink("/tmp/abi-named"));
    snprintf(path, sizeof path, "/proc/self/fd/%d", alone);
    FAILS(linkat(AT_FDCWD, path, AT_FDCWD, "/tmp/abi-named", AT_SYMLINK_FOLLOW), ENOENT);
    snprintf(path, sizeof path, "/proc/self/fd/%d", erased);
    FAILS(linkat(AT_FDCWD, path, AT_FDCWD, "/tmp/abi-named", AT_SYMLINK_FOLLOW), ENOENT);
    CHECK(!fstat(erased, &s) && s.st_nlink == 0);
}

static void removed_folders_have_a_way_up(void)
{
    struct stat s, above;
    char path[16];
    CHECK(!mkdir("/tmp/abi-a", 0700) && !mkdir("/tmp/abi-a/b", 0700) && !mkdir("/tmp/abi-a/b/c", 0700));
    CHECK(!chdir("/tmp/abi-a/b/c") && !rmdir("/tmp/abi-a/b/c") && !rmdir("/tmp/abi-a/b"));
    FAILS(syscall(SYS_getdents64, open(".", O_RDONLY), &s, sizeof s), ENOENT);
    CHECK(!getcwd(path, sizeof path) && errno == ENOENT && !stat(".", &s) && s.st_nlink == 0);
    FAILS(mkdir("d", 0700), ENOENT);
    CHECK(!stat("../..", &s) && !stat("/tmp/abi-a", &above) && s.st_ino == above.st_ino);
    CHECK(!chdir("../..") && getcwd(path, sizeof path) && !strcmp(path, "/tmp/abi-a") && !chdir("/tmp"));
    CHECK(!rmdir("/tmp/abi-a"));
}

static int rename_2(const char *from, const char *to, unsigned flags)
{
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static void names_are_exchanged(void)
{
    enum { NOREPLACE = 1, EXCHANGE = 2 };
    struct stat s;
    CHECK(!mkdir("/tmp/abi-x", 0700) && !chdir("/tmp/abi-x") && !mkdir("d", 0700) && !mkdir("d/e", 0700));
    CHECK(!close(open("f", O_CREAT | O_RDWR, 0600)));
    FAILS(rename_2("f", "d", NOREPLACE), EEXIST);
    FAILS(rename_2("f", "none", EXCHANGE), ENOENT);
    FAILS(rename_2("f", "none", NOREPLACE | EXCHANGE), EINVAL);
    FAILS(rename_2("f", "none", 64), EINVAL);
    FAILS(rename_2("d/e", "d", EXCHANGE), EINVAL);
    FAILS(rename_2("d", "d/e", EXCHANGE), EINVAL);
    CHECK(!rename_2("f", "d/e", EXCHANGE) && !stat("f", &s) && S_ISDIR(s.st_mode) && !stat("d/e", &s));
    CHECK(S_ISREG(s.st_mode) && !chdir("f") && !chdir("..") && !stat("d/e", &s) && !unlink("d/e") && !rmdir("d"));
    CHECK(!rmdir("f") && !chdir("/tmp") && !rmdir("/tmp/abi-x"));
}

static void devices_are_there(void)
{
    char bytes[16];
    int zero = open("/dev/zero", O_RDWR), null = open("/dev/null", O_RDWR), chance = open("/dev/urandom", O_RDONLY);
    CHECK(zero >= 0 && null >= 0 && chance >= 0);
    memset(bytes, 1, sizeof bytes);
    CHECK(read(zero, bytes, 16) == 16 && !bytes[0] && !bytes[15]);
    CHECK(read(null, bytes, 16) == 0 && write(null, bytes, 16) == 16);
    CHECK(read(chance, bytes, 16) == 16);
    FAILS(open("/dev/nothing", O_RDONLY), ENOENT);
    FAILS(ioctl(zero, TIOCGWINSZ, bytes), ENOTTY);
}

static void no_more_descriptors(void)
{
    int last = 0, file;
    while ((file = dup(1)) >= 0)
        last = file;
    CHECK(last >= 255);
    FAILS(dup(1), EMFILE);
    FAILS(open("/dev/null", O_RDONLY), EMFILE);
}

/* ---- locks, between two processes -------------------------------------------------------------------------------- */

static int lock(int file, int command, short type, off_t start, off_t length)
{
    struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
    return fcntl(file, command, &l);
}

/* A child that runs `body` and then waits for a byte; its parent goes on behind `body`. */
static pid_t holder(void (*body)(int file), int file, int *release)
{
    int there[2], go[2];
    char byte = 0;
    CHECK(!pipe(there) && !pipe(go));
    pid_t child = fork();
    if (!child) {
        close(go[1]);
        body(file);
        (void)!write(there[1], "x", 1);
        (void)!read(go[0], &byte, 1);
        _exit(0);
    }
    close(there[1]);
    CHECK(read(there[0], &byte, 1) == 1);
    close(there[0]);
    close(go[0]);
    *release = go[1];
    return child;
}

static void takes_ten_and_the_rest(int file)
{
    FAILS(lock(file, F_SETLK, F_WRLCK, 0, 1), EAGAIN); /* nothing is inherited */
    CHECK(!lock(file, F_SETLK, F_WRLCK, 10, 20) && !lock(file, F_SETLK, F_UNLCK, 20, 5));
    CHECK(!lock(file, F_SETLK, F_RDLCK, 100, 0));
}

static void records_are_locked(void)
{
    int release, file = open(NAME, O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(!lock(file, F_SETLK, F_WRLCK, 0, 5));
    pid_t child = holder(takes_ten_and_the_rest, file, &release);
    FAILS(lock(file, F_SETLK, F_RDLCK, 19, 1), EAGAIN);
    CHECK(!lock(file, F_SETLK, F_WRLCK, 20, 5) && !lock(file, F_SETLK, F_RDLCK, 1000, 0));
    FAILS(lock(file, F_SETLK, F_WRLCK, 1000, 1), EAGAIN);
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 22};
    CHECK(!fcntl(file, F_GETLK, &l) && l.l_type == F_WRLCK && l.l_start == 25 && l.l_len == 5 && l.l_pid == child);
    l = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 200};
    CHECK(!fcntl(file, F_GETLK, &l) && l.l_type == F_RDLCK && l.l_start == 100 && !l.l_len);
    l = (struct flock){.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 200, .l_len = 7};
    CHECK(!fcntl(file, F_GETLK, &l) && l.l_type == F_UNLCK && l.l_start == 200 && l.l_len == 7);
    FAILS(lock(file, F_SETLK, 7, 0, 0), EINVAL);
    FAILS(lock(file, F_SETLK, F_WRLCK, -1, 0), EINVAL);
    FAILS(lock(file, F_SETLK, F_WRLCK, 2, INT64_MAX), EOVERFLOW);
    FAILS(fcntl(file, F_SETLK, hostile), EFAULT);
    close(release);
    CHECK(!lock(file, F_SETLKW, F_WRLCK, 0, 0)); /* its end gives up all */
    CHECK(waitpid(child, NULL, 0) == child);
    unlink(NAME);
}

static void tries_all_again(int file)
{
    CHECK(!lock(file, F_SETLKW, F_WRLCK, 0, 0));
}

static void any_close_unlocks(void)
{
    int release, file = open(NAME, O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(!lock(file, F_SETLK, F_WRLCK, 0, 0));
    close(open(NAME, O_RDONLY));
    pid_t child = holder(tries_all_again, file, &release);
    FAILS(lock(file, F_SETLK, F_WRLCK, 0, 0), EAGAIN);
    close(release);
    CHECK(waitpid(child, NULL, 0) == child);
    file = open(NAME, O_RDONLY);
    FAILS(lock(file, F_SETLK, F_WRLCK, 0, 0), EBADF);
    CHECK(!lock(file, F_SETLK, F_RDLCK, 0, 0));
    unlink(NAME);
}

static void nothing_to_do(int signal) { (void)signal; }

static void waits_for_locks_end(void)
{
    int release, status, file = open(NAME, O_RDWR | O_CREAT | O_TRUNC, 0600);
    pid_t child = holder(tries_all_again, file, &release), parent = getpid();
    struct sigaction a = {.sa_handler = nothing_to_do};
    struct itimerval soon = {{0, 0}, {0, 30000}};
    CHECK(!sigaction(SIGALRM, &a, NULL) && !setitimer(ITIMER_REAL, &soon, NULL));
    FAILS(lock(file, F_SETLKW, F_RDLCK, 0, 1), EINTR);
    close(release);
    CHECK(waitpid(child, NULL, 0) == child);
    CHECK(!lock(file, F_SETLK, F_WRLCK, 0, 1));
    child = fork();
    if (!child) {
        CHECK(!lock(file, F_SETLK, F_WRLCK, 1, 1));
        kill(parent, SIGALRM);
        _exit(lock(file, F_SETLKW, F_WRLCK, 0, 1) ? errno : 0);
    }
    pause();
    sleep_ms(30); /* it waits for byte 0 now */
    FAILS(lock(file, F_SETLKW, F_WRLCK, 1, 1), EDEADLK);
    CHECK(!lock(file, F_SETLK, F_UNLCK, 0, 1));
    CHECK(waitpid(child, &status, 0) == child && !status);
    unlink(NAME);
}

static void open_files_are_locked(void)
{
    int file = open(NAME, O_RDWR | O_CREAT | O_TRUNC, 0600), other = open(NAME, O_RDWR), copy = dup(file), status;
    CHECK(!flock(file, LOCK_EX));
    FAILS(flock(other, LOCK_SH | LOCK_NB), EWOULDBLOCK);
    CHECK(!lock(other, F_SETLK, F_WRLCK, 0, 0) && !lock(other, F_SETLK, F_UNLCK, 0, 0));
    CHECK(!close(file));
    FAILS(flock(other, LOCK_SH | LOCK_NB), EWOULDBLOCK); /* by its copy it is still open */
    pid_t child = fork();
    if (!child)
        _exit(flock(copy, LOCK_SH) ? errno : 0); /* it is the parent's too */
    CHECK(waitpid(child, &status, 0) == child && !status && !flock(other, LOCK_SH | LOCK_NB));
    FAILS(flock(copy, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    CHECK(!close(copy) && !flock(other, LOCK_EX | LOCK_NB) && !flock(other, LOCK_UN));
    FAILS(flock(other, 3), EINVAL);
    FAILS(flock(copy, LOCK_SH), EBADF);

    file = open(NAME, O_RDWR);
    CHECK(!lock(file, F_OFD_SETLK, F_WRLCK, 3, 4));
    FAILS(lock(other, F_OFD_SETLK, F_RDLCK, 0, 0), EAGAIN);
    FAILS(lock(other, F_SETLK, F_RDLCK, 0, 0), EAGAIN);
    struct flock l = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    CHECK(!fcntl(other, F_OFD_GETLK, &l) && l.l_type == F_WRLCK && l.l_start == 3 && l.l_len == 4 && l.l_pid == -1);
    FAILS(fcntl(other, F_OFD_SETLK, &l), EINVAL); /* l_pid */
    CHECK(!close(file) && !lock(other, F_OFD_SETLK, F_RDLCK, 0, 0));
    unlink(NAME);
}

const struct test file_tests[] = {
    CASE(files_are_written_and_read), CASE(descriptors_can_be_opened_again), CASE(an_epoll_does_not_keep_files_open),
    CASE(opening_is_judged), CASE(appends_go_to_the_end),
    CASE(descriptors_are_copied), CASE(pipes_pass_bytes), CASE(much_goes_through_a_pipe), CASE(broken_pipes_end),
    CASE(edges_are_told_though_nothing_was_read),
    CASE(polls_tell_what_is_ready), CASE(folders_hold_names), CASE(erased_files_live_on), CASE(names_are_given_once),
    CASE(names_are_exchanged),
    CASE(removed_folders_have_a_way_up), CASE(devices_are_there),
    CASE(records_are_locked), CASE(any_close_unlocks), CASE(waits_for_locks_end), CASE(open_files_are_locked),
    CASE(no_more_descriptors), {0},
};
