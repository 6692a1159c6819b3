/* What tests of commands share: three people who are logged on, and the answer of a command as a user's machine gets
 * it. */
#pragma once
#include "tests/unit/session_scene.h"

#include "cp/command/command.h"
#include "cp/time/work.h"

static char answer[16384];

/* Runs a command as the user's machine would; the answer is in `answer`. */
static unsigned run(const char *userid, const char *command)
{
    struct response r = {
        .session = session_find(userid), .buffer = answer, .size = sizeof answer - 1, .machine_asks = true};
    work_slice();
    unsigned code = command_run(r.session, &r, command);
    if (r.session->state == SESSION_CHECK) { /* without the event loop */
        while (!sha512_crypt_step(&r.session->crypt, 1000)) {}
        r.session->task.step(r.session, &r, &code);
        rest_end(r.session);
    }
    while (r.session->state == SESSION_TASK) {
        fake_disk_done_all(&scene_disk);
        work_all();
        if (r.session->task.step(r.session, &r, &code))
            rest_end(r.session);
    }
    answer[r.length] = 0;
    return code;
}

UNUSED static void assert_answer(const char *userid, const char *command, unsigned code, const char *expected)
{
    unsigned got = run(userid, command);
    if (!strstr(answer, expected))
        fail_msg("%s: expected \"%s\", answer:\n%s", command, expected, answer);
    assert_int_equal(got, code);
}

UNUSED static int everybody(void **state)
{
    scene_reset(state);
    logon(0, "ALICE");
    logon(1, "BOB");
    logon(2, "OPERATOR");
    for (int i = 0; i < 3; i++)
        shown(i);
    return 0;
}
