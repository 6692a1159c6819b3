/* A file in the reader, of cards that anybody may have made, under PEEK, RECEIVE and READCARD. The first byte says how
 * long the cards are, and whether INMR01 of NETDATA stands on them; the others follow. Whatever the commands make of
 * it, they end, the file stays where they fail, and nothing is left on the heap. */
#include <stdlib.h>
#include <string.h>

#include "cms/command/command.h"
#include "cms/console/console.h"
#include "cms/kernel/heap.h"
#include "cms/kernel/mode.h"
#include "tests/unit/fake/cms_machine.h"

enum { CARDS = 60000, INPUT = 16384 };

static uint8_t stream[INPUT + 8];

/* What is on the cards: its bytes. */
static size_t write_stream(const uint8_t *data, size_t size)
{
    static const uint8_t header[8] = "\x08\xe0\xc9\xd5\xd4\xd9\xf0\xf1";
    size_t begins = *data & 4 ? sizeof header : 0;
    memcpy(stream, header, begins);
    memcpy(stream + begins, data + 1, size - 1);
    return begins + size - 1;
}

static void punch(const uint8_t *data, size_t size, size_t card)
{
    fake_cms_punched_bytes = 0;
    while (size && fake_cms_punched_bytes < CARDS) {
        uint16_t length = (uint16_t)(size < card ? size : card);
        memcpy(fake_cms_punched + fake_cms_punched_bytes, &length, sizeof length);
        memcpy(fake_cms_punched + fake_cms_punched_bytes + sizeof length, data, length);
        fake_cms_punched_bytes += sizeof length + length;
        data += length;
        size -= length;
    }
}

static void obey(const char *line)
{
    fake_cms_forget();
    cms_console_command_begins();
    int rc = cms_obey(line);
    cms_console_command_ends();
    cms_heap_free_commands();
    if (rc && rc != 32 && rc != 24 && rc != 20 && rc != 28 && rc != 100)
        abort();
    if (*line == 'R' && (rc != 0) != (strstr(fake_cms_cp_asked, "KEEP") != NULL))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const lines[] = {"PEEK (FROM 2 FOR *", "PEEK (EBCDIC", "RECEIVE (REPLACE", "READCARD * * A",
                                        "RECEIVE 7 X Y A (REPLACE EBCDIC"};
    struct mode_problem problem;
    if (size < 2 || size > INPUT)
        return 0;
    fake_cms_reset();
    cms_console_start(NULL);
    fake_cms_cp("", 0);
    fake_cms_attach(0x191, false);
    if (!cms_mode_format(0x191, 1024, "ALI191", &problem) || !cms_mode_access(0x191, 'A', 'A', false, &problem))
        abort();
    size_t bytes = write_stream(data, size);
    for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++) {
        punch(stream, bytes, *data & 1 ? 80 : *data + 1u);
        fake_cms_deliver("NAME", *data & 2 ? "" : "TYPE");
        obey(lines[i]);
    }
    cms_mode_release('A');
    if (cms_heap_in_use())
        abort();
    return 0;
}
