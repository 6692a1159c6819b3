#include "cms/command/stacked.h"

#include "cms/command/command.h"
#include "cms/command/messages.h"
#include "cms/console/stack.h"

static void take(void *context, const char *data, size_t length)
{
    struct stacked *s = context;
    struct output_sink mine = cms_redirect((struct output_sink){.line = NULL});
    if (!s->full)
        s->full = !cms_stack_push(data, length, s->lifo);
    cms_redirect(mine);
}

void cms_stacked_begin(struct stacked *s, bool lifo)
{
    *s = (struct stacked){.lifo = lifo};
    s->before = cms_redirect((struct output_sink){.line = take, .context = s});
}

int cms_stacked_end(struct stacked *s, const char *module, int rc)
{
    cms_redirect(s->before);
    return s->full && !rc ? cms_message(module, MESSAGE_VIRTUAL_STORAGE) : rc;
}

int cms_stacked_options(const char *module, const struct arguments *a, int at, bool *stacks, bool *lifo)
{
    bool order = false, stack = false;
    *stacks = *lifo = false;
    for (; at < a->option_count; at++) {
        const struct word *w = &a->option[at];
        bool last = cms_word_is(w, "LIFO", 4);
        if (cms_word_is(w, "STACK", 5) && !stack && !order)
            stack = true;
        else if ((last || cms_word_is(w, "FIFO", 4)) && !order)
            order = true, *lifo = last;
        else
            return cms_message(module, MESSAGE_INVALID_OPTION, cms_typed(w));
        *stacks = true;
    }
    return 0;
}
