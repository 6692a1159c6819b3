/* Accessing and releasing a minidisk, and what can be asked of it and its directory. */
#include "cms/edf/edf_internal.h"

static void free_disk(struct edf_disk *disk)
{
    const struct edf_host *host = disk->host;
    edf_memory_put(disk, disk->entries, (size_t)disk->room * disk->block_size);
    edf_memory_put(disk, disk->where, disk->room * sizeof *disk->where);
    edf_memory_put(disk, disk->pointers, (disk->pointer_count + 1) * sizeof *disk->pointers);
    edf_memory_put(disk, disk->run, RUN_BYTES);
    edf_memory_put(disk, disk->map, disk->map_bytes);
    edf_memory_put(disk, disk->spare, disk->map_bytes);
    edf_memory_put(disk, disk->held, disk->bit_bytes);
    edf_memory_put(disk, disk->map_where, disk->map_count * sizeof *disk->map_where);
    edf_memory_put(disk, disk->map_pointers, (disk->map_pointer_count + 1) * sizeof *disk->map_pointers);
    host->put(host->ctx, disk, sizeof *disk);
}

enum edf_status edf_access(const struct edf_device *device, const struct edf_host *host, bool writable,
                           struct edf_disk **disk, struct edf_reason *reason)
{
    struct edf_disk *d = host->get(host->ctx, sizeof *d);
    *disk = NULL;
    if (reason)
        *reason = (struct edf_reason){edf_status_text(EDF_NO_MEMORY), 0};
    if (!d)
        return EDF_NO_MEMORY;
    *d = (struct edf_disk){.device = device, .host = host, .reason.text = edf_status_text(EDF_NO_MEMORY)};
    enum edf_status status = edf_label_load(d);
    if (!status)
        status = edf_directory_load(d);
    if (status) {
        if (reason)
            *reason = d->reason;
        free_disk(d);
        return status;
    }
    d->writable = writable && !device->read_only && !d->fault;
    *disk = d;
    return EDF_OK;
}

void edf_release(struct edf_disk *disk)
{
    if (!disk)
        return;
    disk->released = true;
    disk->writable = false;
    edf_disk_drop(disk);
}

void edf_disk_drop(struct edf_disk *disk)
{
    if (disk->released && !disk->readers && !disk->writers)
        free_disk(disk);
}

void edf_disk_query(const struct edf_disk *disk, struct edf_disk_facts *facts)
{
    *facts = (struct edf_disk_facts){
        .block_size = disk->block_size,
        .blocks = disk->blocks,
        .used = disk->used,
        .promised = disk->promised,
        .files = disk->count - 2 - disk->erased,
        .erased = disk->erased,
        .cylinders = get32(disk->label + LABEL_CYLINDERS),
        .writable = disk->writable,
        .fault = disk->fault,
    };
    edf_name_get(facts->volid, disk->label + LABEL_VOLID, EDF_VOLID_MAX);
    edf_date_get(disk->label + LABEL_CREATED, disk->label[LABEL_FLAGS] & LABEL_FLAG_20XX, &facts->created);
}

struct edf_reason edf_reason(const struct edf_disk *disk)
{
    return disk->reason;
}

/* ---- what there is ----------------------------------------------------------------------------------------------- */

/* A name or type that is wanted. Most are known in full: one comparison an entry then. */
struct wanted {
    const char *pattern; /* NULL: any */
    bool exact;
    uint64_t key;        /* if exact: as it lies on the disk */
};

static struct wanted wanted(const char *pattern)
{
    struct wanted w = {.pattern = pattern && strcmp(pattern, "*") ? pattern : NULL};
    uint8_t key[EDF_NAME_MAX];
    if (w.pattern && !strpbrk(pattern, "*%") && strlen(pattern) <= EDF_NAME_MAX) {
        edf_name_put(key, sizeof key, pattern);
        w.key = load64(key);
        w.exact = true;
    }
    return w;
}

static bool matches(const struct wanted *w, const uint8_t *name)
{
    char text[EDF_NAME_MAX + 1];
    if (w->exact)
        return load64(name) == w->key;
    if (w->pattern)
        edf_name_get(text, name, EDF_NAME_MAX);
    return edf_name_matches(w->pattern, text);
}

enum edf_status edf_next(const struct edf_disk *disk, uint32_t *position, const char *name, const char *type,
                         struct edf_file_facts *facts)
{
    const struct wanted names = wanted(name), types = wanted(type);
    while (*position < disk->count - 2) {
        const uint8_t *entry = directory_entry(disk, 2 + (*position)++);
        if (!matches(&names, entry + FST_NAME) || !matches(&types, entry + FST_TYPE) ||
            (disk->erased && edf_fst_is_own(entry, OWN_ERASED)))
            continue;
        edf_fst_facts(disk, entry, facts);
        return EDF_OK;
    }
    return EDF_END;
}

enum edf_status edf_find(const struct edf_disk *disk, const char *name, const char *type,
                         struct edf_file_facts *facts)
{
    uint8_t key[FST_SIZE];
    if (!edf_name_valid(name) || !edf_name_valid(type))
        return EDF_BAD_NAME;
    edf_fst_put_name(key, name, type);
    uint32_t index = edf_directory_find(disk, key);
    if (!index)
        return EDF_NOT_FOUND;
    edf_fst_facts(disk, directory_entry(disk, index), facts);
    return EDF_OK;
}
