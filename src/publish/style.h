/* The style sheet of web/suha.css, embedded by web/embed.py at build time. */
#ifndef SU_PUBLISH_STYLE_H
#define SU_PUBLISH_STYLE_H

#include <stddef.h>

extern const char su_publish_style[];
extern const size_t su_publish_style_size;

#endif
