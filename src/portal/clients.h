/* clients: who is connected, and until when something must have happened. A thread of its own cuts off whoever is late: a request head that
 * does not end, a connection that does nothing, an answer that is not read. The HTTP library's own time limit starts again with every byte.
 */
#ifndef SU_PORTAL_CLIENTS_H
#define SU_PORTAL_CLIENTS_H

#include <suha/base.h>

typedef struct su_clients su_clients;
typedef struct su_client su_client;

#define SU_CLIENT_HEAD_SECONDS 10.0   /* for a whole request head, and for a connection that waits */
#define SU_CLIENT_ANSWER_SECONDS 30.0 /* for an answer, and one second more per SU_CLIENT_BYTES_PER_SECOND */
#define SU_CLIENT_BYTES_PER_SECOND 4096.0

su_status su_clients_start(su_context *ctx, su_clients **out) SU_MUST_CHECK;
void su_clients_stop(su_clients *c); /* when no client is left; NULL is fine */
su_client *su_client_enter(su_clients *c, int fd);
void su_client_leave(su_clients *c, su_client *one); /* before fd is closed */
void su_client_allow(su_client *one, double seconds);
double su_clients_clock(void); /* seconds since some moment; never goes back */

#endif
