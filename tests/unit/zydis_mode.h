/* The modes in which our decoder and Zydis, its oracle, are asked the same. */
#pragma once
#include <Zydis/Zydis.h>

#include "cp/decode/instruction.h"

static const struct mode {
    enum decode_mode ours;
    ZydisMachineMode machine;
    ZydisStackWidth stack;
} modes[] = {
    {DECODE_64, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64},
    {DECODE_32, ZYDIS_MACHINE_MODE_LONG_COMPAT_32, ZYDIS_STACK_WIDTH_32},
    {DECODE_16, ZYDIS_MACHINE_MODE_LONG_COMPAT_16, ZYDIS_STACK_WIDTH_16},
};
