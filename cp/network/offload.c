/* Sums as of RFC 1071; segments as a TCP would have sent them. */
#include "cp/network/offload.h"

#include <string.h>

enum { IP = ETHERNET_HEADER, IP_BYTES = 2, IP_ID = 4, IP_PROTOCOL = 9, IP_SUM = 10, IP_SOURCE = 12, IP_LEAST = 20 };
enum { TCP_SEQUENCE = 4, TCP_LENGTH = 12, TCP_FLAGS = 13, TCP_SUM = 16, TCP_LEAST = 20, PROTOCOL_TCP = 6 };
enum { FLAG_FIN = 1, FLAG_PSH = 8, FLAG_CWR = 128, SEGMENT_LEAST = 48 };

static uint32_t get16(const uint8_t *at) { return (uint32_t)at[0] << 8 | at[1]; }

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static uint32_t get32(const uint8_t *at) { return get16(at) << 16 | get16(at + 2); }

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value);
}

static uint64_t add(uint64_t sum, const uint8_t *at, uint32_t bytes)
{
    for (; bytes >= 4; at += 4, bytes -= 4)
        sum += get32(at);
    if (bytes >= 2) {
        sum += get16(at);
        at += 2;
        bytes -= 2;
    }
    return bytes ? sum + ((uint32_t)*at << 8) : sum;
}

static uint16_t fold(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return (uint16_t)sum;
}

static unsigned ip_header(const uint8_t *frame) { return (frame[IP] & 15u) * 4; }
static unsigned headers(const struct offload *o, const uint8_t *frame)
{
    return o->checksum_start + (frame[o->checksum_start + TCP_LENGTH] >> 4) * 4u;
}

static bool is_tcp(const struct offload *o, const uint8_t *frame, uint32_t bytes)
{
    if (bytes < IP + IP_LEAST + TCP_LEAST || get16(frame + IP - 2) != 0x0800 || frame[IP] >> 4 != 4 ||
        frame[IP + IP_PROTOCOL] != PROTOCOL_TCP || ip_header(frame) < IP_LEAST)
        return false;
    return o->checksum_start == IP + ip_header(frame) && o->checksum_offset == TCP_SUM &&
           o->checksum_start + (uint32_t)TCP_LEAST <= bytes &&
           headers(o, frame) >= o->checksum_start + (unsigned)TCP_LEAST && headers(o, frame) < bytes;
}

static bool can_be_cut(const struct offload *o, const uint8_t *frame, uint32_t bytes)
{
    return o->gso_type == OFFLOAD_TCPV4 && o->segment_bytes >= SEGMENT_LEAST && o->segment_bytes <= ETHERNET_MOST &&
           is_tcp(o, frame, bytes) && headers(o, frame) + o->segment_bytes <= ETHERNET_MOST;
}

bool offload_judge(struct offload *o, const uint8_t *frame, uint32_t bytes)
{
    bool sums = o->flags == OFFLOAD_CHECKSUM && o->checksum_start >= ETHERNET_HEADER &&
                (uint32_t)o->checksum_start + o->checksum_offset + 2 <= bytes;

    if (!o->flags && !o->gso_type) {
        *o = (struct offload){.flags = 0};
        return true;
    }
    if (!sums || (o->gso_type && !can_be_cut(o, frame, bytes)))
        return false;
    o->header_bytes = o->gso_type ? (uint16_t)headers(o, frame) : 0;
    o->segment_bytes = o->gso_type ? o->segment_bytes : 0;
    return true;
}

/* A datagram of UDP says by 0 that it has none. */
uint16_t offload_checksum(const struct offload *o, const uint8_t *frame, uint32_t bytes)
{
    uint16_t sum = (uint16_t)~fold(add(0, frame + o->checksum_start, bytes - o->checksum_start));

    return sum ? sum : 0xFFFF;
}

static void finish_ip(uint8_t *ip, unsigned length, unsigned bytes, unsigned number)
{
    put16(ip + IP_BYTES, bytes);
    put16(ip + IP_ID, get16(ip + IP_ID) + number);
    put16(ip + IP_SUM, 0);
    put16(ip + IP_SUM, (uint16_t)~fold(add(0, ip, length)));
}

static void finish_tcp(const uint8_t *ip, uint8_t *tcp, unsigned length, const uint8_t *data, unsigned bytes)
{
    uint64_t sum = add(PROTOCOL_TCP + length + bytes, ip + IP_SOURCE, 8);

    put16(tcp + TCP_SUM, 0);
    sum = add(add(sum, tcp, length), data, bytes);
    put16(tcp + TCP_SUM, (uint16_t)~fold(sum));
}

bool offload_segment(const struct offload *o, const uint8_t *frame, uint32_t bytes, uint32_t from,
                     struct tcp_segment *s)
{
    unsigned before = headers(o, frame), length = before - o->checksum_start, left = bytes - before;
    uint8_t *ip = s->header + IP, *tcp = s->header + o->checksum_start;

    if (from >= left)
        return false;
    s->header_bytes = before;
    s->data = frame + before + from;
    s->data_bytes = left - from < o->segment_bytes ? left - from : o->segment_bytes;
    memcpy(s->header, frame, before);
    put32(tcp + TCP_SEQUENCE, get32(tcp + TCP_SEQUENCE) + from);
    if (from + s->data_bytes < left)
        tcp[TCP_FLAGS] &= (uint8_t)~(FLAG_FIN | FLAG_PSH);
    if (from)
        tcp[TCP_FLAGS] &= (uint8_t)~FLAG_CWR;
    finish_ip(ip, ip_header(frame), before - IP + s->data_bytes, from / o->segment_bytes);
    finish_tcp(ip, tcp, length, s->data, s->data_bytes);
    return true;
}
