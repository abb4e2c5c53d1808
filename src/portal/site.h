/* site: the server-rendered pages behind one door. The router gives every GET that is no file, no asset and no API call to su_site_answer;
 * pages are HTML in four languages, escaped, without inline style or script.
 *
 *   /                           catalogue                    /r/<id>/                    overview
 *   /glossary /about            texts                        /r/<id>/explore             charts of a filter
 *   /accessibility              texts                        /r/<id>/combinations        count of a set of attributes
 *   /api                        the API, from openapi.json   /r/<id>/stories/<name>      text with numbers of the release
 *                                                            /r/<id>/data  /r/<id>/protection
 *
 * Language: ?lang=en|fr|es|ar, else Accept-Language, else English; the answer varies by Accept-Language. A language chosen by ?lang is kept
 * in every link of the page. */
#ifndef SU_PORTAL_SITE_H
#define SU_PORTAL_SITE_H

#include "folder.h"
#include "i18n.h"
#include "view.h"

struct su_cube; /* query.h: what tabulate reads */

/* A story as its instrument ships it: instruments/<instrument>/stories/<name>.<lang>.md */
typedef struct su_site_story {
    const char *instrument, *name;
    su_locale locale;
    su_str text;
} su_site_story;

typedef struct su_shown {
    const su_view *view;
    const su_folder *folder;
    const struct su_cube *cube; /* NULL: the release has no counts to ask */
    const char *name;           /* in the address: /r/<name>/ */
} su_shown;

typedef struct su_site {
    const su_shown *shown;
    size_t count;
    const su_site_story *stories;
    size_t story_count;
    su_str openapi; /* web/openapi.json */
} su_site;

typedef struct su_site_request {
    const char *path;            /* raw target up to '?' */
    const char *query;           /* raw, after '?'; NULL or "" = none */
    const char *accept_language; /* header; NULL = none */
} su_site_request;

/* Renders the page into `out` (replaces what it holds) and returns the HTTP status: 200, 400 (a parameter is wrong; the page says which)
 * or 404. Never fails otherwise. Thread-safe: reads `site` only. */
unsigned su_site_answer(const su_site *site, const su_site_request *request, su_buf *out);

#endif
