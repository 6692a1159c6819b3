#include "cms/minidisk/name.h"

#include <errno.h>
#include <string.h>

static char upper(char c) { return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c; }
static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

bool name_is_passing(const char *n) { return n[0] == '.' || n[strlen(n) - 1] == '~'; }

static int copy_part(char to[EDF_NAME_MAX + 1], const char *from, size_t length)
{
    if (length > EDF_NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(to, from, length);
    to[length] = 0;
    return edf_name_valid(to) ? 0 : -EINVAL;
}

static int split(const char *n, const char *type, struct cms_name *c)
{
    const char *dot = strchr(n, '.');
    size_t length = dot ? (size_t)(dot - n) : strlen(n);
    int status = copy_part(c->name, n, length);
    if (!status)
        status = dot ? copy_part(c->type, dot + 1, strlen(dot + 1)) : copy_part(c->type, type, strlen(type));
    return status;
}

static void raise(char *c)
{
    for (; *c; c++)
        *c = upper(*c);
}

int name_make(const char *n, bool program, struct cms_name *c)
{
    int status = split(n, program ? NAME_TYPE_PROGRAM : NAME_TYPE, c);
    raise(c->name);
    raise(c->type);
    return status;
}

unsigned name_forms(const char *n, struct cms_name forms[NAME_FORMS])
{
    unsigned count = 0;
    bool typed = strchr(n, '.');
    for (int program = 0; program < (typed ? 1 : 2); program++) {
        const char *type = program ? NAME_TYPE_PROGRAM : NAME_TYPE;
        if (name_make(n, program, &forms[count]))
            return 0;
        count++;
        if (split(n, type, &forms[count]) == 0 && memcmp(&forms[count], &forms[count - 1], sizeof *forms))
            count++;
    }
    return count;
}

static size_t show_part(char *to, const char *part)
{
    bool mixed = false;
    size_t n = 0;
    for (const char *c = part; *c; c++)
        mixed |= *c >= 'a' && *c <= 'z';
    for (; part[n]; n++)
        to[n] = mixed ? part[n] : lower(part[n]);
    return n;
}

bool name_may_be_alone(const struct cms_name *c)
{
    return !strcmp(c->type, NAME_TYPE) || !strcmp(c->type, NAME_TYPE_PROGRAM);
}

void name_show(const struct cms_name *c, bool alone, char shown[NAME_SHOWN])
{
    size_t n = show_part(shown, c->name);
    if (!alone) {
        shown[n++] = '.';
        n += show_part(shown + n, c->type);
    }
    shown[n] = 0;
}
