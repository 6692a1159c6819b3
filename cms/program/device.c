/* /dev/cms: commands for programs, and the way from CMS into the program that asked (images/root/device.h has the
 * messages).
 *
 * A conversation is an open file. The program's requests become work of the command level; the command may then ask the
 * program for something, for which threads run until it has answered, or is gone. */
#include <errno.h>
#include <string.h>

#include "cms/command/command.h"
#include "cms/console/console.h"
#include "cms/console/output.h"
#include "cms/console/pager.h"
#include "cms/console/stack.h"
#include "cms/eel/eel.h"
#include "cms/exec/exec.h"
#include "cms/kernel/cp.h"
#include "cms/kernel/heap.h"
#include "cms/kernel/variables.h"
#include "cms/program/program.h"
#include "cms/tty/tty.h"
#include "cms/vfs/abi.h"
#include "cms/vfs/device.h"
#include "lib/format.h"

enum { MESSAGE_MAX = 65536 + 512, HEAD = 16, ANSWER = 65536 };

struct message {
    size_t length;
    char text[];
};

struct conversation {
    struct level_work work; /* first */
    bool asked;             /* a request was written that has had no last message yet */
    bool wants_answer;      /* the command level waits for one */
    bool closed;
    unsigned users;         /* the open file, and the command level at work for it */
    struct message *request, *to_program, *answer;
    struct wait_queue queue;
};

static struct program_result *results;

void program_result_begin(struct program_result *r)
{
    *r = (struct program_result){.outer = results};
    results = r;
}

void program_result_end(const struct program_result *r)
{
    results = r->outer;
}

static void let_go(struct conversation *c)
{
    if (--c->users)
        return;
    cms_heap_free(c->request);
    cms_heap_free(c->to_program);
    cms_heap_free(c->answer);
    cms_heap_free(c);
}

/* ---- the command level's side ---------------------------------------------------------------------------------- */

static bool is_taken(void *context)
{
    const struct conversation *c = context;
    return !c->to_program || c->closed;
}

/* Waits until the last one was taken. False: the program is gone, or there is no storage. */
static bool say(struct conversation *c, const char *head, const char *text, size_t length)
{
    size_t before = strlen(head);
    process_lend(is_taken, c);
    struct message *m = c->closed ? NULL : cms_heap_allocate(sizeof *m + before + length);
    if (!m)
        return false;
    m->length = before + length;
    memcpy(m->text, head, before);
    memcpy(m->text + before, text, length);
    c->to_program = m;
    cms_wake(&c->queue);
    return true;
}

static bool has_answered(void *context)
{
    const struct conversation *c = context;
    return c->answer || c->closed;
}

/* The program's answer, which the caller frees; NULL: it has none to give (N), or is gone. */
static struct message *ask(struct conversation *c, const char *head, const char *text, size_t length)
{
    if (!say(c, head, text, length))
        return NULL;
    c->wants_answer = true;
    process_lend(has_answered, c);
    c->wants_answer = false;
    struct message *m = c->answer;
    c->answer = NULL;
    if (m && m->length && *m->text == 'V')
        return m;
    cms_heap_free(m);
    return NULL;
}

static void copy_out(const struct message *m, char *to, size_t size, size_t *length)
{
    *length = m->length - 1;
    size_t n = *length < size ? *length : size;
    if (n)
        memcpy(to, m->text + 1, n);
}

static enum cms_variable_status get_variable(void *context, const char *name, char *value, size_t size, size_t *length)
{
    struct message *m = ask(context, "G", name, strlen(name));
    if (!m)
        return VARIABLE_UNSET;
    copy_out(m, value, size, length);
    cms_heap_free(m);
    return VARIABLE_OK;
}

static enum cms_variable_status set_variable(void *context, const char *name, const char *value, size_t length)
{
    size_t name_length = strlen(name);
    char *text = cms_heap_allocate(HEAD + name_length + length);
    if (!text)
        return VARIABLE_NO_MEMORY;
    size_t n = format_text(text, HEAD, "%zu ", name_length);
    memcpy(text + n, name, name_length);
    text[n + name_length] = ' ';
    memcpy(text + n + name_length + 1, value, length);
    struct message *m = ask(context, "S", text, n + name_length + 1 + length);
    cms_heap_free(text);
    enum cms_variable_status status = m ? VARIABLE_OK : VARIABLE_BAD_NAME;
    cms_heap_free(m);
    return status;
}

static bool push_line(void *context, const char *line, size_t length, bool first)
{
    return say(context, first ? "L" : "F", line, length);
}

static int pull_line(void *context, char *line, size_t size)
{
    size_t length;
    struct message *m = ask(context, "T", "", 0);
    if (!m)
        return -1;
    copy_out(m, line, size, &length);
    cms_heap_free(m);
    return (int)length;
}

static size_t count_lines(void *context)
{
    struct message *m = ask(context, "Q", "", 0);
    size_t lines = 0;
    for (size_t i = 1; m && i < m->length && m->text[i] >= '0' && m->text[i] <= '9'; i++)
        lines = lines * 10 + (size_t)(m->text[i] - '0');
    cms_heap_free(m);
    return lines;
}

/* Obeys while the program's variables and stack are CMS' own. */
static int obey_for(struct conversation *c, int (*way)(const char *), const char *line)
{
    const struct cms_variables variables = {get_variable, set_variable, c};
    const struct stack_partner partner = {push_line, pull_line, count_lines, c};
    struct tty_kept kept;
    const struct cms_variables *variables_before = cms_variables_lend(&variables);
    const struct stack_partner *partner_before = cms_stack_lend(&partner);
    void *stage = program_stage_pause();
    tty_pause(&kept);
    int rc = way(line);
    tty_resume(&kept);
    program_stage_resume(stage);
    cms_stack_lend(partner_before);
    cms_variables_lend(variables_before);
    if (cms_console_halted())
        process_halt();
    return rc;
}

static int obey_cp(const char *line)
{
    char whole[COMMAND_LINE_MAX + 4];
    return format_text(whole, sizeof whole, "CP %s", line) < sizeof whole ? cms_obey(whole) : -1;
}

static void end_with(struct conversation *c, char kind, int rc, const char *text, size_t length)
{
    char head[HEAD];
    format_text(head, sizeof head, "%c%d ", kind, rc);
    say(c, head, text, length);
    c->asked = false;
}

static int obey_shown(const char *line)
{
    struct pager pager;
    cms_pager_begin(&pager, true);
    int rc = cms_obey(line);
    cms_pager_end(&pager, true);
    cms_console_go_on();
    return rc;
}

/* A line that a command shows, in parts that go into a message. */
static void tell(void *context, const char *data, size_t length)
{
    enum { PART = MESSAGE_MAX - HEAD };
    while (length > PART && say(context, "o", data, PART))
        data += PART, length -= PART;
    say(context, "O", data, length);
}

static void obey_told(struct conversation *c, const char *line)
{
    struct output_sink before = cms_redirect((struct output_sink){.line = tell, .context = c});
    int rc = obey_for(c, cms_obey, line);
    cms_redirect(before);
    end_with(c, 'R', rc, "", 0);
}

/* On the terminal, in pages of its own, but what is captured stays so. */
static void show(struct conversation *c, const char *line)
{
    bool shows = cms_output_shows();
    struct output_sink before = cms_redirect((struct output_sink){.line = NULL});
    if (!shows)
        cms_redirect(before);
    int rc = obey_for(c, obey_shown, line);
    cms_redirect(before);
    end_with(c, 'R', rc, "", 0);
}

static void obey(struct conversation *c, const char *line)
{
    char kind = *c->request->text;
    int rc = obey_for(c, kind == 'C' ? cms_obey : kind == 'K' ? cms_obey_command : obey_cp, line);
    end_with(c, 'R', rc, "", 0);
}

static void ask_cp(struct conversation *c, const char *line)
{
    struct cms_cp_answer answer = {.return_code = -3};
    char *text = cms_heap_allocate(ANSWER);
    size_t length = strlen(line);
    bool done = text && length && length <= CMS_CP_COMMAND_MAX && cms_cp_command(line, length, text, ANSWER, &answer);
    end_with(c, 'A', done ? answer.return_code : -3, text, done ? answer.length < ANSWER ? answer.length : ANSWER : 0);
    cms_heap_free(text);
}

static void find_exec(struct conversation *c, const char *name)
{
    enum { NO_FILE = 28 };
    char text[PROGRAM_PATH + 1 + FILE_ID_MAX];
    struct file_found found;
    if (!cms_exec_find(name, &found)) {
        end_with(c, 'A', NO_FILE, "", 0);
        return;
    }
    cms_program_path(&found, text);
    size_t n = strlen(text) + 1;
    cms_file_found_text(&found, text + n);
    end_with(c, 'A', 0, text, n + strlen(text + n));
}

static void unstack(struct conversation *c, const char *rest)
{
    (void)rest;
    char *line = cms_heap_allocate(STACK_LINE_MAX);
    int length = line ? cms_stack_pull(line, STACK_LINE_MAX) : -1;
    end_with(c, 'A', length < 0, line, length < 0 ? 0 : (size_t)length);
    cms_heap_free(line);
}

static void stack(struct conversation *c, const char *line)
{
    bool done = cms_stack_push(line, c->request->length - 1, *c->request->text == 'L');
    end_with(c, 'A', !done, "", 0);
}

static void take_result(struct conversation *c, const char *text)
{
    bool minus = *text == '-';
    unsigned value = 0;
    for (text += minus; *text >= '0' && *text <= '9'; text++)
        value = value * 10 + (unsigned)(*text - '0');
    value &= INT32_MAX;
    if (results) {
        results->given = true;
        results->return_code = (int)(minus ? 0 - value : value);
    }
    end_with(c, 'A', 0, "", 0);
}

/* ---- a stage's ---- */

static void ask_stage(struct conversation *c, const char *line)
{
    enum { NO_STAGE = -3 };
    c->users++;
    if (program_stage_asks(c, line, c->request->length - 1))
        return;
    c->users--;
    end_with(c, 'R', NO_STAGE, "", 0);
}

void program_answer(struct conversation *c, int return_code)
{
    end_with(c, 'R', return_code, "", 0);
    let_go(c);
}

enum cms_variable_status program_set(struct conversation *c, const char *name, const void *value, size_t length)
{
    return set_variable(c, name, value, length);
}

static const struct {
    char kind;
    void (*run)(struct conversation *, const char *rest);
} kinds[] = {
    {'C', obey},    {'K', obey},  {'P', obey},  {'D', ask_cp},      {'E', find_exec},
    {'U', unstack}, {'F', stack}, {'L', stack}, {'X', take_result}, {'O', obey_told}, {'S', show},
    {'B', ask_stage},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static void work(struct level_work *w)
{
    struct conversation *c = (struct conversation *)w;
    c->users++;
    for (unsigned i = 0; i < KINDS; i++)
        if (kinds[i].kind == *c->request->text)
            kinds[i].run(c, c->request->text + 1);
    let_go(c);
}

/* ---- the program's side ---------------------------------------------------------------------------------------- */

static bool is_request(char kind)
{
    for (unsigned i = 0; i < KINDS; i++)
        if (kinds[i].kind == kind)
            return true;
    return false;
}

/* A whole message, ended by a NUL that is not counted. A NUL in it would end a command early: it is refused. */
static int64_t receive(struct io *io, struct message **message)
{
    size_t length = io->left;
    if (!length || length > MESSAGE_MAX)
        return length ? -EMSGSIZE : -EINVAL;
    struct message *m = cms_heap_allocate(sizeof *m + length + 1);
    if (!m)
        return -ENOMEM;
    m->length = length;
    m->text[length] = 0;
    int error = io->take(io, m->text, length);
    if (error) {
        cms_heap_free(m);
        return error;
    }
    *message = m;
    return (int64_t)length;
}

static int64_t write_device(struct file *f, struct io *io, uint64_t offset)
{
    struct conversation *c = f->own;
    struct message *m = NULL;
    (void)offset;
    int64_t length = receive(io, &m);
    if (length < 0)
        return length;
    if (c->wants_answer && !c->answer && (*m->text == 'V' || *m->text == 'N')) {
        c->answer = m;
        return length;
    }
    bool sound = is_request(*m->text) && (strchr("FLB", *m->text) || !memchr(m->text, 0, m->length));
    if (!sound || c->asked) {
        cms_heap_free(m);
        return sound ? -EBUSY : -EINVAL;
    }
    cms_heap_free(c->request);
    c->request = m;
    c->asked = true;
    c->work.run = work;
    process_post(&c->work);
    return length;
}

static int64_t read_device(struct file *f, struct io *io, uint64_t offset)
{
    struct conversation *c = f->own;
    (void)offset;
    while (!c->to_program) {
        if (!c->asked)
            return 0;
        if (f->flags & ABI_O_NONBLOCK)
            return -EAGAIN;
        int error = cms_wait(&c->queue, WAIT_FOR_EVER);
        if (error)
            return error;
    }
    struct message *m = c->to_program;
    if (io->left < m->length)
        return -EMSGSIZE;
    int64_t length = (int64_t)m->length;
    int error = io->put(io, m->text, m->length);
    if (error)
        return error;
    c->to_program = NULL;
    cms_heap_free(m);
    return length;
}

static unsigned poll_device(struct file *f, struct wait_queue **queue)
{
    struct conversation *c = f->own;
    *queue = &c->queue;
    return ABI_POLLOUT | (c->to_program || !c->asked ? ABI_POLLIN : 0);
}

static int close_device(struct file *f)
{
    struct conversation *c = f->own;
    process_take_back(&c->work);
    c->closed = true;
    let_go(c);
    return 0;
}

static int open_device(struct file *f)
{
    struct conversation *c = cms_heap_allocate(sizeof *c);
    if (!c)
        return -ENOMEM;
    *c = (struct conversation){.users = 1};
    f->own = c;
    return 0;
}

static const struct file_operations operations = {
    .read = read_device, .write = write_device, .poll = poll_device, .stat = device_stat, .last_close = close_device};

void program_device_start(void)
{
    static struct device device = {"cms", 10, 128, &operations, open_device, NULL, {0}};
    vfs_device(&device);
}
