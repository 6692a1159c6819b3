/* An image whose bytes are the fuzzer's, laid over (exclusive or) a good one: the loader loads it or says why not, and
 * never reads outside the image nor leaves a frame behind. The first byte chooses the kind of image and whether there
 * are modules. */
#include <assert.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/multiboot_load.h"

enum { RAM = 2 << 20, FRAMES = 4 << 20, HEADER_AT = 256, CODE_AT = 512, GOOD = 1024 };

static void word_set(uint8_t *at, uint32_t value) { memcpy(at, &value, 4); }

static void good_image(uint8_t *file, unsigned kind)
{
    Elf32_Ehdr h32 = {.e_ident = "\177ELF\1\1\1", .e_type = ET_EXEC, .e_machine = EM_386, .e_entry = 0x100000,
                      .e_phoff = 128, .e_phentsize = sizeof(Elf32_Phdr), .e_phnum = 1};
    Elf32_Phdr p32 = {.p_type = PT_LOAD, .p_offset = CODE_AT, .p_paddr = 0x100000, .p_vaddr = 0x100000, .p_filesz = 256,
                      .p_memsz = 8192};
    Elf64_Ehdr h64 = {.e_ident = "\177ELF\2\1\1", .e_type = ET_EXEC, .e_machine = EM_X86_64, .e_entry = 0x100000,
                      .e_phoff = 128, .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 1};
    Elf64_Phdr p64 = {.p_type = PT_LOAD, .p_offset = CODE_AT, .p_paddr = 0x100000, .p_vaddr = 0x100000, .p_filesz = 256,
                      .p_memsz = 8192};
    uint32_t flags = kind == 2 ? 1 << 16 : 0;

    memcpy(file, kind == 1 ? (void *)&h64 : (void *)&h32, kind == 1 ? sizeof h64 : sizeof h32);
    memcpy(file + 128, kind == 1 ? (void *)&p64 : (void *)&p32, kind == 1 ? sizeof p64 : sizeof p32);
    word_set(file + HEADER_AT, 0x1badb002);
    word_set(file + HEADER_AT + 4, flags);
    word_set(file + HEADER_AT + 12, 0x100000 + HEADER_AT);
    word_set(file + HEADER_AT + 16, 0x100000);
    word_set(file + HEADER_AT + 28, 0x100000);
}

/* The checksum is made right again, or hardly any input would come past the header. */
static void checksum(uint8_t *file)
{
    uint32_t flags;

    memcpy(&flags, file + HEADER_AT + 4, 4);
    word_set(file + HEADER_AT + 8, -(0x1badb002 + flags));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    unsigned kind = size ? data[0] : 0;
    size_t bytes = size > GOOD ? size : GOOD;
    uint8_t *file = calloc(1, bytes);
    const struct multiboot_module module[2] = {{data, size, "input"}, {data, size / 2, NULL}};
    struct multiboot_image image = {.data.data = file, .bytes = kind & 8 ? size : bytes, .command_line = "fuzz",
                                    .module = module, .modules = kind >> 4 & 1 ? 2 : 0};
    struct guest_storage storage;
    struct ipl_entry entry;
    const char *why;

    if (!ready)
        frame_add(hpa((uint64_t)(uintptr_t)aligned_alloc(4096, FRAMES)), FRAMES);
    ready = true;
    guest_storage_init(&storage, RAM, 0);
    good_image(file, kind & 3);
    for (size_t i = 1; i < size; i++)
        file[i - 1] ^= data[i];
    if (!(kind & 4))
        checksum(file);
    file = realloc(file, image.bytes ? image.bytes : 1); /* so that the sanitizer sees its very end */
    image.data.data = file;
    why = multiboot_whole(&storage, &image, &entry);
    assert(why ? *why : guest_is_ram(&storage, gpa(entry.ebx + 87)) && guest_is_ram(&storage, gpa(entry.eip)));
    guest_storage_free(&storage);
    assert(!storage.account.frames);
    free(file);
    return 0;
}
