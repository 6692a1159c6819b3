/* The lists COPYFILE asks for: which columns go where (SPECS), and which characters become which (TRANS). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SPECS_MAX = 20 };

/* Columns `from` to `to` of the input, counted from 1, or `length` bytes of text, which go to column `target` of the
 * output and those behind it. */
struct copy_spec {
    const uint8_t *text; /* NULL: columns of the input */
    uint32_t from, to, length, target;
};

struct copy_specs {
    int count;
    bool too_many; /* there were more than SPECS_MAX */
    struct copy_spec spec[SPECS_MAX];
};

/* Reads pairs of a source and a target column: n, n-m, /text/ (any delimiter that is no letter, digit or blank), Hxx...
 * The list is overwritten: its text stays there, and must outlive the specs. NULL if it is right, else where it is
 * not. */
const char *cms_copy_specs_read(struct copy_specs *specs, char *list);

/* Puts the fields of an input record into output[0 .. length), which has room for EDF_LRECL_MAX; gaps behind `length`
 * are filled. The new length: at least `length`. */
uint32_t cms_copy_specs_apply(const struct copy_specs *specs, const uint8_t *input, uint32_t input_length,
                              uint8_t *output, uint32_t length, uint8_t fill);

/* Reads pairs of a character and what it becomes, each itself or two hexadecimal digits, into a table that maps each
 * byte; what the list does not name stays. NULL if it is right, else where it is not. */
const char *cms_copy_translation_read(uint8_t table[256], const char *list);
/* A character, or two hexadecimal digits. */
bool cms_copy_byte(const char *text, size_t length, uint8_t *byte);
