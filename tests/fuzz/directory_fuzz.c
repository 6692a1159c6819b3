/* A hostile directory: whatever the blob holds, the parser answers with faults or with arrays that keep their promises.
 */
#include <stdlib.h>
#include <string.h>

#include "cp/directory/directory.h"
#include "cp/directory/ssh_key.h"
#include "cp/directory/volume.h"

enum { FIRST = 33, VOLUME = 10000 };

struct user *directory_block(void) { return calloc(DIRECTORY_BLOCK, sizeof(struct user)); }

static size_t told;

static void note(void *context, const char *path, const char *reason)
{
    (void)context;
    told += strlen(path) + strlen(reason);
}

static void require(int promise)
{
    if (!promise)
        abort();
}

/* The text of a key, and as one of whatever kind begins so: nothing beyond its end is looked at. */
static void try_key(const uint8_t *data, size_t size)
{
    static const char *const begins[] = {"", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI",
                                         "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABB"};
    for (unsigned i = 0; i < sizeof begins / sizeof *begins; i++) {
        size_t head = strlen(begins[i]);
        char *text = malloc(head + size + 1);
        memcpy(text, begins[i], head);
        memcpy(text + head, data, size);
        text[head + size] = 0;
        require(ssh_key_fault(text) || strlen(text) > 68); /* the shortest there is */
        free(text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct directory_rows rows;
    static struct directory d = DIRECTORY_IN(rows);
    try_key(data, size);
    uint8_t *blob =
        aligned_alloc(8, (size + 15) & ~7ul); /* on the heap and just as long, so that a byte beyond is seen */
    memcpy(blob, data, size);
    if (directory_parse(&d, blob, size, FIRST, VOLUME, note, NULL) == 0) {
        for (unsigned i = 0; i < d.users; i++)
            require(directory_find(&d, directory_user(&d, i)->id) == directory_user(&d, i) &&
                    directory_user(&d, i)->machine.storage_bytes <= directory_user(&d, i)->machine.storage_maximum);
        for (unsigned i = 0; i < d.disks; i++)
            require(d.disk[i].start >= FIRST && (uint64_t)d.disk[i].start + d.disk[i].blocks <= VOLUME);
        for (unsigned i = 0; i < AREAS; i++)
            require(!d.area[i].blocks ||
                    (d.area[i].start >= FIRST && (uint64_t)d.area[i].start + d.area[i].blocks <= VOLUME));
        for (unsigned i = 0; i < d.links; i++)
            require(d.link[i].disk < d.disks && d.link[i].user < d.users);
    }
    free(blob);
    return 0;
}
