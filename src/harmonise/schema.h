/* schema: reading schema.json (docs/formats.md). Split in two: the file as a whole (schema_load.c) and one field (schema_field.c). */
#ifndef SUHA_HARMONISE_SCHEMA_H
#define SUHA_HARMONISE_SCHEMA_H

#include <jansson.h>

#include <suha/harmonise.h>

typedef struct schema_reader {
    su_context *ctx;
    const char *name; /* of the instrument: its folder */
    const char *path; /* "<name>/schema.json", for messages */
    su_resource_fn resource;
    void *arg;
    su_schema *schema;       /* being filled */
    json_t *missing_default; /* the schema's own missingValues; borrowed, may be NULL */
    su_buf identity;         /* what the fingerprint is made of */
} schema_reader;

/* An optional text member of a JSON object, copied into the schema's arena; *out stays as it is when there is none. `where` names the
 * object. */
su_status schema_text(schema_reader *r, const char *where, json_t *object, const char *key, const char **out) SU_MUST_CHECK;
/* The codelist of this id, from the instrument's folder or the shared one, read once. */
su_status schema_codelist(schema_reader *r, const char *where, const char *id, const su_codelist **out) SU_MUST_CHECK;
/* The list first..last of a year field. */
const su_codelist *schema_years(schema_reader *r, int first, int last);
/* Fills schema->fields[index] from a JSON object. */
su_status schema_field_read(schema_reader *r, uint32_t index, json_t *object) SU_MUST_CHECK;
/* Fills schema->rules from the root object, after all fields were read. */
su_status schema_rules_read(schema_reader *r, json_t *root) SU_MUST_CHECK;

#endif
