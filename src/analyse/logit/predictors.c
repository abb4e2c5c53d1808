#include "logit/predictors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint64_t entries_of(const su_frame *f, const su_variable *v)
{
    if (!v->ids) return f->rows;
    uint64_t n = 0;
    for (uint64_t r = 0; r < f->rows; r++)
        if (v->ids[r] >= n) n = (uint64_t)v->ids[r] + 1;
    return n;
}

static su_status bad_number(su_context *ctx, const su_predictors *d, const su_atom *a, const su_variable *v, double x)
{
    return su_formula_fail(ctx, SU_INPUT, d->formula->text, a->at,
                           "%s of %s cannot be taken: it has the value %g. Leave such rows out, or use another form.",
                           a->transform == SU_TRANSFORM_LOG ? "the logarithm" : "the square root", v->name, x);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* The outer ones at the ends, the others at equal shares of the values that are there (quantiles of type 7), as R's ns has them. */
static su_status find_knots(su_context *ctx, su_predictors *d, const su_atom *a, su_predictors_atom *b)
{
    const su_variable *v = b->variable;
    double *x = su_alloc_array(d->frame->rows + 1, sizeof *x), *knots = su_arena_array(&d->arena, (size_t)a->of + 1, sizeof *knots);
    uint64_t n = 0;
    bool apart = true;
    for (uint64_t r = 0; r < d->frame->rows; r++)
        if (!isnan(su_frame_number(v, r))) x[n++] = su_frame_number(v, r);
    qsort(x, n, sizeof *x, by_size);
    for (unsigned i = 0; i <= a->of && n; i++) {
        double at = (double)(n - 1) * i / a->of;
        uint64_t low = (uint64_t)at;
        knots[i] = x[low] + (low + 1 < n ? (at - (double)low) * (x[low + 1] - x[low]) : 0);
        apart &= i == 0 || knots[i] > knots[i - 1];
    }
    free(x);
    b->knots = knots;
    b->of = a->of;
    if (a->of >= 2 && apart && n) return SU_OK;
    return su_formula_fail(ctx, SU_INPUT, d->formula->text, a->at,
                           a->of < 2 ? "a spline has from 2 to 9 columns." : "%s has too few different values for a spline of %u columns.",
                           v->name, a->of);
}

static su_status transform(su_context *ctx, su_predictors *d, const su_atom *a, su_predictors_atom *b)
{
    const su_variable *v = b->variable;
    b->number = v->number;
    if (a->transform == SU_TRANSFORM_NONE) return SU_OK;
    su_status st = a->transform == SU_TRANSFORM_SPLINE ? find_knots(ctx, d, a, b) : SU_OK;
    if (st) return st;
    uint64_t n = entries_of(d->frame, v);
    double *out = su_arena_array(&d->arena, n ? n : 1, sizeof *out);
    for (uint64_t i = 0; i < n; i++) {
        double x = v->number[i];
        bool log_bad = a->transform == SU_TRANSFORM_LOG && x <= 0, root_bad = a->transform == SU_TRANSFORM_SQRT && x < 0;
        if (log_bad || root_bad) return bad_number(ctx, d, a, v, x);
        if (a->transform == SU_TRANSFORM_LOG)
            out[i] = log(x);
        else if (a->transform == SU_TRANSFORM_SQRT)
            out[i] = sqrt(x);
        else if (a->transform == SU_TRANSFORM_SPLINE)
            out[i] = su_spline(b->knots, b->of, b->power, x);
        else
            out[i] = pow(x, a->power);
        if (!isfinite(out[i]) && !isnan(x))
            return su_formula_fail(ctx, SU_INPUT, d->formula->text, a->at,
                                   "%s is too large a number where %s is %g. Divide %s by a round number first.",
                                   su_formula_atom_name(&d->arena, a), v->name, x, v->name);
    }
    b->number = out;
    return SU_OK;
}

static su_status find(su_context *ctx, const su_predictors *d, const char *name, size_t at, const su_variable **out)
{
    su_context inner;
    su_context_init(&inner);
    su_status s = su_frame_find(&inner, d->frame, su_str_of(name), out);
    if (s != SU_OK) return su_formula_fail(ctx, s, d->formula->text, at, "%s", inner.message);
    return SU_OK;
}

static su_status bind_atom(su_context *ctx, su_predictors *d, uint32_t i)
{
    const su_atom *a = &d->formula->atoms[i];
    su_predictors_atom *b = &d->atoms[i];
    su_status s = find(ctx, d, a->name, a->at, &b->variable);
    if (s != SU_OK) return s;
    b->name = su_formula_atom_name(&d->arena, a);
    b->transform = a->transform;
    b->power = a->power;
    if (a->transform == SU_TRANSFORM_FACTOR) {
        if ((s = su_frame_as_factor(ctx, d->frame, b->variable, &b->variable)) != SU_OK) return s;
    } else if (a->transform != SU_TRANSFORM_NONE && b->variable->kind == SU_VARIABLE_FACTOR) {
        return su_formula_fail(ctx, SU_INPUT, d->formula->text, a->at, "%s has categories (such as '%s'), not numbers.", a->name,
                               b->variable->level_count ? b->variable->levels[0] : "");
    }
    b->factor = b->variable->kind == SU_VARIABLE_FACTOR;
    return b->factor ? SU_OK : transform(ctx, d, a, b);
}

static bool is_missing(const su_variable *v, uint64_t row)
{
    return v->kind == SU_VARIABLE_FACTOR ? su_frame_level(v, row) == 0 : isnan(su_frame_number(v, row));
}

/* Rows without v leave the list; why they do is counted. */
static void drop_missing(su_predictors *d, const su_variable *v, bool *keep)
{
    enum { REASONS = 6 };
    uint64_t counts[REASONS] = { 0 };
    static const su_cell cells[REASONS] = { SU_CELL_NOT_RECORDED,   SU_CELL_UNKNOWN,    SU_CELL_REFUSED,
                                            SU_CELL_NOT_APPLICABLE, SU_CELL_SUPPRESSED, SU_CELL_NEGATIVE };
    for (uint64_t r = 0; r < d->frame->rows; r++) {
        if (!is_missing(v, r)) continue;
        keep[r] = false;
        su_cell reason = v->reason ? v->reason[v->ids ? v->ids[r] : r] : SU_CELL_NOT_RECORDED;
        int which = 0;
        for (int i = 0; i < REASONS; i++)
            if (cells[i] == reason) which = i;
        counts[which]++;
    }
    for (int i = 0; i < REASONS; i++)
        if (counts[i]) d->missing[d->missing_count++] = (su_predictors_missing) { v->name, su_cell_reason(cells[i]), counts[i] };
}

static su_status complete_rows(su_context *ctx, su_predictors *d, const su_predictors_options *o, const su_variable *outcome)
{
    uint64_t n = d->frame->rows;
    if (n >= UINT32_MAX) return su_fail(ctx, SU_REFUSED, "More than 4 billion rows; take a part of them.");
    bool *keep = su_alloc_array(n ? n : 1, sizeof *keep);
    memset(keep, 1, n);
    d->missing = su_arena_array(&d->arena, 6 * (d->formula->atom_count + o->needed_count + 1), sizeof *d->missing);
    drop_missing(d, outcome, keep);
    for (uint32_t a = 0; a < d->formula->atom_count; a++) {
        bool before = d->atoms[a].variable == outcome;
        for (uint32_t b = 0; b < a; b++) before |= d->atoms[b].variable == d->atoms[a].variable;
        if (!before) drop_missing(d, d->atoms[a].variable, keep);
    }
    for (size_t i = 0; i < o->needed_count; i++) {
        bool before = o->needed[i] == outcome;
        for (uint32_t a = 0; a < d->formula->atom_count; a++) before |= d->atoms[a].variable == o->needed[i];
        for (size_t b = 0; b < i; b++) before |= o->needed[b] == o->needed[i];
        if (!before) drop_missing(d, o->needed[i], keep);
    }
    for (uint64_t r = 0; r < n; r++) d->row_count += keep[r];
    d->rows = su_arena_array(&d->arena, d->row_count ? d->row_count : 1, sizeof *d->rows);
    uint64_t at = 0;
    for (uint64_t r = 0; r < n; r++)
        if (keep[r]) d->rows[at++] = (uint32_t)r;
    free(keep);
    if (d->row_count == 0)
        return su_fail(
            ctx, SU_INPUT,
            "No row has a value for every variable of the model (%llu rows in the file). Leave out variables that are mostly missing.",
            (unsigned long long)n);
    return SU_OK;
}

static su_status outcome_levels(su_context *ctx, su_predictors *d, const su_predictors_options *o, const su_variable *v)
{
    const su_formula *f = d->formula;
    uint64_t *seen = su_arena_array(&d->arena, (size_t)v->level_count + 1, sizeof *seen);
    uint32_t kinds = 0, event = 0, first = 0, last = 0;
    for (uint64_t i = 0; i < d->row_count; i++) seen[su_frame_level(v, d->rows[i])]++;
    for (uint32_t l = 1; l <= v->level_count; l++) {
        if (!seen[l]) continue;
        if (!first) first = l;
        last = l;
        kinds++;
        if (o->event && strcmp(v->levels[l - 1], o->event) == 0) event = l;
    }
    if (o->event && !event)
        return su_formula_fail(ctx, SU_INPUT, f->text, f->outcome_at, "no row used has the outcome category '%s'.", o->event);
    if (kinds < 2)
        return su_formula_fail(ctx, SU_INPUT, f->text, f->outcome_at,
                               "the outcome is constant: all %llu rows used are '%s'. There is nothing to explain.",
                               (unsigned long long)d->row_count, first ? v->levels[first - 1] : "");
    if (!event && kinds > 2)
        return su_formula_fail(ctx, SU_INPUT, f->text, f->outcome_at,
                               "the outcome has %u categories. Say which one counts as 1: --event CATEGORY.", kinds);
    double a, b; /* a flag whose codelist has 1 before 0 */
    bool numbers = su_parse_f64(su_str_of(v->levels[first - 1]), &a) && su_parse_f64(su_str_of(v->levels[last - 1]), &b);
    if (!event) event = numbers && a > b ? first : last;
    d->event = v->levels[event - 1];
    for (uint64_t i = 0; i < d->row_count; i++) d->y[i] = su_frame_level(v, d->rows[i]) == event;
    return SU_OK;
}

static su_status outcome(su_context *ctx, su_predictors *d, const su_predictors_options *o, const su_variable *v)
{
    const su_formula *f = d->formula;
    d->y = su_arena_array(&d->arena, d->row_count, sizeof *d->y);
    if (v->kind == SU_VARIABLE_FACTOR) return outcome_levels(ctx, d, o, v);
    double least = INFINITY, most = -INFINITY;
    bool binary = true;
    double other = 0;
    for (uint64_t i = 0; i < d->row_count; i++) {
        double y = d->y[i] = su_frame_number(v, d->rows[i]);
        least = fmin(least, y);
        most = fmax(most, y);
        if (y != 0 && y != 1 && binary) {
            binary = false;
            other = y;
        }
    }
    if (!binary && !o->any_number)
        return su_formula_fail(
            ctx, SU_INPUT, f->text, f->outcome_at,
            "the outcome must be 0 or 1, and it has the value %g. Name missing codes by --missing, or take --family poisson for counts.",
            other);
    if (least == most)
        return su_formula_fail(ctx, SU_INPUT, f->text, f->outcome_at,
                               "the outcome is constant: all %llu rows used are %g. There is nothing to explain.",
                               (unsigned long long)d->row_count, least);
    return SU_OK;
}

static const char *wanted_reference(const su_predictors *d, const su_predictors_options *o, uint32_t atom)
{
    const char *wanted = d->formula->atoms[atom].reference;
    for (size_t i = 0; i < o->reference_count; i++)
        if (strcmp(o->references[i].variable, d->atoms[atom].variable->name) == 0) wanted = o->references[i].level;
    return wanted;
}

static const char *nearest_name(const char *const *names, uint32_t n, const char *wanted)
{
    const char *best = NULL;
    size_t least = strlen(wanted) / 3 + 2;
    for (uint32_t i = 0; i < n; i++) {
        size_t distance = su_text_distance(su_str_of(names[i]), su_str_of(wanted), least);
        if (distance < least) {
            least = distance;
            best = names[i];
        }
    }
    return best;
}

static uint32_t position_of(const su_predictors_atom *a, const char *name)
{
    for (uint32_t i = 0; i < a->level_count; i++)
        if (strcmp(a->names[i], name) == 0) return i + 1;
    return 0;
}

static su_status never_seen(su_context *ctx, const su_predictors *d, const su_predictors_atom *a, size_t at, const char *level)
{
    const char *near = nearest_name(a->names, a->level_count, level);
    return su_formula_fail(ctx, SU_INPUT, d->formula->text, at, "no row used has the category '%s' of %s%s%s%s.", level, a->variable->name,
                           near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static su_status occurring_levels(su_context *ctx, su_predictors *d, const su_predictors_options *o, uint32_t i)
{
    su_predictors_atom *a = &d->atoms[i];
    const su_variable *v = a->variable;
    size_t at = d->formula->atoms[i].at;
    uint64_t *seen = su_arena_array(&d->arena, (size_t)v->level_count + 1, sizeof *seen);
    for (uint64_t r = 0; r < d->row_count; r++) seen[su_frame_level(v, d->rows[r])]++;
    a->position = su_arena_array(&d->arena, (size_t)v->level_count + 1, sizeof *a->position);
    a->names = su_arena_array(&d->arena, (size_t)v->level_count + 1, sizeof *a->names);
    a->rows = su_arena_array(&d->arena, (size_t)v->level_count + 1, sizeof *a->rows);
    for (uint32_t l = 1; l <= v->level_count; l++) {
        if (!seen[l]) continue;
        a->names[a->level_count] = v->levels[l - 1];
        a->rows[a->level_count] = seen[l];
        a->position[l] = ++a->level_count;
    }
    if (a->level_count == 1)
        return su_formula_fail(ctx, SU_INPUT, d->formula->text, at,
                               "%s has one category only in the rows used, '%s'. Leave it out of the model.", v->name, a->names[0]);
    if (a->level_count > SU_PREDICTORS_COLUMNS)
        return su_formula_fail(
            ctx, SU_REFUSED, d->formula->text, at,
            "%s has %u categories; a model takes at most %d columns. Group them, or make it the --random or --cluster variable.", v->name,
            a->level_count, SU_PREDICTORS_COLUMNS);
    a->reference = 1;
    const char *wanted = wanted_reference(d, o, i);
    if (wanted && !(a->reference = position_of(a, wanted))) return never_seen(ctx, d, a, at, wanted);
    return SU_OK;
}

static bool in_model(const su_formula *f, uint64_t term)
{
    for (uint32_t i = 0; i < f->term_count; i++)
        if (f->terms[i] == term) return true;
    return false;
}

static const char *column_name(su_predictors *d, const su_predictors_term *t, uint32_t offset)
{
    if (t->mask == 0) return "(Intercept)";
    const char *out = "";
    for (uint32_t k = 0; k < t->part_count; k++) {
        const su_predictors_part *part = &t->parts[k];
        const su_predictors_atom *a = &d->atoms[part->atom];
        const char *colon = k ? ":" : "";
        if (!a->factor) {
            out = su_arena_printf(&d->arena, "%s%s%s", out, colon, a->name);
            continue;
        }
        uint32_t position = offset / part->stride % part->size + 1;
        if (!part->full && position >= a->reference) position++;
        out = su_arena_printf(&d->arena, "%s%s%s=%s", out, colon, a->name, a->names[position - 1]);
    }
    return out;
}

static su_status add_term(su_context *ctx, su_predictors *d, uint64_t mask, su_predictors_term *t)
{
    const su_formula *f = d->formula;
    *t = (su_predictors_term) { .mask = mask, .name = su_formula_term_name(&d->arena, f, mask), .first = d->columns, .columns = 1 };
    t->parts = su_arena_array(&d->arena, (size_t)__builtin_popcountll(mask) + 1, sizeof *t->parts);
    for (uint32_t a = 0; a < f->atom_count; a++) {
        if (!(mask >> a & 1)) continue;
        su_predictors_part *part = &t->parts[t->part_count++];
        bool full = d->atoms[a].factor && !in_model(f, mask & ~(1ull << a));
        *part = (su_predictors_part) { a, full, 1, t->columns };
        if (d->atoms[a].factor) part->size = d->atoms[a].level_count - !full;
        if ((uint64_t)d->columns + (uint64_t)t->columns * part->size > SU_PREDICTORS_COLUMNS)
            return su_formula_fail(ctx, SU_REFUSED, f->text, f->atoms[a].at,
                                   "with %s the model has more than %d columns. Group categories or drop terms.", t->name,
                                   SU_PREDICTORS_COLUMNS);
        t->columns *= part->size;
    }
    d->columns += t->columns;
    return SU_OK;
}

/* Most terms are the constant, a number or a factor alone: their columns are looked up, not worked out. */
static void look_up(su_predictors *d, su_predictors_term *t)
{
    t->fixed = true;
    for (uint32_t k = 0; k < t->part_count; k++) t->fixed &= !d->atoms[t->parts[k].atom].factor;
    if (t->part_count != 1 || t->fixed) return;
    const su_predictors_atom *a = &d->atoms[t->parts[0].atom];
    uint32_t *column = su_arena_array(&d->arena, (size_t)a->variable->level_count + 1, sizeof *column);
    for (uint32_t l = 0; l <= a->variable->level_count; l++) {
        uint32_t position = a->position[l];
        bool none = position == 0 || (!t->parts[0].full && position == a->reference);
        column[l] = none ? UINT32_MAX : t->first + position - 1 - (!t->parts[0].full && position > a->reference);
    }
    t->column_of = column;
}

static su_status columns(su_context *ctx, su_predictors *d)
{
    const su_formula *f = d->formula;
    d->intercept = f->term_count && f->terms[0] == 0 ? 0 : -1;
    d->terms = su_arena_array(&d->arena, f->term_count ? f->term_count : 1, sizeof *d->terms);
    for (; d->term_count < f->term_count; d->term_count++) {
        su_status s = add_term(ctx, d, f->terms[d->term_count], &d->terms[d->term_count]);
        if (s != SU_OK) return s;
    }
    d->fixed_term = su_arena_array(&d->arena, d->term_count + 1, sizeof *d->fixed_term);
    d->fixed_column = su_arena_array(&d->arena, d->term_count + 1, sizeof *d->fixed_column);
    for (uint32_t t = 0; t < d->term_count; t++) {
        look_up(d, &d->terms[t]);
        if (!d->terms[t].fixed) continue;
        d->fixed_column[d->fixed_count] = d->terms[t].first;
        d->fixed_term[d->fixed_count++] = t;
    }
    if (d->columns == 0) return su_fail(ctx, SU_USAGE, "The model is empty: no variable and no intercept.");
    d->names = su_arena_array(&d->arena, d->columns, sizeof *d->names);
    d->term_of = su_arena_array(&d->arena, d->columns, sizeof *d->term_of);
    for (uint32_t t = 0; t < d->term_count; t++)
        for (uint32_t c = 0; c < d->terms[t].columns; c++) {
            d->names[d->terms[t].first + c] = column_name(d, &d->terms[t], c);
            d->term_of[d->terms[t].first + c] = t;
        }
    return SU_OK;
}

static su_status check_references(su_context *ctx, const su_predictors *d, const su_predictors_options *o)
{
    for (size_t i = 0; i < o->reference_count; i++) {
        bool used = false;
        for (uint32_t a = 0; a < d->formula->atom_count; a++)
            used |= d->atoms[a].factor && strcmp(d->atoms[a].variable->name, o->references[i].variable) == 0;
        if (!used)
            return su_fail(
                ctx, SU_INPUT,
                "The reference %s=%s is for a variable with categories that the model does not have. A number becomes one by factor(%s).",
                o->references[i].variable, o->references[i].level, o->references[i].variable);
    }
    return SU_OK;
}

su_status su_predictors_build(su_context *ctx, su_frame *f, const su_formula *formula, const su_predictors_options *o, su_predictors **out)
{
    *out = NULL;
    su_predictors *d = su_alloc(sizeof *d);
    su_arena_init(&d->arena);
    d->frame = f;
    d->formula = formula;
    d->atoms = su_arena_array(&d->arena, formula->atom_count + 1, sizeof *d->atoms);
    const su_variable *y = NULL;
    su_status s = find(ctx, d, formula->outcome, formula->outcome_at, &y);
    for (uint32_t i = 0; s == SU_OK && i < formula->atom_count; i++) s = bind_atom(ctx, d, i);
    for (uint32_t i = 0; s == SU_OK && i < formula->offset_count; i++)
        if (d->atoms[formula->offsets[i]].factor)
            s = su_formula_fail(ctx, SU_INPUT, formula->text, formula->atoms[formula->offsets[i]].at,
                                "an offset is a number, and this variable has categories.");
    if (s == SU_OK) s = check_references(ctx, d, o);
    if (s == SU_OK) s = complete_rows(ctx, d, o, y);
    if (s == SU_OK) s = outcome(ctx, d, o, y);
    for (uint32_t i = 0; s == SU_OK && i < formula->atom_count; i++)
        if (d->atoms[i].factor) s = occurring_levels(ctx, d, o, i);
    if (s == SU_OK) s = columns(ctx, d);
    if (s != SU_OK) {
        su_predictors_free(d);
        return s;
    }
    *out = d;
    return SU_OK;
}

void su_predictors_free(su_predictors *d)
{
    if (!d) return;
    su_arena_free(&d->arena);
    free(d);
}
