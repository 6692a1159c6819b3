/* Bochs writes what it calls a panic to its log, when a machine powers off too. QEMU ends with status 0 when the
 * machine powers off, but also when it resets for want of a handler. */
#include "scripts/vmn-verdict.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define PANIC ">>PANIC<<"

/* The last panic in one of the emulator's files. */
static void find_panic(const char *directory, const char *name, bool *off, char *reason, size_t size)
{
    char path[PATH_MAX], *text = NULL;
    size_t room = 0;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "r");
    while (file && getline(&text, &room, file) > 0) {
        char *panic = strstr(text, PANIC);
        if (panic && strstr(panic, "soft power off"))
            *off = true;
        else if (panic)
            snprintf(reason, size, "%.*s", (int)strcspn(panic + sizeof PANIC, "\n"), panic + sizeof PANIC);
    }
    if (file)
        fclose(file);
    free(text);
}

static bool qemu_ended_well(const char *directory, int wait_status, char *reason, size_t size)
{
    char path[PATH_MAX], *text = NULL;
    size_t room = 0;
    if (!WIFEXITED(wait_status) || WEXITSTATUS(wait_status))
        return false;
    snprintf(path, sizeof path, "%s/log", directory);
    FILE *file = fopen(path, "r");
    while (file && getline(&text, &room, file) > 0)
        if (!strncmp(text, "Triple fault", 12))
            snprintf(reason, size, "triple fault of the machine");
    if (file)
        fclose(file);
    free(text);
    return !*reason;
}

bool verdict(const char *directory, bool qemu, int wait_status, char *reason, size_t size)
{
    bool off = false;
    *reason = 0;
    find_panic(directory, "log", &off, reason, size);
    if (off || (qemu && qemu_ended_well(directory, wait_status, reason, size)))
        return true;
    if (!*reason)
        find_panic(directory, "output", &off, reason, size);
    if (!*reason && WIFSIGNALED(wait_status))
        snprintf(reason, size, "signal %d", WTERMSIG(wait_status));
    if (!*reason)
        snprintf(reason, size, "status %d", WEXITSTATUS(wait_status));
    return false;
}
