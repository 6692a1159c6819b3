/* Programs where a test has none. Weak, so that one that has gets them. */
#include "cms/command/program.h"

__attribute__((weak)) bool cms_program_implied(const char *line, int *return_code)
{
    return (void)line, (void)return_code, false;
}

__attribute__((weak)) void cms_program_recover(void) {}
