#include <errno.h>
#include <string.h>

#include "cms/kernel/heap.h"
#include "cms/process/exec.h"

enum { FIRST_SIZE = 4096 };

char *exec_room(struct exec_strings *s, size_t bytes, int *error)
{
    size_t size = s->size ? s->size : FIRST_SIZE;

    *error = -E2BIG;
    if (bytes > EXEC_STRINGS_MAX || s->used + bytes + (s->arguments + s->environment + 1) * 8ul > EXEC_STRINGS_MAX)
        return NULL;
    while (size - s->used < bytes)
        size *= 2;
    if (size != s->size) {
        char *larger = cms_heap_resize(s->bytes, size);
        *error = -ENOMEM;
        if (!larger)
            return NULL;
        s->bytes = larger;
        s->size = size;
    }
    *error = 0;
    return s->bytes + s->used;
}

int exec_add(struct exec_strings *s, const char *text)
{
    int error;
    size_t bytes = strlen(text) + 1;
    char *to = exec_room(s, bytes, &error);
    if (to) {
        memcpy(to, text, bytes);
        s->used += bytes;
    }
    return error;
}

void exec_free(struct exec_strings *s)
{
    cms_heap_free(s->bytes);
    *s = (struct exec_strings){0};
}
