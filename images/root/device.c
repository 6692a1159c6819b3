#include "images/root/device.h"

#define INCL_REXXSAA
#include <rexxsaa.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MESSAGE_MAX = 65536 + 512 };

static int device = -1;
static char message[MESSAGE_MAX + 1]; /* what was read last, NUL-terminated */
static size_t message_length;

void device_open(void)
{
    const char *given = getenv("CMS_DEVICE");
    device = given ? atoi(given) : open("/dev/cms", O_RDWR | O_CLOEXEC);
}

static bool send(char kind, const char *text, size_t length)
{
    char *whole = malloc(length + 1);
    if (device < 0 || !whole || length >= MESSAGE_MAX) {
        free(whole);
        return false;
    }
    *whole = kind;
    memcpy(whole + 1, text, length);
    ssize_t written;
    do
        written = write(device, whole, length + 1);
    while (written < 0 && errno == EINTR);
    free(whole);
    return written == (ssize_t)(length + 1);
}

static bool receive(void)
{
    ssize_t n;
    do
        n = read(device, message, MESSAGE_MAX);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return false;
    message_length = (size_t)n;
    message[n] = 0;
    return true;
}

/* The number behind the message's first byte, and where the text behind its blank begins. */
static long number(const char **rest)
{
    char *end;
    long value = strtol(message + 1, &end, 10);
    *rest = end + (*end == ' ');
    return value;
}

static size_t length_from(const char *at)
{
    return message_length - (size_t)(at - message);
}

static void answer(bool given, const char *text, size_t length)
{
    send(given ? 'V' : 'N', text, given ? length : 0);
}

static void get_variable(const struct device_variables *v)
{
    char *value = NULL;
    size_t length = 0;
    bool known = v->get(message + 1, message_length - 1, &value, &length);
    answer(known, value ? value : "", length);
    if (known && value)
        RexxFreeMemory(value);
}

static void set_variable(const struct device_variables *v)
{
    const char *name;
    long length = number(&name);
    size_t left = length_from(name);
    bool good = length > 0 && (size_t)length < left;
    answer(good && v->set(name, (size_t)length, name + length + 1, left - (size_t)length - 1), "", 0);
}

static void take_line(const struct device_variables *v)
{
    char *line = NULL;
    size_t length = 0;
    bool there = v->pull(&line, &length);
    answer(there, line ? line : "", length);
    if (there && line)
        RexxFreeMemory(line);
}

static void count_lines(const struct device_variables *v)
{
    char text[24];
    answer(true, text, (size_t)sprintf(text, "%lu", v->lines()));
}

char *device_value(const char *text, size_t length)
{
    char *value = RexxAllocateMemory(length + 1);
    if (value)
        memcpy(value, text, length);
    return value;
}

/* One message of CMS to the program; false: it ends the request. */
static bool serve(const struct device_variables *v)
{
    switch (*message) {
    case 'G': get_variable(v); return true;
    case 'S': set_variable(v); return true;
    case 'T': take_line(v); return true;
    case 'Q': count_lines(v); return true;
    case 'F':
    case 'L': v->push(message + 1, message_length - 1, *message == 'L'); return true;
    case 'O':
    case 'o': v->told(message + 1, message_length - 1, *message == 'O'); return true;
    default: return false;
    }
}

bool device_obey(const char *environment, const char *line, size_t length, const struct device_variables *variables,
                 long *rc)
{
    static const struct {
        const char *name;
        char kind;
    } environments[] = {{"CMS", 'C'}, {"COMMAND", 'K'}, {"CP", 'P'}, {"TOLD", 'O'}, {"SHOWN", 'S'},
                      {"PIPE", 'B'}};
    const char *rest;

    for (size_t i = 0; i < sizeof environments / sizeof *environments; i++)
        if (!strcmp(environment, environments[i].name) && (environments[i].kind != 'O' || variables->told)) {
            if (!send(environments[i].kind, line, length))
                return false;
            while (receive())
                if (!serve(variables)) {
                    *rc = number(&rest);
                    return *message == 'R';
                }
            return false;
        }
    return false;
}

static char *copy(const char *text, size_t length)
{
    char *p = malloc(length + 1);
    if (p) {
        memcpy(p, text, length);
        p[length] = 0;
    }
    return p;
}

/* Sends a request that has no dialogue, and takes its answer of type A. */
static bool ask(char kind, const char *text, size_t length, const char **rest, long *rc)
{
    if (!send(kind, text, length) || !receive() || *message != 'A')
        return false;
    *rc = number(rest);
    return true;
}

bool device_ask_cp(const char *line, size_t length, char **text, size_t *text_length, long *rc)
{
    const char *rest;
    if (!ask('D', line, length, &rest, rc))
        return false;
    *text_length = length_from(rest);
    return (*text = copy(rest, *text_length));
}

bool device_find_exec(const char *name, char **path, char **fileid)
{
    const char *rest, *behind;
    long rc;
    if (!ask('E', name, strlen(name), &rest, &rc) || rc || !(behind = memchr(rest, 0, length_from(rest))))
        return false;
    *path = copy(rest, (size_t)(behind - rest));
    *fileid = copy(behind + 1, length_from(behind + 1));
    if (*path && *fileid)
        return true;
    free(*path);
    free(*fileid);
    return false;
}

bool device_unstack(char **line, size_t *length)
{
    const char *rest;
    long rc;
    if (!ask('U', "", 0, &rest, &rc) || rc)
        return false;
    *length = length_from(rest);
    return (*line = copy(rest, *length));
}

void device_stack(const char *line, size_t length, bool first)
{
    const char *rest;
    long rc;
    ask(first ? 'L' : 'F', line, length, &rest, &rc);
}

void device_end(long rc)
{
    char text[24];
    const char *rest;
    ask('X', text, (size_t)sprintf(text, "%ld", rc), &rest, &rc);
}
