/* `cmsdisk tape`: AWSTAPE files with what CMS' TAPE DUMP writes. */
#pragma once
#include "images/minidisk/minidisk.h"

/* list, get, dump or load; operands as `cmsdisk --help` has them. The program's exit status. */
int tape_command(const char *function, char **operand, const struct options *options);
