#include "tests/unit/fake/cms_variables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cms/kernel/variables.h"
#include "cms/pipe/programs.h"

enum { VARIABLES = 64, VALUE = 200 };

static struct {
    char name[40];
    char value[VALUE + 1];
    size_t length;
} variables[VARIABLES];

static int find(const char *name)
{
    int i = 0;
    while (i < VARIABLES - 1 && *variables[i].name && strcmp(variables[i].name, name))
        i++;
    return i;
}

static enum cms_variable_status fetch(void *context, const char *name, char *value, size_t size, size_t *length)
{
    int i = find(name);
    (void)context;
    if (*name >= '0' && *name <= '9')
        return VARIABLE_BAD_NAME;
    const char *is = *variables[i].name ? variables[i].value : name;
    *length = *variables[i].name ? variables[i].length : strlen(name);
    memcpy(value, is, *length < size ? *length : size);
    return *variables[i].name ? VARIABLE_OK : VARIABLE_UNSET;
}

static enum cms_variable_status store(void *context, const char *name, const char *value, size_t length)
{
    int i = find(name);
    (void)context;
    if (*name >= '0' && *name <= '9')
        return VARIABLE_BAD_NAME;
    if (length > VALUE || strlen(name) >= sizeof variables[i].name)
        return VARIABLE_NO_MEMORY;
    strcpy(variables[i].name, name);
    memcpy(variables[i].value, value, length);
    variables[i].value[length] = 0;
    variables[i].length = length;
    return VARIABLE_OK;
}

/* ---- programs that are stages ------------------------------------------------------------------------------------ */

struct script {
    char text[400], command[400];
    const char *at;
    int rc;
    bool over;
};

static bool find_program(const char *name)
{
    return !strcmp(name, "TWICE") || !strcmp(name, "SCRIPT");
}

static int begin(const char *name, const char *argument, size_t length, void **program)
{
    static const char twice[] = "PEEKTO X;OUTPUT &X;OUTPUT &X;READTO";
    struct script *s = calloc(1, sizeof *s);
    bool is_twice = !strcmp(name, "TWICE");
    snprintf(s->text, sizeof s->text, "%.*s", is_twice ? (int)sizeof twice - 1 : (int)length,
             is_twice ? twice : argument);
    s->at = s->text;
    *program = s;
    return 0;
}

static bool go_on(void *program, struct scan *asked)
{
    struct script *s = program;
    size_t used = 0;
    if (!*s->at)
        s->at = s->text;
    for (; !s->over && *s->at && *s->at != ';'; s->at++) {
        if (*s->at != '&') {
            s->command[used++] = *s->at;
            continue;
        }
        char name[2] = {*++s->at, 0};
        used += (size_t)sprintf(s->command + used, "%s", fake_cms_variable(name));
    }
    s->at += *s->at == ';';
    s->command[used] = 0;
    s->over |= sscanf(s->command, "EXIT %d", &s->rc) == 1;
    *asked = (struct scan){s->command, s->command + used};
    return !s->over;
}

static void answer(void *program, int rc)
{
    struct script *s = program;
    char text[24];
    snprintf(text, sizeof text, "%d", rc);
    s->over |= rc != 0;
    if (rc && rc != 12)
        fake_cms_variable_set("RC", text);
}

static enum cms_variable_status set(void *program, const char *name, const void *value, size_t length)
{
    (void)program;
    return store(NULL, name, value, length);
}

static int end(void *program)
{
    int rc = ((struct script *)program)->rc;
    free(program);
    return rc;
}

static const struct cms_variables values = {.get = fetch, .set = store};
const struct pipe_programs cms_pipe_programs = {find_program, begin, go_on, answer, set, end};

void fake_cms_variables_begin(void)
{
    memset(variables, 0, sizeof variables);
    cms_variables_lend(&values);
}

void fake_cms_variables_end(void)
{
    cms_variables_lend(NULL);
}

const char *fake_cms_variable(const char *name)
{
    return variables[find(name)].value;
}

void fake_cms_variable_set(const char *name, const char *value)
{
    store(NULL, name, value, strlen(value));
}
