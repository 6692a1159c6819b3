/* The tree of files that programs see: / is the read-only root image, /a to /z are the accessed minidisks, /tmp and
 * what has no other home is storage, /dev the devices. Paths are bytes, resolved against a place, with links. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cms/vfs/file.h"

enum { VFS_PATH_MAX = 4096, VFS_NAME_MAX = 255, VFS_LINKS_MAX = 40 };

struct place;                   /* working directory and umask of a process (CLONE_FS) */
struct place *place_make(void); /* /a where that is accessed, else / */
struct place *place_copy(const struct place *);
void place_hold(struct place *);
void place_let_go(struct place *);
uint32_t place_set_umask(struct place *, uint32_t umask);                   /* the old one */
int place_change(struct place *, struct files *, int at, const char *path); /* chdir; fchdir with path NULL */
int place_path(const struct place *, char *path, size_t size);              /* getcwd */

/* Where a path is looked up from: `at` is AT_FDCWD or a descriptor of `files`. */
struct vfs_from {
    struct place *place;
    struct files *files;
    int at;
};

int vfs_open(const struct vfs_from *, const char *path, uint32_t flags, uint32_t mode, struct file **);
int vfs_stat(const struct vfs_from *, const char *path, unsigned at_flags, struct vfs_stat *);
int vfs_access(const struct vfs_from *, const char *path, unsigned mode, unsigned at_flags);
int64_t vfs_readlink(const struct vfs_from *, const char *path, char *to, size_t size);
int vfs_make_directory(const struct vfs_from *, const char *path, uint32_t mode);
int vfs_unlink(const struct vfs_from *, const char *path, bool directory);
int vfs_rename(const struct vfs_from *, const char *path, const struct vfs_from *, const char *new_path,
               unsigned flags);
int vfs_symlink(const char *target, const struct vfs_from *, const char *path);
int vfs_link(const struct vfs_from *, const char *path, const struct vfs_from *, const char *new_path, unsigned flags);
int vfs_change_mode(const struct vfs_from *, const char *path, uint32_t mode);
int vfs_set_times(const struct vfs_from *, const char *path, const int64_t ns[2], unsigned at_flags);
int vfs_truncate(const struct vfs_from *, const char *path, uint64_t size);
struct vfs_statfs;
int vfs_statfs(const struct vfs_from *, const char *path, struct vfs_statfs *);
int vfs_pipe(struct file *ends[2], uint32_t flags);

/* Ends with the command: files in storage stay until IPL, what was written to minidisks is committed. */
int vfs_sync(void) __attribute__((weak));
