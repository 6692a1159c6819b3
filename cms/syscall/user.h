/* What the calls about files share: the caller's own, paths and transfers. Nothing here sleeps. */
#pragma once
#include "cms/process/process.h"
#include "cms/syscall/file_calls.h"
#include "cms/vfs/abi.h"
#include "cms/vfs/io.h"
#include "cms/vfs/vfs.h"

static inline struct space *my_space(void) { return process_space(process_current()); }
static inline struct files *my_files(void) { return process_files(process_current()); }
static inline struct place *my_place(void) { return process_place(process_current()); }

static inline int copy_in(void *to, uint64_t from, size_t bytes) { return space_copy_in(my_space(), to, from, bytes); }
static inline int copy_out(uint64_t to, const void *from, size_t bytes)
{
    return space_copy_out(my_space(), to, from, bytes);
}

/* The file of a descriptor, with one user more for as long as the call runs; NULL: -EBADF. */
struct file *user_file(uint64_t descriptor);

/* A path of the caller's, copied into one of two buffers, which keep it until another call brings one: who has it must
 * not sleep. NULL: *status says why. */
enum path_buffer { PATH_FIRST, PATH_SECOND };
const char *user_path(uint64_t address, enum path_buffer, int *status);
struct vfs_from user_from(uint64_t at);

/* To or from one range of the caller's, or a list of them (struct iovec). */
struct user_io {
    struct io io;
    struct space *space;
    uint64_t at, room;     /* the range it is in */
    uint64_t next, ranges; /* the address of the list's rest, and how many are in it */
};
void user_io_range(struct user_io *, uint64_t address, uint64_t bytes);
int user_io_list(struct user_io *, uint64_t list, uint64_t ranges); /* -EFAULT, -EINVAL */
