/* What HELP needs of who can read the root image: its HELP files, in usr/share/cms/help, by the names that they have
 * as a disk's, with a point between. Implemented by cms/program. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* How many bytes there are, of which the first `size` are read; a negative errno: there is no such file, or no root
 * image. */
int64_t cms_help_root_read(const char *file, void *bytes, size_t size);
