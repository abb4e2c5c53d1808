/* shown: as much of a text as a message can hold, never half a character. */
#ifndef SUHA_TABLE_SHOWN_H
#define SUHA_TABLE_SHOWN_H

#include <suha/base.h>

/* Bytes of `s` to print with %.*s, at most 80. */
static inline int shown(su_str s)
{
    size_t n = s.n < 80 ? s.n : 80;
    while (n > 0 && n < s.n && ((unsigned char)s.p[n] & 0xC0) == 0x80) n--;
    return (int)n;
}

#endif
