/* /dev, and what devices' own operations may use. */
#pragma once
#include "cms/vfs/node.h"

void device_start(void);                           /* mounts /dev, with null zero full random urandom; once */
struct node *device_directory(void);               /* for mounts below it; one user more */
int device_stat(struct file *, struct vfs_stat *); /* of a file opened of a device */
const char *device_name(const struct node *); /* of a device's node */
