/* A pen for NETDATA: segments, control records, text units, as the format's description has them; and cards of it in
 * the reader. */
#pragma once
#include "tests/unit/cms_scene.h"

enum { FIRST = 0x80, LAST = 0x40, CONTROL = 0x20, NUMBER = 0x10, WHOLE = FIRST | LAST };

static uint8_t stream[16384];
static size_t bytes;

static inline void put(const void *data, size_t length)
{
    assert_true(bytes + length <= sizeof stream);
    memcpy(stream + bytes, data, length);
    bytes += length;
}

static inline void put_segment(unsigned flags, const void *data, size_t length)
{
    uint8_t head[2] = {(uint8_t)(length + 2), (uint8_t)flags};
    put(head, 2);
    put(data, length);
}

static uint8_t record[2048];
static size_t length;

static inline void number(uint64_t value, unsigned size)
{
    while (size--)
        record[length++] = (uint8_t)(value >> size * 8);
}

static inline void ebcdic(const char *text)
{
    while (*text)
        record[length++] = edf_ebcdic_from_ascii((uint8_t)*text++);
}

static inline void begin(const char *name)
{
    length = 0;
    ebcdic(name);
}

static inline void value(unsigned key, uint64_t v, unsigned size)
{
    number(key, 2);
    number(1, 2);
    number(size, 2);
    number(v, size);
}

/* "A.B.C": as many values */
static inline void words(unsigned key, const char *text)
{
    unsigned count = 1;
    for (const char *c = text; *c; c++)
        count += *c == '.';
    number(key, 2);
    number(count, 2);
    while (count--) {
        char word[80];
        size_t n = strcspn(text, ".");
        memcpy(word, text, n);
        word[n] = 0;
        text += n + 1;
        number(n, 2);
        ebcdic(word);
    }
}

static inline void nothing(unsigned key)
{
    number(key, 2);
    number(0, 2);
}

static inline void end_control(void) { put_segment(WHOLE | CONTROL, record, length); }

static inline void data(const char *text) { put_segment(WHOLE, text, strlen(text)); }

static inline void header(void)
{
    begin("INMR01");
    value(0x0042, 80, 4);
    words(0x1011, "FARAWAY");
    words(0x1012, "IBMUSER");
    words(0x1001, "VMN");
    words(0x1002, "TESTER");
    words(0x1024, "20040309032825");
    end_control();
}

static inline void trailer(void)
{
    begin("INMR06");
    end_control();
}

static inline void format(unsigned recfm, uint64_t lrecl)
{
    value(0x003c, 0x4000, 2);
    value(0x0042, lrecl, 4);
    value(0x0049, recfm, 2);
    value(0x102c, 1000, 4);
}

/* INMR02 of a file that is copied, but for its end. */
static inline void file(unsigned file_number, const char *name, unsigned recfm, uint64_t lrecl)
{
    begin("INMR02");
    number(file_number, 4);
    words(0x1028, "INMCOPY");
    format(recfm, lrecl);
    if (name)
        words(0x0002, name);
}

static inline void data_follow(void)
{
    begin("INMR03");
    format(0x0001, 80);
    end_control();
}

static inline void deliver(void)
{
    for (size_t at = 0; at < bytes; at += 80) {
        const uint16_t card = 80;
        size_t n = bytes - at < 80 ? bytes - at : 80;
        memcpy(fake_cms_punched + fake_cms_punched_bytes, &card, 2);
        memset(fake_cms_punched + fake_cms_punched_bytes + 2, 0, 80);
        memcpy(fake_cms_punched + fake_cms_punched_bytes + 2, stream + at, n);
        fake_cms_punched_bytes += 82;
    }
    fake_cms_deliver("SPOOLED", "NAME");
}
