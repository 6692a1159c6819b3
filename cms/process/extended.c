#include "cms/process/extended.h"

#include <string.h>

#include "cms/process/signal_abi.h"

enum { CONTROL_WORD = 0, MXCSR = 24, MARKS = 464 };
enum { HEADER = 512 };
enum { FEATURES_LEGACY = 3 };

struct marks {
    uint32_t magic, whole_bytes;
    uint64_t features;
    uint32_t bytes, padding[7];
};
_Static_assert(MARKS + sizeof(struct marks) == EXTENDED_LEGACY, "at the end of the FXSAVE area");

static uint32_t word(const void *area, size_t at)
{
    uint32_t value;
    memcpy(&value, (const char *)area + at, sizeof value);
    return value;
}

void extended_legacy_only(void *area, size_t size)
{
    if (size <= EXTENDED_LEGACY)
        return;
    const uint64_t features = FEATURES_LEGACY;
    memset((char *)area + EXTENDED_LEGACY, 0, size - EXTENDED_LEGACY);
    memcpy((char *)area + HEADER, &features, sizeof features);
}

void extended_mark(void *area, size_t size, uint64_t features)
{
    struct marks m = {EXTENDED_MAGIC_1, (uint32_t)size + EXTENDED_MAGIC_2_BYTES, features, (uint32_t)size, {0}};
    if (size <= EXTENDED_LEGACY)
        memset(&m, 0, sizeof m);
    memcpy((char *)area + MARKS, &m, sizeof m);
}

bool extended_is_whole(const void *area, size_t size)
{
    struct marks m;
    memcpy(&m, (const char *)area + MARKS, sizeof m);
    return size > EXTENDED_LEGACY && m.magic == EXTENDED_MAGIC_1 && m.bytes == size &&
           m.whole_bytes == size + EXTENDED_MAGIC_2_BYTES;
}

int extended_float_code(const void *area, bool sse)
{
    enum { INVALID = 1, DENORMAL = 2, DIVIDE = 4, OVERFLOW = 8, UNDERFLOW = 16, INEXACT = 32, MASK_SHIFT = 7 };
    uint32_t control = word(area, CONTROL_WORD), mxcsr = word(area, MXCSR);
    uint32_t raised = sse ? mxcsr & ~(mxcsr >> MASK_SHIFT) : control >> 16 & ~(control & 0x3f);

    return raised & INVALID ? CODE_FPE_INVALID
         : raised & DIVIDE ? CODE_FPE_DIVIDE_FLOAT
         : raised & OVERFLOW ? CODE_FPE_OVERFLOW
         : raised & (UNDERFLOW | DENORMAL) ? CODE_FPE_UNDERFLOW
         : raised & INEXACT ? CODE_FPE_INEXACT : 0;
}
