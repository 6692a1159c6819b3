/* Fileids as typed, and as shown in messages. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/file/file.h"
#include "lib/format.h"

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

bool cms_file_mode_read(const struct word *word, bool output, char *letter, char *number)
{
    *letter = upper(word->raw[0]);
    *number = 0;
    if (word->raw_length < 1 || word->raw_length > 2)
        return false;
    if (word->raw_length == 2)
        *number = word->raw[1];
    if (*number && (*number < '0' || *number > '6'))
        return false;
    return (*letter >= 'A' && *letter <= 'Z') || *letter == (output ? '=' : '*');
}

/* Names CMS allows, with what patterns and output fileids add. */
static bool characters_valid(const char *text, bool output)
{
    for (; *text; text++) {
        const char one[2] = {*text, 0};
        bool special = output ? *text == '=' : *text == '*' || *text == '%';
        if (!special && !edf_name_valid(one))
            return false;
    }
    return true;
}

int cms_file_id_read(const char *module, const struct word *words, int count, char default_letter, bool output,
                     struct file_id *id)
{
    *id = (struct file_id){.letter = default_letter};
    if (count == 0)
        return cms_message(module, MESSAGE_NO_FILENAME);
    if (count == 1)
        return cms_message(module, MESSAGE_INCOMPLETE_FILEID);
    memcpy(id->name, words[0].text, sizeof id->name);
    memcpy(id->type, words[1].text, sizeof id->type);
    if (!characters_valid(id->name, output) || !characters_valid(id->type, output)) {
        char text[FILE_ID_MAX];
        cms_file_id_text(id, text);
        return cms_message(module, MESSAGE_INVALID_CHARACTER, text);
    }
    if (count < 3 && !default_letter)
        return cms_message(module, MESSAGE_INCOMPLETE_FILEID);
    if (count >= 3 && !cms_file_mode_read(&words[2], output, &id->letter, &id->number))
        return cms_message(module, MESSAGE_INVALID_MODE, cms_typed(&words[2]));
    return 0;
}

int cms_file_list_read(const char *module, const struct arguments *a, struct file_id *id)
{
    struct word words[3] = {{.text = "*"}, {.text = "*"}, {.text = "A"}};
    if (a->count > 3)
        return cms_message(module, MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[3]));
    for (int i = 0; i < a->count; i++)
        words[i] = a->operand[i];
    return cms_file_id_read(module, words, a->count == 3 ? 3 : 2, 'A', false, id);
}

void cms_file_id_text(const struct file_id *id, char text[FILE_ID_MAX])
{
    const char mode[3] = {id->letter, id->letter ? id->number : 0, 0};
    format_text(text, FILE_ID_MAX, "%s %s%s%s", id->name, id->type, *mode ? " " : "", mode);
}

void cms_file_found_text(const struct file_found *found, char text[FILE_ID_MAX])
{
    format_text(text, FILE_ID_MAX, "%s %s %c%c", found->facts.name, found->facts.type, found->mode->letter,
                found->facts.mode_number);
}

bool cms_file_is_pattern(const struct file_id *id)
{
    return strpbrk(id->name, "*%") || strpbrk(id->type, "*%");
}

/* One part of an output fileid: each = stands for the input's part. */
static bool substitute(const char *output, const char *input, char result[9])
{
    size_t n = 0;
    for (; *output; output++) {
        const char one[2] = {*output, 0}, *piece = *output == '=' ? input : one;
        size_t length = strlen(piece);
        if (n + length > EDF_NAME_MAX)
            return false;
        memcpy(result + n, piece, length);
        n += length;
    }
    result[n] = 0;
    return true;
}

int cms_file_output(const char *module, const struct file_id *output, const struct file_found *input,
                    struct file_id *result)
{
    char text[FILE_ID_MAX];
    *result = *output;
    if (!substitute(output->name, input->facts.name, result->name) ||
        !substitute(output->type, input->facts.type, result->type)) {
        cms_file_id_text(output, text);
        return cms_message(module, MESSAGE_INVALID_CHARACTER, text);
    }
    if (output->letter == '=')
        result->letter = input->mode->letter;
    if (!output->number)
        result->number = input->facts.mode_number;
    return 0;
}
