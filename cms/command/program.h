/* Programs: what a line that names no command may name. The program room provides it; unit tests bring a fake. */
#pragma once
#include <stdbool.h>

/* Runs the program that the line's first word names, if there is one: *return_code is then its own. */
bool cms_program_implied(const char *line, int *return_code);
/* After an abend: nothing runs any more. */
void cms_program_recover(void);
