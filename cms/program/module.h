#pragma once
#include "cms/kernel/mode.h"
#include "cms/vfs/vfs.h"

int module_copy(const struct mode *, const char *name, const struct vfs_from *, const char *path);
