/* mechanism: what the mechanisms have in common. Each runs stages 2 and 3 of a planned release. */
#ifndef SU_PROTECT_MECHANISM_H
#define SU_PROTECT_MECHANISM_H

#include <suha/protect.h>

/* Called once, after the last look at the data. */
typedef struct su_measured_hook {
    su_status (*call)(void *arg);
    void *arg;
} su_measured_hook;

static inline su_status su_measured(const su_measured_hook *hook) { return hook->call ? hook->call(hook->arg) : SU_OK; }

typedef su_status (*su_mechanism_run)(su_context *ctx, su_release *r, const su_code_matrix *m, su_random *random,
                                      const su_measured_hook *hook);

#endif
