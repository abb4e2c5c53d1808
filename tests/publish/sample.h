/* A release made by hand in memory, without the reaches that make real ones. Imaginary people. */
#ifndef SU_TEST_SAMPLE_H
#define SU_TEST_SAMPLE_H

#include <suha/publish.h>

typedef struct su_sample_options {
    uint64_t rows; /* 0 = 400 */
    uint64_t seed;
    bool seeded_noise, domain_from_data; /* what the release says of itself */
    const char *hostile;                 /* put into titles, descriptions, labels, codes and the group's name; NULL = none */
    uint64_t k;
} su_sample_options;

typedef struct su_sample {
    su_schema *schema;
    su_release *release;
} su_sample;

void su_sample_make(const su_sample_options *opts, su_sample *out);
void su_sample_free(su_sample *s);

/* A fresh folder under $TMPDIR or /tmp, in `out` (256 bytes). */
void su_sample_folder(char *out);
void su_sample_remove(const char *dir); /* with everything in it */

#endif
