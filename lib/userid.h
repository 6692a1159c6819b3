/* What a user ID is, for CP and for whoever lets its users in. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum { USERID_MOST = 8 };

/* A-Z 0-9 @ # $ _ - */
static inline bool userid_may_have(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '@' || c == '#' || c == '$' || c == '_' || c == '-';
}

/* 1 to USERID_MOST such characters, and nothing else */
static inline bool userid_is(const char *name, size_t length)
{
    size_t fit = 0;
    while (fit < length && userid_may_have(name[fit]))
        fit++;
    return fit == length && length && length <= USERID_MOST;
}

/* As it is meant when it is typed in any case. */
static inline char userid_upper(char c) { return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c; }
