/* REXX in CMS: Regina, with CMS around it. One of the root image's Linux programs.
 *
 *     cms-rexx SOURCE "FN FT FM" [argument string]
 *
 * interprets the file SOURCE as an EXEC of that fileid, or, with CMS_STAGE set, as a stage of a
 * pipeline. ADDRESS CMS, COMMAND and CP, DIAG(8), external functions, the
 * program stack and the variables that CMS commands read and set go through the device /dev/cms (device.h). The exit
 * status goes to CMS by the device too, since it has more values than exit(2).
 *
 * What Regina lets nobody else have is gone around: it keeps ADDRESS COMMAND for itself, so the name is looked for as
 * 'COMMAND ' (source.c); it traces every command that returns an error, where REXX' TRACE N traces failures only, and
 * does not know their return codes. */
#define INCL_REXXSAA
#include <rexxsaa.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "images/root/device.h"
#include "images/root/source.h"
#include "images/root/stack.h"

enum { INIT_FAILED = 20 /* DMSREX's return code minus 20,000 is Regina's error */, ERROR_BASE = 20000 };

static RXSTRING string_of(const char *text, size_t length)
{
    return (RXSTRING){length, (char *)text};
}

/* Gives Regina a string that it frees. */
static void give(RXSTRING *to, const char *text, size_t length)
{
    if (!to->strptr || to->strlength < length)
        to->strptr = RexxAllocateMemory(length + 1);
    to->strlength = to->strptr ? length : 0;
    if (to->strptr)
        memcpy(to->strptr, text, length);
}

/* ---- variables, as CMS asks for them ----------------------------------------------------------------------------- */

static bool variable_get(const char *name, size_t name_length, char **value, size_t *length)
{
    SHVBLOCK block = {.shvcode = RXSHV_SYFET, .shvname = string_of(name, name_length)};
    ULONG answer = RexxVariablePool(&block);
    if (answer & ~(ULONG)(RXSHV_NEWV | RXSHV_LVAR) || answer & RXSHV_NEWV)
        return false;
    *value = block.shvvalue.strptr;
    *length = block.shvvalue.strlength;
    return true;
}

static bool variable_set(const char *name, size_t name_length, const char *value, size_t length)
{
    SHVBLOCK block = {.shvcode = RXSHV_SYSET, .shvname = string_of(name, name_length),
                      .shvvalue = string_of(value, length), .shvvaluelen = length};
    return !(RexxVariablePool(&block) & ~(ULONG)RXSHV_NEWV);
}

static const struct device_variables variables = {variable_get, variable_set, stack_push,
                                                   stack_pull,   stack_lines,  NULL};

/* ---- commands ---------------------------------------------------------------------------------------------------- */

static long last_rc;     /* of a command that failed, as long as Regina has not traced it */
static bool quiet_trace; /* the next lines of trace are Regina's on a command in error */

static LONG obey(RXCMDHST_PARM *p)
{
    char environment[16];
    long rc;
    size_t n = p->rxcmd_addressl < sizeof environment ? p->rxcmd_addressl : sizeof environment - 1;
    memcpy(environment, p->rxcmd_address, n);
    while (n && environment[n - 1] == ' ')
        n--;
    environment[n] = 0;
    fflush(stdout);
    if (!stack_command(p->rxcmd_command.strptr, p->rxcmd_command.strlength, &rc) &&
        !device_obey(environment, p->rxcmd_command.strptr, p->rxcmd_command.strlength, &variables, &rc))
        rc = -3;
    p->rxcmd_flags.rxfcerr = rc > 0;
    p->rxcmd_flags.rxfcfail = rc < 0;
    quiet_trace = rc > 0;
    last_rc = rc < 0 ? rc : 0;
    p->rxcmd_retc.strlength = (ULONG)sprintf(p->rxcmd_retc.strptr, "%ld", rc);
    return RXEXIT_HANDLED;
}

/* Regina's two lines on a command that returned an error, which REXX' own TRACE N has for failures only. Commands of
 * environments that are Regina's own, SYSTEM, are not obeyed here: their return code is what it says. */
static LONG trace(const RXSIOTRC_PARM *p)
{
    static const char result[] = "+++ RC=";
    const char *text = p->rxsio_string.strptr;
    size_t length = p->rxsio_string.strlength, at = 0;
    while (at < length && text[at] == ' ')
        at++;
    bool second = length - at >= sizeof result - 1 && !memcmp(text + at, result, sizeof result - 1);
    if (second && !quiet_trace) {
        long said = strtol(text + at + sizeof result - 1, NULL, 10); /* blanks and +++ follow */
        fprintf(stderr, "%*s+++ RC(%ld) +++\n", (int)at, "", last_rc ? last_rc : said);
        last_rc = 0;
    }
    if (!second && !quiet_trace)
        return RXEXIT_NOT_HANDLED;
    quiet_trace = quiet_trace && !second;
    return RXEXIT_HANDLED;
}

/* ---- functions that are not in the program --------------------------------------------------------------------- */

static char *read_source(const char *path, size_t *length, const char *says)
{
    struct stat s;
    FILE *f = fopen(path, "rb");
    if (!f)
        return NULL;
    char *text = fstat(fileno(f), &s) ? NULL : malloc((size_t)s.st_size + 1);
    *length = text ? fread(text, 1, (size_t)s.st_size, f) : 0;
    if (text && (ferror(f) || *length != (size_t)s.st_size)) {
        free(text);
        text = NULL;
    }
    fclose(f);
    if (text)
        source_rewrite(&text, length, says);
    return text;
}

/* A program that is a stage of a pipeline gives its commands to that. */
static const char *first_environment(LONG kind)
{
    return kind == RXCOMMAND && getenv("CMS_STAGE") ? "PIPE" : "CMS";
}

static LONG call(RXFNCCAL_PARM *);
static LONG take_exit(LONG code, LONG subcode, PEXIT parameters)
{
    switch (code) {
    case RXCMD: return obey((RXCMDHST_PARM *)parameters);
    case RXFNC: return call((RXFNCCAL_PARM *)parameters);
    case RXSIO: return subcode == RXSIOTRC ? trace((RXSIOTRC_PARM *)parameters) : RXEXIT_NOT_HANDLED;
    default: return RXEXIT_NOT_HANDLED;
    }
}

static RXSYSEXIT exits[] = {{"CMS", RXCMD}, {"CMS", RXFNC}, {"CMS", RXSIO}, {NULL, RXENDLST}};

static APIRET interpret(const char *path, const char *fileid, LONG kind, LONG count, RXSTRING *arguments, SHORT *code,
                        RXSTRING *result)
{
    static const char *const invoked[] = {"COMMAND", "SUBROUTINE", "FUNCTION"}; /* RXCOMMAND ... */
    size_t length;
    char says[96];
    snprintf(says, sizeof says, "UNIX %s %s", invoked[kind], fileid);
    char *text = read_source(path, &length, says);
    if (!text)
        return (APIRET)-3; /* error 3, failure during initialization */
    if (source_is_empty(text, length)) {
        free(text);
        *code = 0;
        return 0;
    }
    RXSTRING source[2] = {string_of(text, length), {0, NULL}};
    APIRET answer = RexxStart(count, arguments, fileid, source, first_environment(kind), kind, exits, code, result);
    free(text);
    return answer;
}

/* DIAG(8,'command') and DIAGRC: what CP answers, its return code before it in nine columns for DIAGRC. */
static LONG diagnose(RXFNCCAL_PARM *p, bool with_code)
{
    char *answer = NULL, code[24];
    size_t length;
    long rc;
    if (p->rxfnc_argc < 2 || p->rxfnc_argv[0].strlength != 1 || *p->rxfnc_argv[0].strptr != '8' ||
        !device_ask_cp(p->rxfnc_argv[1].strptr, p->rxfnc_argv[1].strlength, &answer, &length, &rc)) {
        p->rxfnc_flags.rxfferr = 1;
        return RXEXIT_HANDLED;
    }
    int before = with_code ? sprintf(code, "%9ld %c ", rc, ' ') : 0;
    char *whole = malloc(length + (size_t)before + 1);
    if (whole) {
        memcpy(whole, code, (size_t)before);
        memcpy(whole + before, answer, length);
        give(&p->rxfnc_retc, whole, length + (size_t)before);
        free(whole);
    }
    free(answer);
    return RXEXIT_HANDLED;
}

static LONG call(RXFNCCAL_PARM *p)
{
    char name[64], *path, *fileid;
    SHORT code = 0;
    RXSTRING result = {0, NULL};
    size_t n = p->rxfnc_namel < sizeof name ? p->rxfnc_namel : sizeof name - 1;
    memcpy(name, p->rxfnc_name, n);
    name[n] = 0;
    if (!strcmp(name, "DIAG") || !strcmp(name, "DIAGRC"))
        return diagnose(p, name[4]);
    if (!device_find_exec(name, &path, &fileid))
        return RXEXIT_NOT_HANDLED;
    fflush(stdout);
    APIRET failed = interpret(path, fileid, p->rxfnc_flags.rxffsub ? RXSUBROUTINE : RXFUNCTION, p->rxfnc_argc,
                              p->rxfnc_argv, &code, &result);
    free(path);
    free(fileid);
    if (failed)
        p->rxfnc_flags.rxfferr = 1;
    else if (result.strptr)
        p->rxfnc_retc = result;
    return RXEXIT_HANDLED;
}

int main(int count, char **words)
{
    SHORT code = 0;
    RXSTRING result = {0, NULL}, argument = {0, NULL};

    if (count < 3 || count > 4) {
        fprintf(stderr, "usage: cms-rexx SOURCE \"FN FT FM\" [ARGUMENT]\n");
        return INIT_FAILED;
    }
    if (count == 4)
        argument = string_of(words[3], strlen(words[3]));
    setvbuf(stdout, NULL, _IOLBF, 0);
    device_open();
    RexxRegisterExitExe("CMS", (RexxExitHandler *)take_exit, NULL);
    stack_begin();
    APIRET failed = interpret(words[1], words[2], RXCOMMAND, count == 4, &argument, &code, &result);
    fflush(stdout);
    long rc = failed ? ERROR_BASE + labs((long)(int)failed) : code;
    if (!failed && result.strptr && result.strlength && result.strlength < 20) {
        char text[21] = "", *end;
        memcpy(text, result.strptr, result.strlength);
        rc = strtol(text, &end, 10);
    }
    stack_end();
    device_end(rc);
    return (int)(rc & 0xff);
}
