#pragma once
#include "cms/syscall/user.h"

/* What a program's path names, from the descriptor `at`; with ABI_AT_EMPTY_PATH what that stands for. An errno. */
int attribute_stat(uint64_t at, uint64_t path, unsigned flags, struct vfs_stat *);
