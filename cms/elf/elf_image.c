/* In: a file's first bytes, which anybody may have made up. Out: what to map where, every sum of it checked. */
#include "cms/elf/elf_image.h"

#include <errno.h>
#include <string.h>

#include "cms/elf/elf_layout.h"

enum { PAGE = 4096 };
static const uint64_t ADDRESS_END = (1ull << 47) - PAGE; /* as SPACE_TOP, and Linux's TASK_SIZE */

/* Of what kind the file is, and whether its table of program headers is among the bytes at hand. */
static int judge_header(const struct elf_header *h, size_t bytes)
{
    static const uint8_t identity[] = {0x7f, 'E', 'L', 'F', ELF_CLASS_64, ELF_LITTLE_ENDIAN, ELF_VERSION};

    if (bytes < sizeof *h || memcmp(h->identity, identity, sizeof identity))
        return -ENOEXEC;
    if (h->machine != ELF_X86_64 || (h->type != ELF_EXECUTABLE && h->type != ELF_SHARED))
        return -ENOEXEC;
    if (h->program_size != sizeof(struct elf_program) || !h->program_count)
        return -ENOEXEC;
    size_t table = (size_t)h->program_count * sizeof(struct elf_program);
    if (h->program_offset > bytes || table > bytes - h->program_offset)
        return -ENOEXEC;
    return 0;
}

static unsigned access_of(uint32_t flags)
{
    enum { EXECUTE = 1, WRITE = 2, READ = 4 };
    return (flags & READ ? 1u : 0) | (flags & WRITE ? 2u : 0) | (flags & EXECUTE ? 4u : 0);
}

static int judge_segment(const struct elf_program *p, uint64_t file_size, struct elf_image *image)
{
    if (!p->memory_size)
        return 0;
    if (p->file_size > p->memory_size || p->offset > file_size || p->file_size > file_size - p->offset)
        return -EINVAL;
    if ((p->address ^ p->offset) & (PAGE - 1) || p->address >= ADDRESS_END || p->memory_size > ADDRESS_END - p->address)
        return -EINVAL;
    if (image->segment_count == ELF_SEGMENTS_MAX)
        return -ENOEXEC;
    image->segment[image->segment_count++] = (struct elf_segment){p->offset, p->address, p->file_size, p->memory_size,
                                                                 access_of(p->flags)};
    uint64_t low = p->address & ~(uint64_t)(PAGE - 1);
    uint64_t high = (p->address + p->memory_size + PAGE - 1) & ~(uint64_t)(PAGE - 1);
    if (low < image->low)
        image->low = low;
    if (high > image->high)
        image->high = high;
    return 0;
}

static int judge_program(const struct elf_program *p, uint64_t file_size, struct elf_image *image)
{
    switch (p->type) {
    case ELF_LOAD:
        return judge_segment(p, file_size, image);
    case ELF_INTERPRETER:
        if (p->file_size < 2 || p->file_size > ELF_INTERPRETER_MAX || p->offset > file_size ||
            p->file_size > file_size - p->offset)
            return -ENOEXEC;
        if (!image->interpreter_size) {
            image->interpreter_offset = p->offset;
            image->interpreter_size = p->file_size;
        }
        return 0;
    case ELF_STACK:
        image->stack_executes = access_of(p->flags) & 4;
        return 0;
    default:
        return 0;
    }
}

/* The program headers in storage: where the segment that has their bytes of the file goes. */
static uint64_t headers_address(const struct elf_header *h, const struct elf_image *image)
{
    uint64_t bytes = (uint64_t)h->program_count * sizeof(struct elf_program);
    for (unsigned i = 0; i < image->segment_count; i++) {
        const struct elf_segment *s = &image->segment[i];
        if (h->program_offset >= s->offset && h->program_offset - s->offset < s->file_size &&
            bytes <= s->file_size - (h->program_offset - s->offset))
            return s->address + (h->program_offset - s->offset);
    }
    return 0;
}

int elf_judge(const void *first, size_t bytes, uint64_t file_size, struct elf_image *image)
{
    struct elf_header h = {0};

    *image = (struct elf_image){.low = UINT64_MAX};
    memcpy(&h, first, bytes < sizeof h ? bytes : sizeof h);
    int error = judge_header(&h, bytes);
    for (unsigned i = 0; !error && i < h.program_count; i++) {
        struct elf_program p;
        memcpy(&p, (const char *)first + h.program_offset + i * sizeof p, sizeof p);
        error = judge_program(&p, file_size, image);
    }
    if (error)
        return error;
    if (!image->segment_count)
        return -ENOEXEC;
    if (h.entry >= ADDRESS_END)
        return -EINVAL;
    image->relocatable = h.type == ELF_SHARED;
    image->entry = h.entry;
    image->header_count = h.program_count;
    image->headers_address = headers_address(&h, image);
    return 0;
}
