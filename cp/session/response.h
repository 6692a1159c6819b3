/* Where a command's answer goes: a session's console, or the buffer of a guest's DIAGNOSE. Lines end with \n. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct session;

struct response {
    struct session *session; /* whose command it is */
    char *buffer;            /* set: the answer goes here, else to the session's console */
    size_t size, length;
    bool truncated;
    bool machine_asks; /* by DIAGNOSE, not somebody at the terminal */
};

void response_text(struct response *, const char *text, size_t length);
void response_line(struct response *, const char *format, ...) __attribute__((format(printf, 2, 3))); /* and a \n */

/* Writes message `number` of cp/message/message.h with its header HCPmmmnnns (as SET EMSG says), and returns number,
 * which is the command's return code. `module`: three letters. Up to 4 texts replace %1 to %4. */
#define response_error(response, module, number, ...)                                                                  \
    response_error_texts(response, module, number, (const char *const[4]){__VA_ARGS__})
unsigned response_error_texts(struct response *, const char *module, unsigned number, const char *const texts[4]);
