/* Whatever is typed, CMS goes on: every byte reaches the line editor, the tokenizer, the commands and the pipelines,
 * over a small A-disk and, for inputs of odd length, a CP that answers. */
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "cms/command/session.h"
#include "cms/command/settings.h"
#include "cms/console/console.h"
#include "cms/kernel/heap.h"
#include "cms/kernel/mode.h"
#include "tests/unit/fake/cms_machine.h"

enum { TYPED_MAX = 2000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static jmp_buf finished;

static void no_more(void)
{
    longjmp(finished, 1);
}

static void begin(bool with_cp)
{
    for (char letter = 'A'; letter <= 'Z'; letter++)
        cms_mode_release(letter);
    fake_cms_reset();
    fake_cms_attach(0x191, false);
    fake_cms_attach(0x190, true);
    fake_cms_cp(with_cp ? "ALICE    AT VMN\nSECOND LINE\n" : NULL, 0);
    memset(&cms_settings, 0, sizeof cms_settings);
    cms_console_set_line_end('#');
    cms_console_recover();
    cms_session_start(false);
    fake_cms_type("format 191 a (blksize 512\r1\rfuzzed\r"
                  "PIPE LITERAL one| split | > ONE TEXT A\rPIPE < ONE TEXT A | specs 1-* 1 | > TWO TEXT A\r");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char typed[TYPED_MAX + 2];
    size_t n = 0;

    for (size_t i = 0; i < size && n < TYPED_MAX; i++)
        if (data[i])
            typed[n++] = (char)data[i];
    typed[n++] = '\r';
    typed[n] = 0;
    begin(size & 1);
    fake_cms_type(typed);
    fake_cms_no_more = no_more;
    if (!setjmp(finished))
        for (;;)
            cms_session_step();
    cms_console_command_ends();
    cms_heap_free_commands();
    return 0;
}
