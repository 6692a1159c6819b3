#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <elf.h>
#include <string.h>

#include "cp/ipl/map.h"
#include "tests/unit/multiboot_load.h"

enum { RAM = 16 << 20, MAGIC = 0x1badb002, IMAGE = 32768 };

static struct guest_storage storage;
static uint8_t file[IMAGE];
static struct multiboot_image image;
static struct ipl_entry entry;

static void put32(unsigned at, uint32_t value) { memcpy(file + at, &value, 4); }

static void header(unsigned at, uint32_t flags)
{
    put32(at, MAGIC);
    put32(at + 4, flags);
    put32(at + 8, -(MAGIC + flags));
}

static void elf32(uint32_t at, uint32_t bytes, uint32_t memory, uint32_t run)
{
    Elf32_Ehdr h = {.e_type = ET_EXEC, .e_machine = EM_386, .e_version = 1, .e_entry = run, .e_phoff = 52,
                    .e_ehsize = 52, .e_phentsize = 32, .e_phnum = 2};
    Elf32_Phdr p[2] = {{.p_type = PT_NOTE, .p_paddr = 0xffffffff, .p_filesz = 0xffffffff},
                       {.p_type = PT_LOAD, .p_offset = 4096, .p_vaddr = at, .p_paddr = at, .p_filesz = bytes,
                        .p_memsz = memory}};

    memcpy(h.e_ident, "\177ELF\1\1\1", 7);
    memcpy(file, &h, sizeof h);
    memcpy(file + 52, p, sizeof p);
}

static void elf64(uint64_t virtual, uint64_t physical, uint64_t bytes, uint64_t memory, uint64_t run)
{
    Elf64_Ehdr h = {.e_type = ET_EXEC, .e_machine = EM_X86_64, .e_version = 1, .e_entry = run, .e_phoff = 64,
                    .e_ehsize = 64, .e_phentsize = 56, .e_phnum = 1};
    Elf64_Phdr p = {.p_type = PT_LOAD, .p_offset = 4096, .p_vaddr = virtual, .p_paddr = physical, .p_filesz = bytes,
                    .p_memsz = memory};

    memcpy(h.e_ident, "\177ELF\2\1\1", 7);
    memcpy(file, &h, sizeof h);
    memcpy(file + 64, &p, sizeof p);
}

static int set_up(void **state)
{
    (void)state;
    guest_storage_init(&storage, RAM, 0);
    for (unsigned i = 0; i < IMAGE; i++)
        file[i] = i % 251;
    image = (struct multiboot_image){.data.data = file, .bytes = IMAGE};
    entry = (struct ipl_entry){0};
    elf32(0x100000, 8192, 20480, 0x100010);
    header(4096, 3);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    guest_storage_free(&storage);
    assert_int_equal(storage.account.frames, 0);
    return 0;
}

static const char *load(void) { return multiboot_whole(&storage, &image, &entry); }

static uint32_t word(uint64_t at)
{
    uint32_t value;

    assert_int_equal(guest_read(&storage, gpa(at), &value, 4), GUEST_OK);
    return value;
}

static void assert_guest(uint64_t at, const void *expected, size_t bytes)
{
    uint8_t *copy = malloc(bytes + 1);

    assert_int_equal(guest_read(&storage, gpa(at), copy, bytes), GUEST_OK);
    assert_memory_equal(copy, expected, bytes);
    free(copy);
}

static void assert_text(uint64_t at, const char *text) { assert_guest(at, text, strlen(text) + 1); }

static void elf32_is_loaded_and_its_bss_cleared(void **state)
{
    (void)state;
    guest_fill(&storage, gpa(0x100000), 0xff, 65536);
    assert_null(load());
    assert_guest(0x100000, file + 4096, 8192);
    for (unsigned at = 0x102000; at < 0x105000; at += 4)
        assert_int_equal(word(at), 0);
    assert_int_equal(entry.eip, 0x100010);
    assert_int_equal(entry.eax, 0x2badb002);
    assert_in_range(entry.ebx, 0x105000, 0x106000);
    assert_int_equal(entry.ebx % 16, 0);
}

static void elf64_runs_where_its_segment_was_put(void **state)
{
    (void)state;
    elf64(0xffffffff80100000, 0x200000, 4096, 4096, 0xffffffff80100020);
    assert_null(load());
    assert_guest(0x200000, file + 4096, 4096);
    assert_int_equal(entry.eip, 0x200020);
}

static void information_tells_memory_name_and_command_line(void **state)
{
    (void)state;
    image.command_line = "console=ttyS0 quiet";
    assert_null(load());
    assert_int_equal(word(entry.ebx), 1 | 4 | 8 | 64 | 512);
    assert_int_equal(word(entry.ebx + 4), 636);
    assert_int_equal(word(entry.ebx + 8), RAM / 1024 - 1024);
    assert_text(word(entry.ebx + 16), "console=ttyS0 quiet");
    assert_int_equal(word(entry.ebx + 20), 0);
    assert_text(word(entry.ebx + 64), "VM/N");
}

static void memory_map_is_the_machines(void **state)
{
    static const uint64_t expected[][3] = {
        {0, 0x9f000, 1}, {0x9f000, 0x1000, 2}, {0xf0000, 0x10000, 2}, {0x100000, RAM - 0x100000, 1},
        {0xfec00000, 0x1000, 2}, {0xfee00000, 0x1000, 2}};
    uint32_t at, end;

    (void)state;
    assert_null(load());
    at = word(entry.ebx + 48);
    end = at + word(entry.ebx + 44);
    for (unsigned i = 0; i < 6; i++, at += word(at) + 4) {
        assert_int_equal(word(at + 4) | (uint64_t)word(at + 8) << 32, expected[i][0]);
        assert_int_equal(word(at + 12) | (uint64_t)word(at + 16) << 32, expected[i][1]);
        assert_int_equal(word(at + 20), expected[i][2]);
    }
    assert_int_equal(at, end);
}

static void ram_beyond_the_hole_continues_at_four_gib(void **state)
{
    struct ipl_range range[IPL_MAP_RANGES];
    unsigned n = ipl_map(5ull << 30, range);

    (void)state;
    assert_int_equal(n, 7);
    assert_int_equal(range[3].start + range[3].bytes, GUEST_HOLE_START);
    assert_int_equal(range[6].start, 1ull << 32);
    assert_int_equal(range[6].bytes, 2ull << 30);
    assert_true(ipl_map_usable(5ull << 30, 1ull << 32, 2ull << 30));
    assert_false(ipl_map_usable(5ull << 30, GUEST_HOLE_START - 1, 2));
    assert_false(ipl_map_usable(5ull << 30, 0x9f000, 1));
    assert_false(ipl_map_usable(5ull << 30, 0x100000, ~0ull));
}

static void modules_come_above_the_image_on_pages_with_their_texts(void **state)
{
    static const char tree[5000] = "tree", other[1] = "x";
    const struct multiboot_module module[3] = {{tree, sizeof tree, "tree"}, {other, 1, "b two"}, {NULL, 0, NULL}};
    uint32_t at;

    (void)state;
    image.module = module;
    image.modules = 3;
    assert_null(load());
    assert_int_equal(word(entry.ebx + 20), 3);
    at = word(entry.ebx + 24);
    assert_int_equal(word(at), 0x105000);
    assert_int_equal(word(at + 4), 0x105000 + 5000);
    assert_text(word(at + 8), "tree");
    assert_guest(0x105000, tree, sizeof tree);
    assert_int_equal(word(at + 16), 0x107000);
    assert_int_equal(word(at + 20), 0x107001);
    assert_text(word(at + 24), "b two");
    assert_int_equal(word(at + 32) % 4096, 0);
    assert_int_equal(word(at + 36), word(at + 32));
    assert_text(word(at + 40), "");
}

static void address_fields_override_elf(void **state)
{
    (void)state;
    header(4096, 1 << 16);
    put32(4096 + 12, 0x300100); /* header: so file offset 3840 goes to 300000 */
    put32(4096 + 16, 0x300000);
    put32(4096 + 20, 0x300800);
    put32(4096 + 24, 0x304000);
    put32(4096 + 28, 0x300200);
    guest_fill(&storage, gpa(0x300000), 0xff, 0x5000);
    assert_null(load());
    assert_guest(0x300000, file + 4096 - 0x100, 0x800);
    assert_int_equal(word(0x300800), 0);
    assert_int_equal(word(0x303ffc), 0);
    assert_int_equal(entry.eip, 0x300200);
}

static void address_fields_without_ends_load_the_whole_file(void **state)
{
    (void)state;
    memset(file, 0, 64);
    header(64, 1 << 16);
    put32(64 + 12, 0x300040);
    put32(64 + 16, 0x300000);
    put32(64 + 20, 0);
    put32(64 + 24, 0);
    put32(64 + 28, 0x300000);
    assert_null(load());
    assert_guest(0x300000, file, IMAGE);
}

static void low_storage_can_be_loaded_into(void **state)
{
    (void)state;
    elf32(0x8000, 4096, 4096, 0x8000);
    assert_null(load());
    assert_guest(0x8000, file + 4096, 4096);
    assert_in_range(entry.ebx, 0x100000, 0x101000);
}

#define REFUSED(name, part, ...)                     \
    static void name(void **state)                   \
    {                                                \
        const char *why;                             \
        (void)state;                                 \
        __VA_ARGS__                                  \
        why = load();                                \
        assert_non_null(why);                        \
        assert_non_null(strstr(why, part));          \
    }

REFUSED(no_header, "no multiboot header", put32(4096, 0);)
REFUSED(a_header_beyond_eight_kib, "no multiboot header", put32(4096, 0); header(8188, 0);)
REFUSED(a_header_with_a_bad_checksum, "no multiboot header", put32(4104, 5);)
REFUSED(a_header_whose_address_fields_are_cut_off, "no multiboot header",
        header(4096, 1 << 16); image.bytes = 4096 + 12;)
REFUSED(a_required_feature_unknown, "requires a feature", header(4096, 8);)
REFUSED(an_empty_image, "no multiboot header", image.bytes = 0;)
REFUSED(a_cut_off_elf, "cut short", image.bytes = 4096 + 100; header(512, 0);)
REFUSED(no_elf, "not an ELF", file[0] = 0;)
REFUSED(another_architecture, "not an x86", file[18] = 40;)
REFUSED(big_endian, "unknown ELF class", file[5] = 2;)
REFUSED(a_shared_object, "not an x86", file[16] = ET_DYN;)
REFUSED(no_segments, "segment table", file[44] = 0;)
REFUSED(a_segment_table_outside_the_file, "cut short", put32(28, 0xfffffff0);)
REFUSED(a_segment_outside_the_file, "cut short", put32(52 + 32 + 4, 0xffffff00);)
REFUSED(a_segment_longer_than_its_memory, "longer in the file", elf32(0x100000, 8192, 4096, 0x100000);)
REFUSED(a_segment_over_rom, "does not fit", elf32(0xf8000, 4096, 4096, 0xf8000);)
REFUSED(a_segment_beyond_ram, "does not fit", elf32(RAM - 4096, 4096, 8192, RAM - 4096);)
REFUSED(a_segment_that_wraps, "does not fit", elf64(~0ull - 4095, ~0ull - 4095, 4096, 8192, ~0ull - 4095);)
REFUSED(a_segment_above_four_gib, "does not fit",
        guest_storage_free(&storage); guest_storage_init(&storage, 5ull << 30, 0);
        elf64(1ull << 32, 1ull << 32, 4096, 4096, 1ull << 32);)
REFUSED(an_entry_outside, "entry point", elf32(0x100000, 4096, 4096, 0x2000000);)
REFUSED(no_room_for_information, "no room", elf32(0x100000, 4096, RAM - 0x100000, 0x100000);)
REFUSED(address_fields_before_the_file, "disagree",
        header(4096, 1 << 16); put32(4108, 0x400000); put32(4112, 0x300000);)
REFUSED(address_fields_reversed, "disagree", header(4096, 1 << 16); put32(4108, 0x300000); put32(4112, 0x300001);)
REFUSED(address_fields_beyond_the_file, "more than the file", header(4096, 1 << 16); put32(4108, 0x300000);
        put32(4112, 0x300000); put32(4116, 0x400000);)
REFUSED(address_fields_load_end_reversed, "more than the file", header(4096, 1 << 16); put32(4108, 0x300000);
        put32(4112, 0x300000); put32(4116, 0x200000);)
REFUSED(address_fields_bss_reversed, "bss", header(4096, 1 << 16); put32(4108, 0x300000); put32(4112, 0x300000);
        put32(4116, 0x301000); put32(4120, 0x300800);)
REFUSED(too_many_modules, "more modules", image.modules = 17;)
REFUSED(no_frames_left, "page frames", storage.account.limit = 6;)

static void a_module_that_does_not_fit_is_refused(void **state)
{
    const struct multiboot_module module = {file, 1ull << 40, "huge"};

    (void)state;
    image.module = &module;
    image.modules = 1;
    assert_string_equal(load(), "The storage has no room for the image's modules and boot information");
}

static int start_storage(void **state)
{
    (void)state;
    frame_add(hpa((uint64_t)(uintptr_t)aligned_alloc(4096, 20 << 20)), 20 << 20);
    return 0;
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(elf32_is_loaded_and_its_bss_cleared), T(elf64_runs_where_its_segment_was_put),
        T(information_tells_memory_name_and_command_line), T(memory_map_is_the_machines),
        T(ram_beyond_the_hole_continues_at_four_gib), T(modules_come_above_the_image_on_pages_with_their_texts),
        T(address_fields_override_elf), T(address_fields_without_ends_load_the_whole_file),
        T(low_storage_can_be_loaded_into), T(no_header), T(a_header_beyond_eight_kib), T(a_header_with_a_bad_checksum),
        T(a_header_whose_address_fields_are_cut_off),
        T(a_required_feature_unknown), T(an_empty_image), T(a_cut_off_elf), T(no_elf), T(another_architecture),
        T(big_endian), T(a_shared_object), T(no_segments), T(a_segment_table_outside_the_file),
        T(a_segment_outside_the_file), T(a_segment_longer_than_its_memory), T(a_segment_over_rom),
        T(a_segment_beyond_ram), T(a_segment_that_wraps), T(a_segment_above_four_gib), T(an_entry_outside),
        T(no_room_for_information),
        T(address_fields_before_the_file), T(address_fields_reversed), T(address_fields_beyond_the_file),
        T(address_fields_load_end_reversed), T(address_fields_bss_reversed), T(too_many_modules), T(no_frames_left),
        T(a_module_that_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, start_storage, NULL);
}
