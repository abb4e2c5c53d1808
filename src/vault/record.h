/* What a sealed batch layout and a sealed record say inside: bytes to and from a case table, no keys and no database here.
 *
 * A batch has one layout (its dictionary): the columns it provides and, for coded ones, every code of the codelist as text. Its records
 * hold numbers into the layout, so a record of coded columns has the same length for everyone. Reading maps layout numbers to the
 * codelists of today.
 *
 *   layout  = u8 version 1 | u8 flags (1 synthetic) | text schema | u32 fields | fields of: text name | u8 kind | u32 codes | codes of:
 * text
 *   record  = u8 version 1 | text record id | one value per field of the layout | 0x80 | zero bytes up to the padded length
 *   value   = code: u16 cell | set: u64 per 64 codes, then u16 reason | text: text
 *   text    = u32 length | bytes;   all numbers little-endian; cells as in suha/table.h (0 not recorded, 1..n code, 0xFFF0.. reasons) */
#ifndef SU_VAULT_RECORD_H
#define SU_VAULT_RECORD_H

#include <suha/table.h>

enum { SU_RECORD_MAX = 16 << 20 }; /* bytes of one padded record */

typedef enum su_store_kind { SU_STORE_CODE = 1, SU_STORE_SET = 2, SU_STORE_TEXT = 3 } su_store_kind;

typedef struct su_layout_field {
    const char *name;
    su_store_kind kind;
    uint32_t code_count;
    const char **codes;
} su_layout_field;
typedef struct su_layout {
    const char *schema;
    bool synthetic;
    uint32_t field_count;
    su_layout_field *fields;
} su_layout;

su_store_kind su_store_kind_of(su_type type);
/* Words of a set, as su_case_table_provide makes them: at least one. */
static inline uint32_t su_store_words(uint32_t code_count) { return code_count ? (code_count + 63) / 64 : 1; }

/* Layout of the provided columns of `t`, borrowing its schema's strings; columns[i] is the schema field of layout field i. */
void su_layout_of(const su_case_table *t, su_arena *arena, su_layout *out, uint32_t **columns);
void su_layout_encode(const su_layout *layout, su_buf *out);
/* Any bytes: false when they are no layout; *newer tells a version this program does not know. Copies into arena, at most a few times n
 * bytes. */
bool su_layout_decode(su_arena *arena, const uint8_t *p, size_t n, su_layout *out, bool *newer);

/* Length of a record after padding: a multiple of 128 bytes, from 2 KiB on of an eighth of the power of two below (at most 12.5 % more). */
size_t su_record_padded(size_t n);

typedef struct su_scratch {
    uint8_t *p;
    size_t n, capacity;
} su_scratch; /* plaintext: wiped when it grows and when it goes */
void su_scratch_need(su_scratch *s, size_t n);
void su_scratch_free(su_scratch *s);

/* Encodes one row with its padding. Refuses a row above SU_RECORD_MAX and a cell outside its codelist. */
su_status su_record_encode(su_context *ctx, const su_case_table *t, const su_layout *layout, const uint32_t *columns, uint64_t row,
                           su_scratch *out);

/* cell: code, or reason of an empty set */
typedef struct su_record_value {
    su_cell cell;
    const uint8_t *set;
    su_str text;
} su_record_value;
/* Any bytes: false when they are no record of this layout. Borrows p; values has layout->field_count places. */
bool su_record_decode(const su_layout *layout, const uint8_t *p, size_t n, su_str *id, su_record_value *values, bool *newer);

#endif
