/* A hostile host: whatever it says on its line, in frames or not, in pieces, and however it comes and goes, is answered
 * in frames, and leaves ALICE's files readable and the spool usable. */
#include <stdlib.h>
#include <string.h>

#include "cp/directory/load.h"
#include "cp/host/frame.h"
#include "cp/host/host.h"
#include "cp/spool/unit.h"
#include "tests/unit/fake/clock.h"
#include "tests/unit/fake/disk_work.h"

enum { DATA = 16, BLOCKS = SPOOL_FIRST_DATA + DATA };

static struct fake_disk area;
static struct line line;
static struct frame heard;
static unsigned answers;
static struct spool_user alice;

static void nothing(void) {}
static void arrived(const struct spool_file *f, const struct spool_journey *j) { (void)f, (void)j; }

static void require(int promise)
{
    if (!promise)
        abort();
}

static void take(struct line *l)
{
    const uint8_t *bytes;
    for (uint32_t n; (n = line_oldest(l, &bytes)); line_sent(l, n))
        for (uint32_t i = 0; i < n; i++)
            if (frame_take(&heard, bytes[i]) == FRAME_WHOLE) {
                require(frame_good(&heard));
                require(!memcmp(heard.text, "OK", 2) || !memcmp(heard.text, "ERROR HCPHST", 12));
                heard.got = 0;
                answers++;
            }
}

static void resume(struct line *l) { (void)l; }
static const struct line_driver driver = {.send = take, .resume = resume};

static void settle(void)
{
    for (unsigned i = 0; i < 4; i++, fake_clock_advance(1000000))
        fake_disk_settle(&area);
}

static void type(const uint8_t *bytes, size_t count)
{
    while (count) {
        size_t n = line.ready(&line);
        for (n = n < count ? n : count; n; n--, count--)
            line.input(&line, *bytes++);
        settle();
    }
}

static void ask(const void *text, size_t bytes)
{
    static uint16_t number;
    struct frame f = {.header = {.number = ++number, .length = (uint16_t)bytes}};
    memcpy(f.text, text, bytes);
    frame_seal(&f);
    unsigned before = answers;
    type((const uint8_t *)&f, FRAME_HEAD + bytes);
    require(answers > before);
}

static void begin(void)
{
    static void *pool;
    if (!pool) {
        pool = aligned_alloc(PAGE_SIZE, 64 * PAGE_SIZE);
        frame_add(frame_address(pool), 64 * PAGE_SIZE);
        strcpy(directory_add(&directory)->id, "ALICE");
        directory_enter(&directory, 0);
        line.driver = &driver;
        host_start(&line);
    }
    fake_clock_reset(1000000000);
    fake_disk_init(&area, BLOCKS * 8, false);
    spool_units_reset(&alice, "ALICE");
    spool_start(&area.disk, nothing, arrived);
    line.carrier(&line, true);
    settle();
}

static void leave(void)
{
    line.carrier(&line, false);
    settle();
    line.carrier(&line, true);
    settle();
}

/* A byte says how what follows is meant: as it is, or the text of a frame behind a word; or that somebody leaves. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const words[] = {"PUT ALICE A B A", "DATA\n", "END", "LIST * 0 0", "LIST ", "GET ALICE 1",
                                        "GET ", "NEXT", "PURGE ALICE 1", "PUT ", "HELLO", ""};
    enum { WORDS = sizeof words / sizeof *words };
    begin();
    while (size) {
        unsigned kind = *data % (WORDS + 2), bytes = size > 1 ? data[1] : 0;
        data += size > 1 ? 2 : 1, size -= size > 1 ? 2 : 1;
        bytes = bytes < size ? bytes : (unsigned)size;
        if (kind < WORDS) {
            char text[300];
            size_t n = strlen(words[kind]);
            memcpy(text, words[kind], n);
            memcpy(text + n, data, bytes);
            ask(text, n + bytes);
        } else if (kind == WORDS) {
            type(data, bytes);
            leave(); /* what came may have been the head of a frame */
        } else {
            leave();
        }
        data += bytes, size -= bytes;
    }
    leave();
    ask("PUT ALICE LAST FILE A", 21);
    ask("DATA\n\1\0x", 8);
    ask("END", 3);
    unsigned files = spool_count("ALICE", SPOOL_RDR);
    require(files >= 1 || !memcmp(heard.text, "ERROR", 5)); /* there may have been no room */
    leave();
    require(spool_units_idle() && spool_account.frames == 0);
    fake_disk_free(&area);
    return 0;
}
