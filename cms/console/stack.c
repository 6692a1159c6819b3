#include "cms/console/stack.h"

#include <string.h>

#include "cms/kernel/heap.h"

struct line {
    struct line *next;
    size_t length;
    char text[];
};

static struct line *head, *tail;
static size_t count;
static const struct stack_partner *partner;

const struct stack_partner *cms_stack_lend(const struct stack_partner *new)
{
    const struct stack_partner *old = partner;
    partner = new;
    return old;
}

bool cms_stack_push(const char *text, size_t length, bool first)
{
    if (length > STACK_LINE_MAX)
        return false;
    if (partner)
        return partner->push(partner->context, text, length, first);
    struct line *line = cms_heap_allocate_system(sizeof *line + length);
    if (!line)
        return false;
    *line = (struct line){.next = first ? head : NULL, .length = length};
    memcpy(line->text, text, length);
    if (first || !head)
        head = line;
    else
        tail->next = line;
    if (!line->next)
        tail = line;
    count++;
    return true;
}

int cms_stack_pull(char *text, size_t size)
{
    if (partner)
        return partner->pull(partner->context, text, size);
    struct line *line = head;
    if (!line)
        return -1;
    int length = (int)line->length;
    if (size)
        memcpy(text, line->text, line->length < size ? line->length : size);
    head = line->next;
    count--;
    cms_heap_free(line);
    return length;
}

size_t cms_stack_lines(void)
{
    return partner ? partner->lines(partner->context) : count;
}

void cms_stack_clear(void)
{
    partner = NULL;
    while (head)
        cms_stack_pull(NULL, 0);
}
