/* For the unit test: the QUERY DISK line of one disk, in the columns of its heading. */
#pragma once
#include <stddef.h>

#include "cms/kernel/mode.h"

void cms_query_disk_line(const struct mode *mode, const struct edf_disk_facts *facts, char *line, size_t size);
