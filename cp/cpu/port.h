/* I/O ports, and nothing else. */
#pragma once
#include <stdint.h>

static inline uint8_t port_in8(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static inline uint32_t port_in32(uint16_t port)
{
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static inline void port_out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void port_out16(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void port_out32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void port_out_bytes(uint16_t port, const void *from, uint32_t bytes)
{
    uint64_t count = bytes;
    __asm__ volatile("cld; rep outsb" : "+S"(from), "+c"(count) : "d"(port) : "memory", "cc");
}

/* `words` 16-bit words between the port and memory, in one instruction */
static inline void port_in_string(uint16_t port, void *to, uint32_t words)
{
    uint64_t count = words;
    __asm__ volatile("cld; rep insw" : "+D"(to), "+c"(count) : "d"(port) : "memory", "cc");
}

static inline void port_out_string(uint16_t port, const void *from, uint32_t words)
{
    uint64_t count = words;
    __asm__ volatile("cld; rep outsw" : "+S"(from), "+c"(count) : "d"(port) : "memory", "cc");
}
