/* The extended state (FPU, SSE, AVX) as it lies in storage: SDM "FXSAVE Area", "XSAVE Area". Pure. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EXTENDED_LEGACY = 512 }; /* an area of that size is FXSAVE's, a longer one XSAVE's, not compacted */

/* Only the first EXTENDED_LEGACY bytes are there: all else is as it is at first. */
void extended_legacy_only(void *area, size_t size);

/* What the kernel writes beside an XSAVE area in a signal's frame: <asm/sigcontext.h>, struct _fpx_sw_bytes. */
enum { EXTENDED_MAGIC_1 = 0x46505853, EXTENDED_MAGIC_2 = 0x46505845, EXTENDED_MAGIC_2_BYTES = 4 };
void extended_mark(void *area, size_t size, uint64_t features);
/* Whether the marks say that all `size` bytes are there (and the second mark, to be looked at by the caller). */
bool extended_is_whole(const void *area, size_t size);

/* What an exception of the x87 FPU or of SSE means to a program: si_code. */
int extended_float_code(const void *area, bool sse);
