#include "cms/process/signal_queue.h"

#include "cms/kernel/heap.h"

static struct signal_entry **find(struct signal_queue *q, int number)
{
    struct signal_entry **at = &q->first;
    while (*at && (*at)->info.number != number)
        at = &(*at)->next;
    return at;
}

static bool append(struct signal_queue *q, const struct signal_info *info)
{
    struct signal_entry **at = &q->first, *entry;
    if (q->count >= SIGNALS_QUEUED_MAX || !(entry = cms_heap_allocate(sizeof *entry)))
        return false;
    *entry = (struct signal_entry){*info, NULL};
    while (*at)
        at = &(*at)->next;
    *at = entry;
    q->count++;
    return true;
}

bool signal_queue_add(struct signal_queue *q, const struct signal_info *info)
{
    bool real_time = info->number >= SIGNAL_REAL_TIME;
    if (!real_time && signal_is_in(q->pending, info->number))
        return true;
    if (!append(q, info) && real_time)
        return false;
    q->pending |= signal_bit(info->number);
    return true;
}

int signal_queue_first(const struct signal_queue *q, signal_set set)
{
    signal_set wanted = q->pending & set;
    if (wanted & SIGNALS_OF_FAULTS)
        wanted &= SIGNALS_OF_FAULTS;
    return wanted ? __builtin_ctzll(wanted) + 1 : 0;
}

static void take_out(struct signal_queue *q, struct signal_entry **at)
{
    struct signal_entry *entry = *at;
    *at = entry->next;
    q->count--;
    cms_heap_free(entry);
}

void signal_queue_take(struct signal_queue *q, int number, struct signal_info *info)
{
    struct signal_entry **at = find(q, number);
    *info = (struct signal_info){.number = number};
    if (*at) {
        *info = (*at)->info;
        take_out(q, at);
    }
    if (!*find(q, number))
        q->pending &= ~signal_bit(number);
}

void signal_queue_drop(struct signal_queue *q, signal_set set)
{
    q->pending &= ~set;
    for (struct signal_entry **at = &q->first; *at;)
        if (signal_is_in(set, (*at)->info.number))
            take_out(q, at);
        else
            at = &(*at)->next;
}

enum signal_default signal_default(int number)
{
    static const uint8_t what[SIGNAL_REAL_TIME] = {
        [SIGNAL_CHLD] = DEFAULT_IGNORE, [SIGNAL_URG] = DEFAULT_IGNORE, [SIGNAL_WINCH] = DEFAULT_IGNORE,
        [SIGNAL_CONT] = DEFAULT_CONTINUE,
        [SIGNAL_STOP] = DEFAULT_STOP, [SIGNAL_TSTP] = DEFAULT_STOP, [SIGNAL_TTIN] = DEFAULT_STOP,
        [SIGNAL_TTOU] = DEFAULT_STOP,
        [SIGNAL_QUIT] = DEFAULT_CORE, [SIGNAL_ILL] = DEFAULT_CORE, [SIGNAL_TRAP] = DEFAULT_CORE,
        [SIGNAL_ABRT] = DEFAULT_CORE, [SIGNAL_BUS] = DEFAULT_CORE, [SIGNAL_FPE] = DEFAULT_CORE,
        [SIGNAL_SEGV] = DEFAULT_CORE, [SIGNAL_XCPU] = DEFAULT_CORE, [SIGNAL_XFSZ] = DEFAULT_CORE,
        [SIGNAL_SYS] = DEFAULT_CORE,
    };
    return number < SIGNAL_REAL_TIME ? (enum signal_default)what[number] : DEFAULT_END;
}

bool signal_is_ignored(int number, const struct signal_action *action)
{
    if (action->handler == SIGNAL_IGNORE)
        return true;
    enum signal_default what = signal_default(number); /* the stop that SIGCONT ends is over when it is sent */
    return action->handler == SIGNAL_DEFAULT && (what == DEFAULT_IGNORE || what == DEFAULT_CONTINUE);
}
