/* What tests of DIAL share: ALICE at the second terminal, with a machine that takes calls. */
#pragma once
#include "tests/unit/session_scene.h"

#include "cp/terminal/sitter.h"
#include "cp/terminal/terminal.h"

enum { DTR = 1, LOOP = 16, LINE = 1 /* UART 2F8 */, CONTROL_C = 3 };

static struct terminal *terminal_of(unsigned line) { return fake_line[line].line.owner; }
UNUSED static struct session *at(unsigned line) { return terminal_of(line)->session; }
UNUSED static struct fake_vm *fake_of(const char *userid) { return (struct fake_vm *)vm_of(userid); }

UNUSED static void carrier(unsigned line, bool there)
{
    fake_line[line].line.carrier(&fake_line[line].line, there);
    turn();
}

UNUSED static void write_to(unsigned uart, const char *text)
{
    assert_int_equal(vm_output(vm_of("ALICE"), uart, (const uint8_t *)text, strlen(text)), strlen(text));
    turn();
}

UNUSED static const char *received(void)
{
    static char text[sizeof ((struct fake_vm *)0)->input];
    struct fake_vm *f = fake_of("ALICE");
    memcpy(text, f->input, f->received + 1);
    f->received = f->input[0] = 0;
    f->fifo = 16;
    return text;
}

/* ALICE's machine runs at terminal 1 and takes calls at 2F8 and 3E8; line 2E8 is not enabled. */
static int begin(void **state)
{
    scene_reset(state);
    logon(1, "ALICE");
    struct vm *vm = vm_of("ALICE");
    vm->config.uarts = 4;
    vm->machine.uart[1].modem_control = vm->machine.uart[2].modem_control = DTR;
    shown(0), shown(1), shown(2);
    return 0;
}

UNUSED static void dial(unsigned line)
{
    type(line, "DIAL ALICE\r");
    assert_int_equal(at(line)->state, SESSION_DIALED);
    shown(line);
}
