/* Names for sshd: whoever comes by a name that could be a CP user's is let in as the user whose process this is, since
 * it is CP who knows its users. Preloaded into an sshd of this user's own (scripts/vmn-ssh).
 *
 * A user with keys in the directory has a password that no password is, and is let in by key; anybody else has an empty
 * one, and meets CP's logon prompt. That there is no such user they learn no sooner than at any other terminal. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <grp.h>
#include <pwd.h>
#include <shadow.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/userid.h"

/* Who comes by a name that is too long for a user ID is let in to be told so. */
enum { NAME_MOST = 32 };

static bool is_name(const char *name)
{
    size_t length = 0;
    while (userid_may_have(userid_upper(name[length])))
        length++;
    return !name[length] && length && length <= NAME_MOST;
}

/* VMN_SSH_KEYS is a command that prints the keys of the user who is its argument; no character of a name means anything
 * to a shell between quotes. */
static bool has_keys(const char *name)
{
    const char *lister = getenv("VMN_SSH_KEYS");
    char command[4096];
    int length = snprintf(command, sizeof command, "%s '%s'", lister ? lister : "false", name);
    FILE *keys = length < (int)sizeof command ? popen(command, "re") : NULL;
    bool any = keys && fgetc(keys) != EOF;
    return (!keys || pclose(keys) >= 0) && any;
}

struct passwd *getpwnam(const char *name)
{
    static char is[NAME_MOST + 1], open[] = "", closed[] = "*", shell[] = "/bin/sh", nothing[] = "";
    static struct passwd user;
    static bool asked;
    struct passwd *(*next)(const char *);

    /* what sshd of root's becomes until it knows who is there: each of its processes asks for it once, and first; then
     * it is a name like others */
    if (!geteuid() && !strcmp(name, "sshd") && !asked) {
        asked = true;
        *(void **)&next = dlsym(RTLD_NEXT, "getpwnam");
        return next(name);
    }
    if (!is_name(name))
        return NULL;
    strcpy(is, name);
    user = (struct passwd){.pw_name = is, .pw_passwd = has_keys(name) ? closed : open, .pw_uid = geteuid(),
                           .pw_gid = getegid(), .pw_gecos = nothing, .pw_dir = getenv("VMN_SSH_STATE"),
                           .pw_shell = shell};
    if (!user.pw_dir)
        user.pw_dir = shell;
    return &user;
}

/* What a user of that name has on this host is nothing here. */
struct spwd *getspnam(const char *name)
{
    static struct spwd shadow;
    struct passwd *user = getpwnam(name);
    if (!user)
        return NULL;
    shadow = (struct spwd){.sp_namp = user->pw_name, .sp_pwdp = user->pw_passwd, .sp_lstchg = -1, .sp_min = -1,
                           .sp_max = -1, .sp_warn = -1, .sp_inact = -1, .sp_expire = -1};
    return &shadow;
}

/* sshd wants to give terminals to the group tty, which only root can; without it they stay the user's own. */
struct group *getgrnam(const char *name)
{
    struct group *(*next)(const char *);
    if (geteuid() && !strcmp(name, "tty"))
        return NULL;
    *(void **)&next = dlsym(RTLD_NEXT, "getgrnam");
    return next(name);
}
