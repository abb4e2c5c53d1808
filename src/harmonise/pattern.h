/* pattern: a Frictionless `pattern` constraint, matched against whole cells with POSIX extended regular expressions. */
#ifndef SUHA_HARMONISE_PATTERN_H
#define SUHA_HARMONISE_PATTERN_H

#include <regex.h>

#include <suha/base.h>

/* Compiles `text` so that it must match the whole cell. \d, \w and \s are understood, inside brackets too. False with a reason in `why`
 * (size bytes) when it is not a pattern. On success release with regfree. Patterns longer than 500 bytes are refused. */
bool pattern_compile(const char *text, regex_t *out, char *why, size_t size);

#endif
