#include "cms/process/load.h"

#include <errno.h>
#include <string.h>

#include "cms/kernel/frame.h"
#include "cms/kernel/heap.h"
#include "cms/vfs/abi.h"

static const uint64_t PAGE_MASK = FRAME_SIZE - 1;

static int64_t read_at(struct file *file, void *to, size_t bytes, uint64_t offset)
{
    struct io_buffer buffer;
    size_t done = 0;
    while (done < bytes) {
        io_buffer_begin(&buffer, (char *)to + done, bytes - done);
        int64_t got = file_read_at(file, &buffer.io, offset + done);
        if (got < 0)
            return got;
        if (!got)
            break;
        done += (size_t)got;
    }
    return (int64_t)done;
}

static int judge_file(const struct vfs_from *from, const char *path, unsigned at_flags, struct load_file *f)
{
    struct vfs_stat stat;
    int error = vfs_stat(from, path, at_flags, &stat);
    if (error)
        return error;
    if ((stat.mode & ABI_S_IFMT) != ABI_S_IFREG)
        return -EACCES;
    f->size = (uint64_t)stat.size;
    return vfs_access(from, path, ABI_X_OK, at_flags);
}

int load_open(const struct vfs_from *from, const char *path, unsigned at_flags, struct load_file *f)
{
    f->file = NULL;
    int error = judge_file(from, path, at_flags, f);
    if (!error && !*path) { /* AT_EMPTY_PATH: the descriptor's own file */
        f->file = files_get(from->files, (unsigned)from->at);
        if (!f->file)
            return -EBADF;
        file_hold(f->file);
    } else if (!error) {
        error = vfs_open(from, path, ABI_O_RDONLY, 0, &f->file);
    }
    if (error)
        return error;
    int64_t got = read_at(f->file, f->first, sizeof f->first - 1, 0);
    if (got < 0) {
        load_close(f);
        return (int)got;
    }
    f->first_bytes = (size_t)got;
    f->first[got] = 0;
    return 0;
}

void load_close(struct load_file *f)
{
    if (f->file)
        file_let_go(f->file);
    f->file = NULL;
}

int load_interpreter(struct load_file *f, char path[ELF_INTERPRETER_MAX])
{
    const struct elf_image *i = &f->image;
    *path = 0;
    if (!i->interpreter_size)
        return 0;
    int64_t got = read_at(f->file, path, i->interpreter_size, i->interpreter_offset);
    if (got < 0)
        return (int)got;
    return (uint64_t)got == i->interpreter_size && !path[got - 1] ? 0 : -ENOEXEC;
}

/* ---- segments ---------------------------------------------------------------------------------------------------- */

static int map(struct space *space, uint64_t from, uint64_t to, unsigned access, struct space_object *object,
               uint64_t offset)
{
    struct space_map m = {.address = from, .length = to - from, .access = access, .fixed = true, .object = object,
                          .offset = offset};
    if (from >= to)
        return 0;
    int64_t at = space_map(space, &m);
    return at < 0 ? (int)at : 0;
}

/* A file that cannot be mapped is copied. */
static int copy(struct file *file, struct space *space, uint64_t to, uint64_t offset, uint64_t bytes)
{
    char *page = cms_heap_allocate(FRAME_SIZE);
    int64_t error = page ? 0 : -ENOMEM;
    while (!error && bytes) {
        size_t part = bytes < FRAME_SIZE ? (size_t)bytes : FRAME_SIZE;
        int64_t got = read_at(file, page, part, offset);
        error = got < 0 ? got : (size_t)got < part ? -EIO : space_copy_out(space, to, page, part);
        to += part;
        offset += part;
        bytes -= part;
    }
    cms_heap_free(page);
    return (int)error;
}

static int map_by_copy(struct file *file, struct space *space, const struct elf_segment *s, uint64_t at)
{
    uint64_t from = at & ~PAGE_MASK, to = (at + s->file_size + PAGE_MASK) & ~PAGE_MASK;
    int error = map(space, from, to, SPACE_READ | SPACE_WRITE, NULL, 0);
    if (!error)
        error = copy(file, space, at, s->offset, s->file_size);
    return error ? error : space_protect(space, from, to - from, s->access);
}

static int map_file(struct load_file *f, struct space *space, struct space_object *object, const struct elf_segment *s,
                    uint64_t at)
{
    uint64_t end = at + s->file_size, page_end = (end + PAGE_MASK) & ~PAGE_MASK;
    int error;

    if (!s->file_size)
        return 0;
    if (object)
        error = map(space, at & ~PAGE_MASK, page_end, s->access, object, s->offset & ~PAGE_MASK);
    else
        error = map_by_copy(f->file, space, s, at);
    /* behind the file's part of a page are zeroes, where the program can have them at all */
    if (!error && s->memory_size > s->file_size && s->access & SPACE_WRITE)
        error = space_clear(space, end, page_end - end);
    return error;
}

static int map_segment(struct load_file *f, struct space *space, struct space_object *object,
                       const struct elf_segment *s, uint64_t bias)
{
    uint64_t at = bias + s->address, file_end = (at + s->file_size + PAGE_MASK) & ~PAGE_MASK;
    int error = map_file(f, space, object, s, at);
    if (!s->file_size)
        file_end = at & ~PAGE_MASK;
    return error ? error : map(space, file_end, (at + s->memory_size + PAGE_MASK) & ~PAGE_MASK, s->access, NULL, 0);
}

/* All addresses it covers, so that its segments keep their distances. */
static int64_t reserve(const struct elf_image *i, struct space *space, uint64_t where)
{
    struct space_map m = {.address = i->relocatable ? where : i->low, .length = i->high - i->low,
                          .fixed = !i->relocatable || where, .fixed_new = !i->relocatable || where};
    return space_map(space, &m);
}

int load_map(struct load_file *f, struct space *space, uint64_t where, uint64_t *bias)
{
    const struct elf_image *i = &f->image;
    struct space_object *object = NULL;
    int64_t base = reserve(i, space, where);

    if (base < 0)
        return (int)base;
    *bias = (uint64_t)base - i->low;
    if (f->file->operations->map) {
        int error = f->file->operations->map(f->file, &object);
        if (error && error != -ENODEV)
            return error;
    }
    int error = 0;
    for (unsigned s = 0; !error && s < i->segment_count; s++)
        error = map_segment(f, space, object, &i->segment[s], *bias);
    if (object)
        object->operations->let_go(object);
    return error;
}
