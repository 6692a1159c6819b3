/* Sockets: pairs of streams, socketpair(2), and no others, since there is nobody to talk to beyond the machine. */
#include <errno.h>

#include "cms/syscall/user.h"
#include "cms/vfs/pair.h"

enum { AF_UNIX = 1, SOCK_STREAM = 1, SOCK_NONBLOCK = 0x800, SOCK_CLOEXEC = 0x80000, SOCK_TYPE = 0xf };
enum { MSG_DONTWAIT = 0x40, MSG_WAITALL = 0x100, MSG_NOSIGNAL = 0x4000, MSG_CMSG_CLOEXEC = 0x40000000 };

int64_t call_socket(const struct call *c) { return (void)c, -EAFNOSUPPORT; }

int64_t call_socketpair(const struct call *c)
{
    struct file *end[2];
    int32_t descriptor[2];
    uint32_t type = (uint32_t)c->argument[1];
    if (c->argument[0] != AF_UNIX)
        return -EAFNOSUPPORT;
    if (type & ~(uint32_t)(SOCK_TYPE | SOCK_NONBLOCK | SOCK_CLOEXEC))
        return -EINVAL;
    if ((type & SOCK_TYPE) != SOCK_STREAM)
        return -ESOCKTNOSUPPORT;
    if (c->argument[2] > 1)
        return -EPROTONOSUPPORT;
    int status = vfs_pair(end, type & SOCK_NONBLOCK);
    if (status)
        return status;
    for (int i = 0; i < 2; i++)
        descriptor[i] = files_add(my_files(), end[i], 0, type & SOCK_CLOEXEC);
    status = descriptor[0] < 0 ? descriptor[0] : descriptor[1] < 0 ? descriptor[1] : 0;
    if (!status)
        status = copy_out(c->argument[3], descriptor, sizeof descriptor);
    for (int i = 0; i < 2 && status; i++)
        if (descriptor[i] >= 0)
            files_close(my_files(), (unsigned)descriptor[i]);
    return status;
}

/* The socket of a call, held; NULL: *status says why. */
static struct file *socket_of(const struct call *c, int64_t *status)
{
    struct file *f = user_file(c->argument[0]);
    *status = !f || f->flags & ABI_O_PATH ? -EBADF : !pair_is_end(f) ? -ENOTSOCK : 0;
    if (f && *status) {
        file_let_go(f);
        f = NULL;
    }
    return f;
}

static int64_t answer(const struct call *c, int64_t to_socket)
{
    int64_t status;
    struct file *f = socket_of(c, &status);
    if (f)
        file_let_go(f);
    return status ? status : to_socket;
}

int64_t call_connect(const struct call *c) { return answer(c, -EISCONN); }
int64_t call_accept(const struct call *c) { return answer(c, -EINVAL); }
int64_t call_accept4(const struct call *c) { return answer(c, -EINVAL); }
int64_t call_bind(const struct call *c) { return answer(c, -EINVAL); }
int64_t call_listen(const struct call *c) { return answer(c, -EINVAL); }
int64_t call_sendmmsg(const struct call *c) { return answer(c, -EOPNOTSUPP); }
int64_t call_recvmmsg(const struct call *c) { return answer(c, -EOPNOTSUPP); }

int64_t call_shutdown(const struct call *c)
{
    enum { READING, WRITING, BOTH };
    int64_t status;
    struct file *f = socket_of(c, &status);
    if (!f)
        return status;
    if (c->argument[1] > BOTH)
        status = -EINVAL;
    else
        pair_shut(f, c->argument[1] != WRITING, c->argument[1] != READING);
    file_let_go(f);
    return status;
}

/* ---- names and options ------------------------------------------------------------------------------------------- */

/* Neither end has a name: the family is all of it. */
static int64_t tell_name(const struct call *c)
{
    const uint16_t family = AF_UNIX;
    uint32_t room;
    int64_t status = answer(c, 0);
    if (status)
        return status;
    if (copy_in(&room, c->argument[2], sizeof room))
        return -EFAULT;
    if ((int32_t)room < 0)
        return -EINVAL;
    if (copy_out(c->argument[1], &family, room < sizeof family ? room : sizeof family))
        return -EFAULT;
    room = sizeof family;
    return copy_out(c->argument[2], &room, sizeof room);
}

int64_t call_getsockname(const struct call *c) { return tell_name(c); }
int64_t call_getpeername(const struct call *c) { return tell_name(c); }

enum { SOL_SOCKET = 1, BUFFER = 65536 };
static const struct option {
    uint16_t number, value;
    bool settable;
} options[] = {
    {2, 0, true},                          /* SO_REUSEADDR */
    {3, SOCK_STREAM, false},               /* SO_TYPE */
    {4, 0, false},                         /* SO_ERROR */
    {7, BUFFER / 2, true},                 /* SO_SNDBUF */
    {8, BUFFER / 2, true},                 /* SO_RCVBUF */
    {9, 0, true},                          /* SO_KEEPALIVE */
    {30, 0, false},                        /* SO_ACCEPTCONN */
    {38, 0, false}, {39, AF_UNIX, false},  /* SO_PROTOCOL, SO_DOMAIN */
};

static const struct option *option_of(const struct call *c)
{
    for (unsigned i = 0; i < sizeof options / sizeof *options; i++)
        if (c->argument[1] == SOL_SOCKET && c->argument[2] == options[i].number)
            return &options[i];
    return NULL;
}

int64_t call_getsockopt(const struct call *c)
{
    uint32_t room;
    const struct option *o = option_of(c);
    int64_t status = answer(c, o ? 0 : -ENOPROTOOPT);
    if (status)
        return status;
    const uint32_t value = o->value;
    if (copy_in(&room, c->argument[4], sizeof room))
        return -EFAULT;
    room = room < sizeof value ? room : sizeof value;
    return copy_out(c->argument[3], &value, room) || copy_out(c->argument[4], &room, sizeof room) ? -EFAULT : 0;
}

int64_t call_setsockopt(const struct call *c)
{
    const struct option *o = option_of(c);
    return answer(c, !o || !o->settable ? -ENOPROTOOPT : c->argument[4] < sizeof(uint32_t) ? -EINVAL : 0);
}

/* ---- bytes ------------------------------------------------------------------------------------------------------- */

/* One call may wait less than the file does. */
static int64_t transfer(struct file *f, struct user_io *u, bool sends, uint32_t flags)
{
    const uint32_t known = MSG_DONTWAIT | MSG_NOSIGNAL | (sends ? 0 : MSG_WAITALL | MSG_CMSG_CLOEXEC);
    bool for_once = flags & MSG_DONTWAIT && !(f->flags & ABI_O_NONBLOCK); /* and then nobody else runs meanwhile */
    if (flags & ~known)
        return -EOPNOTSUPP;
    if (sends && flags & MSG_NOSIGNAL && pair_is_broken(f))
        return -EPIPE;
    f->flags |= for_once ? ABI_O_NONBLOCK : 0;
    int64_t n, done = 0;
    do {
        n = sends ? file_write(f, &u->io) : file_read(f, &u->io);
        done += n > 0 ? n : 0;
    } while (!sends && flags & MSG_WAITALL && n > 0 && u->io.left);
    f->flags &= for_once ? ~(uint32_t)ABI_O_NONBLOCK : ~0u;
    return done ? done : n;
}

static int64_t buffer_call(const struct call *c, bool sends)
{
    int64_t n;
    struct user_io u;
    struct file *f = socket_of(c, &n);
    if (!f)
        return n;
    user_io_range(&u, c->argument[1], c->argument[2]);
    n = sends && c->argument[4] ? -EISCONN : transfer(f, &u, sends, (uint32_t)c->argument[3]);
    if (n >= 0 && !sends && c->argument[4] && c->argument[5]) {
        const uint32_t none = 0;
        n = copy_out(c->argument[5], &none, sizeof none) ? -EFAULT : n;
    }
    file_let_go(f);
    return n;
}

int64_t call_sendto(const struct call *c) { return buffer_call(c, true); }
int64_t call_recvfrom(const struct call *c) { return buffer_call(c, false); }

/* struct msghdr. Nothing goes beside the bytes: no descriptors. */
struct message {
    uint64_t name;
    uint32_t name_length, pad;
    uint64_t list, count, control, control_length;
    uint32_t flags, pad_behind;
};
_Static_assert(sizeof(struct message) == 56, "struct msghdr");

static int64_t message_call(const struct call *c, bool sends)
{
    int64_t n;
    struct user_io u;
    struct message m;
    struct file *f = socket_of(c, &n);
    if (!f)
        return n;
    if (copy_in(&m, c->argument[1], sizeof m))
        n = -EFAULT;
    else if (sends && (m.control_length || m.name_length))
        n = m.name_length ? -EISCONN : -EOPNOTSUPP;
    else
        n = user_io_list(&u, m.list, m.count);
    if (!n)
        n = transfer(f, &u, sends, (uint32_t)c->argument[2]);
    m.name_length = m.flags = 0;
    m.control_length = 0;
    if (n >= 0 && !sends && copy_out(c->argument[1], &m, sizeof m))
        n = -EFAULT;
    file_let_go(f);
    return n;
}

int64_t call_sendmsg(const struct call *c) { return message_call(c, true); }
int64_t call_recvmsg(const struct call *c) { return message_call(c, false); }
