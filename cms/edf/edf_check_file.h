/* The check of one file. */
#pragma once
#include "cms/edf/edf_check_ledger.h"

/* `owner` is the file's own: OWNER_FILES and its entry's index. What is wrong is noted; EDF_IO and EDF_NO_MEMORY say
 * that the check cannot go on. */
enum edf_status edf_check_file(struct check *check, const char *where, const uint8_t *entry, uint32_t owner);
