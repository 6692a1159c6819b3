/* "Tool Interface Standard: Executable and Linking Format", "ELF-64 Object File Format". */
#include "cp/ipl/elf.h"

#include <string.h>

#include "cp/ipl/map.h"

enum { CLASS_32 = 1, CLASS_64 = 2, LITTLE_ENDIAN_DATA = 1, TYPE_EXECUTABLE = 2, MACHINE_386 = 3, MACHINE_X86_64 = 62 };
enum { SEGMENT_LOAD = 1, SEGMENT_NOTE = 4, SEGMENTS_MAX = 64 };

struct identity {
    uint8_t magic[4], class, data, version, rest[9];
    uint16_t type, machine;
    uint32_t file_version;
};

struct header32 {
    struct identity id;
    uint32_t entry, segments_at, sections_at, flags;
    uint16_t bytes, segment_bytes, segments;
};

struct header64 {
    struct identity id;
    uint64_t entry, segments_at, sections_at;
    uint32_t flags;
    uint16_t bytes, segment_bytes, segments;
};

struct segment32 {
    uint32_t type, offset, virtual_at, physical_at, file_bytes, memory_bytes, flags, align;
};

struct segment64 {
    uint32_t type, flags;
    uint64_t offset, virtual_at, physical_at, file_bytes, memory_bytes, align;
};

struct file {
    struct ipl_bytes data;
    uint64_t bytes;
    bool is_64;
};

/* Copies a structure out of the file; false: it is not all there. */
static bool file_get(const struct file *f, uint64_t at, void *to, size_t bytes)
{
    if (at > f->bytes || bytes > f->bytes - at)
        return false;
    return ipl_bytes_get(f->data, at, to, bytes);
}

static bool header_get(const struct file *f, struct header64 *h)
{
    struct header32 narrow;

    if (f->is_64)
        return file_get(f, 0, h, sizeof *h);
    if (!file_get(f, 0, &narrow, sizeof narrow))
        return false;
    *h = (struct header64){.id = narrow.id, .entry = narrow.entry, .segments_at = narrow.segments_at,
                           .segment_bytes = narrow.segment_bytes, .segments = narrow.segments};
    return true;
}

static bool segment_get(const struct file *f, uint64_t at, struct segment64 *s)
{
    struct segment32 narrow;

    if (f->is_64)
        return file_get(f, at, s, sizeof *s);
    if (!file_get(f, at, &narrow, sizeof narrow))
        return false;
    *s = (struct segment64){.type = narrow.type, .offset = narrow.offset, .virtual_at = narrow.virtual_at,
                            .physical_at = narrow.physical_at, .file_bytes = narrow.file_bytes,
                            .memory_bytes = narrow.memory_bytes};
    return true;
}

static const char *header_check(struct file *f, struct header64 *h)
{
    struct identity id;

    if (!file_get(f, 0, &id, sizeof id) || memcmp(id.magic, "\177ELF", 4))
        return "The image is not an ELF file";
    if ((id.class != CLASS_32 && id.class != CLASS_64) || id.data != LITTLE_ENDIAN_DATA)
        return "The image is of an unknown ELF class";
    if (id.type != TYPE_EXECUTABLE || (id.machine != MACHINE_386 && id.machine != MACHINE_X86_64))
        return "The image is not an x86 executable";
    f->is_64 = id.class == CLASS_64;
    if (!header_get(f, h))
        return "The image's ELF header is cut short";
    if (!h->segments || h->segments > SEGMENTS_MAX ||
        h->segment_bytes < (f->is_64 ? sizeof(struct segment64) : sizeof(struct segment32)))
        return "The image's segment table is unusable";
    return NULL;
}

const char *elf_segment_place(struct ipl_copies *copies, uint64_t at, struct ipl_bytes data, uint64_t bytes,
                              uint64_t memory, struct elf_extent *extent)
{
    uint64_t end = at + memory;

    if (end >> 32 || !ipl_map_usable(copies->storage->bytes, at, memory))
        return "The image does not fit into the storage where it wants to be";
    if (!ipl_copy_note(copies, at, data, bytes, memory))
        return "The image has too many segments";
    if (end > extent->end)
        extent->end = end;
    return NULL;
}

static const char *segment_load(struct ipl_copies *copies, const struct file *f, const struct segment64 *s,
                                struct elf_extent *extent)
{
    if (s->file_bytes > s->memory_bytes)
        return "A segment of the image is longer in the file than in storage";
    if (s->offset > f->bytes || s->file_bytes > f->bytes - s->offset)
        return "A segment of the image is cut short";
    return elf_segment_place(copies, s->physical_at, ipl_bytes_from(f->data, s->offset), s->file_bytes, s->memory_bytes,
                             extent);
}

/* The header's entry is a virtual address: it runs where its segment was put. */
static void entry_translate(const struct segment64 *s, uint64_t entry, struct elf_extent *extent)
{
    if (entry >= s->virtual_at && entry - s->virtual_at < s->memory_bytes)
        extent->entry = entry - s->virtual_at + s->physical_at;
}

const char *elf_load(struct ipl_copies *copies, struct ipl_bytes data, uint64_t bytes, struct elf_extent *extent)
{
    struct file f = {.data = data, .bytes = bytes};
    struct header64 h;
    const char *error = header_check(&f, &h);

    if (error)
        return error;
    extent->entry = h.entry;
    for (unsigned i = 0; !error && i < h.segments; i++) {
        uint64_t offset = (uint64_t)i * h.segment_bytes;
        struct segment64 s;

        if (h.segments_at > UINT64_MAX - offset || !segment_get(&f, h.segments_at + offset, &s))
            return "The image's segment table is cut short";
        if (s.type != SEGMENT_LOAD || !s.memory_bytes)
            continue;
        error = segment_load(copies, &f, &s, extent);
        entry_translate(&s, h.entry, extent);
    }
    return error;
}

/* ---- notes ------------------------------------------------------------------ */

struct note {
    uint32_t name_bytes, bytes, type;
};
enum { NOTES_MAX = 64, NOTE_NAME = 16 };

static uint64_t note_up(uint64_t bytes) { return (bytes + 3) & ~3ull; }

/* In the segment's part of the file. */
static bool note_find(const struct file *f, const struct segment64 *s, const char *name, uint32_t type,
                      void *description, size_t size)
{
    uint64_t at = s->offset, end = s->offset + s->file_bytes;
    for (unsigned i = 0; i < NOTES_MAX && at < end && end >= s->offset; i++) {
        char its[NOTE_NAME] = "";
        struct note note;
        if (!file_get(f, at, &note, sizeof note))
            return false;
        uint64_t description_at = at + sizeof note + note_up(note.name_bytes);
        if (note.type == type && note.name_bytes == strlen(name) + 1 && note.name_bytes <= sizeof its &&
            file_get(f, at + sizeof note, its, note.name_bytes) && !strcmp(its, name))
            return note.bytes >= size && file_get(f, description_at, description, size);
        at = description_at + note_up(note.bytes);
    }
    return false;
}

bool elf_note(struct ipl_bytes data, uint64_t bytes, const char *name, uint32_t type, void *description, size_t size)
{
    struct file f = {.data = data, .bytes = bytes};
    struct header64 h;
    if (header_check(&f, &h))
        return false;
    for (unsigned i = 0; i < h.segments; i++) {
        uint64_t offset = (uint64_t)i * h.segment_bytes;
        struct segment64 s;
        if (h.segments_at > UINT64_MAX - offset || !segment_get(&f, h.segments_at + offset, &s))
            return false;
        if (s.type == SEGMENT_NOTE && note_find(&f, &s, name, type, description, size))
            return true;
    }
    return false;
}
