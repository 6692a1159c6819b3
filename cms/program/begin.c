/* What programs stand on is connected when the first of them, or a path, is asked for: a machine in which nobody runs
 * one has no page of it. */
#include "cms/command/command.h"
#include "cms/erofs/erofs.h"
#include "cms/minidisk/minidisk.h"
#include "cms/procfs/procfs.h"
#include "cms/program/program.h"
#include "cms/syscall/syscall.h"
#include "cms/tmpfs/tmpfs.h"
#include "cms/tty/tty.h"
#include "cms/vfs/device.h"

void cms_program_recover(void)
{
    process_recover();
}

void program_begin(void)
{
    static bool begun;
    if (begun)
        return;
    begun = true;
    device_start();
    tty_start();
    program_device_start();
    tmpfs_start();
    vfs_set_root(erofs_top);
    minidisk_files_start();
    procfs_start();
    syscall_start();
}
