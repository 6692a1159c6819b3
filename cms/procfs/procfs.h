/* /proc: processes and the machine as files, as far as programs of a single user's system read them. */
#pragma once

void procfs_start(void); /* mounts it; once */
