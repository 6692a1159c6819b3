/* cms/elf: which files are programs, and what a new program finds on its stack. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "cms/elf/elf_image.h"
#include "cms/elf/elf_layout.h"
#include "cms/elf/elf_script.h"
#include "cms/elf/elf_stack.h"

enum { HEADERS = 8, FILE_BYTES = 4096 };

static struct {
    union {
        struct {
            struct elf_header header;
            struct elf_program program[HEADERS];
        };
        char bytes[FILE_BYTES];
    };
} file;
static struct elf_image image;

static void add(uint32_t type, uint32_t flags, uint64_t offset, uint64_t address, uint64_t in_file, uint64_t in_memory)
{
    file.program[file.header.program_count++] =
        (struct elf_program){type, flags, offset, address, address, in_file, in_memory, 4096};
}

static int begin(void **state)
{
    (void)state;
    memset(&file, 0, sizeof file);
    file.header = (struct elf_header){.identity = {0x7f, 'E', 'L', 'F', 2, 1, 1}, .type = ELF_EXECUTABLE,
                                      .machine = ELF_X86_64, .entry = 0x401000, .program_offset = 64,
                                      .program_size = 56};
    add(ELF_LOAD, 5, 0, 0x400000, 0x1000, 0x1000);
    add(ELF_LOAD, 6, 0x1010, 0x402010, 0x100, 0x2345);
    return 0;
}

static int judge(void)
{
    return elf_judge(file.bytes, FILE_BYTES, 0x8000, &image);
}

static void a_sound_file_says_what_goes_where(void **state)
{
    (void)state;
    assert_int_equal(judge(), 0);
    assert_false(image.relocatable);
    assert_int_equal(image.segment_count, 2);
    assert_int_equal(image.segment[0].access, 5);
    assert_int_equal(image.segment[1].access, 3);
    assert_int_equal(image.segment[1].memory_size, 0x2345);
    assert_int_equal(image.low, 0x400000);
    assert_int_equal(image.high, 0x405000);
    assert_int_equal(image.headers_address, 0x400040);
    assert_int_equal(image.header_count, 2);
    assert_int_equal(image.interpreter_size, 0);
}

static void a_dynamic_file_names_its_interpreter(void **state)
{
    (void)state;
    file.header.type = ELF_SHARED;
    add(ELF_INTERPRETER, 4, 0x200, 0x400200, 28, 28);
    add(ELF_STACK, 7, 0, 0, 0, 0);
    assert_int_equal(judge(), 0);
    assert_true(image.relocatable && image.stack_executes);
    assert_int_equal(image.interpreter_offset, 0x200);
    assert_int_equal(image.interpreter_size, 28);
}

static void headers_that_are_not_loaded_have_no_address(void **state)
{
    (void)state;
    file.program[0].offset = 0x1000;
    assert_int_equal(judge(), 0);
    assert_int_equal(image.headers_address, 0);
}

/* One change each, and the error it must lead to. */
static void files_that_are_no_programs_are_refused(void **state)
{
    static const struct {
        size_t offset, bytes;
        uint64_t value;
        int error;
    } breach[] = {
#define HEADER(field, value, error) {offsetof(struct elf_header, field), sizeof file.header.field, value, error}
#define PROGRAM(field, value, error)                                                                        \
    {sizeof(struct elf_header) + sizeof(struct elf_program) + offsetof(struct elf_program, field),          \
     sizeof file.program[0].field, value, error}
        {0, 1, 0, -ENOEXEC}, {4, 1, 1, -ENOEXEC}, {5, 1, 2, -ENOEXEC},
        HEADER(machine, 40, -ENOEXEC), HEADER(type, 1, -ENOEXEC), HEADER(type, 4, -ENOEXEC),
        HEADER(program_size, 32, -ENOEXEC), HEADER(program_count, 0, -ENOEXEC), HEADER(program_count, 73, -ENOEXEC),
        HEADER(program_offset, UINT64_MAX - 8, -ENOEXEC), HEADER(program_offset, FILE_BYTES - 56, -ENOEXEC),
        HEADER(entry, 1ull << 47, -EINVAL), HEADER(entry, UINT64_MAX, -EINVAL),
        PROGRAM(offset, 0x1011, -EINVAL), PROGRAM(offset, UINT64_MAX - 0xfef, -EINVAL),
        PROGRAM(file_size, 0x2346, -EINVAL), PROGRAM(memory_size, UINT64_MAX, -EINVAL),
        PROGRAM(memory_size, 0xff, -EINVAL), PROGRAM(address, 0x7ffffffff010, -EINVAL),
        PROGRAM(address, 0xffffffff80000010, -EINVAL),
    };
    for (size_t i = 0; i < sizeof breach / sizeof *breach; i++) {
        begin(state);
        memcpy(file.bytes + breach[i].offset, &breach[i].value, breach[i].bytes);
        int error = judge();
        if (error != breach[i].error)
            fail_msg("breach %zu: %d instead of %d", i, error, breach[i].error);
    }
}

static void a_segment_beyond_the_file_is_refused(void **state)
{
    (void)state;
    assert_int_equal(elf_judge(file.bytes, FILE_BYTES, 0x1110, &image), 0);
    assert_int_equal(elf_judge(file.bytes, FILE_BYTES, 0x110f, &image), -EINVAL);
}

static void a_file_of_few_bytes_is_refused(void **state)
{
    (void)state;
    for (size_t bytes = 0; bytes < 64 + 2 * 56; bytes++)
        assert_int_equal(elf_judge(file.bytes, bytes, bytes, &image), -ENOEXEC);
}

/* ---- scripts ---------------------------------------------------------------------------------------------------- */

static void a_script_has_an_interpreter_and_one_argument(void **state)
{
    static const struct {
        const char *text, *interpreter, *argument;
    } scripts[] = {
        {"#!/bin/sh\necho\n", "/bin/sh", ""},
        {"#! /bin/sh -e  -x \nx", "/bin/sh", "-e  -x"},
        {"#!\t/usr/bin/env\tregina", "/usr/bin/env", "regina"},
        {"#!\n", NULL, NULL}, {"#!   \t\n/bin/sh", NULL, NULL}, {"#", NULL, NULL}, {"", NULL, NULL},
        {"# /bin/sh\n", NULL, NULL},
    };
    struct elf_script script;
    (void)state;
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        int error = elf_script_judge(scripts[i].text, strlen(scripts[i].text), &script);
        assert_int_equal(error, scripts[i].interpreter ? 0 : -ENOEXEC);
        if (error)
            continue;
        assert_string_equal(script.interpreter, scripts[i].interpreter);
        assert_string_equal(script.argument, scripts[i].argument);
    }
}

static void an_interpreter_whose_name_does_not_end_is_refused(void **state)
{
    char text[1024] = "#!/";
    struct elf_script script;
    (void)state;
    memset(text + 3, 'x', sizeof text - 3);
    assert_int_equal(elf_script_judge(text, sizeof text, &script), -ENOEXEC);
    text[10] = ' ';
    assert_int_equal(elf_script_judge(text, sizeof text, &script), 0);
    assert_string_equal(script.interpreter, "/xxxxxxx");
}

/* ---- the stack -------------------------------------------------------------------------------------------------- */

static uint64_t word(const char *bytes, size_t index)
{
    uint64_t value;
    memcpy(&value, bytes + 8 * index, sizeof value);
    return value;
}

static void a_new_program_finds_arguments_environment_and_vector(void **state)
{
    static const uint8_t random[ELF_RANDOM_BYTES] = "0123456789abcdef";
    static const char strings[] = "ls\0-l\0HOME=/a";
    const uint64_t top = 0x7ffffffff000;
    struct elf_stack s = {.strings = strings, .string_bytes = sizeof strings, .argument_count = 2,
                          .environment_count = 1, .path = "/bin/ls", .random = random, .headers_address = 0x400040,
                          .header_count = 9, .interpreter_base = 0x7f0000000000, .entry = 0x401000};
    static char bytes[8192];
    (void)state;

    size_t size = elf_stack_bytes(&s);
    uint64_t sp = elf_stack_fill(&s, top, bytes);
#define AT(address) (bytes + ((address) - sp))
    assert_int_equal(sp, top - size);
    assert_int_equal(sp % 16, 0);
    assert_int_equal(word(bytes, 0), 2);
    assert_string_equal(AT(word(bytes, 1)), "ls");
    assert_string_equal(AT(word(bytes, 2)), "-l");
    assert_int_equal(word(bytes, 3), 0);
    assert_string_equal(AT(word(bytes, 4)), "HOME=/a");
    assert_int_equal(word(bytes, 5), 0);
    uint64_t seen[64] = {0};
    size_t at = 6;
    for (; word(bytes, at); at += 2) {
        assert_true(word(bytes, at) < 64);
        seen[word(bytes, at)] = word(bytes, at + 1);
    }
    assert_int_equal(seen[3], 0x400040);
    assert_int_equal(seen[4], 56);
    assert_int_equal(seen[5], 9);
    assert_int_equal(seen[6], 4096);
    assert_int_equal(seen[7], 0x7f0000000000);
    assert_int_equal(seen[9], 0x401000);
    assert_int_equal(seen[17], 100);
    assert_memory_equal(AT(seen[25]), random, sizeof random);
    assert_string_equal(AT(seen[31]), "/bin/ls");
    assert_string_equal(AT(seen[15]), "x86_64");
    assert_true(sp + 8 * (at + 2) <= seen[25]);
    assert_int_equal(word(AT(top - 8), 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_sound_file_says_what_goes_where, begin),
        cmocka_unit_test_setup(a_dynamic_file_names_its_interpreter, begin),
        cmocka_unit_test_setup(headers_that_are_not_loaded_have_no_address, begin),
        cmocka_unit_test(files_that_are_no_programs_are_refused),
        cmocka_unit_test_setup(a_segment_beyond_the_file_is_refused, begin),
        cmocka_unit_test_setup(a_file_of_few_bytes_is_refused, begin),
        cmocka_unit_test(a_script_has_an_interpreter_and_one_argument),
        cmocka_unit_test(an_interpreter_whose_name_does_not_end_is_refused),
        cmocka_unit_test(a_new_program_finds_arguments_environment_and_vector),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
