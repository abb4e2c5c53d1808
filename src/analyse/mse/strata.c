/* Estimates by traits of people, as rows and tables of the result. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mse/covariate.h"
#include "mse/incomplete.h"
#include "mse/panel.h"
#include "numeric/special.h"

static const uint64_t INCOMPLETE_SEED = 0x454dull << 48;

typedef struct part {
    double n, unseen, variance;
} part;

/* The strata that `wanted` picks, with the variance of their sum. */
static part sum_of(const su_overlaps *o, const su_trait_fit *f, const bool *wanted)
{
    part out = { 0, 0, 0 };
    for (size_t s = 0; s < o->strata; s++) {
        if (!wanted[s]) continue;
        for (size_t w = 1; w < o->cells; w++)
            out.n += f->completed ? f->completed[s * o->cells + w] : (double)o->stratum_counts[s * o->cells + w];
        out.unseen += f->unseen[s];
        for (size_t r = 0; r < o->strata; r++) out.variance += wanted[r] ? f->covariance[s * o->strata + r] : 0;
    }
    return out;
}

static void limits_of(const part *x, double z, double *low, double *high)
{
    double spread = x->unseen > 0 ? z * sqrt(fmax(0, x->variance)) / x->unseen : 0;
    *low = x->n + x->unseen * exp(-spread);
    *high = x->n + x->unseen * exp(spread);
}

static void row_of(su_result_table *t, const char *trait, const char *value, const part *x, double z)
{
    double low, high;
    limits_of(x, z, &low, &high);
    if (trait) su_result_text(t, trait);
    su_result_text(t, value);
    su_result_number(t, x->n);
    su_result_number(t, x->n + x->unseen);
    su_result_number(t, low);
    su_result_number(t, high);
}

static void number_columns(su_result_table *t)
{
    su_result_column(t, "n", "people seen", SU_COLUMN_NUMBER);
    su_result_column(t, "N", "estimate", SU_COLUMN_NUMBER);
    su_result_column(t, "low", "low", SU_COLUMN_NUMBER);
    su_result_column(t, "high", "high", SU_COLUMN_NUMBER);
}

static bool has_level(const su_overlaps *o, size_t stratum, unsigned trait, unsigned level)
{
    for (unsigned c = o->covariates - 1; c > trait; c--) stratum /= o->covariate_levels[c];
    return stratum % o->covariate_levels[trait] == level;
}

static void margin_table(su_panel *p, const su_overlaps *o, const su_trait_fit *f, double z)
{
    su_result_table *t =
        su_result_table_add(p->result, "by_trait", "Estimates by traits (SDG indicator 16.2.2 asks for sex, age and form of exploitation)");
    bool *wanted = su_alloc_array(o->strata, sizeof *wanted);
    su_result_column(t, "trait", "trait", SU_COLUMN_TEXT);
    su_result_column(t, "value", "value", SU_COLUMN_TEXT);
    number_columns(t);
    for (unsigned c = 0; c < o->covariates; c++) {
        for (unsigned v = 0; v < o->covariate_levels[c]; v++) {
            for (size_t s = 0; s < o->strata; s++) wanted[s] = has_level(o, s, c, v);
            part x = sum_of(o, f, wanted);
            row_of(t, o->covariate_names[c], o->covariate_values[c][v], &x, z);
        }
    }
    free(wanted);
}

static void stratum_table(su_panel *p, const su_overlaps *o, const su_trait_fit *f, double z)
{
    su_result_table *t = su_result_table_add(p->result, "strata", "Estimates by stratum");
    bool *wanted = su_alloc_array(o->strata, sizeof *wanted);
    su_result_column(t, "stratum", "stratum", SU_COLUMN_TEXT);
    number_columns(t);
    for (size_t s = 0; s < o->strata; s++) {
        su_buf name = { 0 };
        memset(wanted, 0, o->strata * sizeof *wanted);
        wanted[s] = true;
        for (unsigned c = 0; c < o->covariates; c++)
            for (unsigned v = 0; v < o->covariate_levels[c]; v++)
                if (has_level(o, s, c, v)) su_buf_printf(&name, "%s%s", c ? ", " : "", o->covariate_values[c][v]);
        part x = sum_of(o, f, wanted);
        row_of(t, NULL, name.p, &x, z);
        if (x.n < 20)
            su_result_warn(p->result, "W_MSE_SMALL_STRATUM",
                           "some strata have fewer than 20 people (first: %s, %.0f); their estimates lean on the other strata.", name.p,
                           x.n);
        su_buf_free(&name);
    }
    free(wanted);
}

/* People without a value, and the terms that nothing in the table speaks of. */
static void report_incomplete(su_panel *p, const su_overlaps *o)
{
    double people = 0;
    su_buf unknown = { 0 };
    for (size_t i = 0; i < o->partials; i++) people += (double)o->partial[i].people;
    for (unsigned i = 0; i < o->lists; i++) {
        for (unsigned c = 0; c < o->covariates; c++) {
            char one[256];
            su_trait_term term = { 1u << i, (int)c, -1 };
            if (su_incomplete_knows(o, &term)) continue;
            su_trait_term_print(o, &term, one, sizeof one);
            su_buf_printf(&unknown, "%s%s", unknown.n ? ", " : "", one);
        }
    }
    su_result_fact(p->result, "incomplete", "people some of whose traits are not recorded", people);
    su_result_warn(
        p->result, "W_MSE_INCOMPLETE",
        "%.0f of %lld people lack a value of a trait; they were shared out over its values as if missing at random given their lists. "
        "%s%s%s",
        people, (long long)o->n, unknown.p ? "Not to be told from these lists, and taken as absent: " : "", unknown.p ? unknown.p : "",
        unknown.p ? "." : "");
    su_result_method(p->result, "People without a value of a trait were shared out by the EM algorithm (van der Heijden and others 2012, "
                                "doi:10.1214/12-AOAS536); intervals are from 200 resamples of people with the chosen model fitted again.");
    su_buf_free(&unknown);
}

void su_panel_strata(su_panel *p, const su_overlaps *o)
{
    su_trait_model m = su_trait_search(p->ctx, o, false);
    su_trait_fit f = o->partials ? su_incomplete_fit(p->ctx, o, &m, true, p->opt.seed ^ INCOMPLETE_SEED) : su_trait_fit_model(o, &m, true);
    su_buf terms = { 0 };
    char one[256], note[128];
    double z = su_normal_quantile(1 - (1 - p->opt.level) / 2);
    for (unsigned i = 1 + o->lists + o->covariates; i < m.count; i++) {
        su_trait_term_print(o, &m.term[i], one, sizeof one);
        su_buf_printf(&terms, "%s%s", terms.n ? ", " : "", one);
    }
    su_panel_row row = { .id = "covariates",
                         .method = "with traits of people, stepwise BIC",
                         .model = terms.p ? terms.p : "no joint term",
                         .interval =
                             o->partials ? "resampled people, log scale; ignores the search" : "delta, log scale; ignores the search",
                         .note = "no estimate exists",
                         .verdict = true };
    if (!f.code) {
        bool *wanted = su_alloc_array(o->strata, sizeof *wanted);
        memset(wanted, 1, o->strata * sizeof *wanted);
        part all = sum_of(o, &f, wanted);
        free(wanted);
        row.N = all.n + all.unseen;
        limits_of(&all, z, &row.low, &row.high);
        if (o->partials)
            snprintf(note, sizeof note, "%zu strata; people without a value shared out (EM)", o->strata);
        else
            snprintf(note, sizeof note, "%zu strata, deviance %.1f", o->strata, f.deviance);
        row.note = note;
    }
    su_panel_add(p, &row);
    if (!f.code) {
        margin_table(p, o, &f, z);
        stratum_table(p, o, &f, z);
    }
    if (o->partials) report_incomplete(p, o);
    su_result_method(p->result, "With traits: one log-linear model of lists and traits, terms between two lists, a list and a trait, and "
                                "two traits added while BIC falls; the unseen "
                                "of each stratum are estimated (Tilling and Sterne 1999, American Journal of Epidemiology 149:392-400).");
    su_trait_fit_free(&f);
    su_buf_free(&terms);
}
