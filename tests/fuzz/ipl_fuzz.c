/* An image whose bytes are the fuzzer's, laid over (exclusive or) a good one of multiboot 2 or PVH, or a ROM: it is
 * loaded or refused with a reason, nothing outside it is read and no frame stays behind. The first byte chooses. */
#include <assert.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "cp/ipl/format.h"
#include "cp/ipl/multiboot2.h"
#include "cp/ipl/pvh.h"
#include "cp/ipl/rom.h"

enum { RAM = 2 << 20, FRAMES = 4 << 20, HEADER_AT = 256, NOTE_AT = 512, CODE_AT = 768, GOOD = 1024 };
enum { WHOLE_SIZE = 4, KEEP_SUM = 8, MODULES = 16 };

static void word_set(uint8_t *at, uint32_t value) { memcpy(at, &value, 4); }

static void good_image(uint8_t *file)
{
    static const uint32_t tags[] = {1, 16, 1, 6, 2 | 1 << 16, 24, 0x100100, 0x100000, 0, 0, 3, 12, 0x100010, 0, 0, 8};
    static const uint32_t note[] = {4, 4, 18, 'X' | 'e' << 8 | 'n' << 16, 0x100010};
    Elf32_Ehdr h = {.e_ident = "\177ELF\1\1\1", .e_type = ET_EXEC, .e_machine = EM_386, .e_entry = 0x100000,
                    .e_phoff = 64, .e_phentsize = sizeof(Elf32_Phdr), .e_phnum = 2};
    Elf32_Phdr p[2] = {{.p_type = PT_LOAD, .p_offset = CODE_AT, .p_paddr = 0x100000, .p_vaddr = 0x100000,
                        .p_filesz = 256, .p_memsz = 8192},
                       {.p_type = PT_NOTE, .p_offset = NOTE_AT, .p_filesz = sizeof note}};
    memcpy(file, &h, sizeof h);
    memcpy(file + 64, p, sizeof p);
    memcpy(file + NOTE_AT, note, sizeof note);
    word_set(file + HEADER_AT, 0xE85250D6);
    word_set(file + HEADER_AT + 8, 16 + sizeof tags);
    memcpy(file + HEADER_AT + 16, tags, sizeof tags);
}

static void checksum(uint8_t *file)
{
    uint32_t architecture, bytes;
    memcpy(&architecture, file + HEADER_AT + 4, 4);
    memcpy(&bytes, file + HEADER_AT + 8, 4);
    word_set(file + HEADER_AT + 12, -(0xE85250D6 + architecture + bytes));
}

static const char *load(unsigned kind, struct guest_storage *storage, const struct multiboot_image *image)
{
    struct ipl_copies copies;
    struct ipl_entry entry = {0};
    const char *why = NULL;
    if (kind == 2 && !rom_is(image->data, image->bytes))
        return "no ROM";
    why = kind == 2   ? rom_begin(&copies, storage, image->data, image->bytes)
          : kind == 1 ? pvh_begin(&copies, storage, image, &entry)
                      : multiboot2_begin(&copies, storage, image, &entry);
    while (!why && ipl_copy_go_on(&copies, &why)) {}
    assert(why || kind == 2 || (guest_is_ram(storage, gpa(entry.ebx + 7)) && guest_is_ram(storage, gpa(entry.eip))));
    assert(why || kind != 2 || guest_is_ram(storage, gpa(0xFFFFFFF0)));
    return why;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    unsigned choice = size ? data[0] : 0;
    size_t bytes = (choice & 3) == 2 ? 64 << 10 : choice & WHOLE_SIZE ? size : size > GOOD ? size : GOOD;
    uint8_t *file = calloc(1, bytes > GOOD + size ? bytes : GOOD + size);
    const struct multiboot_module module[2] = {{data, size, "input"}, {data, size / 2, NULL}};
    struct multiboot_image image = {.bytes = bytes, .command_line = "fuzz", .module = module,
                                    .modules = choice & MODULES ? 2 : 0};
    struct guest_storage storage;

    if (!ready)
        frame_add(hpa((uint64_t)(uintptr_t)aligned_alloc(4096, FRAMES)), FRAMES);
    ready = true;
    guest_storage_init(&storage, RAM, 0);
    good_image(file);
    for (size_t i = 1; i < size; i++)
        file[i - 1] ^= data[i];
    if (!(choice & KEEP_SUM))
        checksum(file);
    if ((choice & 3) == 2)
        file[bytes - 16] = (uint8_t)(choice >> 3);
    file = realloc(file, bytes ? bytes : 1); /* so that the sanitizer sees its very end */
    image.data.data = file;
    ipl_format_of(image.data, image.bytes);
    const char *why = load(choice & 3, &storage, &image);
    assert(!why || *why);
    guest_storage_free(&storage);
    assert(!storage.account.frames);
    free(file);
    return 0;
}
