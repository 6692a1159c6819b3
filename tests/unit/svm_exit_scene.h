/* An exit as SVM tells it: fill `vmcb` and CODE, translate, look at `ex`. Every test begins with long mode at RIP. */
#ifndef TESTS_UNIT_SVM_EXIT_SCENE_H
#define TESTS_UNIT_SVM_EXIT_SCENE_H

#include <stdint.h>
#include <string.h>

#include "cp/svm/exit.h"
#include "vmcs-shadow/control.h"

enum { LONG_CODE = 0x29B, LMA = 0x400, RIP = 0x1000 };

static struct vmcb vmcb;
static struct svm_state state;
static struct svm_code code;
static struct exit ex;
static struct svm_access access_;

static int fresh(void **context)
{
    (void)context;
    memset(&vmcb, 0, sizeof vmcb);
    state = (struct svm_state){.vmcb = &vmcb};
    code = (struct svm_code){.mode = DECODE_64};
    vmcb.rip = RIP;
    vmcb.cr0 = 0x80000001;
    vmcb.efer = LMA;
    vmcb.cs.rights = LONG_CODE;
    return 0;
}

#define CODE(...)                                                                                                      \
    do {                                                                                                               \
        const uint8_t given[] = {__VA_ARGS__};                                                                         \
        memcpy(code.bytes, given, sizeof given);                                                                       \
        code.count = sizeof given;                                                                                     \
    } while (0)

static enum svm_verdict translate(uint64_t number)
{
    vmcb.exit_code = number;
    return svm_exit_translate(&state, &code, &ex, &access_);
}

#define TEST(name) cmocka_unit_test_setup(name, fresh)
#endif
