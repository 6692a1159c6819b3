/* The functions of file_calls.def, for the table. */
#pragma once
#include "cms/syscall/syscall.h"

#define CALL(number, name, ...) int64_t call_##name(const struct call *);
#include "cms/syscall/file_calls.def"
#undef CALL
