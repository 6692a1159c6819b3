/* SSH keys in the directory: those that OpenSSH makes, and nothing that only looks like one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cp/directory/ssh_key.h"

/* As ssh-keygen made them; those of keys in hardware are put together of the others' points. */
static const struct key {
    const char *kind, *base64;
} keys[] = {
    {"ssh-ed25519",
     "AAAAC3NzaC1lZDI1NTE5AAAAIP2PZs+XKzIHutBh9DnxZ6SLzAF6rS5+HxO36LYn29Di"},
    {"ssh-rsa",
     "AAAAB3NzaC1yc2EAAAADAQABAAAAgQCsAj1IG/mFhBbTAh6vAXEP8Ls/uCiyJEtO+9NN1l0ah1ak5YHrzfjUMWmIGlWh3pgp"
     "kXH4/VOue5J+mjvbR1dYBefDrdrzLgUbpDroDasJNdgMBKwV/WCEHuMGpJ9u6zeMXH9/90KaEddd9EkK1bnt7MVZwQ7ca8Ma"
     "zcjwF8Tlzw=="},
    {"ecdsa-sha2-nistp256",
     "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBJ27EKAZIvVnpTMZvm1aBhDnsCUv8wad9n+2BX5WfAW5"
     "3y0wnVF5/FGb9LLI0GnpZfrUNmIhmY6dZCQM632b8y0="},
    {"ecdsa-sha2-nistp384",
     "AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBBkxxBpXYLp33+OHEgvkaojO5iQ5LnsbAsswuxg3AZ14"
     "8g8d97a3+O9xXrEysU5+hi6UhZ6MWD9nYlGBBBW0W4wX97XphTrUO2opLARIL/Q5I5rB0EmZFQF7MNcK52oTgw=="},
    {"ecdsa-sha2-nistp521",
     "AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBAALukpKnD+3CWmPQsmJPMSIfaL3seN8bihxzft5qily"
     "QDYE5BBVRE6OVO4y+WcoDnk5rlfjR5D2x19qqBhcFKzuUAGs2+Zk5VlNRoJsGuesjgvjiJzs5ADwknzY50T5b+c5dSpDgMp8"
     "2coSZdzNZrnyRk720KhHUtFdNIvKtbaR2s0n/A=="},
    {"sk-ssh-ed25519@openssh.com",
     "AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIP2PZs+XKzIHutBh9DnxZ6SLzAF6rS5+HxO36LYn29DiAAAABHNz"
     "aDo="},
    {"sk-ecdsa-sha2-nistp256@openssh.com",
     "AAAAInNrLWVjZHNhLXNoYTItbmlzdHAyNTZAb3BlbnNzaC5jb20AAAAIbmlzdHAyNTYAAABBBJ27EKAZIvVnpTMZvm1aBhDn"
     "sCUv8wad9n+2BX5WfAW53y0wnVF5/FGb9LLI0GnpZfrUNmIhmY6dZCQM632b8y0AAAAEc3NoOg=="},
};
enum { KEYS = sizeof keys / sizeof *keys, TEXT = 600 };

static const char *fault_of(const char *kind, const char *base64, const char *behind)
{
    char text[TEXT];
    assert_true((size_t)snprintf(text, sizeof text, "%s %s%s", kind, base64, behind) < sizeof text);
    return ssh_key_fault(text);
}

static void every_kind_of_key_is_taken(void **state)
{
    (void)state;
    for (const struct key *k = keys; k < keys + KEYS; k++) {
        assert_null(fault_of(k->kind, k->base64, ""));
        assert_null(fault_of(k->kind, k->base64, " alice@home, the \"small\" one"));
    }
}

static void a_key_is_of_the_kind_it_says(void **state)
{
    (void)state;
    for (const struct key *k = keys; k < keys + KEYS; k++)
        for (const struct key *other = keys; other < keys + KEYS; other++)
            if (k != other)
                assert_non_null(fault_of(other->kind, k->base64, ""));
}

static void a_key_that_is_cut_or_goes_on_is_none(void **state)
{
    char cut[TEXT];
    (void)state;
    for (const struct key *k = keys; k < keys + KEYS; k++) {
        size_t length = strlen(k->base64);
        for (size_t keep = 0; keep < length; keep++) {
            snprintf(cut, sizeof cut, "%.*s", (int)keep, k->base64);
            if (!fault_of(k->kind, cut, ""))
                fail_msg("%s: %zu of %zu", k->kind, keep, length);
        }
        assert_non_null(fault_of(k->kind, k->base64, "AAAA"));
        assert_non_null(fault_of(k->kind, k->base64, "="));
        assert_non_null(fault_of(k->kind, k->base64, k->base64));
    }
}

/* The kind's name, its length, and the length of what follows: eight bytes and the name. */
static void no_bit_of_a_keys_head_may_be_another(void **state)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char altered[TEXT];
    (void)state;
    for (const struct key *k = keys; k < keys + KEYS; k++)
        for (size_t at = 0; at < (8 + strlen(k->kind)) * 8 / 6; at++)
            for (unsigned bit = 1; bit < 64; bit *= 2) {
                snprintf(altered, sizeof altered, "%s", k->base64);
                altered[at] = digits[(unsigned)(strchr(digits, altered[at]) - digits) ^ bit];
                if (!fault_of(k->kind, altered, ""))
                    fail_msg("%s: digit %zu, bit %u", k->kind, at, bit);
            }
}

static void what_is_no_line_of_a_key_is_none(void **state)
{
    static const char *const none[] = {
        "", " ", "ssh-ed25519", "ssh-ed25519 ", "ssh-ed25519 = x", "ssh-ed25519 ====", "ssh-dss AAAA", "rsa AAAA",
        "ssh-ed25519 AAAA", "ssh-rsa AAAAB3NzaC1yc2E=", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5/////w==",
    };
    char text[TEXT], comment[TEXT];
    (void)state;
    for (unsigned i = 0; i < sizeof none / sizeof *none; i++)
        assert_non_null(ssh_key_fault(none[i]));
    snprintf(text, sizeof text, "command=\"x\" %s %s", keys->kind, keys->base64);
    assert_non_null(ssh_key_fault(text));
    snprintf(text, sizeof text, "%s  %s", keys->kind, keys->base64);
    assert_non_null(ssh_key_fault(text));
    assert_non_null(fault_of(keys->kind, keys->base64, "\" x"));
    assert_non_null(fault_of(keys->kind, keys->base64, " a\nssh-rsa B"));
    assert_non_null(fault_of(keys->kind, keys->base64, " \xc3\xa9"));
    snprintf(comment, sizeof comment, "%201s", "x"); /* the blank and 200 are the most */
    assert_non_null(fault_of(keys->kind, keys->base64, comment));
    assert_null(fault_of(keys->kind, keys->base64, comment + 1));
    snprintf(text, sizeof text, "%s", keys->base64);
    text[strlen(text) - 1]++;
    assert_null(fault_of(keys->kind, text, "")); /* another key */
    const struct key *padded = &keys[1];
    snprintf(text, sizeof text, "%s", padded->base64);
    assert_int_equal(text[strlen(text) - 1], '=');
    text[strcspn(text, "=") - 1]++;
    assert_non_null(fault_of(padded->kind, text, "")); /* bits that no byte has */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_key_is_taken),
        cmocka_unit_test(a_key_is_of_the_kind_it_says),
        cmocka_unit_test(a_key_that_is_cut_or_goes_on_is_none),
        cmocka_unit_test(no_bit_of_a_keys_head_may_be_another),
        cmocka_unit_test(what_is_no_line_of_a_key_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
