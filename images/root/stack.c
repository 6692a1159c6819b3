#include "images/root/stack.h"

#define INCL_REXXSAA
#include <rexxsaa.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "images/root/device.h"

static char queue[] = "SESSION"; /* Regina's own, of this process */

void stack_push(const char *line, size_t length, bool first)
{
    RXSTRING text = {length, (char *)line};
    RexxAddQueue(queue, &text, first ? RXQUEUE_LIFO : RXQUEUE_FIFO);
}

bool stack_pull(char **line, size_t *length)
{
    RXSTRING text = {0, NULL};
    REXXDATETIME when;
    if (!stack_lines() || RexxPullQueue(queue, &text, &when, RXQUEUE_NOWAIT) != RXQUEUE_OK)
        return false;
    *line = text.strptr;
    *length = text.strlength;
    return true;
}

unsigned long stack_lines(void)
{
    ULONG lines = 0;
    return RexxQueryQueue(queue, &lines) == RXQUEUE_OK ? lines : 0;
}

void stack_begin(void)
{
    char *line;
    size_t length;
    while (device_unstack(&line, &length)) {
        stack_push(line, length, false);
        free(line);
    }
}

void stack_end(void)
{
    char *line;
    size_t length;
    while (stack_pull(&line, &length)) {
        device_stack(line, length, false);
        RexxFreeMemory(line);
    }
}

/* The buffers are Regina's; only a REXX program reaches them. */
static long buffer_function(const char *function, const char *operand)
{
    char text[64];
    SHORT code = 0;
    RXSTRING result = {0, NULL}, source[2] = {{0, text}, {0, NULL}};
    source[0].strlength = (ULONG)snprintf(text, sizeof text, "return %s(%.20s)", function, operand);
    if (RexxStart(0, NULL, "STACK EXEC *", source, "CMS", RXFUNCTION, NULL, &code, &result) || !result.strptr)
        return 1; /* of a DROPBUF: no such buffer */
    long value = strtol(result.strptr, NULL, 10);
    RexxFreeMemory(result.strptr);
    return value;
}

static long make(const char *operand) { return *operand ? 1 : buffer_function("MAKEBUF", ""); }

static long drop(const char *operand)
{
    for (const char *p = operand; *p; p++)
        if (!isdigit((unsigned char)*p))
            return 1;
    buffer_function("DROPBUF", operand);
    return 0;
}

static long destroy(const char *operand)
{
    (void)operand;
    buffer_function("DESBUF", "");
    return 0;
}

static long sentries(const char *operand)
{
    (void)operand;
    return (long)stack_lines();
}

bool stack_command(const char *line, size_t length, long *rc)
{
    static const struct {
        const char *name;
        long (*run)(const char *operand);
    } commands[] = {{"MAKEBUF", make}, {"DROPBUF", drop}, {"DESBUF", destroy}, {"SENTRIES", sentries}};
    char word[12] = "", operand[24] = "", text[64];

    if (length >= sizeof text)
        return false;
    memcpy(text, line, length);
    text[length] = 0;
    if (sscanf(text, "%11s %23s", word, operand) < 1)
        return false;
    for (char *p = word; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (!strcmp(word, commands[i].name)) {
            *rc = commands[i].run(operand);
            return true;
        }
    return false;
}
