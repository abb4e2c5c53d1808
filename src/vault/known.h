/* known: which records of a table the vault holds already, and which were withdrawn from it. */
#ifndef SU_VAULT_KNOWN_H
#define SU_VAULT_KNOWN_H

#include "vault_priv.h"

typedef enum su_known {
    SU_KNOWN_NOT,
    SU_KNOWN_LIVE,     /* in a finished import */
    SU_KNOWN_OPEN,     /* in an unfinished one */
    SU_KNOWN_WITHDRAWN /* was in one, and is not there now */
} su_known;

/* What is known of n blind indexes (SU_BLIND bytes each) into state[0..n-1]. O(n log N) time for N records, and O(1) for every
 * record of the imports from which one was withdrawn. */
su_status su_known_find(su_context *ctx, su_vault *v, const uint8_t *blinds, uint64_t n, su_known *state) SU_MUST_CHECK;

#endif
