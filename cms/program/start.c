/* From a path to a return code. */
#include <errno.h>
#include <string.h>

#include "cms/command/command.h"
#include "cms/command/messages.h"
#include "cms/console/console.h"
#include "cms/eel/eel.h"
#include "cms/exec/exec.h"
#include "cms/kernel/cp.h"
#include "cms/kernel/heap.h"
#include "cms/minidisk/minidisk.h"
#include "cms/minidisk/name.h"
#include "cms/program/capture.h"
#include "cms/program/program.h"
#include "cms/vfs/abi.h"
#include "cms/vfs/node.h"
#include "lib/format.h"

enum { SIGNAL_INTERRUPT = 2, SIGNAL_KILLED = 9, SIGNAL_PIPE = 13, STATUS_SIGNAL = 0x7f };

static struct process_end last_end;
static bool has_last_end;

const struct process_end *program_last_end(void)
{
    return has_last_end ? &last_end : NULL;
}

static const char *signal_name(int number)
{
    static const struct {
        int number;
        const char *name;
    } names[] = {{1, "hangup"},          {3, "quit"},      {4, "illegal instruction"}, {5, "trap"},
                 {6, "abort"},           {7, "bus error"}, {8, "arithmetic"},          {9, "killed"},
                 {11, "segmentation"},   {14, "alarm"},    {15, "terminated"},         {24, "time limit"},
                 {31, "bad system call"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].number == number)
            return names[i].name;
    return "signal";
}

static const char *errno_text(int number)
{
    static const struct {
        int number;
        const char *text;
    } texts[] = {{ENOENT, "there is no such file"},      {EACCES, "it is no program"},
                 {ENOEXEC, "it is no program"},          {ENOMEM, "it has no room in storage"},
                 {E2BIG, "its arguments are too long"},  {EIO, "it cannot be read"},
                 {ENOTDIR, "there is no such file"},     {ELIBBAD, "its interpreter is no program"},
                 {EISDIR, "it is a directory"},          {ELOOP, "it leads round in a circle"},
                 {EAGAIN, "there are too many processes"}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].number == number)
            return texts[i].text;
    return "it cannot be started";
}

/* HX, and ^C that the program did not take, are what the user wanted: also of the EXEC that had it run. */
static int killed(const char *path, const struct process_end *end)
{
    int number = end->status & STATUS_SIGNAL;
    if (number == SIGNAL_INTERRUPT)
        cms_console_halt();
    if (cms_console_halted())
        return COMMAND_HALTED;
    if (number != SIGNAL_PIPE && number != SIGNAL_KILLED) {
        last_end = *end;
        has_last_end = true;
        cms_message("PGM", MESSAGE_PROGRAM_SIGNAL, path, number, signal_name(number), end->registers.rip,
                    end->fault_address);
    } else
        cms_message("PGM", MESSAGE_PROGRAM_KILLED, path, number, signal_name(number));
    return PROGRAM_SIGNALLED + number;
}

/* What the disks did not take when its last user had gone. */
static void tell_losses(void)
{
    for (const struct minidisk_loss *l; (l = minidisk_next_loss());)
        cms_message("PGM", MESSAGE_PROGRAM_NOT_SAVED, l->name, l->type, (char[]){l->letter, 0},
                    l->error == EIO ? "its disk has gone, or failed" : errno_text(l->error));
}

struct program_run {
    struct process_running *running;
    struct program_capture capture;
};

int program_run_begin(const char *path, const char *const arguments[], const char *setting, struct program_run **made)
{
    char user[24], logname[24];
    const char *const environment[] = {
        "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME=/a", user, logname, "TERM=xterm", "LANG=C.UTF-8",
        "SHELL=/bin/sh", "TMPDIR=/tmp", setting, NULL};
    struct program_run *r = cms_heap_allocate(sizeof *r);
    if (!r)
        return cms_message("PGM", MESSAGE_PROGRAM_NOT_RUN, path, errno_text(ENOMEM));
    format_text(user, sizeof user, "USER=%s", cms_cp_user());
    format_text(logname, sizeof logname, "LOGNAME=%s", cms_cp_user());
    program_begin();
    node_executes_image_only = cms_eel_forbids("LINUX"); /* whichever program of the image would have it run */
    int error = program_capture_begin(&r->capture) ? 0 : -ENOMEM;
    if (!error) {
        error = process_begin(path, arguments, environment, r->capture.files, &r->running);
        if (error)
            program_capture_end(&r->capture);
    }
    if (error) {
        cms_heap_free(r);
        return cms_message("PGM", MESSAGE_PROGRAM_NOT_RUN, path, errno_text(-error));
    }
    *made = r;
    return 0;
}

bool program_run_ended(const struct program_run *r) { return process_has_ended(r->running); }
static bool has_ended(void *r) { return program_run_ended(r); }

int program_run_finish(struct program_run *r, const char *path)
{
    struct process_end end;
    process_finish(r->running, &end);
    program_capture_end(&r->capture);
    tell_losses();
    cms_heap_free(r);
    return end.status & STATUS_SIGNAL ? killed(path, &end) : end.status >> 8 & 0xff;
}

int cms_program_start(const char *path, const char *const arguments[])
{
    struct program_run *r;
    int rc = program_run_begin(path, arguments, NULL, &r);
    if (rc)
        return rc;
    process_lend(has_ended, r);
    return program_run_finish(r, path);
}

/* ---- where programs and files are ------------------------------------------------------------------------------ */

void cms_program_path(const struct file_found *found, char path[PROGRAM_PATH])
{
    struct cms_name name;
    char shown[NAME_SHOWN];
    memcpy(name.name, found->facts.name, sizeof name.name);
    memcpy(name.type, found->facts.type, sizeof name.type);
    name_show(&name, false, shown);
    format_text(path, PROGRAM_PATH, "/%c/%s", found->mode->letter | 0x20, shown);
}

int64_t program_read(const char *path, void *bytes, size_t size)
{
    struct io_buffer io;
    struct file *f;
    program_begin();
    struct place *place = place_make();
    if (!place)
        return -ENOMEM;
    const struct vfs_from from = {place, NULL, ABI_AT_FDCWD};
    int error = vfs_open(&from, path, ABI_O_RDONLY, 0, &f);
    place_let_go(place);
    if (error)
        return error;
    io_buffer_begin(&io, bytes, size);
    int64_t got = file_read_at(f, &io.io, 0);
    file_let_go(f);
    return got;
}

int cms_program_peek(const struct file_found *found, void *bytes, size_t size)
{
    char path[PROGRAM_PATH];
    cms_program_path(found, path);
    return (int)program_read(path, bytes, size);
}

static bool is_program(const char *path)
{
    struct place *place = place_make();
    struct vfs_stat s;
    if (!place)
        return false;
    const struct vfs_from from = {place, NULL, ABI_AT_FDCWD};
    bool is = !vfs_access(&from, path, ABI_X_OK, 0) && !vfs_stat(&from, path, 0, &s) &&
              (s.mode & ABI_S_IFMT) == ABI_S_IFREG;
    place_let_go(place);
    return is;
}

static void fold(char *text)
{
    for (; *text; text++)
        if (*text >= 'A' && *text <= 'Z')
            *text = (char)(*text | 0x20);
}

bool cms_program_find(const char *typed, char path[PROGRAM_FOUND])
{
    static const char *const folders[] = {"/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"};
    program_begin();
    if (strchr(typed, '/'))
        return format_text(path, PROGRAM_FOUND, "%s", typed) < PROGRAM_FOUND && is_program(path);
    for (int small = 0; small < 2; small++)
        for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
            if (format_text(path, PROGRAM_FOUND, "%s/%s", folders[i], typed) >= PROGRAM_FOUND)
                return false;
            if (small)
                fold(path);
            if (is_program(path))
                return true;
        }
    return false;
}

/* ---- EXECs ----------------------------------------------------------------------------------------------------- */

enum { INTERRUPTED = 20004 /* Regina's error 4: ^C that the EXEC has no SIGNAL ON HALT for */ };

int cms_exec_interpret(const struct file_found *found, const char *argument)
{
    static const char interpreter[] = "/usr/bin/cms-rexx";
    char path[PROGRAM_PATH], fileid[FILE_ID_MAX];
    struct program_result result;
    if (cms_eel_forbids("REXX"))
        return cms_message("EEL", MESSAGE_EEL_FORBIDDEN, "REXX");
    cms_program_path(found, path);
    cms_file_found_text(found, fileid);
    const char *const words[] = {"cms-rexx", path, fileid, *argument ? argument : NULL, NULL};
    program_begin();
    program_result_begin(&result);
    int rc = cms_program_start(interpreter, words);
    program_result_end(&result);
    if (rc >= 0 && result.given && result.return_code == INTERRUPTED) {
        cms_console_halt();
        return COMMAND_HALTED;
    }
    return rc >= 0 && result.given ? result.return_code : rc; /* the exit status has too few values */
}
