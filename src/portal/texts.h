/* Texts that web/texts.py puts into the program: the API's description and the stories of the instruments. */
#ifndef SU_PORTAL_TEXTS_H
#define SU_PORTAL_TEXTS_H

#include "site.h"

extern const char su_text_openapi[];
extern const size_t su_text_openapi_size;
extern const su_site_story su_text_stories[];
extern const size_t su_text_story_count;

#endif
