/* story: text with numbers of a release. A story is Markdown (markdown.h) with directives in {{ }}; it fills itself from any release of its
 * instrument and states no more than the intervals allow: what was not published is never a number, and a sentence that depends on a number
 * stands in a condition. docs/formats.md, "Stories", is the contract of the file.
 *
 *   {{ people }}  {{ count A }}  {{ percent A }}  {{ largest COLUMN }}  {{ largest group G }}  {{ years }}  {{ label A }}
 *   each with an optional  where A ...        A is column:code or column:code|code; quotes hold blanks together
 *   alone in a paragraph:  {{ chart column C }}  {{ chart group G }}  {{ chart grid C C }}  {{ chart pairs C C }}  with where
 *   {{ if CONDITION }} ... {{ else }} ... {{ end }}
 *     known A ...              every one has a published count with an interval
 *     more A than B            the interval of A lies above that of B
 *     above N A, below N A     the percentage's interval lies above, below N
 *     higher A where B than C  the percentage of A among B lies above that among C
 *     single COLUMN | single group G   one value is the largest beyond doubt
 *     has COLUMN               the release has values in this column
 *
 * The interval of a percentage here is wider than in tables: its denominator is counted in the synthetic records and is given an error of
 * its own, the largest half-width of the counts it is made of. */
#ifndef SU_PORTAL_STORY_H
#define SU_PORTAL_STORY_H

#include "chart.h"

/* Text of "key: value" between the two lines --- at the top; empty when there is none. */
su_str su_story_key(su_str text, const char *key);
/* Resolves conditions and prints HTML. What a directive gets wrong is shown in place, in [ ], for the author. */
void su_story_html(su_page *p, su_str text);

#endif
