/* markdown: a small part of Markdown to HTML that can hold no live tag of the text's. Everything is escaped; what is not listed here is
 * text.
 *
 *   ## and ### headings    paragraphs    - and 1. lists (one level)    > quotes    **strong** *emphasis* `code` [text](address)
 *   {{ ... }}  a directive: inside a line it becomes what `inline_` prints; alone in a paragraph what `block` prints
 *
 * Addresses of links: https://, or of this site: /path, #part, or a relative path without a colon; others stay text. Never fails; O(bytes).
 */
#ifndef SU_PORTAL_MARKDOWN_H
#define SU_PORTAL_MARKDOWN_H

#include <suha/base.h>

typedef struct su_markdown {
    void *arg;
    /* The words between {{ and }}, trimmed. Print HTML into out; NULL = the directive is left out. */
    void (*inline_)(void *arg, su_str words, su_buf *out);
    void (*block)(void *arg, su_str words, su_buf *out);
    /* Value of href for an address of this site; NULL = as it is, escaped. */
    void (*address)(void *arg, su_str address, su_buf *out);
} su_markdown;

void su_markdown_html(const su_markdown *m, su_str text, su_buf *out);

#endif
