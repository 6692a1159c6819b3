#include "tests/mutate/mutant.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST = 1 << 20, PAGE = 4096 };

static unsigned char unkept[MOST];
unsigned mutant_awake = MOST;
unsigned char *mutant_reached = unkept;

/* Before the constructors that empty rows of tables. */
__attribute__((constructor(101))) static void begin(void)
{
    const char *awake = getenv("MUTANT"), *reached = getenv("MUTANT_REACHED");
    if (awake)
        mutant_awake = (unsigned)atoi(awake);
    if (!reached)
        return;
    int file = open(reached, O_RDWR | O_CREAT | O_TRUNC, 0666);
    if (file < 0 || ftruncate(file, MOST))
        abort();
    mutant_reached = mmap(NULL, MOST, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (mutant_reached == MAP_FAILED)
        abort();
    close(file);
}

void mutant_empty(void *table, const void *only, size_t bytes, size_t each)
{
    static const unsigned char zeros[PAGE];
    uintptr_t first = (uintptr_t)table & ~(uintptr_t)(PAGE - 1), end = (uintptr_t)table + bytes;
    if (each > PAGE || mprotect((void *)first, end - first, PROT_READ | PROT_WRITE))
        abort();
    for (size_t at = 0; at < bytes; at += each)
        if (memcmp((const unsigned char *)only + at, zeros, each))
            memset((unsigned char *)table + at, 0, each);
}
