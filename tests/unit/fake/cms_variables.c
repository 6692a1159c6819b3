#include "tests/unit/fake/cms_variables.h"

#include <string.h>

#include "cms/kernel/variables.h"
#include "cms/pipe/pipe.h"
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

/* ---- a stage ----------------------------------------------------------------------------------------------------- */

struct twice {
    bool again;
};

static int twice_record(struct stage *stage, const uint8_t *data, size_t length)
{
    struct twice *t = stage->state;
    int rc = cms_pipe_put(stage, 0, data, length);
    t->again = !t->again;
    return rc || !t->again ? rc : PIPE_AGAIN;
}

static const struct stage_kind twice = {.name = "TWICE", .size = sizeof(struct twice), .record = twice_record};

static const struct stage_kind *program(void *context, const char *name)
{
    (void)context;
    return strcmp(name, "TWICE") ? NULL : &twice;
}

static const struct cms_variables values = {.get = fetch, .set = store};
static const struct pipe_programs programs = {.find = program};

void fake_cms_variables_begin(void)
{
    memset(variables, 0, sizeof variables);
    cms_variables_lend(&values);
    cms_pipe_offer(&programs);
}

void fake_cms_variables_end(void)
{
    cms_variables_lend(NULL);
    cms_pipe_offer(NULL);
}

const char *fake_cms_variable(const char *name)
{
    return variables[find(name)].value;
}

void fake_cms_variable_set(const char *name, const char *value)
{
    store(NULL, name, value, strlen(value));
}
