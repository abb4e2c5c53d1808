/* Overlap tables and person rows from a raw table. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mse/model.h"
#include "mse/overlap.h"

static const int64_t MOST_PEOPLE = (int64_t)1 << 40;

typedef struct reading {
    su_context *ctx;
    const su_raw_table *table;
    const su_overlap_options *options;
    uint32_t lists[SU_MSE_MAX_LISTS];
    unsigned list_count;
    uint32_t *covariates;
    int count;        /* column with the number of people; -1: one person per row */
    uint32_t **level; /* [covariate][value id] */
} reading;

/* 0, 1, or -1 for what is neither. */
static int membership(su_str cell)
{
    static const struct {
        const char *word;
        int value;
    } words[] = { { "0", 0 }, { "1", 1 }, { "no", 0 }, { "yes", 1 }, { "n", 0 }, { "y", 1 }, { "false", 0 }, { "true", 1 } };
    su_str s = su_str_trim(cell);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (s.n == strlen(words[i].word) && strncasecmp(s.p, words[i].word, s.n) == 0) return words[i].value;
    return -1;
}

static uint32_t distinct(const reading *r, uint32_t c) { return su_dict_count(r->table->columns[c].values); }

static bool is_list(const reading *r, uint32_t c)
{
    for (uint32_t i = 0; i < distinct(r, c); i++)
        if (membership(su_dict_get(r->table->columns[c].values, i)) < 0) return false;
    return distinct(r, c) > 0;
}

static uint64_t line_of(const reading *r, uint32_t c, uint32_t id)
{
    for (uint64_t row = 0; row < r->table->row_count; row++)
        if (r->table->columns[c].ids[row] == id) return r->table->row_line[row];
    return 0;
}

static su_status not_a_list(const reading *r, uint32_t c)
{
    const su_raw_column *column = &r->table->columns[c];
    for (uint32_t i = 0; i < distinct(r, c); i++) {
        su_str cell = su_dict_get(column->values, i);
        if (membership(cell) >= 0) continue;
        bool blank = su_str_trim(cell).n == 0;
        return su_fail(
            r->ctx, SU_INPUT,
            "%s, line %llu, column '%s': %s%.*s%s is neither 0 nor 1. A list column says for each row whether it is on the list: 1 or 0 "
            "(yes, no, true, false). %s",
            r->table->source, (unsigned long long)line_of(r, c, i), column->name, blank ? "an empty cell" : "'",
            blank ? 0 : (int)(cell.n > 60 ? 60 : cell.n), cell.p, blank ? "" : "'",
            r->options->list_count ? ""
                                   : "If this column is no list, name the lists with --lists A,B,C, the count with --count, "
                                     "and traits of people with --covariates.");
    }
    return SU_OK;
}

static su_status find_column(const reading *r, const char *option, const char *name, int *out)
{
    *out = su_raw_table_column(r->table, su_str_of(name));
    if (*out >= 0) return SU_OK;
    su_buf names = { 0 };
    for (uint32_t c = 0; c < r->table->column_count && names.n < 400; c++)
        su_buf_printf(&names, "%s%s", c ? ", " : "", r->table->columns[c].name);
    su_status st =
        su_fail(r->ctx, SU_INPUT, "%s has no column '%s' (--%s). Its columns: %s.", r->table->source, name, option, names.p ? names.p : "");
    su_buf_free(&names);
    return st;
}

static bool named_as_count(const char *name)
{
    static const char *const words[] = { "count", "counts", "n", "freq", "frequency", "number", "people", "persons", "cases", "total" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(name, words[i]) == 0) return true;
    return false;
}

static bool taken(const reading *r, uint32_t c)
{
    for (size_t i = 0; i < r->options->covariate_count; i++)
        if (r->covariates[i] == c) return true;
    return r->count == (int)c;
}

static su_status find_count(reading *r)
{
    const su_overlap_options *o = r->options;
    r->count = -1;
    if (o->count) return find_column(r, "count", o->count, &r->count);
    if (o->person_rows) return SU_OK;
    for (uint32_t c = 0; c < r->table->column_count && r->count < 0; c++)
        if (named_as_count(r->table->columns[c].name) && !taken(r, c)) r->count = (int)c;
    if (r->count >= 0 || o->list_count) return SU_OK;
    int other = -1, others = 0;
    for (uint32_t c = 0; c < r->table->column_count; c++) {
        bool number = !taken(r, c) && !is_list(r, c) && distinct(r, c) > 0;
        for (uint32_t i = 0; i < distinct(r, c) && number; i++) {
            double x;
            number = su_parse_f64(su_dict_get(r->table->columns[c].values, i), &x);
        }
        if (number) other = (int)c, others++;
    }
    if (others == 1) r->count = other;
    return SU_OK;
}

static su_status find_columns(reading *r)
{
    const su_overlap_options *o = r->options;
    su_status st = SU_OK;
    int at = -1;
    for (size_t i = 0; i < o->covariate_count && !st; i++) {
        st = find_column(r, "covariates", o->covariates[i], &at);
        r->covariates[i] = (uint32_t)at;
    }
    if (!st) st = find_count(r);
    if (st) return st;
    size_t want = o->list_count ? o->list_count : r->table->column_count;
    for (size_t i = 0; i < want; i++) {
        uint32_t c = (uint32_t)i;
        if (o->list_count) {
            if ((st = find_column(r, "lists", o->lists[i], &at))) return st;
            c = (uint32_t)at;
        }
        if (taken(r, c)) {
            if (!o->list_count) continue;
            return su_fail(r->ctx, SU_USAGE, "column '%s' is named as a list and as something else", r->table->columns[c].name);
        }
        for (unsigned j = 0; j < r->list_count; j++)
            if (r->lists[j] == c) return su_fail(r->ctx, SU_USAGE, "--lists names column '%s' twice", r->table->columns[c].name);
        if ((st = not_a_list(r, c))) return st;
        if (r->list_count == SU_MSE_MAX_LISTS)
            return su_fail(r->ctx, SU_REFUSED,
                           "%s has more than %u list columns. Choose some with --lists, or merge lists that belong together.",
                           r->table->source, SU_MSE_MAX_LISTS);
        r->lists[r->list_count++] = c;
    }
    if (!r->list_count) return su_fail(r->ctx, SU_INPUT, "%s has no list column: no column holds only 0 and 1.", r->table->source);
    return SU_OK;
}

/* ---- levels of covariates: numbers by size, then text by bytes ---- */

typedef struct level {
    su_str text;
    double number;
    uint32_t id;
} level;

static int compare_levels(const void *a, const void *b)
{
    const level *x = a, *y = b;
    if (!isnan(x->number) != !isnan(y->number)) return isnan(x->number) - isnan(y->number);
    if (x->number != y->number && !isnan(x->number)) return x->number < y->number ? -1 : 1;
    int by_bytes = memcmp(x->text.p, y->text.p, x->text.n < y->text.n ? x->text.n : y->text.n);
    return by_bytes ? by_bytes : (x->text.n > y->text.n) - (x->text.n < y->text.n);
}

static su_status read_levels(reading *r, su_overlaps *o, unsigned covariate)
{
    uint32_t c = r->covariates[covariate], count = distinct(r, c), levels = 0;
    const su_raw_column *column = &r->table->columns[c];
    level *all = su_alloc_array(count + 1, sizeof *all);
    su_status st = SU_OK;
    r->level[covariate] = su_alloc_array(count + 1, sizeof **r->level);
    for (uint32_t i = 0; i < count && !st; i++) {
        all[i] = (level) { su_str_trim(su_dict_get(column->values, i)), NAN, i };
        if (!su_parse_f64(all[i].text, &all[i].number)) all[i].number = NAN;
        if (!all[i].text.n && !r->options->incomplete)
            st = su_fail(
                r->ctx, SU_INPUT,
                "%s, line %llu: covariate '%s' is empty. Give the people without it a value of their own, such as unknown, or, where "
                "their list does not record it, say --incomplete.",
                r->table->source, (unsigned long long)line_of(r, c, i), column->name);
    }
    if (!st) qsort(all, count, sizeof *all, compare_levels);
    o->covariate_values[covariate] = su_alloc_array(count + 1, sizeof **o->covariate_values);
    for (uint32_t i = 0; i < count && !st; i++) {
        if (!all[i].text.n) { /* sorted after numbers and before other text, so levels go on around it */
            r->level[covariate][all[i].id] = SU_OVERLAP_UNKNOWN;
            continue;
        }
        if (!levels || !su_str_equal(all[i].text, su_str_of(o->covariate_values[covariate][levels - 1]))) {
            char *copy = su_alloc(all[i].text.n + 1);
            memcpy(copy, all[i].text.p, all[i].text.n);
            o->covariate_values[covariate][levels++] = copy;
        }
        r->level[covariate][all[i].id] = levels - 1;
    }
    o->covariate_levels[covariate] = levels;
    free(all);
    if (!st && !levels) st = su_fail(r->ctx, SU_INPUT, "%s: covariate '%s' has no value at all.", r->table->source, column->name);
    if (!st && (levels > SU_MSE_MAX_STRATA || (o->strata *= levels) > SU_MSE_MAX_STRATA))
        st = su_fail(r->ctx, SU_REFUSED, "the covariates make more than %u strata; group their values first.", SU_MSE_MAX_STRATA);
    return st;
}

static su_status read_covariates(reading *r, su_overlaps *o)
{
    size_t count = r->options->covariate_count;
    su_status st = SU_OK;
    if (!count) return SU_OK;
    o->covariate_names = su_alloc_array(count, sizeof *o->covariate_names);
    o->covariate_levels = su_alloc_array(count, sizeof *o->covariate_levels);
    o->covariate_values = su_alloc_array(count, sizeof *o->covariate_values);
    for (size_t i = 0; i < count && !st; i++) {
        o->covariates++;
        o->covariate_names[i] = su_strdup(r->table->columns[r->covariates[i]].name);
        st = read_levels(r, o, (unsigned)i);
    }
    if (!st) o->stratum_counts = su_alloc_array(o->strata * o->cells, sizeof *o->stratum_counts);
    return st;
}

/* ---- rows ---- */

static su_status people_of(const reading *r, uint64_t row, bool on_none, int64_t *people)
{
    unsigned long long line = r->table->row_line[row];
    *people = 1;
    if (r->count >= 0) {
        const su_raw_column *column = &r->table->columns[r->count];
        su_str cell = su_str_trim(su_dict_get(column->values, column->ids[row]));
        double x = 0;
        if (on_none && !cell.n) {
            *people = 0;
            return SU_OK;
        }
        bool whole = su_parse_f64(cell, &x) && x == floor(x), number = whole && fabs(x) <= (double)MOST_PEOPLE;
        if (whole && !number)
            return su_fail(r->ctx, SU_INPUT, "%s, line %llu, column '%s': '%.*s' is no number of people that can be counted here; %lld is the most.",
                           r->table->source, line, column->name, (int)(cell.n > 60 ? 60 : cell.n), cell.p, (long long)MOST_PEOPLE);
        if (!number || (x < 0 && !r->options->noised))
            return su_fail(
                r->ctx, SU_INPUT, "%s, line %llu, column '%s': '%.*s' is no number of people; it must be a whole number%s.%s",
                r->table->source, line, column->name, (int)(cell.n > 60 ? 60 : cell.n), cell.p, r->options->noised ? "" : ", 0 or more",
                number ? " If noise was added to the counts for privacy, say which: --noise gaussian:SIGMA or geometric:EPSILON." : "");
        *people = (int64_t)x;
    }
    if (on_none && *people)
        return su_fail(
            r->ctx, SU_INPUT,
            "%s, line %llu: %lld %s on no list. Nobody counts people who are on no list: they are what is estimated. Remove the row, "
            "or name all list columns with --lists.",
            r->table->source, line, (long long)*people, *people == 1 ? "person is" : "people are");
    return SU_OK;
}

/* A combination without a row was not published: it is no zero. */
static su_status all_given(const reading *r, const su_overlaps *o, const bool *given)
{
    for (size_t w = 1; w < o->cells; w++) {
        char names[512];
        if (given[w]) continue;
        su_term_names(o, (unsigned)w, names, sizeof names);
        return su_fail(r->ctx, SU_INPUT,
                       "%s has no row for people on exactly %s. A table with noise must give every one of its %zu combinations, also where "
                       "the count is 0 or below: one that was held back is not known to be 0.",
                       r->table->source, names, o->cells - 1);
    }
    return SU_OK;
}

static su_status read_rows(const reading *r, su_overlaps *o)
{
    signed char *member[SU_MSE_MAX_LISTS] = { NULL };
    su_status st = SU_OK;
    int64_t total = 0;
    bool *given = su_alloc_array(o->cells, sizeof *given);
    uint32_t *value = su_alloc_array(o->covariates + 1, sizeof *value);
    for (unsigned i = 0; i < r->list_count; i++) {
        uint32_t c = r->lists[i];
        member[i] = su_alloc(distinct(r, c) + 1);
        for (uint32_t v = 0; v < distinct(r, c); v++) member[i][v] = (signed char)membership(su_dict_get(r->table->columns[c].values, v));
    }
    for (uint64_t row = 0; row < r->table->row_count && !st; row++) {
        size_t cell = 0, stratum = 0;
        int64_t people = 0;
        for (unsigned i = 0; i < r->list_count; i++)
            if (member[i][r->table->columns[r->lists[i]].ids[row]]) cell |= (size_t)1 << i;
        if ((st = people_of(r, row, cell == 0, &people)) || cell == 0) continue;
        bool known = true;
        for (unsigned c = 0; c < o->covariates; c++) {
            value[c] = r->level[c][r->table->columns[r->covariates[c]].ids[row]];
            known = known && value[c] != SU_OVERLAP_UNKNOWN;
            stratum = known ? stratum * o->covariate_levels[c] + value[c] : 0;
        }
        if ((total += people) > MOST_PEOPLE) {
            st = su_fail(r->ctx, SU_INPUT, "%s: more than %lld people", r->table->source, (long long)MOST_PEOPLE);
            break;
        }
        if (r->options->noised && given[cell]) {
            st = su_fail(
                r->ctx, SU_INPUT,
                "%s, line %llu: these lists have a row already. Noised counts cannot be added up, because each carries its own noise; "
                "give the published table as it is.",
                r->table->source, (unsigned long long)r->table->row_line[row]);
            break;
        }
        given[cell] = true;
        o->counts[cell] += people;
        if (!known)
            su_overlaps_add_partial(o, (uint32_t)cell, value, people);
        else if (o->covariates)
            o->stratum_counts[stratum * o->cells + cell] += people;
    }
    if (!st && r->options->noised) st = all_given(r, o, given);
    for (unsigned i = 0; i < r->list_count; i++) free(member[i]);
    free(given);
    free(value);
    return st;
}

su_status su_overlaps_of_table(su_context *ctx, const su_raw_table *table, const su_overlap_options *options, su_overlaps **out)
{
    reading r = { .ctx = ctx, .table = table, .options = options };
    su_overlaps *o = NULL;
    *out = NULL;
    r.covariates = su_alloc_array(options->covariate_count + 1, sizeof *r.covariates);
    r.level = su_alloc_array(options->covariate_count + 1, sizeof *r.level);
    for (size_t i = 0; i < options->covariate_count; i++) r.covariates[i] = UINT32_MAX;
    su_status st = find_columns(&r);
    if (!st) {
        o = su_overlaps_blank(r.list_count);
        for (unsigned i = 0; i < o->lists; i++) o->names[i] = su_strdup(table->columns[r.lists[i]].name);
        st = read_covariates(&r, o);
    }
    if (!st) st = read_rows(&r, o);
    for (size_t i = 0; i < options->covariate_count; i++) free(r.level[i]);
    free(r.level);
    free(r.covariates);
    if (st) {
        su_overlaps_free(o);
        return st;
    }
    su_overlaps_seal(o);
    *out = o;
    return SU_OK;
}
