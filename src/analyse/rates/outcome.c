/* Outcomes, groups and domains as columns of numbers. */
#include "rates/outcome.h"
#include "rates/design.h"

#include <math.h>
#include <string.h>

double *su_outcome_numbers(su_frame *f, const su_variable *v)
{
    double *y = su_arena_array(&f->arena, (size_t)f->rows, sizeof *y);
    for (uint64_t r = 0; r < f->rows; r++) y[r] = su_frame_number(v, r);
    return y;
}

uint32_t *su_outcome_groups(su_frame *f, const su_variable *by, const uint32_t *within, uint64_t *missing)
{
    uint32_t *g = su_arena_array(&f->arena, (size_t)f->rows, sizeof *g);
    *missing = 0;
    for (uint64_t r = 0; r < f->rows; r++) {
        bool inside = !within || within[r];
        g[r] = !inside ? 0 : by ? su_frame_level(by, r) : 1;
        *missing += inside && !g[r];
    }
    return g;
}

static bool inside(const su_design *d, const uint32_t *within, uint64_t r) { return d->weight[r] > 0 && (!within || within[r]); }

static su_status no_values(su_context *ctx, const su_outcome *o)
{
    return su_fail(ctx, SU_INPUT, "column '%s' has no value in any row looked at; is it the right column, and --within right?",
                   o->variable->name);
}

static su_status read_number(su_context *ctx, su_frame *f, const su_design *d, const su_outcome *o, const uint32_t *within,
                             su_outcome_columns *out)
{
    bool binary = true, any = false;
    double wanted = 1;
    double *y = su_outcome_numbers(f, o->variable);
    if (o->value && !su_parse_f64(su_str_of(o->value), &wanted))
        return su_fail(ctx, SU_INPUT, "column '%s' holds numbers; '%s' is not one of its values", o->variable->name, o->value);
    for (uint64_t r = 0; r < f->rows; r++) {
        if (isnan(y[r])) {
            out->missing += inside(d, within, r);
            continue;
        }
        if (y[r] != 0 && y[r] != 1) binary = false;
        any |= inside(d, within, r);
    }
    if (!any) return no_values(ctx, o);
    bool found = !o->value;
    for (uint64_t r = 0; r < f->rows && o->value; r++) {
        found |= y[r] == wanted;
        if (!isnan(y[r])) y[r] = y[r] == wanted;
    }
    if (!found) return su_fail(ctx, SU_INPUT, "no row has '%s' in column '%s'", o->value, o->variable->name);
    out->share = binary || o->value;
    out->count = 1;
    out->values = su_arena_array(&f->arena, 1, sizeof *out->values);
    out->values[0] = o->value ? o->value : out->share ? "1" : "";
    out->estimands = su_arena_array(&f->arena, 1, sizeof *out->estimands);
    out->estimands[0] = (su_estimand) { .y = y };
    return SU_OK;
}

static su_status unknown_value(su_context *ctx, const su_outcome *o)
{
    su_buf known = { 0 };
    for (uint32_t i = 0; i < o->variable->level_count && i < 12; i++)
        su_buf_printf(&known, "%s'%s'", i ? ", " : "", o->variable->levels[i]);
    su_status st = su_fail(ctx, SU_INPUT, "no row has '%s' in column '%s'; its values are %s%s", o->value, o->variable->name,
                           known.n ? known.p : "none", o->variable->level_count > 12 ? ", ..." : "");
    su_buf_free(&known);
    return st;
}

static su_status read_factor(su_context *ctx, su_frame *f, const su_design *d, const su_outcome *o, const uint32_t *within,
                             su_outcome_columns *out)
{
    const su_variable *v = o->variable;
    uint32_t *level = su_arena_array(&f->arena, (size_t)f->rows, sizeof *level), only = 0;
    uint64_t values = 0;
    for (uint64_t r = 0; r < f->rows; r++) {
        level[r] = su_frame_level(v, r);
        if (inside(d, within, r)) *(level[r] ? &values : &out->missing) += 1;
    }
    if (!values) return no_values(ctx, o);
    for (uint32_t i = 0; i < v->level_count && o->value; i++)
        if (strcmp(v->levels[i], o->value) == 0) only = i + 1;
    if (o->value && !only) return unknown_value(ctx, o);
    out->share = true;
    out->count = o->value ? 1 : v->level_count;
    if (out->count > 1000 || (out->count > 50 && out->count > values / 2)) /* a case's own name has no place in a table */
        return su_fail(ctx, SU_INPUT,
                       "column '%s' has %u different values: is it a name or a number of a case? Choose one with --outcome %s=VALUE",
                       v->name, out->count, v->name);
    out->values = su_arena_array(&f->arena, out->count, sizeof *out->values);
    out->estimands = su_arena_array(&f->arena, out->count, sizeof *out->estimands);
    for (uint32_t i = 0; i < out->count; i++) {
        uint32_t value = only ? only : i + 1;
        out->values[i] = v->levels[value - 1];
        out->estimands[i] = (su_estimand) { .level = level, .value = value };
    }
    return SU_OK;
}

su_status su_outcome_read(su_context *ctx, su_frame *f, const su_design *d, const su_outcome *o, const uint32_t *within,
                          su_outcome_columns *out)
{
    *out = (su_outcome_columns) { .name = o->variable->name, .variable = o->variable };
    return o->variable->kind == SU_VARIABLE_NUMBER ? read_number(ctx, f, d, o, within, out) : read_factor(ctx, f, d, o, within, out);
}

void su_outcome_warn_missing(su_result *r, const su_frame *f, const su_design *d, const su_outcome_columns *c, const uint32_t *within)
{
    static const su_cell reasons[] = { SU_CELL_NOT_RECORDED,   SU_CELL_UNKNOWN,    SU_CELL_REFUSED,
                                       SU_CELL_NOT_APPLICABLE, SU_CELL_SUPPRESSED, SU_CELL_NEGATIVE };
    enum { REASONS = sizeof reasons / sizeof *reasons };
    uint64_t counts[REASONS] = { 0 };
    su_buf text = { 0 };
    const su_variable *v = c->variable;
    if (!c->missing) return;
    for (uint64_t row = 0; row < f->rows; row++) {
        bool absent = v->kind == SU_VARIABLE_NUMBER ? isnan(su_frame_number(v, row)) : !su_frame_level(v, row);
        if (!absent || !inside(d, within, row)) continue;
        su_cell reason = v->reason ? v->reason[v->ids ? v->ids[row] : row] : SU_CELL_NOT_RECORDED;
        for (int i = 0; i < REASONS; i++) counts[i] += reason == reasons[i];
    }
    for (int i = 0; i < REASONS; i++)
        if (counts[i]) su_buf_printf(&text, "%s%llu %s", text.n ? ", " : "", (unsigned long long)counts[i], su_cell_reason(reasons[i]));
    su_result_warn(r, "W_MISSING",
                   "'%s' has no value in %llu rows (%s); they are left out, which is right only if they are like the others", c->name,
                   (unsigned long long)c->missing, text.n ? text.p : "no reason given");
    su_buf_free(&text);
}

double su_outcome_deff(const su_design *d, const su_estimate *e) { return d->finite && isfinite(e->deff) ? e->deff : e->deff_replace; }

static void describe_sampling(su_result *r, const su_design *d, const su_design_facts *f, uint64_t n, bool design_given)
{
    if (!design_given) {
        su_result_method(
            r, "Rows were taken as a simple random sample of independent cases (n = %llu); no weights, strata or clusters were given.",
            (unsigned long long)n);
        return;
    }
    su_result_method(r, "Estimates are %s; variances are linearised (Taylor series) between %llu primary sampling units in %llu %s%s%s.",
                     f->weights ? "weighted" : "unweighted", (unsigned long long)f->psus, (unsigned long long)f->strata,
                     f->strata == 1 ? "stratum" : "strata", f->finite ? ", with finite population corrections" : "",
                     f->stages > 1 ? ", over all stages of sampling" : "");
    if (f->calibrated) su_result_method(r, "Weights were calibrated to known totals, and variances use the residuals of the calibration.");
    if (d->lone != SU_LONE_FAIL) su_result_method(r, "Strata of one unit were handled by a named policy (see the specification).");
}

void su_outcome_design_facts(su_result *r, const su_design *d, const su_estimate *all, double level, const char *within_text,
                             bool design_given, bool nonprobability)
{
    su_design_facts f = su_design_facts_of(d);
    su_result_fact(r, "n", "Rows used", (double)all->n);
    su_result_fact(r, "rows", "Rows in the file", (double)f.rows);
    if (within_text) su_result_fact_text(r, "within", "Domain", within_text);
    if (f.weights) su_result_fact(r, "weight_sum", "Sum of weights", all->weight_sum);
    su_result_fact(r, "strata", "Strata", (double)f.strata);
    su_result_fact(r, "psus", "Primary sampling units", (double)f.psus);
    su_result_fact(r, "df", "Degrees of freedom", all->df);
    if (f.weights) su_result_fact(r, "kish_deff", "Design effect of the weights alone", all->kish);
    su_result_fact(r, "level", "Confidence level", level);
    describe_sampling(r, d, &f, all->n, design_given);
    if (nonprobability) {
        su_result_fact_text(r, "inference", "Kind of inference", "model-based, not probability");
        su_result_warn(r, "W_NOT_PROBABILITY",
                       "these people were not drawn at random: intervals are model-based, not probability, and hold only if, within the "
                       "groups and weights used, "
                       "those interviewed are like those who were not");
    }
}
