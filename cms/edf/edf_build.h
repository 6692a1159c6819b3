/* The pointer blocks of a file being written; used by edf_write.c only. */
#pragma once
#include "cms/edf/edf_internal.h"

/* Write `data` to a free block. With may_be_null, zeros of an F file take no block: *block is then 0. */
enum edf_status edf_build_store(struct edf_writer *writer, const uint8_t *data, bool may_be_null, uint32_t *block);
/* The next data block lies at `entry`. */
enum edf_status edf_build_add(struct edf_writer *writer, struct tree_entry entry);
/* No more: writes what is unfinished and sets the file's origin and levels. */
enum edf_status edf_build_finish(struct edf_writer *writer);
/* Go on where `tree` ends, its last data block excepted: that one is handed out in *last, to be added again. */
enum edf_status edf_build_resume(struct edf_writer *writer, const struct tree *tree, struct tree_entry *last);
void edf_build_free(struct edf_writer *writer);
