/* A line whose first word is no command may name a program: a MODULE on an accessed disk, else a file of the root image's
 * /bin or /usr/bin. It has the terminal; its exit status is the return code, 128 and more where a signal ended it. */
#include "cms/program/program.h"

#include <errno.h>
#include <string.h>

#include "cms/command/command.h"
#include "cms/command/messages.h"
#include "cms/command/program.h"
#include "cms/console/console.h"
#include "cms/kernel/cp.h"
#include "cms/kernel/heap.h"
#include "cms/kernel/mode.h"
#include "cms/process/command.h"
#include "cms/process/process.h"
#include "cms/program/module.h"
#include "cms/program/names.h"
#include "cms/program/words.h"
#include "cms/syscall/syscall.h"
#include "cms/tmpfs/tmpfs.h"
#include "cms/tty/tty.h"
#include "cms/vfs/abi.h"
#include "lib/format.h"

enum { PATH_BYTES = 64, STATUS_SIGNAL = 0x7f };

void program_start(void)
{
    tmpfs_start();
    tty_start();
    syscall_start();
}

void cms_program_recover(void)
{
    process_recover();
}

int process_command(const char *line)
{
    return cms_obey(line);
}

/* ---- which ------------------------------------------------------------------------------------------------------- */

static bool exists(const char *path)
{
    struct place *place = place_make();
    struct vfs_from from = {place, NULL, ABI_AT_FDCWD};
    bool found = place && !vfs_access(&from, path, ABI_X_OK, 0);
    if (place)
        place_let_go(place);
    return found;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* The path of the program with that name; false: there is none. */
static bool find(const struct word *name, char path[PATH_BYTES])
{
    static const char *const folders[] = {"/bin", "/usr/bin"};
    char small[32];
    size_t n = 0;
    struct edf_file_facts facts;

    if (name->raw_length >= sizeof small)
        return false;
    for (; n < name->raw_length; n++)
        small[n] = lower(name->raw[n]);
    small[n] = 0;
    for (const struct mode *m = NULL; n <= 8 && (m = cms_mode_next(m));)
        if (edf_find(m->disk, name->text, "MODULE", &facts) == EDF_OK) {
            format_text(path, PATH_BYTES, "/%c/%s.module", lower(m->letter), small);
            if (exists(path))
                return true;
            format_text(path, PATH_BYTES, "/tmp/%s.module", small);
            struct place *place = place_make();
            struct vfs_from from = {place, NULL, ABI_AT_FDCWD};
            int error = module_copy(m, name->text, &from, path);
            place_let_go(place);
            if (!error)
                return true;
        }
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        format_text(path, PATH_BYTES, "%s/%s", folders[i], small);
        if (exists(path))
            return true;
    }
    return false;
}

/* ---- running ------------------------------------------------------------------------------------------------------- */

static int tell(const char *name, const struct process_end *end)
{
    int signal = end->status & STATUS_SIGNAL;
    if (!signal)
        return end->status >> 8 & 0xff;
    if (cms_console_halted())
        return COMMAND_HALTED;
    cms_message("PGM", MESSAGE_PROGRAM_KILLED, name, program_signal_name(signal), end->registers.rip,
                end->fault_address);
    enum { KILLED = 128 };
    return KILLED + signal;
}

static int run(const char *path, const char *const words[])
{
    char user[24];
    const char *const environment[] = {"PATH=/bin:/usr/bin", "HOME=/a", "TERM=xterm-256color", "LANG=C.UTF-8", user,
                                       NULL};
    struct process_end end;

    format_text(user, sizeof user, "USER=%s", cms_cp_present() ? cms_cp_user() : "CMS");
    int error = process_run(path, words, environment, NULL, &end);
    return error ? cms_message("PGM", MESSAGE_PROGRAM_REFUSED, words[0], program_error_text(error))
                 : tell(words[0], &end);
}

bool cms_program_implied(const char *line, int *return_code)
{
    const char *words[PROGRAM_WORDS_MAX + 1];
    char path[PATH_BYTES];
    struct arguments a;
    size_t bytes = strlen(line) + 1;

    if (!cms_parse(line, &a) || !find(&a.name, path))
        return false;
    char *copy = cms_heap_allocate(bytes);
    if (!copy) {
        *return_code = cms_message("PGM", MESSAGE_VIRTUAL_STORAGE);
        return true;
    }
    memcpy(copy, line, bytes);
    if (program_words(copy, words) < 0)
        *return_code = cms_message("PGM", MESSAGE_INVALID_OPERAND, "list");
    else
        *return_code = run(path, words);
    cms_heap_free(copy);
    return true;
}
