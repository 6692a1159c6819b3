/* Which systems there are, by the texts a loader gives with its modules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cp/ipl/system.h"
#include "tests/unit/linux_image.h"

static uint8_t kernel[LINUX_FILE];
static const char other[] = "no Linux kernel, but as long as one's header, as far as its magic goes";

static void says(const char *expected, const char *text, const void *image, size_t bytes)
{
    const char *why = system_register(text, image, bytes);
    if (!expected)
        assert_null(why);
    else
        assert_string_equal(why, expected);
}

static void names_are_in_capitals_and_cut_to_eight(void **state)
{
    char name[9];
    (void)state;
    system_name("cms", name);
    assert_string_equal(name, "CMS");
    system_name("Memtest86plus quick", name);
    assert_string_equal(name, "MEMTEST8");
    system_name("", name);
    assert_string_equal(name, "");
    system_name("linux.initrd", name);
    assert_string_equal(name, "LINUX");
    system_name(".initrd", name);
    assert_string_equal(name, ".INITRD");
}

static void arguments_are_what_follows_the_name(void **state)
{
    (void)state;
    says(NULL, "linux console=ttyS0 quiet", kernel, sizeof kernel);
    says(NULL, "cms", other, sizeof other);
    assert_string_equal(system_find("LINUX")->arguments, "console=ttyS0 quiet");
    assert_string_equal(system_find("CMS")->arguments, "");
    says("there is one of that name", "Linux", kernel, sizeof kernel);
    says("its name cannot be typed", "li+nux", kernel, sizeof kernel);
    says("its name cannot be typed", "", kernel, sizeof kernel);
}

static void an_initrd_belongs_to_the_kernel_of_its_name(void **state)
{
    static const char none[] = "it is an initrd, and no Linux kernel of that name came before it";
    (void)state;
    says(none, "other.initrd", other, sizeof other);
    says(none, "cms.initrd", other, sizeof other);
    assert_null(system_find("LINUX")->initrd);
    says(NULL, "LINUX.InitRD", other, 7);
    const struct system *initrd = system_find("LINUX")->initrd;
    assert_ptr_equal(initrd->image, other);
    assert_int_equal(initrd->bytes, 7);
    assert_string_equal(initrd->text, "LINUX.InitRD"); /* as a CP in a machine is to get it */
    assert_null(system_find(""));
    says("there is an initrd for it", "linux.initrd", other, 7);
}

static void a_full_table_says_so(void **state)
{
    unsigned there = 0;
    static char text[SYSTEMS + 1][9];
    (void)state;
    while (system_at(there))
        there++;
    for (; there < SYSTEMS; there++) {
        snprintf(text[there], sizeof *text, "S%u", there);
        says(NULL, text[there], other, sizeof other);
    }
    says("CP keeps no more", "more", other, sizeof other);
    says("CP keeps no more", "s9.initrd", other, sizeof other);
    assert_null(system_at(SYSTEMS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_in_capitals_and_cut_to_eight),
        cmocka_unit_test(arguments_are_what_follows_the_name),
        cmocka_unit_test(an_initrd_belongs_to_the_kernel_of_its_name),
        cmocka_unit_test(a_full_table_says_so),
    };

    linux_file(kernel);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
