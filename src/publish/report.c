/* The protection report: for machines (report.json) and for people (report.html). */
#include "publication.h"

#include <math.h>

#define SHOWN_TABLES 400u

static const char *noise_of(const su_publication *p)
{
    if (!p->bounded) return "none";
    if (p->r->options.mechanism == SU_MECHANISM_SDS)
        return "exact discrete Gaussian on counts, exact discrete Laplace on the number of records (Canonne, Kamath, Steinke 2020), "
               "whole numbers only";
    if (p->r->options.mechanism == SU_MECHANISM_MST || p->r->options.mechanism == SU_MECHANISM_AIM)
        return "exact discrete Gaussian on counts (Canonne, Kamath, Steinke 2020), exact exponential mechanism for the choice of tables, "
               "whole numbers only";
    return "exact discrete Gaussian (Canonne, Kamath, Steinke 2020), whole numbers only";
}

/* ---- JSON --------------------------------------------------------------------------------------------------------------------------- */

static void json_words(su_json *j, const char *key, const su_words *w)
{
    su_json_key(j, key);
    su_json_array(j);
    for (size_t i = 0; i < w->count; i++) su_json_text(j, w->text[i]);
    su_json_end(j);
}

static void json_columns(const su_publication *p, su_json *j, const uint32_t *columns, uint32_t n)
{
    su_json_key(j, "columns");
    su_json_array(j);
    for (uint32_t i = 0; i < n; i++) su_json_text(j, p->r->columns[columns[i]].name);
    su_json_end(j);
}

static void json_guarantee(const su_publication *p, su_json *j)
{
    const su_release *r = p->r;
    su_json_key(j, "guarantee");
    su_json_object(j);
    su_json_kv_text(j, "mechanism", su_mechanism_name(r->options.mechanism));
    su_json_kv_text(j, "mechanism_about", su_mechanism_about(r->options.mechanism));
    if (r->mechanism_reason) su_json_kv_text(j, "mechanism_reason", r->mechanism_reason);
    su_json_kv_bool(j, "differential_privacy", p->bounded);
    su_json_kv_bool(j, "holds", p->stamp == NULL);
    su_json_kv_text(j, "stamp", p->stamp);
    json_words(j, "warning", &p->warning);
    json_words(j, "promise", &p->promise);
    json_words(j, "not_protected", &p->limits);
    su_json_kv_text(j, "unit", su_unit_words(p));
    su_json_kv_int(j, "records_per_unit", su_contribution(p));
    su_json_kv_text(j, "neighbouring", su_neighbour_words(p));
    su_json_kv_real(j, "epsilon", r->epsilon_stated);
    su_json_kv_real(j, "epsilon_asked", r->options.epsilon);
    su_json_kv_real(j, "delta", r->options.delta);
    su_json_kv_real(j, "rho", r->rho);
    su_json_kv_text(j, "accountant", p->bounded ? su_accountant_name(r->accountant) : NULL);
    su_json_kv_text(j, "accountant_about", p->bounded ? su_accountant_about(r->accountant) : NULL);
    su_json_kv_real(j, "odds_factor", exp(r->epsilon_stated));
    if (r->options.mechanism == SU_MECHANISM_SDS) su_json_kv_real(j, "delta_beside_rho", r->sds.delta_threshold);
    su_json_kv_text(j, "noise", noise_of(p));
    su_json_kv_text(j, "random_source", r->private_noise ? "operating system" : "seed");
    su_json_kv_bool(j, "domain_from_data", r->options.domain_from_data);
    su_json_end(j);
}

static void json_tables(const su_publication *p, su_json *j)
{
    const su_release *r = p->r;
    su_json_key(j, "tables");
    su_json_array(j);
    for (size_t i = 0; i < r->table_count; i++) {
        const su_release_table *t = &r->tables[i];
        su_json_object(j);
        json_columns(p, j, t->columns, t->length);
        su_json_kv_int(j, "cells", (int64_t)t->cells);
        if (r->rules) su_json_kv_int(j, "impossible_cells", (int64_t)t->impossible);
        su_json_kv_text(j, "sigma_squared",
                        su_arena_printf(p->arena, "%llu/%llu", (unsigned long long)t->variance.num, (unsigned long long)t->variance.den));
        su_json_kv_real(j, "sigma", sqrt((double)t->variance.num / (double)t->variance.den));
        su_json_kv_real(j, "share", t->share);
        su_json_end(j);
    }
    su_json_end(j);
    su_json_key(j, "tables_left_out");
    su_json_array(j);
    for (size_t i = 0; i < r->dropped_count; i++) {
        su_json_object(j);
        json_columns(p, j, r->dropped[i].columns, r->dropped[i].length);
        su_json_kv_int(j, "cells", (int64_t)r->dropped[i].cells);
        su_json_kv_text(j, "reason", "more cells than the public limit");
        su_json_end(j);
    }
    su_json_end(j);
}

static void json_rules(const su_publication *p, su_json *j)
{
    su_json_key(j, "record_rules");
    su_json_array(j);
    for (uint32_t i = 0; p->r->rules && i < p->schema->rule_count; i++) {
        if (p->schema->rules[i].soft) continue;
        su_buf text = { 0 };
        su_record_rule_text(p->schema, &p->schema->rules[i], &text);
        su_json_text(j, text.p);
        su_buf_free(&text);
    }
    su_json_end(j);
}

static void json_prior(const su_publication *p, su_json *j)
{
    if (!p->info->prior_title) return;
    su_json_key(j, "public_prior");
    su_json_object(j);
    su_json_kv_text(j, "title", p->info->prior_title);
    su_json_kv_real(j, "epsilon", p->info->prior_epsilon);
    su_json_kv_real(j, "delta", p->info->prior_delta);
    su_json_kv_text(j, "report_sha256", p->info->prior_sha256);
    su_json_key(j, "weight_of_the_new_tables");
    su_json_object(j);
    for (uint32_t l = 1; l <= p->r->options.length && l <= SU_MAX_LENGTH; l++)
        su_json_kv_real(j, su_arena_printf(p->arena, "%u", l), p->r->prior_weight[l]);
    su_json_end(j);
    su_json_end(j);
}

static uint64_t published(const su_release *r, uint32_t length)
{
    uint64_t n = 0;
    for (size_t i = 0; i < r->aggregate_count; i++) n += r->aggregates[i].length == length;
    return n;
}

static void json_sds_length(su_json *j, const su_sds_length *l)
{
    su_json_kv_int(j, "contribution_bound", (int64_t)l->bound);
    su_json_kv_real(j, "sigma", sqrt((double)l->variance.num / (double)(l->variance.den ? l->variance.den : 1)));
    su_json_kv_int(j, "reported_above", l->threshold);
    su_json_kv_int(j, "candidates", (int64_t)l->candidates);
}

static void json_lengths(const su_publication *p, su_json *j)
{
    const su_release *r = p->r;
    su_json_key(j, "combinations");
    su_json_array(j);
    for (uint32_t l = 1; l <= r->options.length && l <= SU_MAX_LENGTH; l++) {
        su_json_object(j);
        su_json_kv_int(j, "length", l);
        if (p->r->options.mechanism == SU_MECHANISM_SDS && l <= r->sds.lengths) json_sds_length(j, &r->sds.length[l]);
        su_json_kv_real(j, "gate_threshold", r->gate[l]);
        su_json_kv_real(j, "gate_least_count", r->least_count[l]);
        su_json_kv_real(j, "expected_invented", r->expected_invented[l]);
        su_json_kv_int(j, "published", (int64_t)published(r, l));
        su_json_kv_int(j, "left_out_by_gate", (int64_t)r->suppressed_by_gate[l]);
        su_json_kv_int(j, "left_out_by_k", (int64_t)r->suppressed_by_k[l]);
        su_json_end(j);
    }
    su_json_end(j);
}

static void json_groups(const su_publication *p, su_json *j)
{
    su_json_key(j, "groups");
    su_json_array(j);
    for (uint32_t g = 0; g < p->schema->group_count; g++) {
        su_json_object(j);
        su_json_kv_text(j, "name", p->groups[g].group->name);
        su_json_kv_text(j, "title", p->groups[g].group->title ? p->groups[g].group->title : p->groups[g].group->name);
        su_json_kv_int(j, "synthetic_records_with_an_answer", (int64_t)p->groups[g].answered);
        su_json_end(j);
    }
    su_json_end(j);
}

void su_emit_report_json(const su_publication *p, su_buf *b)
{
    const su_release *r = p->r;
    su_json j;
    su_json_init(&j, b);
    su_json_object(&j);
    su_json_kv_int(&j, "suha:report", 1);
    su_json_kv_text(&j, "name", p->name);
    su_json_kv_text(&j, "title", p->stamp ? su_arena_printf(p->arena, "%s: %s", p->stamp, p->title) : p->title);
    su_json_kv_text(&j, "version", p->version);
    su_json_kv_text(&j, "created", p->created);
    su_json_kv_text(&j, "software", "Suha " SU_VERSION);
    char fingerprint[65];
    su_hex(p->schema->fingerprint.bytes, 32, fingerprint);
    su_json_kv_text(&j, "schema", p->schema->name);
    su_json_kv_text(&j, "schema_sha256", fingerprint);
    json_guarantee(p, &j);
    json_prior(p, &j);
    json_rules(p, &j);
    su_json_key(&j, "population");
    su_json_object(&j);
    su_json_kv_bool(&j, "stated", p->info->population_epsilon > 0);
    su_json_kv_real(&j, "epsilon", p->info->population_epsilon);
    su_json_kv_real(&j, "delta", p->info->population_delta);
    su_json_kv_int(&j, "releases_before", (int64_t)p->info->releases_before);
    su_json_kv_text(&j, "ledger", p->info->ledger_note);
    su_json_end(&j);
    su_json_key(&j, "records");
    su_json_object(&j);
    su_json_kv_int(&j, "synthetic", (int64_t)r->record_count);
    su_json_kv_real(&j, "estimated", r->total_estimate);
    su_json_kv_real(&j, "ci_low", r->total_ci_low);
    su_json_kv_real(&j, "ci_high", r->total_ci_high);
    su_json_end(&j);
    su_json_kv_int(&j, "k", (int64_t)(r->options.k > 1 ? r->options.k : 1));
    su_json_kv_int(&j, "length", r->options.length);
    json_lengths(p, &j);
    json_groups(p, &j);
    json_words(&j, "missing_on_purpose", &p->absent);
    json_tables(p, &j);
    su_json_end(&j);
    su_buf_char(b, '\n');
}

/* ---- HTML --------------------------------------------------------------------------------------------------------------------------- */

static void html(su_buf *b, const char *text) { su_buf_html(b, su_str_of(text)); }

static void fact(su_buf *b, const char *name, const char *value)
{
    su_buf_text(b, "<tr><th scope=\"row\">");
    html(b, name);
    su_buf_text(b, "</th><td>");
    html(b, value);
    su_buf_text(b, "</td></tr>\n");
}

static void html_facts(const su_publication *p, su_buf *b)
{
    const su_release *r = p->r;
    su_arena *a = p->arena;
    su_buf_text(b, "<h2>The numbers</h2>\n<table class=\"facts\">\n<tbody>\n");
    fact(b, "Guarantee", p->stamp ? su_arena_printf(a, "none (%s)", p->stamp) : "holds");
    fact(b, "Mechanism", su_arena_printf(a, "%s: %s", su_mechanism_name(r->options.mechanism), su_mechanism_about(r->options.mechanism)));
    if (r->mechanism_reason) fact(b, "Why this mechanism", r->mechanism_reason);
    if (!p->bounded) fact(b, "Differential privacy", "no differential privacy bound");
    fact(b, "Unit of protection", su_unit_words(p));
    fact(b, "Neighbouring tables", su_neighbour_words(p));
    if (p->info->prior_title)
        fact(b, "Public prior",
             su_arena_printf(a, "\"%s\" (epsilon %s), free of charge; SHA-256 of its report %.16s", p->info->prior_title,
                             su_upper_real(a, p->info->prior_epsilon), p->info->prior_sha256 ? p->info->prior_sha256 : ""));
    if (p->bounded)
        fact(b, "epsilon, stated (asked)",
             su_arena_printf(a, "%s (%s)", su_upper_real(a, r->epsilon_stated), su_short_real(a, r->options.epsilon)));
    if (p->bounded) fact(b, "epsilon computed by", su_accountant_about(r->accountant));
    if (p->bounded) fact(b, "delta", su_arena_printf(a, "%.3g", r->options.delta));
    if (p->bounded) fact(b, "rho (zero-concentrated DP)", su_arena_printf(a, "%.6g", r->rho));
    fact(b, "Noise", noise_of(p));
    fact(b, "Random source", r->private_noise ? "operating system" : "seed: NOT PRIVATE");
    fact(b, "Lists of codes", r->options.domain_from_data ? "read off the data: NO GUARANTEE" : "public, fixed before the data were read");
    fact(b, "Population total",
         p->info->population_epsilon > 0
             ? su_arena_printf(a, "epsilon %s at delta %.3g after %s earlier releases", su_upper_real(a, p->info->population_epsilon),
                               p->info->population_delta, su_grouped(a, p->info->releases_before))
             : "not stated");
    if (p->info->ledger_note) fact(b, "Ledger", p->info->ledger_note);
    if (!p->bounded)
        fact(b, "Case records, rounded down to a multiple of K", su_short_real(a, r->total_estimate));
    else
        fact(b, "Case records, estimated",
             su_arena_printf(a, "%s (95 %% interval %s to %s)", su_short_real(a, round(r->total_estimate)),
                             su_short_real(a, floor(r->total_ci_low)), su_short_real(a, ceil(r->total_ci_high))));
    fact(b, "Synthetic records", su_grouped(a, r->record_count));
    fact(b, "Smallest count printed (K)", r->options.k > 1 ? su_grouped(a, r->options.k) : "no threshold");
    fact(b, "Software", "Suha " SU_VERSION);
    su_buf_text(b, "</tbody>\n</table>\n");
}

/* Only where a replay estimated it (docs/methods/invented.md). */
static void html_invented(const su_release *r, su_buf *b)
{
    bool any = false;
    for (uint32_t l = 2; l <= r->options.length && l <= SU_MAX_LENGTH; l++) {
        if (!isfinite(r->expected_invented[l]) || published(r, l) == 0) continue;
        su_buf_printf(b, any ? "; of %u columns %.1f %%" : "<p>Combinations printed that nobody in the data is expected to have: of %u columns %.1f %%", l,
                      100 * r->expected_invented[l]);
        any = true;
    }
    if (any)
        su_buf_text(b, " of those printed. Estimated by replaying the whole method on imaginary people whose true combinations are known; in data where "
                       "many combinations cannot occur, or small groups were removed before, there are more.</p>\n");
}

static void html_lengths(const su_publication *p, su_buf *b)
{
    const su_release *r = p->r;
    bool sds = r->options.mechanism == SU_MECHANISM_SDS;
    su_buf_printf(b,
                  "<h2>Which combinations were published</h2>\n<p>A combination is published when all its parts are and its noisy count "
                  "is above the gate: a number of standard deviations of its own noise, fixed before any data were read.%s</p>\n",
                  sds ? " Single values: above the threshold in report.json that keeps out what one record alone brings in."
                  : r->options.mechanism == SU_MECHANISM_RESIDUAL
                      ? " Combinations of two and more are counted in the tables of imaginary people that agree with the noisy tables, "
                        "and must hold a least number of them (report.json), chosen from the noisy tables alone."
                      : "");
    su_buf_text(b, "<div class=\"scroll\" "
                   "tabindex=\"0\">\n<table>\n<thead><tr><th scope=\"col\">columns combined</th>"
                   "<th scope=\"col\">gate</th><th scope=\"col\">published</th><th scope=\"col\">left out by the gate</th><th "
                   "scope=\"col\">left out by K</th></tr></thead>\n<tbody>\n");
    for (uint32_t l = 1; l <= r->options.length && l <= SU_MAX_LENGTH; l++)
        su_buf_printf(b, "<tr><th scope=\"row\">%u</th><td>%.3g</td><td>%s</td><td>%s</td><td>%s</td></tr>\n", l, r->gate[l],
                      su_grouped(p->arena, published(r, l)), su_grouped(p->arena, r->suppressed_by_gate[l]),
                      su_grouped(p->arena, r->suppressed_by_k[l]));
    su_buf_text(b, "</tbody>\n</table>\n</div>\n");
    html_invented(r, b);
}

static void html_column_names(const su_publication *p, su_buf *b, const uint32_t *columns, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (i) su_buf_text(b, " × ");
        html(b, p->r->columns[columns[i]].name);
    }
}

static void html_tables(const su_publication *p, su_buf *b)
{
    const su_release *r = p->r;
    su_buf_printf(b,
                  "<h2>Noise, table by table</h2>\n<p>%s tables were measured. Sigma is the standard deviation of the noise in each cell; "
                  "the share is the part of rho "
                  "that the table used. The complete list is in <a href=\"report.json\">report.json</a>.</p>\n<details>\n<summary>Show %s "
                  "tables</summary>\n"
                  "<div class=\"scroll\" tabindex=\"0\">\n<table>\n<thead><tr><th scope=\"col\">columns</th><th "
                  "scope=\"col\">cells</th><th scope=\"col\">sigma</th>"
                  "<th scope=\"col\">share of rho</th></tr></thead>\n<tbody>\n",
                  su_grouped(p->arena, r->table_count),
                  su_grouped(p->arena, r->table_count < SHOWN_TABLES ? r->table_count : SHOWN_TABLES));
    for (size_t i = 0; i < r->table_count && i < SHOWN_TABLES; i++) {
        const su_release_table *t = &r->tables[i];
        su_buf_text(b, "<tr><th scope=\"row\">");
        html_column_names(p, b, t->columns, t->length);
        su_buf_printf(b, "</th><td>%s</td><td>%.4g</td><td>%.3g %%</td></tr>\n", su_grouped(p->arena, t->cells),
                      sqrt((double)t->variance.num / (double)t->variance.den), 100 * t->share);
    }
    su_buf_text(b, "</tbody>\n</table>\n</div>\n</details>\n");
    if (!r->dropped_count) return;
    su_buf_printf(b,
                  "<h2>Tables left out</h2>\n<p>%s combinations of columns have more cells than the limit. Decided from the sizes of the "
                  "public lists alone.</p>\n"
                  "<details>\n<summary>Show them</summary>\n<ul>\n",
                  su_grouped(p->arena, r->dropped_count));
    for (size_t i = 0; i < r->dropped_count && i < SHOWN_TABLES; i++) {
        su_buf_text(b, "<li>");
        html_column_names(p, b, r->dropped[i].columns, r->dropped[i].length);
        su_buf_printf(b, ": %s cells</li>\n", su_grouped(p->arena, r->dropped[i].cells));
    }
    su_buf_text(b, "</ul>\n</details>\n");
}

void su_emit_report_html(const su_publication *p, su_buf *b)
{
    su_html_open(p, b, "../" SU_STYLE_FILE, "Protection report");
    su_buf_text(b, "<h2>What was promised</h2>\n");
    su_html_words(b, "p", &p->promise);
    su_buf_text(b, "<h2>What this does not protect</h2>\n<ul>\n");
    su_html_words(b, "li", &p->limits);
    su_buf_text(b, "</ul>\n<h2>What is missing on purpose</h2>\n<ul>\n");
    su_html_words(b, "li", &p->absent);
    su_buf_text(b, "</ul>\n");
    html_facts(p, b);
    if (p->bounded) html_lengths(p, b);
    if (p->r->table_count) html_tables(p, b);
    su_html_close(p, b);
}
