#include "cms/kernel/variables.h"

static const struct cms_variables *variables;

const struct cms_variables *cms_variables_lend(const struct cms_variables *new)
{
    const struct cms_variables *old = variables;
    variables = new;
    return old;
}

bool cms_variables_there(void)
{
    return variables;
}

enum cms_variable_status cms_variable_get(const char *name, char *value, size_t size, size_t *length)
{
    return variables ? variables->get(variables->context, name, value, size, length) : VARIABLE_NO_PROGRAM;
}

enum cms_variable_status cms_variable_set(const char *name, const char *value, size_t length)
{
    return variables ? variables->set(variables->context, name, value, length) : VARIABLE_NO_PROGRAM;
}
