/* reply: an answer as a response of the HTTP library: security headers, CORS, conditional requests, ranges, gzip. Only http.c and reply.c
 * know the library. */
#ifndef SU_PORTAL_REPLY_H
#define SU_PORTAL_REPLY_H

#include "http.h"

#include <microhttpd.h>

/* Queues the answer and releases its blob. *bytes: of the body that is sent. */
enum MHD_Result su_reply(struct MHD_Connection *c, const su_http_answer *a, bool head, bool close_after, unsigned *status, uint64_t *bytes);
/* A refusal in words: application/problem+json for the API, one plain sentence elsewhere. */
enum MHD_Result su_reply_refusal(struct MHD_Connection *c, const char *path, unsigned status, const char *sentence, uint64_t *bytes);
/* To OPTIONS: 204 with Allow; for what other sites may read also what CORS asks for. */
enum MHD_Result su_reply_options(struct MHD_Connection *c, bool open);

/* If-None-Match and If-Range: "*" or a list of tags; weak comparison (RFC 9110 section 13.1.2). The compressed form has a tag of its own,
 * which names the same content. NULL names nothing; etag is quoted. */
bool su_names_tag(const char *list, const char *etag);
/* Accept-Encoding names gzip or *, and not with weight 0. NULL does not. */
bool su_accepts_gzip(const char *list);

/* Range: bytes=a-b, bytes=a-, bytes=-n of `size` bytes (RFC 9110 section 14). 0: there is none, or it is of a kind that is answered in
 * whole (several parts, other units); 206 with from and count; 416. */
unsigned su_range_parse(const char *text, uint64_t size, uint64_t *from, uint64_t *count);

#endif
