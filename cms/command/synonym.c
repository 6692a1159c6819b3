#include "cms/command/synonym.h"

#include <string.h>

#include "cms/command/builtin.h"
#include "cms/command/messages.h"
#include "cms/console/output.h"
#include "cms/kernel/heap.h"
#include "lib/format.h"

enum { NAME = 8 };

struct synonym {
    struct synonym *next;
    char command[NAME + 1], name[NAME + 1];
    uint32_t least;
};

static struct synonym *in_use, *added;

static void free_all(struct synonym **list)
{
    for (struct synonym *s; (s = *list);) {
        *list = s->next;
        cms_heap_free(s);
    }
}

void cms_synonym_clear(void)
{
    free_all(&in_use);
}

void cms_synonym_use(bool good)
{
    if (good) {
        free_all(&in_use);
        in_use = added;
        added = NULL;
    }
    free_all(&added);
}

static struct synonym *make(const struct arguments *a)
{
    struct synonym *s = cms_heap_allocate_system(sizeof *s), **at = &added;
    if (!s)
        return NULL;
    *s = (struct synonym){.next = NULL};
    memcpy(s->command, a->name.text, sizeof s->command);
    memcpy(s->name, a->operand[0].text, sizeof s->name);
    while (*at)
        at = &(*at)->next;
    return *at = s;
}

bool cms_synonym_add(const char *record, char *wrong)
{
    struct arguments a;
    uint32_t least = 0;
    if (!cms_parse(record, &a))
        return true;
    if (*a.name.text == '*')
        return true;
    *wrong = 'R';
    if (a.has_options || a.count < 1 || a.count > 2 || a.name.raw_length > NAME || a.operand[0].raw_length > NAME)
        return false;
    if (a.count == 2 && (!cms_number(&a.operand[1], &least) || least > strlen(a.operand[0].text)))
        return false;
    *wrong = 'S';
    struct synonym *s = make(&a);
    if (!s)
        return false;
    s->least = least ? least : (uint32_t)strlen(s->name);
    return true;
}

const char *cms_synonym_find(const struct word *word, bool abbreviations)
{
    for (const struct synonym *s = in_use; s; s = s->next)
        if (cms_word_is(word, s->name, abbreviations ? s->least : strlen(s->name)))
            return s->command;
    return NULL;
}

int cms_synonym_show_user(const char *module)
{
    if (!in_use)
        return cms_message(module, MESSAGE_NO_SYNONYMS);
    cms_text("SYSTEM   USER     SHORTEST");
    cms_text("COMMAND  SYNONYM  FORM (IF ANY)");
    cms_text("-------------------------------");
    for (const struct synonym *s = in_use; s; s = s->next)
        cms_text("%-8s %-8s %.*s", s->command, s->name, s->least < strlen(s->name) ? (int)s->least : 0, s->name);
    return 0;
}

void cms_synonym_show_system(void)
{
    const struct command *c;
    cms_text("SYSTEM   SHORTEST");
    cms_text("COMMAND  FORM");
    cms_text("-----------------");
    for (size_t i = 0; (c = cms_command_at(i)); i++)
        if (c->abbreviation < strlen(c->name))
            cms_text("%-8s %.*s", c->name, (int)c->abbreviation, c->name);
}
