/* The edge's part of the frame allocator. */
#include "cp/storage/frame.h"

#include <string.h>

void frame_clear(void *frame)
{
    memset(frame, 0, PAGE_SIZE);
}
