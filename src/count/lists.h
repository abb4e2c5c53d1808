/* lists: the rows of a code matrix as lists of attribute ids, the layout all sparse kernels read. */
#ifndef SU_COUNT_LISTS_H
#define SU_COUNT_LISTS_H

#include <suha/count.h>

/* Dense number of an attribute, ascending by column, then value. */
typedef uint16_t attribute_id;
#define LIST_END ((attribute_id)0xFFFF) /* closes every row */
#define ATTRIBUTES_MAX 0xFFFFu

typedef struct lists {
    uint32_t column_count;
    uint32_t attribute_count;
    su_attribute *attribute; /* [attribute_count] */
    uint32_t *count;         /* rows that hold each attribute */
    uint32_t *first;         /* [column_count + 1] first attribute of each column */
    uint64_t row_count;
    attribute_id *items; /* per row its attributes, ascending, then LIST_END */
    uint32_t item_count;
    uint32_t *rows; /* where each row begins in items */
} lists;

/* Keeps the attributes that at least `min_count` rows hold; 0 keeps the whole domain. Refuses more than 65,535 attributes or 2^32
 * items; SU_INTERNAL for a code outside its column's domain. O(rows * columns). */
su_status lists_build(su_context *ctx, const su_code_matrix *m, uint64_t min_count, lists *out);
void lists_free(lists *l);

#endif
