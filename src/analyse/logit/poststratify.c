/* Predictions summed over a population's cells: multilevel regression and post-stratification (Gelman and Little 1997, Survey Methodology
 * 23:127-135; Park, Gelman and Bafumi 2004, doi:10.1093/pan/mph024). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "logit/random_likelihood.h"
#include "logit/session.h"
#include "numeric/philox.h"
#include "numeric/special.h"

enum { DRAWS = 2000, FEW_ROWS = 10, AREAS_MAX = 2000 };
static const double TINY_PIVOT = 1e-13;

typedef struct cell {
    uint32_t n, first; /* entries of its row */
    double offset, population;
    uint32_t area;
    int64_t group; /* of the random intercept; -1: not in the sample, or in it with too few rows to be shown */
} cell;

typedef struct area {
    const char *name; /* in the table's dictionary or the frame */
    double population, estimate;
    uint64_t rows; /* of the sample */
} area;

typedef struct strata {
    su_session *s;
    const su_raw_table *table;
    int population, by; /* columns; by -1: one area */
    size_t cells, areas;
    cell *cell;
    uint32_t *column;
    double *value;
    area *area;
    const su_variable *by_variable; /* of the sample, where it has such a column */
    double *draws;                  /* area by draw; the last row is the whole */
} strata;

static su_str text_at(const strata *p, int column, uint64_t row)
{
    const su_raw_column *c = &p->table->columns[column];
    return su_str_trim(su_dict_get(c->values, c->ids[row]));
}

/* ---- reading the cells ---- */

static su_status find_columns(strata *p)
{
    const su_logit_options *o = p->s->o;
    su_context *ctx = p->s->ctx;
    const char *by = o->cells_area ? o->cells_area : o->random ? o->random->name : NULL;
    p->population = su_raw_table_column(p->table, su_str_of(o->cells_population ? o->cells_population : "population"));
    p->by = by ? su_raw_table_column(p->table, su_str_of(by)) : -1;
    if (p->population < 0)
        return su_fail(ctx, SU_INPUT, "%s has no column '%s' with the people of each cell; name it with --population COLUMN.",
                       p->table->source, o->cells_population ? o->cells_population : "population");
    if (by && p->by < 0)
        return su_fail(ctx, SU_INPUT, "%s has no column '%s': it must say for each cell which %s it belongs to.", p->table->source, by, by);
    for (uint32_t a = 0; a < p->s->formula->atom_count; a++) {
        const char *name = p->s->x->atoms[a].variable->name;
        if (su_raw_table_column(p->table, su_str_of(name)) < 0)
            return su_fail(ctx, SU_INPUT, "%s has no column '%s', which is in the model; the cells must give every variable of it.",
                           p->table->source, name);
    }
    for (uint32_t i = 0; p->by >= 0 && i < p->s->frame->count; i++)
        if (strcmp(p->s->frame->variables[i].name, by) == 0 && p->s->frame->variables[i].kind == SU_VARIABLE_FACTOR)
            p->by_variable = &p->s->frame->variables[i];
    if (o->random && p->by >= 0 && strcmp(o->random->name, by) == 0) p->by_variable = o->random;
    return SU_OK;
}

static uint64_t sample_rows(const strata *p, su_str name)
{
    uint64_t rows = 0;
    const su_variable *v = p->by_variable;
    uint32_t level = 0;
    for (uint32_t k = 0; v && k < v->level_count; k++)
        if (su_str_equal(su_str_of(v->levels[k]), name)) level = k + 1;
    for (uint64_t i = 0; level && i < p->s->x->row_count; i++) rows += su_frame_level(v, p->s->x->rows[i]) == level;
    return rows;
}

static su_status area_of(strata *p, uint64_t row, uint32_t *out)
{
    su_str name = p->by >= 0 ? text_at(p, p->by, row) : su_str_of("all");
    for (*out = 0; *out < p->areas; ++*out)
        if (su_str_equal(su_str_of(p->area[*out].name), name)) return SU_OK;
    if (!name.n)
        return su_fail(p->s->ctx, SU_INPUT, "%s, line %u, column '%s': the cell is empty.", p->table->source, p->table->row_line[row],
                       p->table->columns[p->by].name);
    if (p->areas == AREAS_MAX) return su_fail(p->s->ctx, SU_REFUSED, "%s has more than %d areas.", p->table->source, AREAS_MAX);
    p->area[p->areas++] = (area) { .name = su_arena_strndup(&p->s->arena, name.p, name.n), .rows = p->by >= 0 ? sample_rows(p, name) : 0 };
    return SU_OK;
}

static su_status read_population(const strata *p, uint64_t row, double *out)
{
    su_str text = text_at(p, p->population, row);
    if (su_parse_f64(text, out) && *out >= 0 && isfinite(*out)) return SU_OK;
    return su_fail(p->s->ctx, SU_INPUT, "%s, line %u, column '%s': '%.*s' is no number of people.", p->table->source,
                   p->table->row_line[row], p->table->columns[p->population].name, (int)(text.n > 60 ? 60 : text.n), text.p);
}

static int64_t group_of(const strata *p, uint32_t at)
{
    const su_random_fit *f = p->s->random;
    uint64_t least = p->s->o->smallest_cell ? p->s->o->smallest_cell : FEW_ROWS;
    for (uint32_t g = 0; f && strcmp(p->by_variable ? p->by_variable->name : "", p->s->o->random->name) == 0 && g < f->groups; g++)
        if (strcmp(f->names[g], p->area[at].name) == 0) return f->sizes[g] < least ? -1 : (int64_t)g;
    return -1;
}

static su_status read_cell(strata *p, uint64_t row, su_setting *settings, su_sparse *sparse, uint32_t *entries)
{
    const su_predictors *x = p->s->x;
    cell *c = &p->cell[row];
    su_settings_clear(x, settings);
    su_status st = read_population(p, row, &c->population);
    if (!st) st = area_of(p, row, &c->area);
    for (uint32_t a = 0; !st && a < p->s->formula->atom_count; a++) {
        su_str name = su_str_of(x->atoms[a].variable->name);
        int column = su_raw_table_column(p->table, name);
        st = su_settings_put(p->s->ctx, x, name, text_at(p, column, row), settings);
        if (st)
            (void)su_fail_prefix(p->s->ctx, "%s, line %u, column '%s': ", p->table->source, p->table->row_line[row],
                                 p->table->columns[column].name);
    }
    if (st) return st;
    su_predictors_row(x, x->rows[0], settings, sparse);
    c->offset = su_predictors_offset(x, x->rows[0], settings);
    c->n = sparse->n;
    c->first = *entries;
    memcpy(p->column + *entries, sparse->column, sparse->n * sizeof *p->column);
    memcpy(p->value + *entries, sparse->value, sparse->n * sizeof *p->value);
    *entries += sparse->n;
    c->group = group_of(p, c->area);
    p->area[c->area].population += c->population;
    return SU_OK;
}

static su_status read_cells(strata *p)
{
    uint64_t rows = p->table->row_count, terms = p->s->x->term_count + 1;
    uint32_t entries = 0;
    double total = 0;
    su_status st = find_columns(p);
    if (!st && (rows == 0 || rows > 10000000 / terms))
        st = su_fail(p->s->ctx, SU_REFUSED, rows ? "%s has too many cells; group them first." : "%s has no rows.", p->table->source);
    if (st) return st;
    p->cells = rows;
    p->cell = su_alloc_array(rows, sizeof *p->cell);
    p->area = su_alloc_array(AREAS_MAX, sizeof *p->area);
    p->column = su_alloc_array(rows * terms, sizeof *p->column);
    p->value = su_alloc_array(rows * terms, sizeof *p->value);
    su_setting *settings = su_settings_new(p->s->x);
    su_sparse sparse = su_sparse_new(p->s->x);
    for (uint64_t row = 0; row < rows && !st; row++) st = read_cell(p, row, settings, &sparse, &entries);
    for (size_t a = 0; a < p->areas && !st; a++) {
        total += p->area[a].population;
        if (!(p->area[a].population > 0))
            st = su_fail(p->s->ctx, SU_REFUSED, "%s: nobody lives in '%s'; leave it out.", p->table->source, p->area[a].name);
    }
    free(settings);
    su_sparse_free(&sparse);
    return st;
}

/* ---- estimates and draws ---- */

static double link_of(const strata *p, const cell *c, const double *beta)
{
    double eta = c->offset;
    for (uint32_t i = 0; i < c->n; i++) eta += p->value[c->first + i] * beta[p->column[c->first + i]];
    return eta;
}

/* At the estimates: the intercept of a sampled group averaged over its posterior, that of another over all groups. */
static void point_estimates(strata *p, const double *beta)
{
    const su_random_fit *f = p->s->random;
    for (size_t i = 0; i < p->cells; i++) {
        const cell *c = &p->cell[i];
        double eta = link_of(p, c, beta), by_eta, by_sigma, mean;
        if (f && c->group >= 0)
            mean = su_population_average(eta + f->effect[c->group], f->effect_sd[c->group], &by_eta, &by_sigma);
        else
            mean = f ? su_population_average(eta, f->sigma, &by_eta, &by_sigma) : su_family_mean(p->s->o->family, eta).mu;
        p->area[c->area].estimate += c->population * mean / p->area[c->area].population;
    }
}

/* Lower triangle L with L L' = v; a parameter that cannot move has a row of zeros. */
static void factor(double *v, uint32_t n)
{
    for (uint32_t j = 0; j < n; j++) {
        double pivot = v[(size_t)j * n + j], before = pivot;
        for (uint32_t k = 0; k < j; k++) pivot -= v[(size_t)j * n + k] * v[(size_t)j * n + k];
        double root = pivot > TINY_PIVOT * before && before > 0 ? sqrt(pivot) : 0;
        for (uint32_t i = j; i < n; i++) {
            double x = v[(size_t)i * n + j];
            for (uint32_t k = 0; k < j; k++) x -= v[(size_t)i * n + k] * v[(size_t)j * n + k];
            v[(size_t)i * n + j] = i == j ? root : root > 0 ? x / root : 0;
        }
    }
}

/* One draw of parameters; then of each group's intercept given them and its rows, and of an area without sample from all groups' law. */
static void draw_once(strata *p, su_random_data *data, const double *theta, double sigma, const double *intercept, size_t draw)
{
    const su_random_fit *f = p->s->random;
    double *all = p->draws + p->areas * DRAWS + draw, total = 0;
    for (size_t i = 0; i < p->cells; i++) {
        const cell *c = &p->cell[i];
        double eta = link_of(p, c, theta);
        if (f)
            eta +=
                sigma * (c->group >= 0 ? data->mode[c->group] + intercept[c->area] / sqrt(data->curvature[c->group]) : intercept[c->area]);
        p->draws[c->area * DRAWS + draw] += c->population * su_family_mean(p->s->o->family, eta).mu / p->area[c->area].population;
    }
    for (size_t a = 0; a < p->areas; a++) total += p->area[a].population;
    for (size_t a = 0; a < p->areas; a++) *all += p->area[a].population / total * p->draws[a * DRAWS + draw];
}

static void simulate(strata *p, const double *beta)
{
    su_session *s = p->s;
    const su_random_fit *f = s->random;
    uint32_t n = s->x->columns, size = n + (f != NULL), levels_room = f ? s->o->random->level_count + 1 : 1;
    double *root = su_alloc_array((size_t)size * size, sizeof *root), *theta = su_alloc_array(size, sizeof *theta),
           *z = su_alloc_array(size, sizeof *z), *intercept = su_alloc_array(p->areas, sizeof *intercept);
    uint32_t *levels = su_alloc_array(levels_room, sizeof *levels);
    su_random_data data = { 0 };
    su_philox r = su_philox_of(s->o->cells_seed, 0);
    for (uint32_t j = 0; j < size; j++)
        for (uint32_t k = 0; k < size; k++)
            root[(size_t)j * size + k] = f ? f->covariance[(size_t)j * size + k] : su_session_variance(s, j, k);
    factor(root, size);
    if (f) su_random_data_init(&data, s->x, s->o->random, 1, levels); /* one node: modes and curvatures are all that is used */
    for (size_t d = 0; d < DRAWS && !su_cancelled(s->ctx); d++) {
        for (uint32_t j = 0; j < size; j++) z[j] = su_philox_normal(&r);
        for (uint32_t j = 0; j < size; j++) {
            theta[j] = j < n ? beta[j] : f->theta[n];
            for (uint32_t k = 0; k <= j; k++) theta[j] += root[(size_t)j * size + k] * z[k];
        }
        if (f && f->boundary) theta[n] = f->theta[n];
        if (f) (void)su_random_loglik(s->ctx, &data, theta, NULL, NULL);
        for (size_t a = 0; a < p->areas; a++) intercept[a] = su_philox_normal(&r);
        draw_once(p, &data, theta, f && !f->boundary ? exp(theta[n]) : 0, intercept, d);
    }
    if (f) su_random_data_free(&data);
    free(root), free(theta), free(z), free(intercept), free(levels);
}

/* ---- report ---- */

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void area_row(strata *p, su_result_table *t, size_t a, const area *x, const char *basis, double *low, double *high)
{
    double *draws = p->draws + a * DRAWS, mean = 0, square = 0, tail = (1 - p->s->level) / 2;
    for (size_t d = 0; d < DRAWS; d++) mean += draws[d] / DRAWS;
    for (size_t d = 0; d < DRAWS; d++) square += (draws[d] - mean) * (draws[d] - mean) / (DRAWS - 1);
    qsort(draws, DRAWS, sizeof *draws, compare_doubles);
    *low = draws[(size_t)floor(tail * (DRAWS - 1) + 0.5)];
    *high = draws[(size_t)floor((1 - tail) * (DRAWS - 1) + 0.5)];
    su_result_text(t, x->name);
    su_result_text(t, basis);
    if (p->by_variable)
        su_result_integer(t, (int64_t)x->rows);
    else
        su_result_number(t, NAN);
    su_result_number(t, x->population);
    su_result_number(t, x->estimate);
    su_result_number(t, *low);
    su_result_number(t, *high);
    su_result_number(t, sqrt(square));
}

/* How many pairs of areas have intervals that overlap. */
static size_t overlapping(const double *low, const double *high, size_t n)
{
    size_t pairs = 0;
    for (size_t a = 0; a < n; a++)
        for (size_t b = a + 1; b < n; b++) pairs += low[a] <= high[b] && low[b] <= high[a];
    return pairs;
}

static void report_areas(strata *p)
{
    su_result *r = p->s->result;
    su_column_kind kind = p->s->binary ? SU_COLUMN_PERCENT : SU_COLUMN_NUMBER;
    uint64_t least = p->s->o->smallest_cell ? p->s->o->smallest_cell : FEW_ROWS;
    size_t extrapolated = 0;
    double *low = su_alloc_array(p->areas + 1, sizeof *low), *high = su_alloc_array(p->areas + 1, sizeof *high);
    area whole = { .name = "all areas", .rows = p->s->x->row_count };
    su_result_table *t = su_result_table_add(r, "poststratified", "Shares of the population, by the model over the cells given");
    su_result_column(t, "area", "area", SU_COLUMN_TEXT);
    su_result_column(t, "basis", "basis", SU_COLUMN_TEXT);
    su_result_column(t, "rows", "rows of the sample", SU_COLUMN_INTEGER);
    su_result_column(t, "population", "population", SU_COLUMN_NUMBER);
    su_result_column(t, "estimate", p->s->binary ? "share" : "mean", kind);
    su_result_column(t, "low", "from", kind);
    su_result_column(t, "high", "to", kind);
    su_result_column(t, "sd", "SD", SU_COLUMN_NUMBER);
    for (size_t a = 0; a < p->areas; a++) {
        const area *x = &p->area[a];
        bool sampled = !p->by_variable || x->rows >= least;
        extrapolated += !sampled;
        area_row(p, t, a, x, sampled ? "sample" : x->rows ? "extrapolated (too few rows)" : "extrapolated", &low[a], &high[a]);
        whole.population += x->population;
    }
    for (size_t a = 0; a < p->areas; a++) whole.estimate += p->area[a].population / whole.population * p->area[a].estimate;
    if (p->areas > 1) area_row(p, t, p->areas, &whole, "sum of areas", &low[p->areas], &high[p->areas]);
    su_result_plot(r, SU_PLOT_INTERVALS, "Shares of the population", t, "area", NULL, "estimate", "low", "high");
    size_t pairs = overlapping(low, high, p->areas);
    if (extrapolated)
        su_result_warn(
            r, "W_EXTRAPOLATED",
            "%zu areas are extrapolated: risk factors turned into a share by a model of other places. Nothing was measured there.",
            extrapolated);
    if (pairs) su_result_warn(r, "W_NO_RANKING", "the intervals of %zu pairs of areas overlap: the table is no ranking of areas.", pairs);
    su_result_method(
        r,
        "Predictions were summed over the population's cells (multilevel regression and post-stratification, Gelman and Little "
        "1997); intervals are quantiles of %d draws of the coefficients%s, whose posterior is taken as normal. %s",
        DRAWS, p->s->random ? ", of the spread between groups and of each group's intercept given both" : "",
        p->s->random ? "An area without sample has an intercept drawn from the spread between groups." : "");
    free(low), free(high);
}

su_status su_report_poststratified(su_session *s)
{
    if (!s->o->cells) return SU_OK;
    strata p = { .s = s, .table = s->o->cells };
    double *beta = su_alloc_array(s->x->columns, sizeof *beta);
    for (uint32_t j = 0; j < s->x->columns; j++) beta[j] = su_session_beta(s, j);
    su_status st = read_cells(&p);
    if (!st) {
        p.draws = su_alloc_array((p.areas + 1) * DRAWS, sizeof *p.draws);
        point_estimates(&p, beta);
        simulate(&p, beta);
        report_areas(&p);
    }
    free(beta), free(p.cell), free(p.column), free(p.value), free(p.area), free(p.draws);
    return st;
}
