#include "evaluation.h"

#include <math.h>
#include <string.h>

/* ---- the table of both --------------------------------------------------------------------------------------------------------------- */

typedef struct metric_list {
    su_metric *m;
    size_t n;
} metric_list;

static double *metric(metric_list *l, const char *name, const char *meaning, su_metric_unit unit)
{
    su_metric *m = &l->m[l->n++];
    *m = (su_metric) { .name = name, .meaning = meaning, .unit = unit };
    return m->value;
}

#define EACH_LENGTH(values, expression)                                                                                                    \
    do {                                                                                                                                   \
        double *const put = (values);                                                                                                      \
        for (uint32_t l = 0; l <= u->basic.length; l++) put[l] = (double)(expression);                                                     \
    } while (0)

size_t su_utility_metrics(const su_utility *u, bool records, su_metric out[SU_METRICS_MOST])
{
    metric_list m = { .m = out };
    const su_evaluation_level *b = records ? u->basic.records : u->basic.aggregates;
    const su_utility_level *s = records ? u->records.level : u->aggregates.level;
    EACH_LENGTH(metric(&m, "combinations, true", "that occur in the true records", SU_METRIC_COUNT), b[l].combinations_true);
    EACH_LENGTH(metric(&m, "combinations, released", "that the release has", SU_METRIC_COUNT), b[l].combinations_released);
    EACH_LENGTH(metric(&m, "in both", "", SU_METRIC_COUNT), b[l].common);
    EACH_LENGTH(
        metric(&m, "leaked", "below K in the true records and released with a count below K (SDS), of the true ones", SU_METRIC_PERCENT),
        s[l].leakage);
    EACH_LENGTH(metric(&m, "suppressed", "true combinations that were not released, of the true ones", SU_METRIC_PERCENT), b[l].suppressed);
    EACH_LENGTH(metric(&m, "fabricated, of true", "released ones that do not occur, of the true ones (SDS web app)", SU_METRIC_PERCENT),
                b[l].fabricated);
    EACH_LENGTH(metric(&m, "fabricated, of released", "the same, of the released ones (SDS notebook)", SU_METRIC_PERCENT),
                s[l].fabricated_of_released);
    EACH_LENGTH(metric(&m, "mean count, true", "over all true combinations (SDS)", SU_METRIC_REAL), s[l].mean_count_true);
    EACH_LENGTH(metric(&m, "mean error, in both",
                       "mean |true - released| where both have it (SDS): flatters a release that leaves out what is hard", SU_METRIC_REAL),
                b[l].error_common);
    EACH_LENGTH(metric(&m, "mean error, union", "the same over all combinations of either, missing = 0: the honest one", SU_METRIC_REAL),
                b[l].error_union);
    EACH_LENGTH(metric(&m, "largest error", "", SU_METRIC_REAL), b[l].max_error);
    EACH_LENGTH(metric(&m, "preservation", "mean of min(released / true, 1) (SDS)", SU_METRIC_PERCENT), s[l].preservation.preservation);
    EACH_LENGTH(metric(&m, "proportional error", "mean of |released - true| / true (SDS)", SU_METRIC_PERCENT),
                s[l].preservation.proportional_error);
    EACH_LENGTH(metric(&m, "top ten kept", "of the ten largest true values of a table, how many are among the ten largest released",
                       SU_METRIC_PERCENT),
                s[l].top_agreement);
    if (records)
        EACH_LENGTH(metric(&m, "total variation", "mean over tables of half the sum of |p - q|, absent values included", SU_METRIC_REAL),
                    b[l].total_variation);
    else
        EACH_LENGTH(metric(&m, "intervals that cover", "published 95 % intervals that hold the true count", SU_METRIC_PERCENT),
                    b[l].coverage);
    return m.n;
}

const char *su_term_name(const su_utility *u, const su_utility_term *t, char *buffer, size_t size)
{
    if (t->intercept) return "intercept";
    const su_matrix_column *c = &u->release->columns[t->column];
    const char *code = t->value == 0 ? "(absent)" : c->card == 2 ? NULL : su_matrix_column_value(u->release->schema, c, t->value);
    snprintf(buffer, size, "%s%s%s", c->name, code ? "=" : "", code ? code : "");
    return buffer;
}

/* ---- JSON ---- */

static void level_open(su_json *j, const su_evaluation_level *e)
{
    su_json_object(j);
    su_json_kv_int(j, "combinations_true", (int64_t)e->combinations_true);
    su_json_kv_int(j, "combinations_released", (int64_t)e->combinations_released);
    su_json_kv_int(j, "common", (int64_t)e->common);
    su_json_kv_real(j, "mean_count", e->mean_count);
    su_json_kv_real(j, "error_common", e->error_common);
    su_json_kv_real(j, "error_union", e->error_union);
    su_json_kv_real(j, "suppressed", e->suppressed);
    su_json_kv_real(j, "fabricated", e->fabricated);
    su_json_kv_real(j, "max_error", e->max_error);
    su_json_kv_real(j, "coverage", e->coverage);
    su_json_kv_real(j, "total_variation", e->total_variation);
}

static void length_key(su_json *j, uint32_t l)
{
    char key[8];
    snprintf(key, sizeof key, "%u", l);
    su_json_key(j, l ? key : "all");
}

static void head(su_json *j, const su_release *r, const su_evaluation *e)
{
    su_json_kv_text(j, "notice", SU_NOT_PUBLIC);
    su_json_kv_text(j, "schema", r->schema->name);
    su_json_kv_real(j, "epsilon", r->epsilon_stated);
    su_json_kv_real(j, "record_expansion", e->record_expansion);
}

void su_evaluation_json(su_json *j, const su_release *r, const su_evaluation *e)
{
    su_json_object(j);
    head(j, r, e);
    for (int k = 0; k < 2; k++) {
        su_json_key(j, k ? "records" : "aggregates");
        su_json_object(j);
        for (uint32_t l = 1; l <= e->length; l++) {
            length_key(j, l);
            level_open(j, k ? &e->records[l] : &e->aggregates[l]);
            su_json_end(j);
        }
        su_json_end(j);
    }
    su_json_end(j);
}

static void preservation_json(su_json *j, const su_preservation *p)
{
    su_json_kv_int(j, "n", (int64_t)p->n);
    su_json_kv_real(j, "mean_count", p->mean_count);
    su_json_kv_real(j, "mean_length", p->mean_length);
    su_json_kv_real(j, "preservation", p->preservation);
    su_json_kv_real(j, "proportional_error", p->proportional_error);
}

static void full_level(su_json *j, const su_evaluation_level *basic, const su_utility_level *s)
{
    level_open(j, basic);
    su_json_kv_int(j, "leaked", (int64_t)s->leaked);
    su_json_kv_real(j, "leakage", s->leakage);
    su_json_kv_real(j, "fabricated_of_released", s->fabricated_of_released);
    su_json_kv_real(j, "mean_count_true", s->mean_count_true);
    su_json_kv_real(j, "mean_count_released", s->mean_count_released);
    su_json_key(j, "preservation");
    su_json_object(j);
    preservation_json(j, &s->preservation);
    su_json_end(j);
    su_json_kv_real(j, "top_agreement", s->top_agreement);
    su_json_kv_int(j, "top_tables", (int64_t)s->top_tables);
    su_json_end(j);
}

static void side_json(su_json *j, const su_utility *u, const su_evaluation_level *basic, const su_utility_side *s)
{
    su_json_object(j);
    for (uint32_t l = 0; l <= u->basic.length; l++) {
        length_key(j, l);
        full_level(j, &basic[l], &s->level[l]);
    }
    su_json_kv_real(j, "combination_loss", s->combination_loss);
    su_json_key(j, "by_count");
    su_json_array(j);
    for (size_t i = 0; i < s->bin_count; i++) {
        su_json_object(j);
        su_json_kv_int(j, "above", (int64_t)s->by_count[i].above);
        su_json_kv_int(j, "most", (int64_t)s->by_count[i].most);
        preservation_json(j, &s->by_count[i]);
        su_json_end(j);
    }
    su_json_end(j);
    su_json_key(j, "by_true_count");
    su_json_array(j);
    for (size_t i = 0; i < s->band_count; i++) {
        su_json_object(j);
        su_json_kv_int(j, "above", (int64_t)s->band[i].above);
        su_json_kv_int(j, "most", (int64_t)s->band[i].most);
        su_json_kv_int(j, "n", (int64_t)s->band[i].n);
        su_json_kv_real(j, "error_union", s->band[i].error_union);
        su_json_kv_real(j, "suppressed", s->band[i].suppressed);
        su_json_end(j);
    }
    su_json_end(j);
    su_json_end(j);
}

static void risk_json(su_json *j, const su_utility *u)
{
    su_json_key(j, "records_at_risk");
    su_json_object(j);
    for (uint32_t l = 0; l <= u->basic.length; l++) {
        const su_utility_risk *r = &u->risk[l];
        length_key(j, l);
        su_json_object(j);
        su_json_kv_int(j, "unique_records", (int64_t)r->unique_records);
        su_json_kv_int(j, "rare_records", (int64_t)r->rare_records);
        su_json_kv_int(j, "unique_combinations", (int64_t)r->unique_combinations);
        su_json_kv_int(j, "rare_combinations", (int64_t)r->rare_combinations);
        su_json_end(j);
    }
    su_json_end(j);
}

static void regression_json(su_json *j, const su_utility *u)
{
    static const char *const sides[2] = { "true", "synthetic" };
    const su_utility_regression *g = &u->regression;
    char name[512];
    su_json_key(j, "regression");
    if (!g->tried) {
        su_json_null(j);
        return;
    }
    su_json_object(j);
    su_json_kv_text(j, "outcome",
                    su_term_name(u, &(su_utility_term) { .column = g->outcome, .value = g->outcome_value }, name, sizeof name));
    for (int k = 0; k < 2; k++) {
        su_json_key(j, sides[k]);
        su_json_object(j);
        su_json_kv_bool(j, "fitted", g->fitted[k]);
        su_json_kv_int(j, "records", (int64_t)g->rows[k]);
        su_json_kv_int(j, "yes", (int64_t)g->yes[k]);
        su_json_kv_real(j, "log_likelihood", g->loglik[k]);
        su_json_kv_text(j, "note", g->note[k]);
        su_json_end(j);
    }
    su_json_key(j, "terms");
    su_json_array(j);
    for (size_t t = 0; t < g->term_count; t++) {
        su_json_object(j);
        su_json_kv_text(j, "term", su_term_name(u, &g->terms[t], name, sizeof name));
        su_json_kv_real(j, "true", g->terms[t].b[0]);
        su_json_kv_real(j, "true_se", g->terms[t].se[0]);
        su_json_kv_real(j, "synthetic", g->terms[t].b[1]);
        su_json_kv_real(j, "synthetic_se", g->terms[t].se[1]);
        su_json_end(j);
    }
    su_json_end(j);
    su_json_kv_real(j, "mean_difference", g->mean_difference);
    su_json_kv_real(j, "sign_agreement", g->sign_agreement);
    su_json_kv_real(j, "interval_overlap", g->ci_overlap);
    su_json_kv_text(j, "left_out", g->left_out);
    su_json_end(j);
}

static void zeros_json(su_json *j, const su_utility_zeros *z)
{
    su_json_key(j, "structural_zeros");
    if (!z->any) {
        su_json_null(j);
        return;
    }
    su_json_object(j);
    su_json_kv_int(j, "impossible_pairs", (int64_t)z->pairs);
    su_json_kv_int(j, "impossible_combinations_published", (int64_t)z->aggregates);
    su_json_kv_real(j, "error", z->error);
    su_json_kv_int(j, "synthetic_records_breaking_a_rule", (int64_t)z->records);
    su_json_kv_int(j, "true_records_breaking_a_rule", (int64_t)z->truth);
    su_json_end(j);
}

void su_utility_json(su_json *j, const su_utility *u)
{
    su_json_object(j);
    head(j, u->release, &u->basic);
    su_json_kv_int(j, "k", (int64_t)u->k);
    su_json_kv_int(j, "true_records", (int64_t)u->true_records);
    su_json_kv_int(j, "synthetic_records", (int64_t)u->release->record_count);
    su_json_key(j, "aggregates");
    side_json(j, u, u->basic.aggregates, &u->aggregates);
    su_json_key(j, "records");
    side_json(j, u, u->basic.records, &u->records);
    su_json_key(j, "total_variation");
    su_json_array(j);
    for (size_t i = 0; i < u->variation_count; i++) {
        const su_table_variation *v = &u->variations[i];
        su_json_object(j);
        su_json_key(j, "columns");
        su_json_array(j);
        for (uint32_t k = 0; k < v->length; k++) su_json_text(j, u->release->columns[v->columns[k]].name);
        su_json_end(j);
        su_json_kv_real(j, "distance", v->total_variation);
        su_json_end(j);
    }
    su_json_end(j);
    zeros_json(j, &u->zeros);
    risk_json(j, u);
    regression_json(j, u);
    su_json_end(j);
}

/* ---- text ---- */

static void put_value(su_buf *b, su_metric_unit unit, double x)
{
    if (!isfinite(x))
        su_buf_printf(b, "%12s", "-");
    else if (unit == SU_METRIC_COUNT)
        su_buf_printf(b, "%12.0f", x);
    else if (unit == SU_METRIC_PERCENT)
        su_buf_printf(b, "%10.2f %%", 100 * x);
    else
        su_buf_printf(b, "%12.4g", x);
}

static void text_metrics(const su_utility *u, bool records, su_buf *b)
{
    su_metric m[SU_METRICS_MOST];
    size_t n = su_utility_metrics(u, records, m);
    su_buf_printf(b, "\n%-26s", records ? "SYNTHETIC RECORDS, length" : "PUBLISHED COUNTS, length");
    for (uint32_t l = 1; l <= u->basic.length; l++) su_buf_printf(b, "%12u", l);
    su_buf_printf(b, "%12s\n", "all");
    for (size_t i = 0; i < n; i++) {
        su_buf_printf(b, "  %-24s", m[i].name);
        for (uint32_t l = 1; l <= u->basic.length; l++) put_value(b, m[i].unit, m[i].value[l]);
        put_value(b, m[i].unit, m[i].value[0]);
        su_buf_char(b, '\n');
    }
}

static void text_bands(const su_utility *u, su_buf *b)
{
    const su_utility_side *s[2] = { &u->aggregates, &u->records };
    size_t n = s[0]->band_count > s[1]->band_count ? s[0]->band_count : s[1]->band_count;
    su_buf_printf(b, "\n%-26s%24s%24s\n  %-24s%12s%12s%12s%12s\n", "ERROR BY TRUE COUNT", "published counts", "synthetic records",
                  "true count", "mean error", "suppressed", "mean error", "suppressed");
    for (size_t i = 0; i < n; i++) {
        char name[64];
        snprintf(name, sizeof name, "%llu to %llu", (unsigned long long)(s[i < s[0]->band_count ? 0 : 1]->band[i].above + 1),
                 (unsigned long long)s[i < s[0]->band_count ? 0 : 1]->band[i].most);
        su_buf_printf(b, "  %-24s", i ? name : "0 (fabricated)");
        for (int k = 0; k < 2; k++) {
            bool there = i < s[k]->band_count && s[k]->band[i].n;
            put_value(b, SU_METRIC_REAL, there ? s[k]->band[i].error_union : NAN);
            put_value(b, SU_METRIC_PERCENT, there ? s[k]->band[i].suppressed : NAN);
        }
        su_buf_char(b, '\n');
    }
    su_buf_printf(b, "\n%-26s%12s%12s\n", "PRESERVATION BY COUNT", "published", "records");
    n = s[0]->bin_count > s[1]->bin_count ? s[0]->bin_count : s[1]->bin_count;
    for (size_t i = 0; i < n; i++) {
        const su_preservation *p = &s[i < s[0]->bin_count ? 0 : 1]->by_count[i];
        char name[64];
        snprintf(name, sizeof name, "(%llu, %llu]", (unsigned long long)p->above, (unsigned long long)p->most);
        su_buf_printf(b, "  %-24s", name);
        for (int k = 0; k < 2; k++)
            put_value(b, SU_METRIC_PERCENT, i < s[k]->bin_count && s[k]->by_count[i].n ? s[k]->by_count[i].preservation : NAN);
        su_buf_char(b, '\n');
    }
    su_buf_printf(b, "  %-24s", "combination loss");
    for (int k = 0; k < 2; k++) put_value(b, SU_METRIC_PERCENT, s[k]->combination_loss);
    su_buf_char(b, '\n');
}

static void text_zeros(const su_utility *u, su_buf *b)
{
    const su_utility_zeros *z = &u->zeros;
    if (!z->any) return;
    su_buf_printf(b,
                  "\nSTRUCTURAL ZEROS (rules of the schema)\n  impossible pairs of values %llu; published combinations with one %llu, error on "
                  "structural zeros %.4g\n  records that break a rule: synthetic %llu, true %llu\n",
                  (unsigned long long)z->pairs, (unsigned long long)z->aggregates, z->error, (unsigned long long)z->records,
                  (unsigned long long)z->truth);
}

static void text_risk(const su_utility *u, su_buf *b)
{
    su_buf_printf(b, "\n%-26s%12s%12s%12s%12s%12s\n", "TRUE RECORDS AT RISK", "unique", "unique %", "rare", "rare %", "risky %");
    double records = (double)u->true_records;
    for (uint32_t i = 1; i <= u->basic.length + 1; i++) {
        uint32_t l = i <= u->basic.length ? i : 0;
        double unique = (double)u->risk[l].unique_records, rare = (double)u->risk[l].rare_records;
        char name[48];
        snprintf(name, sizeof name, l ? "isolated by length %u" : "all lengths", l);
        su_buf_printf(b, "  %-24s", name);
        put_value(b, SU_METRIC_COUNT, unique);
        put_value(b, SU_METRIC_PERCENT, unique / records);
        put_value(b, SU_METRIC_COUNT, rare);
        put_value(b, SU_METRIC_PERCENT, rare / records);
        put_value(b, SU_METRIC_PERCENT, (unique + rare) / records);
        su_buf_char(b, '\n');
    }
}

static void text_regression(const su_utility *u, su_buf *b)
{
    const su_utility_regression *g = &u->regression;
    char name[512];
    if (!g->tried) {
        su_buf_text(b, "\nLOGISTIC MODEL: no column with one value, so no outcome; name one with --outcome COLUMN=CODE\n");
        return;
    }
    su_buf_printf(b, "\nLOGISTIC MODEL of %s\n",
                  su_term_name(u, &(su_utility_term) { .column = g->outcome, .value = g->outcome_value }, name, sizeof name));
    for (int k = 0; k < 2; k++)
        if (g->note[k]) su_buf_printf(b, "  no fit on the %s records: %s\n", k ? "synthetic" : "true", g->note[k]);
    su_buf_printf(b, "  %-36s%12s%12s%12s%12s\n", "term", "true", "(se)", "synthetic", "(se)");
    for (size_t t = 0; t < g->term_count; t++) {
        su_buf_printf(b, "  %-36.36s", su_term_name(u, &g->terms[t], name, sizeof name));
        for (int k = 0; k < 2; k++) {
            put_value(b, SU_METRIC_REAL, g->terms[t].b[k]);
            put_value(b, SU_METRIC_REAL, g->terms[t].se[k]);
        }
        su_buf_char(b, '\n');
    }
    if (isfinite(g->mean_difference))
        su_buf_printf(b, "  mean difference %.3g, same sign %.0f %%, 95 %% intervals meet %.0f %%\n", g->mean_difference,
                      100 * g->sign_agreement, 100 * g->ci_overlap);
    if (g->left_out) su_buf_printf(b, "  left out: %s\n", g->left_out);
}

void su_utility_text(const su_utility *u, su_buf *b)
{
    su_buf_printf(b, "%s\n\n  schema %s, epsilon %.6g, K %llu\n  true records %llu, synthetic records %llu (expansion %+.2f %%)\n",
                  SU_NOT_PUBLIC, u->release->schema->name, u->release->epsilon_stated, (unsigned long long)u->k,
                  (unsigned long long)u->true_records, (unsigned long long)u->release->record_count, 100 * u->basic.record_expansion);
    text_metrics(u, false, b);
    text_metrics(u, true, b);
    text_bands(u, b);
    text_zeros(u, b);
    text_risk(u, b);
    text_regression(u, b);
}
