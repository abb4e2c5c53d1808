/* page_parts: pieces that several pages of a release show. */
#ifndef SU_PORTAL_PAGE_PARTS_H
#define SU_PORTAL_PAGE_PARTS_H

#include "page.h"
#include "query.h"

#define SU_STORIES_SHOWN 24u

/* page_overview.c */
void su_page_facts(su_page *p);                      /* who, where, how, since when, how certain, hidden on purpose */
void su_page_charts(su_page *p, const su_ask *base); /* every chart of the release, under the filters of base */

/* page_catalogue.c */
void su_page_lead(su_page *p, const su_view *v);           /* people and period in one line; the publisher's description */
void su_page_history(su_page *p, const su_shown *s);       /* what it supersedes, what superseded it */
void su_page_guarantee(su_page *p, const su_view *v);      /* in plain words, as paragraphs */
const char *su_page_range(su_page *p, const su_figure *n); /* "1,200 to 1,268" as HTML; "≈ 1,234" without an interval */
/* First and last year with a published count. False when there is none. */
bool su_page_period(const su_view *v, const char **first, const char **last);
/* A suspicion of `before` (0 to 1) can rise to at most this, whoever looks (Wood et al. 2018, doi:10.2139/ssrn.3338027, section IV). */
double su_page_suspicion(double before, double odds);

/* page_story.c: names of the stories of the release's instrument, in their order; at most SU_STORIES_SHOWN. */
size_t su_story_names(su_page *p, const char **names);
void su_story_cards(su_page *p, const char *const *names, size_t n, const char *heading); /* heading: "h2" or "h3" */

/* jsonld.c: text for a script element of type application/ld+json; < > & are escaped. In the arena. */
const char *su_jsonld_dataset(su_page *p); /* schema.org Dataset, Croissant 1.0 */
const char *su_jsonld_catalogue(su_page *p);

#endif
