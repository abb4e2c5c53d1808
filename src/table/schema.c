/* Schema: names of types, roles and reasons, and finding a field. Schemas are read from JSON by harmonise. */
#include <suha/table.h>

#include <stdlib.h>

#define REASONS(X)                                                                                                                         \
    X(SU_CELL_NOT_RECORDED, "not recorded")                                                                                                \
    X(SU_CELL_UNKNOWN, "unknown")                                                                                                          \
    X(SU_CELL_REFUSED, "refused")                                                                                                          \
    X(SU_CELL_NOT_APPLICABLE, "not applicable")                                                                                            \
    X(SU_CELL_SUPPRESSED, "suppressed")                                                                                                    \
    X(SU_CELL_NEGATIVE, "negative")

#define TYPES(X)                                                                                                                           \
    X(SU_TYPE_CODE, "code")                                                                                                                \
    X(SU_TYPE_CODE_SET, "code-set")                                                                                                        \
    X(SU_TYPE_FLAG, "flag")                                                                                                                \
    X(SU_TYPE_YEAR, "year")                                                                                                                \
    X(SU_TYPE_INTEGER, "integer")                                                                                                          \
    X(SU_TYPE_DATE, "date")                                                                                                                \
    X(SU_TYPE_TEXT, "text")

#define ROLES(X)                                                                                                                           \
    X(SU_ROLE_IDENTIFIER, "identifier")                                                                                                    \
    X(SU_ROLE_QUASI_IDENTIFIER, "quasi-identifier")                                                                                        \
    X(SU_ROLE_SENSITIVE, "sensitive")                                                                                                      \
    X(SU_ROLE_ATTRIBUTE, "attribute")

#define NAME_CASE(value, name)                                                                                                             \
    case value:                                                                                                                            \
        return name;

const char *su_cell_reason(su_cell c)
{
    if (su_cell_is_value(c)) return NULL;
    switch (c) {
        REASONS(NAME_CASE)
    default:
        return "not recorded";
    }
}

const char *su_type_name(su_type t)
{
    switch (t) {
        TYPES(NAME_CASE)
    }
    return "unknown type";
}

const char *su_role_name(su_role r)
{
    switch (r) {
        ROLES(NAME_CASE)
    }
    return "unknown role";
}

bool su_cell_reason_parse(su_str label, su_cell *out)
{
    static const struct {
        su_cell cell;
        const char *label;
    } reasons[] = {
#define REASON_ROW(cell, name) { cell, name },
        REASONS(REASON_ROW)
#undef REASON_ROW
    };
    su_arena scratch;
    su_arena_init(&scratch);
    su_str folded = su_text_fold(&scratch, label);
    char *spaced = su_arena_strndup(&scratch, folded.p, folded.n);
    for (size_t i = 0; i < folded.n; i++)
        if (spaced[i] == '-') spaced[i] = ' ';
    bool found = false;
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0] && !found; i++) {
        found = su_str_equal((su_str) { spaced, folded.n }, su_str_of(reasons[i].label));
        if (found) *out = reasons[i].cell;
    }
    su_arena_free(&scratch);
    return found;
}

static bool folds_to(su_arena *scratch, const char *name, su_str folded)
{
    return su_str_equal(su_text_fold(scratch, su_str_of(name)), folded);
}

int su_schema_field(const su_schema *schema, su_str name)
{
    for (uint32_t i = 0; i < schema->field_count; i++)
        if (su_str_equal(su_str_of(schema->fields[i].name), name)) return (int)i;
    su_arena scratch;
    su_arena_init(&scratch);
    su_str folded = su_text_fold(&scratch, name);
    int found = -1;
    for (uint32_t i = 0; i < schema->field_count && found < 0; i++)
        if (folds_to(&scratch, schema->fields[i].name, folded)) found = (int)i;
    for (uint32_t i = 0; i < schema->field_count && found < 0; i++)
        for (uint32_t a = 0; a < schema->fields[i].alias_count && found < 0; a++)
            if (folds_to(&scratch, schema->fields[i].aliases[a], folded)) found = (int)i;
    su_arena_free(&scratch);
    return found;
}

void su_schema_free(su_schema *schema)
{
    if (schema == NULL) return;
    for (uint32_t i = 0; i < schema->codelist_count; i++) su_codelist_free(schema->codelists[i]);
    su_arena_free(&schema->arena);
    free(schema);
}
