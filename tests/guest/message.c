/* Question: what of the bytes in a message, sent by DIAGNOSE 8, reaches OPERATOR, and how many messages at once? */
#include "tests/guest/runtime/runtime.h"

#include <string.h>

#include "cp/diagnose.h"

enum { A_MESSAGE = 32, FLOOD = 500 };

static char answer[DIAGNOSE_RESPONSE_MAX];

/* The command's return code. */
static uint64_t cp(const char *command, uint64_t length)
{
    uint64_t code = DIAGNOSE_COMMAND, rbx = (uintptr_t)command, rcx = length, rdx = (uintptr_t)answer;
    __asm__ volatile("vmcall" : "+a"(code), "+b"(rbx), "+c"(rcx), "+d"(rdx) : "S"((uint64_t)sizeof answer) : "memory");
    guest_check_equal(code, DIAGNOSE_OK, "the call's status");
    return rbx;
}

static uint64_t say(const char *bytes, uint64_t count)
{
    char command[64] = "MSG OPERATOR <";
    size_t length = strlen(command);
    memcpy(command + length, bytes, count);
    command[length + count] = '>';
    return cp(command, length + count + 1);
}

int guest_main(void)
{
    char bytes[256];
    unsigned sent = 0;
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i == 0 || i == '\n' ? ' ' : i); /* these end a command */
    for (unsigned i = 0; i < sizeof bytes; i += A_MESSAGE)
        guest_check_equal(say(bytes + i, A_MESSAGE), 0, "a message of any bytes");
    guest_check_equal(say("\xc2\x9b" "2J\xe2\x80\xae\xc0\x9b\xf0\x9f\x98\x80", 13), 0,
                      "C1, direction, overlong, a smile");
    for (unsigned i = 0; i < FLOOD; i++)
        sent += say("flood", 5) == 0;
    guest_print("%u of %u\n", sent, FLOOD);
    guest_print("all is said\n");
    return (int)guest_failures;
}
