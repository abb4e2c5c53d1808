/* From a frame to chains and back. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "impute/chain.h"

enum { MOST_LEVELS = 50, MOST_MATCHED = SU_CHAIN_COLUMNS - 1 };

const char *su_impute_method_name(su_impute_method m)
{
#define SU_IMPUTE_NAME(id, name, about) name,
    static const char *const names[] = { SU_IMPUTE_LIST(SU_IMPUTE_NAME) };
#undef SU_IMPUTE_NAME
    return (unsigned)m < SU_IMPUTE_METHODS ? names[m] : "";
}

static bool is_missing(const su_variable *v, uint64_t row)
{
    return v->kind == SU_VARIABLE_NUMBER ? isnan(su_frame_number(v, row)) : su_frame_level(v, row) == 0;
}

static su_cell reason_of(const su_variable *v, uint64_t row)
{
    return v->reason ? v->reason[v->ids ? v->ids[row] : row] : SU_CELL_NOT_RECORDED;
}

/* ---- what a variable is ---- */

typedef struct summary {
    uint64_t present, distinct; /* distinct: up to 3 for numbers; levels that occur for factors */
    double value[3], mean, square;
    uint64_t *level_rows; /* factors */
} summary;

static void summarise(const su_frame *f, const su_variable *v, summary *s)
{
    if (v->kind == SU_VARIABLE_FACTOR) s->level_rows = su_alloc_array((size_t)v->level_count + 1, sizeof *s->level_rows);
    for (uint64_t row = 0; row < f->rows; row++) {
        if (is_missing(v, row)) continue;
        s->present++;
        if (v->kind == SU_VARIABLE_FACTOR) {
            s->distinct += s->level_rows[su_frame_level(v, row)]++ == 0;
            continue;
        }
        double x = su_frame_number(v, row), step = x - s->mean;
        s->mean += step / (double)s->present;
        s->square += step * (x - s->mean);
        bool known = false;
        for (uint64_t k = 0; k < s->distinct && k < 3; k++) known |= s->value[k] == x;
        if (!known && s->distinct < 3) s->value[s->distinct++] = x;
    }
}

/* A reason why the variable can neither be imputed nor predict, or NULL. */
static const char *useless(const su_variable *v, const summary *s, su_impute_method chosen)
{
    if (s->present == 0) return "no value at all";
    if (s->distinct < 2) return "one value only";
    if (v->kind == SU_VARIABLE_NUMBER) return NULL;
    if (chosen == SU_IMPUTE_MATCHED) return s->distinct > MOST_MATCHED ? "more than 199 different values" : NULL;
    if (s->distinct > MOST_LEVELS) return "text or an identifier (more than 50 different values)";
    return NULL;
}

static su_impute_method automatic(const su_variable *v, const summary *s)
{
    if (s->distinct == 2) return SU_IMPUTE_LOGIT;
    if (v->kind == SU_VARIABLE_NUMBER) return SU_IMPUTE_PMM;
    return s->distinct > SU_CHAIN_CATEGORIES ? SU_IMPUTE_MATCHED : SU_IMPUTE_MULTINOMIAL;
}

static su_status check_method(su_context *ctx, const su_variable *v, const summary *s, su_impute_method m, double delta, uint64_t missing)
{
    bool number = v->kind == SU_VARIABLE_NUMBER;
    if (m == SU_IMPUTE_PMM && !number) return su_fail(ctx, SU_USAGE, "'%s' holds categories; pmm is for numbers", v->name);
    if (m == SU_IMPUTE_LOGIT && s->distinct != 2) return su_fail(ctx, SU_USAGE, "'%s' has more than two values; logit is for two", v->name);
    if ((m == SU_IMPUTE_MULTINOMIAL || m == SU_IMPUTE_ORDERED || m == SU_IMPUTE_MATCHED) && number && s->distinct != 2)
        return su_fail(ctx, SU_USAGE, "'%s' is a number; use pmm, or write its categories as words", v->name);
    if (m != SU_IMPUTE_PMM && m != SU_IMPUTE_MATCHED && missing && s->distinct > SU_CHAIN_CATEGORIES)
        return su_fail(ctx, SU_REFUSED,
                       "'%s' has %llu categories and missing values; %s takes at most %d. Join categories, say --method %s=matched, or "
                       "exclude it",
                       v->name, (unsigned long long)s->distinct, su_impute_method_name(m), SU_CHAIN_CATEGORIES, v->name);
    if (delta != 0 && (m == SU_IMPUTE_MULTINOMIAL || m == SU_IMPUTE_MATCHED) && s->distinct > 2)
        return su_fail(ctx, SU_USAGE, "'%s' has several categories without an order: --delta has no direction there; use ordered", v->name);
    return SU_OK;
}

/* ---- columns of a chain ---- */

static void fill_categories(su_arena *arena, const su_frame *f, const summary *s, su_chain_variable *c)
{
    const su_variable *v = c->source;
    c->category = true;
    c->code = su_arena_array(arena, f->rows, sizeof *c->code);
    if (v->kind == SU_VARIABLE_NUMBER) {
        c->categories = 2;
        c->value_of[0] = fmin(s->value[0], s->value[1]);
        c->value_of[1] = fmax(s->value[0], s->value[1]);
        for (uint64_t row = 0; row < f->rows; row++) c->code[row] = su_frame_number(v, row) == c->value_of[1];
        return;
    }
    uint16_t *code_of = su_arena_array(arena, (size_t)v->level_count + 1, sizeof *code_of);
    c->level_of = su_arena_array(arena, s->distinct, sizeof *c->level_of);
    for (uint32_t k = 1; k <= v->level_count; k++) {
        if (!s->level_rows[k]) continue;
        code_of[k] = (uint16_t)c->categories;
        c->level_of[c->categories++] = (uint16_t)k;
    }
    for (uint64_t row = 0; row < f->rows; row++) c->code[row] = code_of[su_frame_level(v, row)];
}

static void fill_numbers(su_arena *arena, const su_frame *f, const summary *s, su_chain_variable *c)
{
    c->mean = s->mean;
    c->sd = sqrt(s->square / (double)s->present);
    c->number = su_arena_array(arena, f->rows, sizeof *c->number);
    for (uint64_t row = 0; row < f->rows; row++) {
        double x = su_frame_number(c->source, row);
        c->number[row] = isnan(x) ? 0 : (x - c->mean) / c->sd;
    }
}

static void list_rows(su_arena *arena, const su_frame *f, const su_imputed *i, su_chain_variable *c)
{
    uint64_t present = f->rows - i->missing;
    c->missing = su_arena_array(arena, i->missing ? i->missing : 1, sizeof *c->missing);
    c->observed = su_arena_array(arena, present ? present : 1, sizeof *c->observed);
    for (uint64_t row = 0; row < f->rows; row++) {
        if (is_missing(c->source, row))
            c->missing[c->missing_count++] = (uint32_t)row;
        else
            c->observed[c->observed_count++] = (uint32_t)row;
    }
}

static su_status prepare(su_context *ctx, const su_frame *f, const su_impute_options *o, su_arena *scratch, uint32_t at, su_imputation *out,
                         su_chain_variable *c)
{
    su_imputed *i = &out->variables[at];
    su_impute_choice choice = { 0 };
    summary s = { 0 };
    for (size_t k = 0; k < o->choice_count; k++)
        if (o->choices[k].variable == &f->variables[at]) choice = o->choices[k];
    *i = (su_imputed) { .variable = &f->variables[at], .method = choice.method, .delta = choice.delta, .r_hat = NAN };
    for (uint64_t row = 0; row < f->rows; row++)
        if (is_missing(i->variable, row)) {
            i->missing++;
            i->not_applicable += reason_of(i->variable, row) == SU_CELL_NOT_APPLICABLE;
        }
    summarise(f, i->variable, &s);
    i->note = choice.method == SU_IMPUTE_EXCLUDE ? "excluded" : useless(i->variable, &s, choice.method);
    su_status st = SU_OK;
    if (i->note && choice.method != SU_IMPUTE_EXCLUDE && (choice.method != SU_IMPUTE_AUTO || choice.delta != 0))
        st = su_fail(ctx, SU_REFUSED, "'%s' cannot be imputed: %s", i->variable->name, i->note);
    if (i->note)
        i->method = SU_IMPUTE_EXCLUDE;
    else if (i->method == SU_IMPUTE_AUTO)
        i->method = automatic(i->variable, &s);
    if (!st && !i->note) {
        st = check_method(ctx, i->variable, &s, i->method, i->delta, i->missing);
        *c = (su_chain_variable) { .source = i->variable, .method = i->method, .used = true, .delta = i->delta };
    }
    if (!st && c->used) {
        if (i->method == SU_IMPUTE_PMM)
            fill_numbers(scratch, f, &s, c);
        else
            fill_categories(scratch, f, &s, c);
        list_rows(scratch, f, i, c);
    }
    free(s.level_rows);
    return st;
}

static su_status check_sizes(su_context *ctx, const su_chain_data *d, const su_imputation *out)
{
    bool any = false;
    for (uint32_t j = 0; j < d->count; j++) {
        const su_chain_variable *v = &d->variables[j];
        if (!v->used || !v->missing_count) continue;
        uint32_t columns = su_chain_columns(d, j),
                 parameters = v->category && v->method != SU_IMPUTE_MATCHED ? columns * (v->categories - 1) : columns;
        any = true;
        if (columns > SU_CHAIN_COLUMNS)
            return su_fail(ctx, SU_REFUSED,
                           "'%s' would be predicted by %u columns; exclude variables with many categories (at most %d columns)",
                           v->source->name, columns, SU_CHAIN_COLUMNS);
        if (v->observed_count < (v->category ? 2u : columns + 2) || (v->category && parameters > 4 * v->observed_count))
            return su_fail(ctx, SU_REFUSED, "'%s' has %llu values, too few for a model with %u parameters; exclude variables or it",
                           v->source->name, (unsigned long long)v->observed_count, parameters);
    }
    if (any) return SU_OK;
    for (uint32_t j = 0; j < d->count; j++)
        if (out->variables[j].missing)
            return su_fail(ctx, SU_REFUSED, "the only variables with missing values are excluded ('%s': %s)",
                           out->variables[j].variable->name, out->variables[j].note ? out->variables[j].note : "");
    return su_fail(ctx, SU_REFUSED, "nothing is missing: no imputation is needed (does --missing name the codes that mean missing?)");
}

/* ---- the chains ---- */

typedef struct job {
    const su_chain_data *data;
    su_imputation *out;
    uint32_t *order; /* variables by their number of missing values */
    uint32_t order_count;
    double *means; /* variable, imputation, round */
    su_context *ctx;
} job;

static void chain_begin(su_chain *c, const job *w, uint64_t seed, size_t which)
{
    const su_chain_data *d = w->data;
    *c = (su_chain) { .data = d, .random = su_philox_of(seed, which) };
    c->number = su_alloc_array(d->count, sizeof *c->number);
    c->code = su_alloc_array(d->count, sizeof *c->code);
    c->start = su_alloc_array(d->count, sizeof *c->start);
    for (uint32_t j = 0; j < d->count; j++) {
        const su_chain_variable *v = &d->variables[j];
        c->number[j] = v->number;
        c->code[j] = v->code;
        if (!v->used || !v->missing_count) continue;
        c->start[j] = su_alloc_array((size_t)su_chain_columns(d, j) * (v->category ? v->categories : 1) + 1, sizeof(double));
        if (v->category) {
            c->code[j] = su_alloc_array(d->rows, sizeof *c->code[j]);
            memcpy(c->code[j], v->code, d->rows * sizeof *v->code);
        } else {
            c->number[j] = su_alloc_array(d->rows, sizeof *c->number[j]);
            memcpy(c->number[j], v->number, d->rows * sizeof *v->number);
        }
        for (uint64_t i = 0; i < v->missing_count; i++) { /* an observed value at random */
            uint32_t from = v->observed[su_philox_below(&c->random, v->observed_count)];
            if (v->category)
                c->code[j][v->missing[i]] = v->code[from];
            else
                c->number[j][v->missing[i]] = v->number[from];
        }
    }
}

static void chain_end(su_chain *c)
{
    for (uint32_t j = 0; j < c->data->count; j++) {
        const su_chain_variable *v = &c->data->variables[j];
        free(c->start[j]);
        if (!v->used || !v->missing_count) continue;
        if (v->category)
            free(c->code[j]);
        else
            free(c->number[j]);
    }
    free(c->number);
    free(c->code);
    free(c->start);
}

static double mean_of_missing(const su_chain *c, uint32_t j)
{
    const su_chain_variable *v = &c->data->variables[j];
    double sum = 0;
    for (uint64_t i = 0; i < v->missing_count; i++) sum += v->category ? c->code[j][v->missing[i]] : c->number[j][v->missing[i]];
    return sum / (double)v->missing_count;
}

static void keep_values(const su_chain *c, su_imputation *out, size_t which)
{
    for (uint32_t j = 0; j < c->data->count; j++) {
        const su_chain_variable *v = &c->data->variables[j];
        su_imputed *i = &out->variables[j];
        for (uint64_t k = 0; k < i->filled; k++) {
            uint32_t row = i->rows[k];
            if (!v->category)
                i->number[which][k] = c->number[j][row] * v->sd + v->mean;
            else if (i->number)
                i->number[which][k] = v->value_of[c->code[j][row]];
            else
                i->level[which][k] = v->level_of[c->code[j][row]];
        }
    }
}

static void run_chain(void *arg, size_t which, unsigned worker)
{
    job *w = arg;
    su_chain c;
    (void)worker;
    chain_begin(&c, w, w->out->seed, which);
    for (unsigned round = 0; round < w->out->rounds && !su_cancelled(w->ctx); round++)
        for (uint32_t k = 0; k < w->order_count; k++) {
            uint32_t j = w->order[k];
            switch (w->data->variables[j].method) {
            case SU_IMPUTE_PMM:
                su_chain_pmm(&c, j);
                break;
            case SU_IMPUTE_MATCHED:
                su_chain_matched(&c, j);
                break;
            case SU_IMPUTE_ORDERED:
                su_chain_ordered(&c, j);
                break;
            default:
                su_chain_multinomial(&c, j);
            }
            w->means[((size_t)j * w->out->imputations + which) * w->out->rounds + round] = mean_of_missing(&c, j);
        }
    keep_values(&c, w->out, which);
    chain_end(&c);
}

/* Gelman and Rubin's ratio over the second half of the rounds. */
static double r_hat_of(const double *means, unsigned chains, unsigned rounds)
{
    unsigned from = rounds / 2, n = rounds - from;
    double grand = 0, between = 0, within = 0;
    if (chains < 2 || n < 2) return NAN;
    for (unsigned c = 0; c < chains; c++)
        for (unsigned r = from; r < rounds; r++) grand += means[c * rounds + r] / ((double)n * chains);
    for (unsigned c = 0; c < chains; c++) {
        double mean = 0;
        for (unsigned r = from; r < rounds; r++) mean += means[c * rounds + r] / n;
        between += (mean - grand) * (mean - grand) / (chains - 1);
        for (unsigned r = from; r < rounds; r++)
            within += (means[c * rounds + r] - mean) * (means[c * rounds + r] - mean) / ((n - 1.0) * chains);
    }
    return within > 0 ? sqrt((within * (n - 1) / n + between) / within) : NAN;
}

static void result_room(su_imputation *out, const su_chain_data *d)
{
    for (uint32_t j = 0; j < d->count; j++) {
        su_imputed *i = &out->variables[j];
        const su_chain_variable *v = &d->variables[j];
        if (!v->used || !v->missing_count) continue;
        uint32_t *rows = su_arena_array(&out->arena, v->missing_count, sizeof *rows);
        for (uint64_t k = 0; k < v->missing_count; k++)
            if (reason_of(i->variable, v->missing[k]) != SU_CELL_NOT_APPLICABLE) rows[i->filled++] = v->missing[k];
        i->rows = rows;
        bool number = i->variable->kind == SU_VARIABLE_NUMBER;
        if (number)
            i->number = su_arena_array(&out->arena, out->imputations, sizeof *i->number);
        else
            i->level = su_arena_array(&out->arena, out->imputations, sizeof *i->level);
        for (unsigned m = 0; m < out->imputations; m++) {
            if (number)
                i->number[m] = su_arena_array(&out->arena, i->filled + 1, sizeof **i->number);
            else
                i->level[m] = su_arena_array(&out->arena, i->filled + 1, sizeof **i->level);
        }
    }
}

static void visit_order(const su_chain_data *d, job *w)
{
    for (uint32_t j = 0; j < d->count; j++) {
        if (!d->variables[j].used || !d->variables[j].missing_count) continue;
        uint32_t at = w->order_count++;
        for (; at > 0 && d->variables[w->order[at - 1]].missing_count > d->variables[j].missing_count; at--)
            w->order[at] = w->order[at - 1];
        w->order[at] = j;
    }
}

static void count_complete(const su_frame *f, su_imputation *out)
{
    for (uint64_t row = 0; row < f->rows; row++) {
        bool whole = true;
        for (uint32_t j = 0; whole && j < f->count; j++)
            if (out->variables[j].method != SU_IMPUTE_EXCLUDE) whole = !is_missing(&f->variables[j], row);
        out->complete += whole;
    }
}

su_status su_impute(su_context *ctx, su_frame *f, const su_impute_options *o, su_imputation **out)
{
    su_arena scratch;
    su_chain_data d = { .count = f->count, .rows = f->rows };
    job w = { .data = &d, .ctx = ctx };
    su_status st = SU_OK;
    *out = NULL;
    if (f->rows > UINT32_MAX) return su_fail(ctx, SU_REFUSED, "at most 4 billion rows");
    su_imputation *i = su_alloc(sizeof *i);
    su_arena_init(&scratch);
    su_arena_init(&i->arena);
    i->frame = f;
    i->imputations = o->imputations ? o->imputations : 20;
    i->rounds = o->rounds ? o->rounds : 10;
    i->seed = o->seed;
    i->variables = su_arena_array(&i->arena, f->count, sizeof *i->variables);
    d.variables = su_arena_array(&scratch, f->count, sizeof *d.variables);
    for (uint32_t j = 0; !st && j < f->count; j++) st = prepare(ctx, f, o, &scratch, j, i, &d.variables[j]);
    if (!st) st = check_sizes(ctx, &d, i);
    if (!st) {
        w.out = i;
        w.order = su_arena_array(&scratch, f->count, sizeof *w.order);
        w.means = su_arena_array(&scratch, (size_t)f->count * i->imputations * i->rounds, sizeof *w.means);
        visit_order(&d, &w);
        result_room(i, &d);
        count_complete(f, i);
        su_parallel(ctx, i->imputations, run_chain, &w);
        for (uint32_t j = 0; j < f->count; j++)
            if (i->variables[j].filled)
                i->variables[j].r_hat = r_hat_of(w.means + (size_t)j * i->imputations * i->rounds, i->imputations, i->rounds);
        if (su_cancelled(ctx)) st = su_fail(ctx, SU_CANCELLED, "stopped");
    }
    su_arena_free(&scratch);
    if (st)
        su_imputation_free(i);
    else
        *out = i;
    return st;
}

void su_imputation_free(su_imputation *i)
{
    if (!i) return;
    su_arena_free(&i->arena);
    free(i);
}
