/* A kernel's file whose bytes are the fuzzer's, laid over (exclusive or) a good one: the loader loads it or says why
 * not, and never reads outside of it nor leaves a frame behind. The first byte chooses whether the file is cut where
 * the input ends, and whether there is an initrd. The header comes first: it is what decides. */
#include <assert.h>
#include <stdlib.h>

#include "cp/storage/frame.h"
#include "tests/unit/linux_image.h"

enum { RAM = 8 << 20, FRAMES = 16 << 20, HEADER = 0x1F1 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    static uint8_t whole[LINUX_FILE];
    unsigned kind = size ? data[0] : 0;
    size_t bytes = kind & 1 && size < LINUX_FILE ? size : LINUX_FILE;
    struct guest_storage storage;
    struct ipl_entry entry;

    if (!ready)
        frame_add(hpa((uint64_t)(uintptr_t)aligned_alloc(4096, FRAMES)), FRAMES);
    ready = true;
    linux_file(whole);
    for (size_t i = 1; i < size && HEADER + i <= LINUX_FILE; i++)
        whole[HEADER + i - 1] ^= data[i];
    uint8_t *file = malloc(bytes ? bytes : 1); /* so that the sanitizer sees its very end */
    memcpy(file, whole, bytes);
    guest_storage_init(&storage, RAM, 0);
    const struct linux_image image = {.data.data = file, .bytes = bytes, .command_line = "console=ttyS0 quiet",
                                      .initrd = data, .initrd_bytes = kind & 2 ? size : 0, .tree = "tree",
                                      .tree_bytes = kind & 4 ? 4 : 0};
    if (linux_is(image.data, bytes)) {
        const char *why = linux_whole(&storage, &image, &entry);
        assert(why ? *why : guest_is_ram(&storage, gpa(entry.esi + PAGE_SIZE)) && entry.eip == 0x100000);
    }
    guest_storage_free(&storage);
    assert(!storage.account.frames);
    free(file);
    return 0;
}
