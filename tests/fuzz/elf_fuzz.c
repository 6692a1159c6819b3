/* A file somebody made up: whatever elf_judge lets through lies within the file and within a program's addresses, and a
 * script's interpreter is a word. The first byte says how long the file claims to be beyond what is at hand. */
#include <stdlib.h>
#include <string.h>

#include "cms/elf/elf_image.h"
#include "cms/elf/elf_script.h"

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_image(const struct elf_image *image, uint64_t file_size)
{
    const uint64_t end = (1ull << 47) - 4096;
    must(image->segment_count && image->segment_count <= ELF_SEGMENTS_MAX && image->entry < end);
    must(image->low < image->high && image->high <= end && !(image->low % 4096) && !(image->high % 4096));
    for (unsigned i = 0; i < image->segment_count; i++) {
        const struct elf_segment *s = &image->segment[i];
        must(s->file_size <= s->memory_size && s->offset + s->file_size >= s->offset);
        must(s->offset + s->file_size <= file_size && (s->offset - s->address) % 4096 == 0);
        must(s->address >= image->low && s->address + s->memory_size <= image->high && !(s->access & ~7u));
    }
    must(image->interpreter_size <= ELF_INTERPRETER_MAX &&
         image->interpreter_offset + image->interpreter_size <= file_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct elf_image image;
    struct elf_script script;

    if (!size)
        return 0;
    size_t bytes = size - 1 < 4096 ? size - 1 : 4096;
    uint64_t file_size = bytes + (uint64_t)data[0] * 4096;
    if (!elf_judge(data + 1, bytes, file_size, &image))
        check_image(&image, file_size);
    if (!elf_script_judge(data + 1, bytes, &script)) {
        must(script.interpreter[0] && !strpbrk(script.interpreter, " \t\n"));
        must(memchr(script.argument, 0, sizeof script.argument) != NULL);
    }
    return 0;
}
