/* Listing directories. */
#include <errno.h>
#include <string.h>

#include "cms/syscall/user.h"
#include "cms/vfs/node.h"

/* struct linux_dirent64: these, the name and its NUL, filled up to a multiple of 8. The older one has the type at its
 * very end. */
struct head {
    uint64_t number, next;
    uint16_t length;
} __attribute__((packed));

enum { TYPE_AT = sizeof(struct head), NAME_AT = TYPE_AT + 1, OLD_NAME_AT = TYPE_AT };

static size_t lay_out(char *to, const struct vfs_entry *e, bool old)
{
    size_t name = strlen(e->name) + 1, at = old ? OLD_NAME_AT : NAME_AT;
    size_t length = (at + name + old + 7) & ~(size_t)7;
    struct head h = {e->number, e->next, (uint16_t)length};
    memset(to, 0, length);
    memcpy(to, &h, sizeof h);
    memcpy(to + at, e->name, name);
    to[old ? length - 1 : TYPE_AT] = (char)(e->type >> 12);
    return length;
}

static int64_t list(struct file *f, uint64_t to, uint64_t size, bool old)
{
    char one[sizeof(struct head) + sizeof(((struct vfs_entry *)0)->name) + 16];
    struct vfs_entry e;
    int64_t done = 0;
    for (;;) {
        uint64_t before = f->position;
        int found = cms_work();
        if (!found)
            found = f->operations->next_entry(f, &e);
        if (found <= 0)
            return done || !found ? done : found;
        size_t length = lay_out(one, &e, old);
        if (length > size - (uint64_t)done) {
            f->position = before;
            return done ? done : -EINVAL;
        }
        if (copy_out(to + (uint64_t)done, one, length)) {
            f->position = before;
            return done ? done : -EFAULT;
        }
        done += (int64_t)length;
    }
}

static int64_t list_call(const struct call *c, bool old)
{
    struct file *f = user_file(c->argument[0]);
    if (!f)
        return -EBADF;
    int64_t n = f->flags & ABI_O_PATH        ? -EBADF
                : !f->operations->next_entry ? -ENOTDIR
                                             : list(f, c->argument[1], (uint32_t)c->argument[2], old);
    file_let_go(f);
    return n;
}

int64_t call_getdents64(const struct call *c) { return list_call(c, false); }
int64_t call_getdents(const struct call *c) { return list_call(c, true); }
