/* The style sheet of web/suha.css, embedded by web/embed.py at build time. */
#ifndef SU_PORTAL_STYLE_H
#define SU_PORTAL_STYLE_H

#include <stddef.h>

extern const char su_portal_style[];
extern const size_t su_portal_style_size;

#endif
