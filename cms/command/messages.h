/* CMS' messages: a row of messages.def each. */
#pragma once
#include "cms/command/help_text.h"

enum cms_message {
#define MESSAGE(name, module, number, severity, return_code, text, help) MESSAGE_##name,
#include "cms/command/messages.def"
#undef MESSAGE
    MESSAGES
};

struct cms_message_row {
    const char *module;
    int number;
    char severity;
    int return_code;
    const char *text;
    const char *help; /* HELP_TEXT */
};
extern const struct cms_message_row cms_message_rows[MESSAGES];

/* Writes the message "DMSmmmnnns text" on the console as SET EMSG says and returns the return code:
 *     return cms_message("ERS", MESSAGE_FILE_NOT_FOUND, "ALPHA BETA A1");
 * The text is named beside the message, so that the compiler sees whether what fills it does. */
#define cms_message(module, message, ...) cms_message_give(module, message, message##_TEXT, ##__VA_ARGS__)
int cms_message_give(const char *module, enum cms_message message, const char *text, ...)
    __attribute__((format(printf, 3, 4)));

#define MESSAGE(name, module, number, severity, return_code, text, help) \
    static const char MESSAGE_##name##_TEXT[] = text;
#include "cms/command/messages.def"
#undef MESSAGE
