/* struct rusage of the times that are known: getrusage(2). */
#pragma once
#include "cms/process/thread.h"

int resource_usage_out(uint64_t to, struct times); /* 0, -EFAULT */
