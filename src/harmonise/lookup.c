#include "lookup.h"

#include <math.h>
#include <string.h>

#include "pattern.h"

bool type_is_text(su_type t) { return t == SU_TYPE_INTEGER || t == SU_TYPE_DATE || t == SU_TYPE_TEXT; }

void lookup_init(lookup *l, const su_schema *schema, const su_field *field)
{
    *l = (lookup) { .field = field };
    su_arena_init(&l->arena);
    for (uint32_t i = 0; i < schema->codelist_count; i++)
        if (strcmp(schema->codelists[i]->id, "flag") == 0) l->flags = schema->codelists[i];
    l->missing = su_arena_array(&l->arena, field->missing_count, sizeof *l->missing);
    for (uint32_t i = 0; i < field->missing_count; i++) l->missing[i] = su_text_fold(&l->arena, su_str_of(field->missing[i].value));
    char why[200];
    if (field->pattern != NULL) l->has_pattern = pattern_compile(field->pattern, &l->pattern, why, sizeof why);
}

void lookup_free(lookup *l)
{
    if (l->has_pattern) regfree(&l->pattern);
    l->has_pattern = false;
    su_arena_free(&l->arena);
}

static looked find_missing(const lookup *l, su_str key, su_cell *out)
{
    for (uint32_t i = 0; i < l->field->missing_count; i++) {
        if (su_str_equal(l->missing[i], key)) {
            *out = l->field->missing[i].reason;
            return LOOKED_REASON;
        }
    }
    return LOOKED_NOTHING;
}

looked lookup_missing(const lookup *l, cell_text cell, su_cell *out)
{
    char buf[32];
    su_str whole;
    bool exact = l->field->codelist != NULL && l->field->codelist->exact;
    if (exact ? cell.raw.n == 0 : cell.key.n == 0) {
        *out = SU_CELL_NOT_RECORDED;
        return LOOKED_REASON;
    }
    if (exact) return LOOKED_NOTHING;
    looked found = find_missing(l, cell.key, out);
    if (found == LOOKED_NOTHING && integer_form(cell.text, buf, &whole)) found = find_missing(l, whole, out);
    return found;
}

static uint16_t find_code(const su_codelist *list, cell_text cell)
{
    char buf[32];
    su_str whole;
    if (list == NULL) return 0;
    if (list->exact) return su_codelist_find(list, cell.raw);
    uint16_t value = su_codelist_find(list, cell.key);
    if (value == 0 && integer_form(cell.text, buf, &whole)) value = su_codelist_find(list, whole);
    return value;
}

/* 1 yes, 0 no, -1 neither. */
static int say_flag(const su_codelist *flags, cell_text cell)
{
    uint16_t value = find_code(flags, cell);
    if (value == 0) return -1;
    return strcmp(flags->codes[value - 1].code, "0") != 0;
}

looked lookup_code(const lookup *l, cell_text cell, su_cell *out)
{
    looked found = lookup_missing(l, cell, out);
    if (found != LOOKED_NOTHING) return found;
    uint16_t value = find_code(l->field->codelist, cell);
    if (value != 0) {
        *out = value;
        return LOOKED_VALUE;
    }
    if (l->field->type == SU_TYPE_FLAG && say_flag(l->flags, cell) == 0) {
        *out = l->field->negative != 0 ? l->field->negative : SU_CELL_NEGATIVE;
        return l->field->negative != 0 ? LOOKED_VALUE : LOOKED_REASON;
    }
    return LOOKED_NOTHING;
}

looked lookup_band(const lookup *l, cell_text cell, su_cell *out)
{
    int64_t n = 0;
    double x = 0;
    looked found = lookup_missing(l, cell, out);
    if (found != LOOKED_NOTHING) return found;
    bool number = integer_parse(cell.text, &n);
    if (!number && decimal_parse(cell.text, &x) && fabs(x) < 1e15) {
        n = (int64_t)floor(x);
        number = true;
    }
    uint16_t value = number ? su_codelist_band(l->field->codelist, n) : 0;
    if (value == 0) return lookup_code(l, cell, out);
    *out = value;
    return LOOKED_VALUE;
}

looked lookup_year(const lookup *l, cell_text cell, date_order order, su_cell *out)
{
    int year = 0;
    looked found = lookup_missing(l, cell, out);
    if (found != LOOKED_NOTHING) return found;
    if (!year_parse(cell.text, order, &year)) return lookup_code(l, cell, out);
    char text[16];
    snprintf(text, sizeof text, "%d", year);
    *out = su_codelist_find(l->field->codelist, su_str_of(text));
    return *out != 0 ? LOOKED_VALUE : LOOKED_NOTHING;
}

looked lookup_yes(const lookup *l, cell_text cell, su_cell *out)
{
    looked found = lookup_missing(l, cell, out);
    if (found != LOOKED_NOTHING) return found;
    int said = say_flag(l->flags, cell);
    *out = said == 1 ? 1 : SU_CELL_NEGATIVE;
    return said == 1 ? LOOKED_VALUE : said == 0 ? LOOKED_REASON : LOOKED_NOTHING;
}

static bool in_range(const su_field *f, int64_t n) { return (!f->has_min || n >= f->min) && (!f->has_max || n <= f->max); }

static bool matches(const lookup *l, su_str text)
{
    su_buf copy = { 0 };
    su_buf_add(&copy, text.p, text.n);
    bool ok = memchr(text.p, '\0', text.n) == NULL && regexec(&l->pattern, copy.p, 0, NULL, 0) == 0;
    su_wipe(copy.p, copy.n);
    su_buf_free(&copy);
    return ok;
}

looked lookup_text(const lookup *l, cell_text cell, date_order order, su_buf *canonical, su_cell *reason)
{
    int64_t n = 0;
    civil_date d;
    looked found = lookup_missing(l, cell, reason);
    if (found != LOOKED_NOTHING) return found;
    switch (l->field->type) {
    case SU_TYPE_INTEGER:
        if (!integer_parse(cell.text, &n) || !in_range(l->field, n)) return LOOKED_NOTHING;
        su_buf_printf(canonical, "%lld", (long long)n);
        return LOOKED_VALUE;
    case SU_TYPE_DATE:
        if (!date_parse(cell.text, order, &d)) return LOOKED_NOTHING;
        su_buf_printf(canonical, "%04d-%02d-%02d", d.year, d.month, d.day);
        return LOOKED_VALUE;
    default:
        break;
    }
    su_str text = su_str_trim(cell.text);
    if (l->has_pattern && !matches(l, text)) return LOOKED_NOTHING;
    su_buf_add(canonical, text.p, text.n);
    return LOOKED_VALUE;
}
