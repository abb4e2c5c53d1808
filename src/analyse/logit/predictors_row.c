/* Rows of the model matrix, also with variables set to a value. */
#include "logit/predictors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

su_sparse su_sparse_new(const su_predictors *d)
{
    return (su_sparse) { 0, su_alloc_array(d->term_count + 1, sizeof(uint32_t)), su_alloc_array(d->term_count + 1, sizeof(double)) };
}

void su_sparse_free(su_sparse *s)
{
    free(s->column);
    free(s->value);
    *s = (su_sparse) { 0 };
}

static inline uint32_t position_at(const su_predictors_atom *a, uint32_t row, const su_setting *set)
{
    return set && set->set ? set->position : a->position[su_frame_level(a->variable, row)];
}

static inline double number_at(const su_predictors_atom *a, uint32_t row, const su_setting *set)
{
    return set && set->set ? set->number : a->number[a->variable->ids ? a->variable->ids[row] : row];
}

/* False when the row has nothing in this term: a reference category. */
static inline bool entry(const su_predictors *d, const su_predictors_term *t, uint32_t row, const su_setting *settings, uint32_t *column,
                         double *value)
{
    uint32_t at = t->first;
    double x = 1;
    for (uint32_t k = 0; k < t->part_count; k++) {
        const su_predictors_part *part = &t->parts[k];
        const su_predictors_atom *a = &d->atoms[part->atom];
        const su_setting *set = settings ? &settings[part->atom] : NULL;
        if (!a->factor) {
            x *= number_at(a, row, set);
            continue;
        }
        uint32_t position = position_at(a, row, set);
        if (!part->full) {
            if (position == a->reference) return false;
            position -= position > a->reference;
        }
        at += (position - 1) * part->stride;
    }
    *column = at;
    *value = x;
    return true;
}

static inline uint32_t index_of(const su_variable *v, uint32_t row) { return v->ids ? v->ids[row] : row; }

static inline double fixed_value(const su_predictors *d, const su_predictors_term *t, uint32_t row)
{
    double x = 1;
    for (uint32_t k = 0; k < t->part_count; k++) {
        const su_predictors_atom *a = &d->atoms[t->parts[k].atom];
        x *= a->number[index_of(a->variable, row)];
    }
    return x;
}

/* entry() for a row as it stands. */
static inline bool plain_entry(const su_predictors *d, const su_predictors_term *t, uint32_t row, uint32_t *column, double *value)
{
    if (t->column_of) {
        const su_variable *v = d->atoms[t->parts[0].atom].variable;
        *column = t->column_of[v->level[index_of(v, row)]];
        *value = 1;
        return *column != UINT32_MAX;
    }
    if (t->fixed) {
        *column = t->first;
        *value = fixed_value(d, t, row);
        return true;
    }
    return entry(d, t, row, NULL, column, value);
}

void su_predictors_row(const su_predictors *d, uint32_t row, const su_setting *settings, su_sparse *out)
{
    uint32_t n = 0;
    if (settings)
        for (uint32_t t = 0; t < d->term_count; t++) n += entry(d, &d->terms[t], row, settings, &out->column[n], &out->value[n]);
    else
        for (uint32_t t = 0; t < d->term_count; t++) n += plain_entry(d, &d->terms[t], row, &out->column[n], &out->value[n]);
    out->n = n;
}

double su_predictors_value(const su_predictors *d, uint32_t row, uint32_t column)
{
    uint32_t at;
    double value;
    return plain_entry(d, &d->terms[d->term_of[column]], row, &at, &value) && at == column ? value : 0;
}

void su_predictors_split(const su_predictors *d, uint32_t row, double *fixed, su_sparse *rest)
{
    uint32_t n = 0, f = 0;
    for (uint32_t t = 0; t < d->term_count; t++) {
        const su_predictors_term *term = &d->terms[t];
        if (!term->fixed) {
            n += plain_entry(d, term, row, &rest->column[n], &rest->value[n]);
            continue;
        }
        fixed[f++] = fixed_value(d, term, row);
    }
    rest->n = n;
}

static double above(double x) { return x > 0 ? x : 0; }

double su_spline(const double *t, unsigned of, unsigned power, double x)
{
    if (power == 1) return x;
    double own = t[power - 2], last = t[of], before = t[of - 1], scale = (last - t[0]) * (last - t[0]);
    double a = above(x - own), b = above(x - before), c = above(x - last);
    return (a * a * a - b * b * b * (last - own) / (last - before) + c * c * c * (before - own) / (last - before)) / scale;
}

double su_spline_slope(const double *t, unsigned of, unsigned power, double x)
{
    if (power == 1) return 1;
    double own = t[power - 2], last = t[of], before = t[of - 1], scale = (last - t[0]) * (last - t[0]);
    double a = above(x - own), b = above(x - before), c = above(x - last);
    return 3 * (a * a - b * b * (last - own) / (last - before) + c * c * (before - own) / (last - before)) / scale;
}

/* d/dx of the transformed number. */
static double slope_of(const su_predictors_atom *a, uint32_t row, const su_setting *set)
{
    double x = set && set->set ? set->raw : su_frame_number(a->variable, row);
    switch (a->transform) {
    case SU_TRANSFORM_POWER:
        return a->power * pow(x, a->power - 1);
    case SU_TRANSFORM_LOG:
        return 1 / x;
    case SU_TRANSFORM_SQRT:
        return 0.5 / sqrt(x);
    case SU_TRANSFORM_SPLINE:
        return su_spline_slope(a->knots, a->of, a->power, x);
    default:
        return 1;
    }
}

/* Product rule over the parts of the term that are this number. */
static double term_slope(const su_predictors *d, const su_predictors_term *t, uint32_t row, const su_setting *settings,
                         const su_variable *v)
{
    double sum = 0;
    for (uint32_t k = 0; k < t->part_count; k++) {
        const su_predictors_atom *a = &d->atoms[t->parts[k].atom];
        if (a->factor || a->variable != v) continue;
        double x = slope_of(a, row, settings ? &settings[t->parts[k].atom] : NULL);
        for (uint32_t m = 0; m < t->part_count; m++) {
            uint32_t atom = t->parts[m].atom;
            if (m != k && !d->atoms[atom].factor) x *= number_at(&d->atoms[atom], row, settings ? &settings[atom] : NULL);
        }
        sum += x;
    }
    return sum;
}

void su_predictors_slope(const su_predictors *d, uint32_t row, const su_setting *settings, const su_variable *variable, su_sparse *out)
{
    out->n = 0;
    for (uint32_t t = 0; t < d->term_count; t++) {
        double unused, slope = term_slope(d, &d->terms[t], row, settings, variable);
        if (slope == 0 || !entry(d, &d->terms[t], row, settings, &out->column[out->n], &unused)) continue;
        out->value[out->n++] = slope;
    }
}

double su_predictors_offset(const su_predictors *d, uint32_t row, const su_setting *settings)
{
    double sum = 0;
    for (uint32_t i = 0; i < d->formula->offset_count; i++) {
        uint32_t atom = d->formula->offsets[i];
        sum += number_at(&d->atoms[atom], row, settings ? &settings[atom] : NULL);
    }
    return sum;
}

su_setting *su_settings_new(const su_predictors *d) { return su_alloc_array(d->formula->atom_count + 1, sizeof(su_setting)); }

void su_settings_clear(const su_predictors *d, su_setting *settings) { memset(settings, 0, d->formula->atom_count * sizeof *settings); }

void su_settings_level(const su_predictors *d, uint32_t atom, uint32_t position, su_setting *settings)
{
    for (uint32_t i = 0; i < d->formula->atom_count; i++)
        if (d->atoms[i].variable == d->atoms[atom].variable) settings[i] = (su_setting) { .set = true, .position = position };
}

static double transformed(const su_predictors_atom *a, double x)
{
    switch (a->transform) {
    case SU_TRANSFORM_POWER:
        return pow(x, a->power);
    case SU_TRANSFORM_LOG:
        return log(x);
    case SU_TRANSFORM_SQRT:
        return sqrt(x);
    case SU_TRANSFORM_SPLINE:
        return su_spline(a->knots, a->of, a->power, x);
    default:
        return x;
    }
}

static su_status put_number(su_context *ctx, const su_predictors_atom *a, su_str value, su_setting *setting)
{
    double x;
    if (!su_parse_f64(value, &x))
        return su_fail(ctx, SU_INPUT, "%s is a number in this model, and '%.*s' is none.", a->variable->name, (int)value.n, value.p);
    *setting = (su_setting) { .set = true, .raw = x, .number = transformed(a, x) };
    if (!isfinite(setting->number)) return su_fail(ctx, SU_INPUT, "%s cannot be taken at %s=%g.", a->name, a->variable->name, x);
    return SU_OK;
}

static su_status put_level(su_context *ctx, const su_predictors_atom *a, su_str value, su_setting *setting)
{
    const char *near = NULL;
    size_t least = value.n / 3 + 2;
    for (uint32_t i = 0; i < a->level_count; i++) {
        if (su_str_equal(su_str_of(a->names[i]), value)) {
            *setting = (su_setting) { .set = true, .position = i + 1 };
            return SU_OK;
        }
        size_t distance = su_text_distance(su_str_of(a->names[i]), value, least);
        if (distance < least) {
            least = distance;
            near = a->names[i];
        }
    }
    return su_fail(ctx, SU_INPUT, "No row used has the category '%.*s' of %s%s%s%s.", (int)value.n, value.p, a->variable->name,
                   near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

su_status su_settings_put(su_context *ctx, const su_predictors *d, su_str variable, su_str value, su_setting *settings)
{
    bool found = false;
    for (uint32_t i = 0; i < d->formula->atom_count; i++) {
        const su_predictors_atom *a = &d->atoms[i];
        if (!su_str_equal(su_str_of(a->variable->name), variable)) continue;
        found = true;
        su_status s = a->factor ? put_level(ctx, a, value, &settings[i]) : put_number(ctx, a, value, &settings[i]);
        if (s != SU_OK) return s;
    }
    if (found) return SU_OK;
    return su_fail(ctx, SU_INPUT,
                   "'%.*s' is not a variable of this model. A prediction is for a profile, a set of values of the model's variables, never "
                   "for a person.",
                   (int)variable.n, variable.p);
}
