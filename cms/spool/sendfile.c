/* SENDFILE. In: files, and to whom. Out: NETDATA in their readers. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/console/output.h"
#include "cms/kernel/clock.h"
#include "cms/kernel/cp.h"
#include "cms/spool/netdata.h"
#include "cms/spool/receivers.h"
#include "cms/spool/sent.h"
#include "cms/spool/spool.h"
#include "lib/format.h"

enum { ACK, NOACK };

static const struct file_option options_known[] = {
    [ACK] = {"ACK", 3, 1, false}, [NOACK] = {"NOACK", 5, 1, false}, {NULL, 0, 0, false}};
const struct file_option *const cms_spool_sendfile_options = options_known;

/* ---- a file to each ---------------------------------------------------------------------------------------------- */

static int put_data(void *context, uint8_t *record, size_t length)
{
    return netdata_record(context, record, length);
}

static void tell_sent(const struct sent *f, const char *to)
{
    struct clock_date now = cms_clock_split(cms_clock_now().unix_seconds);
    cms_text("File %s sent to %s on %02u/%02u/%02u %02u:%02u:%02u", f->text, to, (unsigned)now.month,
             (unsigned)now.day, (unsigned)now.year % 100, (unsigned)now.hour, (unsigned)now.minute,
             (unsigned)now.second);
}

static int send_to(const char *module, const struct file_found *found, const char *userid, bool ack)
{
    struct sent f;
    struct netdata_out out;
    char operands[60];
    int rc = sent_open(&f, module, found);
    if (!rc)
        rc = cms_spool_begin(&out.sink, module, CMS_PUNCH);
    if (!rc) {
        rc = netdata_begin(&out, found, userid, ack);
        if (!rc)
            rc = sent_each(&f, put_data, &out);
        if (!rc)
            rc = netdata_end(&out);
        format_text(operands, sizeof operands, "TO %s NAME %s %s", userid, found->facts.name, found->facts.type);
        rc = cms_spool_end(&out.sink, rc, operands);
    }
    if (!rc)
        tell_sent(&f, userid);
    sent_close(&f);
    return rc;
}

int cms_spool_send(const char *module, const struct file_found *found, const struct receivers *to, bool ack)
{
    int rc = 0;
    for (unsigned i = 0; !rc && i < to->count; i++)
        rc = send_to(module, found, to->userid[i], ack);
    return rc;
}

/* ---- before that ------------------------------------------------------------------------------------------------- */

/* CP's QUERY UR has a line "PUN  000D CL A CONT   ...". */
static bool punch_is_cont(void)
{
    static const char query[] = "QUERY UR";
    char response[1024];
    struct cms_cp_answer answer;
    if (!cms_cp_command(query, sizeof query - 1, response, sizeof response - 1, &answer))
        return false;
    response[answer.length < sizeof response ? answer.length : sizeof response - 1] = 0;
    char *line = strstr(response, "PUN "), *end = line ? strchr(line, '\n') : NULL;
    if (end)
        *end = 0;
    return line && strstr(line, " CONT ");
}

int cms_spool_send_ready(const char *module, const struct receivers *to)
{
    struct cms_spool_file file;
    if (cms_spool_file(CMS_READER, 0, &file) == CMS_SPOOL_ABSENT)
        return cms_spool_failed(module, CMS_SPOOL_ABSENT);
    int rc = receivers_check(to);
    if (!rc && punch_is_cont())
        rc = cms_message(module, MESSAGE_PUNCH_CONT);
    return rc ? rc : cms_spool_command("CLOSE PUN"); /* cards that lie there are another file's */
}

/* ---- that something came ----------------------------------------------------------------------------------------- */

void cms_spool_acknowledge(const struct netdata_in *in, const char *userid)
{
    struct receivers to = {.count = 1};
    struct netdata_out out;
    char operands[60];
    format_text(to.userid[0], sizeof to.userid[0], "%s", userid);
    if (cms_spool_send_ready("RCV", &to) || cms_spool_begin(&out.sink, "RCV", CMS_PUNCH))
        return;
    int rc = netdata_receipt(&out, in, userid);
    format_text(operands, sizeof operands, "TO %s NAME %s ACK", userid, cms_cp_user());
    if (!cms_spool_end(&out.sink, rc, operands))
        cms_text("Acknowledgement sent to %s", userid);
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

/* fn ft [fm] [TO] userid ...: how many words the fileid has, *to: where the receivers begin; 0: there are none. */
static int split(const struct arguments *a, int *to)
{
    char letter, number;
    for (int i = 2; i < 4 && i + 1 < a->count; i++)
        if (cms_word_is(&a->operand[i], "TO", 2)) {
            *to = i + 1;
            return i;
        }
    bool mode = a->count > 3 && cms_file_mode_read(&a->operand[2], false, &letter, &number);
    *to = mode ? 3 : 2;
    return a->count > *to ? *to : 0;
}

/* All that there are of a pattern, else the one. */
static int send_files(const struct file_id *id, const struct receivers *to, bool ack)
{
    struct file_search search = {.id = *id};
    struct file_found found;
    int rc = cms_file_find("SFL", id, &found);
    if (rc || !cms_file_is_pattern(id))
        return rc ? rc : cms_spool_send("SFL", &found, to, ack);
    while (!rc && cms_file_next(&search, &found))
        rc = cms_spool_send("SFL", &found, to, ack);
    return rc;
}

int cms_spool_sendfile(const struct arguments *a)
{
    struct file_options options;
    struct receivers to;
    struct file_id id;
    int begin, words = split(a, &begin), rc = cms_file_options("SFL", a, options_known, &options);
    if (!rc && !words)
        rc = cms_message("SFL", MESSAGE_INCOMPLETE_FILEID);
    if (!rc)
        rc = cms_file_id_read("SFL", a->operand, words, 'A', false, &id);
    if (!rc)
        rc = receivers_read("SFL", a->operand + begin, a->count - begin, &to);
    if (!rc)
        rc = cms_spool_send_ready("SFL", &to);
    return rc ? rc : send_files(&id, &to, file_option(&options, ACK));
}
