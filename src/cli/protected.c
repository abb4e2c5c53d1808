#include "protected.h"

#include "design_options.h"

#include <suha/publish.h>
#include <suha/rates.h>

#include <math.h>
#include <string.h>

/* A published count, and the noise variance that its interval tells. */
typedef struct count {
    double value, low, high, variance;
    bool found;
} count;

typedef struct release {
    su_cli *cli;
    su_bundle_file *files;
    size_t file_count;
    su_bundle_facts facts;
    su_raw_table *table; /* data/aggregates.csv */
    su_dict *keys;       /* combinations as printed */
    uint64_t *rows;      /* per key */
    double level;
} release;

enum { COMBINATION, LENGTH, COUNT, LOW, HIGH };

static su_str cell(const release *r, uint64_t row, int column)
{
    const su_raw_column *c = &r->table->columns[column];
    return su_dict_get(c->values, c->ids[row]);
}

static su_status open_release(su_cli *cli, const char *dir, release *r)
{
    su_read_options read = { .delimiter = ',' };
    su_str aggregates = { 0 };
    r->cli = cli;
    su_status st = su_bundle_load(&cli->ctx, &cli->arena, dir, &r->files, &r->file_count);
    if (!st) st = su_bundle_facts_of(&cli->ctx, &cli->arena, r->files, r->file_count, &r->facts);
    for (size_t i = 0; i < r->file_count && !st; i++)
        if (strcmp(r->files[i].path, "data/aggregates.csv") == 0) aggregates = r->files[i].bytes;
    if (!st) st = su_csv_parse(&cli->ctx, "data/aggregates.csv", aggregates, &read, &r->table);
    if (st) return st;
    if (r->table->column_count != 5 || strcmp(r->table->columns[COMBINATION].name, "combination") != 0 ||
        strcmp(r->table->columns[COUNT].name, "count") != 0)
        return su_fail(&cli->ctx, SU_INPUT, "data/aggregates.csv does not have the columns combination, length, count, ci_low, ci_high");
    r->keys = su_dict_new();
    r->rows = su_arena_array(&cli->arena, (size_t)r->table->row_count + 1, sizeof *r->rows);
    for (uint64_t row = 0; row < r->table->row_count; row++) r->rows[su_dict_add(r->keys, cell(r, row, COMBINATION))] = row;
    return SU_OK;
}

static void close_release(release *r)
{
    su_dict_free(r->keys);
    su_raw_table_free(r->table);
}

/* The interval is 95 %. Its lower end is held at 0, so a small count's noise is read off the upper side. */
static double noise_variance(double value, double low, double high)
{
    double half = low > 0 ? (high - low) / 2 : high - value, sd = half / 1.959963984540054;
    return sd > 0 ? sd * sd : 0;
}

static count count_of(const release *r, const char *key)
{
    uint32_t id = 0;
    count c = { NAN, NAN, NAN, NAN, false };
    if (!su_dict_find(r->keys, su_str_of(key), &id)) return c;
    uint64_t row = r->rows[id];
    c.found =
        su_parse_f64(cell(r, row, COUNT), &c.value) && su_parse_f64(cell(r, row, LOW), &c.low) && su_parse_f64(cell(r, row, HIGH), &c.high);
    c.variance = noise_variance(c.value, c.low, c.high);
    return c;
}

/* A combination as aggregates.csv prints it: columns in its own order, which is not known here: both are tried. */
static count pair_of(const release *r, const char *a, const char *b)
{
    su_arena *arena = &r->cli->arena;
    count c = count_of(r, su_arena_printf(arena, "%s;%s", a, b));
    return c.found ? c : count_of(r, su_arena_printf(arena, "%s;%s", b, a));
}

/* "column=code" with the marks of aggregates.csv. */
static const char *attribute(su_cli *cli, su_str column, su_str code)
{
    su_buf text = { 0 };
    su_buf_escape(&text, su_arena_strndup(&cli->arena, column.p, column.n), ";=");
    su_buf_char(&text, '=');
    su_buf_escape(&text, su_arena_strndup(&cli->arena, code.p, code.n), ";=");
    const char *kept = su_arena_strndup(&cli->arena, text.p, text.n);
    su_buf_free(&text);
    return kept;
}

/* The single attributes "column=..." that were published, as printed. */
static su_status attributes_of(release *r, su_str word, const char ***out, size_t *n)
{
    su_cli *cli = r->cli;
    const char *equals = memchr(word.p, '=', word.n);
    *n = 0;
    *out = su_arena_array(&cli->arena, (size_t)r->table->row_count + 1, sizeof **out);
    if (equals) {
        size_t at = (size_t)(equals - word.p);
        (*out)[(*n)++] = attribute(cli, (su_str) { word.p, at }, (su_str) { equals + 1, word.n - at - 1 });
        return SU_OK;
    }
    const char *prefix = attribute(cli, word, (su_str) { "", 0 });
    size_t length = strlen(prefix);
    for (uint64_t row = 0; row < r->table->row_count; row++) {
        su_str text = cell(r, row, COMBINATION);
        if (su_str_equal(cell(r, row, LENGTH), SU_STR("1")) && text.n > length && memcmp(text.p, prefix, length) == 0)
            (*out)[(*n)++] = text.p;
    }
    if (*n) return SU_OK;
    return su_fail(&cli->ctx, SU_INPUT, "the release has no published count of '%.*s'; suha serve shows what it has", (int)word.n, word.p);
}

static void row_of(release *r, su_result *result, su_result_table *t, const char *outcome, const char *group, count k, count n)
{
    su_noisy_rate rate = su_noisy_rate_of(k.value, k.variance, n.value, n.variance, r->level);
    const char *flag = !k.found ? "not published" : rate.coarse ? "mostly noise" : "";
    bool hide = !k.found;
    if (!k.found)
        su_result_warn(
            result, "W_NOT_PUBLISHED",
            "some combinations were not published: their counts were too small to tell from noise, or below K; that is not a zero");
    else if (rate.coarse)
        su_result_warn(result, "W_MOSTLY_NOISE",
                       "some counts have noise of more than half of their size (flag \"mostly noise\"): read the interval, which holds the "
                       "true rate in 94 to 98 %% of simulated releases, not the rate");
    su_result_text(t, outcome);
    su_result_text(t, group);
    su_result_number(t, k.value);
    su_result_number(t, k.low);
    su_result_number(t, k.high);
    su_result_number(t, n.value);
    su_result_number(t, hide ? NAN : rate.p);
    su_result_number(t, hide ? NAN : rate.population.low);
    su_result_number(t, hide ? NAN : rate.population.high);
    su_result_number(t, hide ? NAN : rate.noise_only.low);
    su_result_number(t, hide ? NAN : rate.noise_only.high);
    su_result_number(t, hide ? NAN : rate.effective_n);
    su_result_text(t, flag);
}

static su_result_table *rates_table(su_result *result, const char *by)
{
    su_result_table *t = su_result_table_add(result, "rates", "Rates from published counts");
    su_result_column(t, "outcome", "outcome", SU_COLUMN_TEXT);
    su_result_column(t, "group", by ? by : "group", SU_COLUMN_TEXT);
    su_result_column(t, "count", "count", SU_COLUMN_INTEGER);
    su_result_column(t, "count_low", "count low", SU_COLUMN_NUMBER);
    su_result_column(t, "count_high", "count high", SU_COLUMN_NUMBER);
    su_result_column(t, "n", "n", SU_COLUMN_INTEGER);
    su_result_column(t, "estimate", "estimate", SU_COLUMN_PERCENT);
    su_result_column(t, "low", "low", SU_COLUMN_PERCENT);
    su_result_column(t, "high", "high", SU_COLUMN_PERCENT);
    su_result_column(t, "records_low", "records low", SU_COLUMN_PERCENT);
    su_result_column(t, "records_high", "records high", SU_COLUMN_PERCENT);
    su_result_column(t, "effective_n", "effective n", SU_COLUMN_INTEGER);
    su_result_column(t, "flag", "flag", SU_COLUMN_TEXT);
    return t;
}

static void describe(const release *r, su_result *result, const count *all)
{
    const su_bundle_facts *f = &r->facts;
    su_result_fact_text(result, "release", "Release", f->title ? f->title : "");
    su_result_fact(result, "n", "Records, estimated", all->value);
    su_result_fact(result, "n_low", "Records, low", f->total_low);
    su_result_fact(result, "n_high", "Records, high", f->total_high);
    su_result_fact_text(result, "mechanism", "Protection", su_mechanism_name(f->mechanism));
    su_result_fact(result, "epsilon", "Epsilon", f->epsilon);
    su_result_fact(result, "delta", "Delta", f->delta);
    su_result_fact_text(result, "method", "Method of intervals", "score interval with the variance of sampling and of noise");
    su_result_fact(result, "level", "Confidence level", r->level);
    su_result_method(result, "Rates are ratios of the counts that were published. Low and high allow for the noise of both counts, whose "
                             "variance is read off the "
                             "published 95 %% intervals, and for sampling, as if the records were drawn from a larger population; records "
                             "low and high allow for noise alone "
                             "(Fieller) and speak of the records held. The noise of the two counts is taken as independent.");
    su_result_warn(result, "W_CASES_NOT_POPULATION",
                   "case records are of people who were found and helped; rates describe them, not all victims");
    if (!su_mechanism_bound(f->mechanism))
        su_result_warn(result, "W_SELECTION_BY_K",
                       "this release is k-anonymous: small groups were left out and counts changed in ways that have no known error. Its "
                       "rates describe the file; they are no "
                       "statements about a population, and its records must not be used for models");
}

/* Options that speak of rows: a release has none to offer. */
static su_status rows_only(su_cli *cli)
{
    static const char *const allowed[] = { "release", "outcome", "by", "level", "report", "json", "threads", "help" };
    for (const su_option *o = cli->command->options; o->name; o++) {
        bool fine = su_cli_option(cli, o->name) == NULL;
        for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) fine |= strcmp(o->name, allowed[i]) == 0;
        if (!fine)
            return su_fail(&cli->ctx, SU_USAGE, "--%s needs the rows of a FILE; with --release only published counts are read", o->name);
    }
    return SU_OK;
}

su_status su_cli_protected_rates(su_cli *cli, const char *dir)
{
    release r = { 0 };
    su_result *result = NULL;
    const char *outcome_text = NULL, *by_text = su_cli_option(cli, "by");
    su_str *outcomes = NULL;
    size_t outcome_count = 0, group_count = 0, n = 0;
    const char **groups = NULL, **codes = NULL;
    su_status st = su_cli_positionals(cli, 0, 0);
    if (!st) st = rows_only(cli);
    if (!st) st = su_cli_need(cli, "outcome", &outcome_text);
    if (!st) st = su_cli_words(cli, "outcome", &outcomes, &outcome_count);
    if (!st) st = su_cli_level(cli, &r.level);
    if (!st) st = open_release(cli, dir, &r);
    if (!st && by_text) st = attributes_of(&r, su_str_of(by_text), &groups, &group_count);
    if (!st && by_text && r.facts.length < 2)
        st = su_fail(&cli->ctx, SU_REFUSED, "this release has counts of single columns only (length 1): --by needs pairs");
    if (st) goto out;
    result = su_result_new("rates", "Rates from a protected release");
    count all = { r.facts.total, r.facts.total_low, r.facts.total_high, 0, true };
    all.variance = noise_variance(all.value, all.low, all.high);
    describe(&r, result, &all);
    su_result_table *t = rates_table(result, by_text);
    for (size_t i = 0; i < outcome_count && !st; i++) {
        st = attributes_of(&r, outcomes[i], &codes, &n);
        for (size_t k = 0; k < n && !st; k++) {
            row_of(&r, result, t, codes[k], "all", count_of(&r, codes[k]), all);
            for (size_t g = 0; g < group_count; g++)
                row_of(&r, result, t, codes[k], groups[g], pair_of(&r, codes[k], groups[g]), count_of(&r, groups[g]));
        }
    }
    su_result_fact(result, "effective_n", "Effective n", su_result_get(result, "rates", 0, "effective_n"));
    su_result_plot(result, SU_PLOT_INTERVALS, "Rates with intervals", t, by_text ? "outcome+group" : "outcome", NULL, "estimate", "low",
                   "high");
    if (!st) {
        su_frame carrier = { .fingerprint = su_sha256_of(r.files[r.file_count - 1].bytes.p, r.files[r.file_count - 1].bytes.n) };
        st = su_analysis_print(cli, &carrier, 0, result);
    }
out:
    su_result_free(result);
    close_release(&r);
    return st;
}
