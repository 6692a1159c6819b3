/* Extended attributes, of which there are none. Who asks for them has an answer: ENOSYS is not one that programs expect
 * of these calls, and ls, cp and others say so to their user. */
#include <errno.h>

#include "cms/syscall/attribute.h"
#include "cms/syscall/user.h"

/* ---- xattr(7): a file that is there has none, and takes none ----------------------------------------------------- */

static int64_t at_path(const struct call *c, unsigned flags, int64_t answer)
{
    struct vfs_stat s;
    int status = attribute_stat((uint64_t)ABI_AT_FDCWD, c->argument[0], flags, &s);
    return status ? status : answer;
}

static int64_t followed(const struct call *c, int64_t answer) { return at_path(c, 0, answer); }
static int64_t itself(const struct call *c, int64_t answer) { return at_path(c, ABI_AT_SYMLINK_NOFOLLOW, answer); }

static int64_t opened(const struct call *c, int64_t answer)
{
    const struct file *f = files_get(my_files(), (unsigned)c->argument[0]);
    return !f || f->flags & ABI_O_PATH ? -EBADF : answer;
}

int64_t call_setxattr(const struct call *c) { return followed(c, -EOPNOTSUPP); }
int64_t call_lsetxattr(const struct call *c) { return itself(c, -EOPNOTSUPP); }
int64_t call_fsetxattr(const struct call *c) { return opened(c, -EOPNOTSUPP); }
int64_t call_getxattr(const struct call *c) { return followed(c, -EOPNOTSUPP); }
int64_t call_lgetxattr(const struct call *c) { return itself(c, -EOPNOTSUPP); }
int64_t call_fgetxattr(const struct call *c) { return opened(c, -EOPNOTSUPP); }
int64_t call_listxattr(const struct call *c) { return followed(c, 0); }
int64_t call_llistxattr(const struct call *c) { return itself(c, 0); }
int64_t call_flistxattr(const struct call *c) { return opened(c, 0); }
int64_t call_removexattr(const struct call *c) { return followed(c, -EOPNOTSUPP); }
int64_t call_lremovexattr(const struct call *c) { return itself(c, -EOPNOTSUPP); }
int64_t call_fremovexattr(const struct call *c) { return opened(c, -EOPNOTSUPP); }
