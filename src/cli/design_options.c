#include "design_options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- stages ----------------------------------------------------------------------------------------------------------------- */

static su_status stage_columns(su_cli *cli, su_analysis *a, const char *option, const su_variable **out, size_t *count)
{
    su_str *words = NULL;
    su_status st = su_cli_words(cli, option, &words, count);
    if (!st && *count > SU_STAGES_MOST)
        st = su_fail(&cli->ctx, SU_USAGE, "--%s names %zu columns; at most %d stages are known", option, *count, SU_STAGES_MOST);
    for (size_t i = 0; i < *count && !st; i++) {
        st = su_frame_find(&cli->ctx, a->frame, words[i], &out[i]);
        if (st) su_fail_prefix(&cli->ctx, "--%s: ", option);
    }
    return st;
}

static su_status read_design(su_cli *cli, su_analysis *a, su_cli_design *out)
{
    su_design_options o = { 0 };
    size_t strata = 0, psu = 0, fpc = 0;
    const char *lone = su_cli_option(cli, "lone");
    su_status st = su_analysis_variable(cli, a, "weight", &o.weight);
    if (!st) st = stage_columns(cli, a, "strata", o.strata, &strata);
    if (!st) st = stage_columns(cli, a, "psu", o.psu, &psu);
    if (!st) st = stage_columns(cli, a, "fpc", o.fpc, &fpc);
    o.nest = su_cli_switch(cli, "nest");
    o.stages = psu ? (unsigned)psu : 1;
    if (!st && lone && !su_lone_parse(su_str_of(lone), &o.lone))
        st = su_fail(&cli->ctx, SU_USAGE, "--lone '%s' must be fail, centre, adjust, average or certainty", lone);
    if (!st && (strata > o.stages || fpc > o.stages))
        st = su_fail(&cli->ctx, SU_USAGE, "--%s names %zu stages and --psu %zu; give the units of every stage",
                     strata > o.stages ? "strata" : "fpc", strata > o.stages ? strata : fpc, psu);
    if (!st) st = su_design_new(&cli->ctx, a->frame, &o, &out->design);
    out->given = o.weight || strata || psu || fpc;
    return st;
}

/* ---- margins ---------------------------------------------------------------------------------------------------------------- */

typedef struct margin_rows {
    su_raw_table *table;
    int variable, level, total;
} margin_rows;

static su_str cell(const margin_rows *m, uint64_t row, int column)
{
    if (column < 0) return (su_str) { "", 0 };
    const su_raw_column *c = &m->table->columns[column];
    return su_str_trim(su_dict_get(c->values, c->ids[row]));
}

static su_status read_margins(su_cli *cli, margin_rows *m)
{
    su_read_options read = { 0 };
    const char *path = su_cli_option(cli, "margins");
    su_status st = su_table_read(&cli->ctx, path, &read, &m->table);
    if (st) return st;
    m->variable = su_raw_table_column(m->table, SU_STR("variable"));
    m->level = su_raw_table_column(m->table, SU_STR("level"));
    m->total = su_raw_table_column(m->table, SU_STR("total"));
    if (m->variable < 0 || m->total < 0)
        return su_fail(&cli->ctx, SU_INPUT, "%s needs the columns variable, level and total (a header line: variable,level,total)", path);
    return m->table->row_count ? SU_OK : su_fail(&cli->ctx, SU_INPUT, "%s has no margin in it", path);
}

/* "sex" or "sex*region". */
static su_status margin_variable(su_cli *cli, su_analysis *a, su_str name, bool group, const su_variable **out)
{
    const su_variable *parts[8];
    size_t count = 0;
    su_status st = SU_OK;
    for (const char *p = name.p, *end = name.p + name.n; p <= end && !st;) {
        const char *star = memchr(p, '*', (size_t)(end - p));
        su_str part = su_str_trim((su_str) { p, (size_t)((star ? star : end) - p) });
        if (count == 8) return su_fail(&cli->ctx, SU_INPUT, "--margins: '%.*s' crosses more than 8 columns", (int)name.n, name.p);
        st = su_frame_find(&cli->ctx, a->frame, part, &parts[count++]);
        p = (star ? star : end) + 1;
    }
    if (st) return su_fail_prefix(&cli->ctx, "--margins: ");
    if (count == 1 && !group) {
        *out = parts[0];
        return parts[0]->kind == SU_VARIABLE_NUMBER
                   ? SU_OK
                   : su_fail(&cli->ctx, SU_INPUT, "--margins: '%s' is no number, so its total needs a level", parts[0]->name);
    }
    return su_frame_interaction(&cli->ctx, a->frame, parts, count, out);
}

static su_status margin_totals(su_cli *cli, const margin_rows *m, su_str name, const su_variable *v, double *totals, su_cli_design *out)
{
    uint32_t levels = v->kind == SU_VARIABLE_FACTOR ? v->level_count : 1;
    for (uint32_t i = 0; i < levels; i++) totals[i] = NAN;
    for (uint64_t r = 0; r < m->table->row_count; r++) {
        su_str level = cell(m, r, m->level), total = cell(m, r, m->total);
        double x = 0;
        uint32_t at = 0;
        if (!su_str_equal(cell(m, r, m->variable), name)) continue;
        unsigned line = m->table->row_line[r];
        if (!su_parse_f64(total, &x))
            return su_fail(&cli->ctx, SU_INPUT, "%s, line %u: the total '%.*s' is not a number", m->table->source, line, (int)total.n,
                           total.p);
        for (at = 0; v->kind == SU_VARIABLE_FACTOR && at < levels; at++)
            if (su_str_equal(su_str_of(v->levels[at]), level)) break;
        if (at == levels && x == 0) continue;
        if (at == levels)
            return su_fail(&cli->ctx, SU_INPUT,
                           "%s, line %u: '%.*s' of '%s' has a population of %g and is not in the sample; merge it with another level",
                           m->table->source, line, (int)level.n, level.p, v->name, x);
        if (!isnan(totals[at]))
            return su_fail(&cli->ctx, SU_INPUT, "%s, line %u: '%.*s' of '%s' is there twice", m->table->source, line, (int)level.n, level.p,
                           v->name);
        totals[at] = x;
        out->margins[out->margin_count++] = (su_cli_margin) { v->name, v->kind == SU_VARIABLE_FACTOR ? v->levels[at] : "", x, NAN, NAN };
    }
    return SU_OK;
}

static su_status calibration_method(su_cli *cli, su_calibration_options *o, const char **name)
{
    static const char *const names[] = { "poststratify", "rake", "linear", "raking", "logit" };
    const char *given = su_cli_option(cli, "calibrate");
    double *bounds = NULL;
    size_t count = 0;
    int at = given ? -1 : 1;
    for (int i = 0; given && i < 5; i++)
        if (strcmp(names[i], given) == 0) at = i;
    if (at < 0) return su_fail(&cli->ctx, SU_USAGE, "--calibrate '%s' must be poststratify, rake, linear, raking or logit", given);
    o->method = (su_calibration)at;
    *name = names[at];
    su_status st = su_cli_reals(cli, "bounds", &bounds, &count);
    if (st) return st;
    if (count && count != 2) return su_fail(&cli->ctx, SU_USAGE, "--bounds needs two numbers: --bounds 0.3,3");
    if (count && at < 2) return su_fail(&cli->ctx, SU_USAGE, "--bounds is for --calibrate linear, raking or logit");
    if (count) {
        o->low = bounds[0];
        o->high = bounds[1];
    }
    return SU_OK;
}

/* What a margin held at the weights of now. */
static double held(const su_design *d, const su_frame *f, const su_variable *v, const char *level)
{
    const double *w = su_design_weights(d);
    double sum = 0;
    for (uint64_t r = 0; r < f->rows; r++) {
        if (!(w[r] > 0)) continue;
        uint32_t own = v->kind == SU_VARIABLE_FACTOR ? su_frame_level(v, r) : 0;
        sum += w[r] * (v->kind == SU_VARIABLE_FACTOR ? (own && strcmp(v->levels[own - 1], level) == 0) : su_frame_number(v, r));
    }
    return sum;
}

static su_status calibrate(su_cli *cli, su_analysis *a, su_cli_design *out)
{
    margin_rows m = { .table = NULL };
    su_calibration_options o = { 0 };
    size_t count = 0;
    su_status st = calibration_method(cli, &o, &out->calibration);
    if (!st) st = read_margins(cli, &m);
    if (st) goto out;
    su_analysis_mix(a, &m.table->fingerprint);
    su_margin *margins = su_arena_array(&cli->arena, (size_t)m.table->row_count, sizeof *margins);
    const su_variable **of = su_arena_array(&cli->arena, (size_t)m.table->row_count, sizeof *of);
    out->margins = su_arena_array(&cli->arena, (size_t)m.table->row_count, sizeof *out->margins);
    for (uint64_t r = 0; r < m.table->row_count && !st; r++) {
        su_str name = cell(&m, r, m.variable);
        bool seen = false;
        for (uint64_t before = 0; before < r; before++) seen |= su_str_equal(name, cell(&m, before, m.variable));
        if (seen) continue;
        su_margin *margin = &margins[count++];
        size_t first = out->margin_count;
        st = margin_variable(cli, a, name, cell(&m, r, m.level).n > 0, &margin->variable);
        if (st) break;
        double *totals =
            su_arena_array(&cli->arena, margin->variable->kind == SU_VARIABLE_FACTOR ? margin->variable->level_count : 1, sizeof *totals);
        st = margin_totals(cli, &m, name, margin->variable, totals, out);
        margin->totals = totals;
        for (size_t i = first; i < out->margin_count; i++) of[i] = margin->variable;
    }
    for (size_t i = 0; i < out->margin_count && !st; i++)
        out->margins[i].before = held(out->design, a->frame, of[i], out->margins[i].level);
    if (!st) st = su_design_calibrate(&cli->ctx, out->design, margins, count, &o, &out->rounds);
    for (size_t i = 0; i < out->margin_count && !st; i++) out->margins[i].after = held(out->design, a->frame, of[i], out->margins[i].level);
    out->given = true;
out:
    su_raw_table_free(m.table);
    return st;
}

su_status su_cli_design_open(su_cli *cli, su_analysis *a, su_cli_design *out)
{
    *out = (su_cli_design) { .nonprobability = su_cli_switch(cli, "nonprobability") };
    su_status st = read_design(cli, a, out);
    if (!st && su_cli_option(cli, "margins"))
        st = calibrate(cli, a, out);
    else if (!st && (su_cli_option(cli, "calibrate") || su_cli_option(cli, "bounds")))
        st = su_fail(&cli->ctx, SU_USAGE, "--calibrate and --bounds need --margins FILE.csv with the known totals");
    return st;
}

void su_cli_design_free(su_cli_design *d)
{
    su_design_free(d->design);
    d->design = NULL;
}

/* ---- domains, groups, outcomes ---------------------------------------------------------------------------------------------- */

typedef enum relation { EQUAL, UNEQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL } relation;
typedef struct condition {
    const su_variable *variable;
    relation relation;
    su_str value; /* for EQUAL and UNEQUAL: a|b|c */
} condition;

static su_status parse_condition(su_cli *cli, su_analysis *a, su_str word, condition *c)
{
    size_t at = 0;
    while (at < word.n && !strchr("=<>!", word.p[at])) at++;
    char sign = at < word.n ? word.p[at] : 0;
    bool and_equal = at + 1 < word.n && word.p[at + 1] == '=';
    if (!at || !sign || (sign == '!' && !and_equal))
        return su_fail(&cli->ctx, SU_USAGE, "--within '%s': write a condition such as sex=female, route=CMR|EMR, age>=18 or age!=99",
                       word.p);
    size_t length = and_equal ? 2 : 1;
    c->relation = sign == '='   ? EQUAL
                  : sign == '!' ? UNEQUAL
                  : sign == '<' ? (and_equal ? LESS_EQUAL : LESS)
                  : and_equal   ? GREATER_EQUAL
                                : GREATER;
    c->value = su_str_trim((su_str) { word.p + at + length, word.n - at - length });
    su_status st = su_frame_find(&cli->ctx, a->frame, su_str_trim((su_str) { word.p, at }), &c->variable);
    if (st) return su_fail_prefix(&cli->ctx, "--within: ");
    if (c->relation >= LESS && c->variable->kind != SU_VARIABLE_NUMBER)
        return su_fail(&cli->ctx, SU_INPUT, "--within '%s': column '%s' is not a column of numbers", word.p, c->variable->name);
    return SU_OK;
}

static bool holds_number(relation how, double x, double y)
{
    switch (how) {
    case EQUAL:
        return x == y;
    case UNEQUAL:
        return x != y;
    case LESS:
        return x < y;
    case LESS_EQUAL:
        return x <= y;
    case GREATER:
        return x > y;
    case GREATER_EQUAL:
        return x >= y;
    }
    return false;
}

/* One alternative of a condition; marks rows. */
static su_status mark(su_cli *cli, const su_frame *f, const condition *c, su_str value, uint32_t *hit)
{
    const su_variable *v = c->variable;
    double y = 0;
    uint32_t level = 0;
    if (v->kind == SU_VARIABLE_NUMBER && !su_parse_f64(value, &y))
        return su_fail(&cli->ctx, SU_INPUT, "--within: column '%s' holds numbers; '%.*s' is not one", v->name, (int)value.n, value.p);
    for (uint32_t i = 0; v->kind == SU_VARIABLE_FACTOR && i < v->level_count; i++)
        if (su_str_equal(su_str_of(v->levels[i]), value)) level = i + 1;
    if (v->kind == SU_VARIABLE_FACTOR && !level)
        return su_fail(&cli->ctx, SU_INPUT, "--within: no row has '%.*s' in column '%s'; its values begin with '%s'", (int)value.n, value.p,
                       v->name, v->level_count ? v->levels[0] : "");
    for (uint64_t r = 0; r < f->rows; r++)
        hit[r] |= v->kind == SU_VARIABLE_NUMBER ? holds_number(c->relation == UNEQUAL ? EQUAL : c->relation, su_frame_number(v, r), y)
                                                : su_frame_level(v, r) == level;
    return SU_OK;
}

static su_status apply_condition(su_cli *cli, const su_frame *f, const condition *c, uint32_t *inside)
{
    uint32_t *hit = su_alloc_array((size_t)f->rows, sizeof *hit);
    su_status st = SU_OK;
    for (const char *p = c->value.p, *end = p + c->value.n; p <= end && !st;) {
        const char *bar = memchr(p, '|', (size_t)(end - p));
        st = mark(cli, f, c, su_str_trim((su_str) { p, (size_t)((bar ? bar : end) - p) }), hit);
        p = (bar ? bar : end) + 1;
    }
    for (uint64_t r = 0; r < f->rows && !st; r++) {
        const su_variable *v = c->variable;
        bool known = v->kind == SU_VARIABLE_NUMBER ? !isnan(su_frame_number(v, r)) : su_frame_level(v, r) != 0;
        if (!known || (hit[r] != 0) == (c->relation == UNEQUAL)) inside[r] = 0;
    }
    free(hit);
    return st;
}

su_status su_cli_within(su_cli *cli, su_analysis *a, const uint32_t **within, const char **text)
{
    su_str *words = NULL;
    size_t count = 0;
    uint64_t left = 0;
    *within = NULL;
    *text = su_cli_option(cli, "within");
    su_status st = su_cli_words(cli, "within", &words, &count);
    if (st || !count) return st;
    uint32_t *inside = su_arena_array(&a->frame->arena, (size_t)a->frame->rows, sizeof *inside);
    for (uint64_t r = 0; r < a->frame->rows; r++) inside[r] = 1;
    for (size_t i = 0; i < count && !st; i++) {
        condition c;
        st = parse_condition(cli, a, words[i], &c);
        if (!st) st = apply_condition(cli, a->frame, &c, inside);
    }
    for (uint64_t r = 0; r < a->frame->rows; r++) left += inside[r];
    if (!st && !left) st = su_fail(&cli->ctx, SU_INPUT, "--within '%s' leaves no row", *text);
    *within = inside;
    return st;
}

su_status su_cli_groups(su_cli *cli, su_analysis *a, const char *option, const su_variable **out)
{
    su_str *words = NULL;
    size_t count = 0;
    const su_variable *parts[8];
    *out = NULL;
    su_status st = su_cli_words(cli, option, &words, &count);
    if (!st && count > 8) st = su_fail(&cli->ctx, SU_USAGE, "--%s crosses at most 8 columns", option);
    for (size_t i = 0; i < count && !st; i++) {
        st = su_frame_find(&cli->ctx, a->frame, words[i], &parts[i]);
        if (st) su_fail_prefix(&cli->ctx, "--%s: ", option);
    }
    if (!st && count) st = su_frame_interaction(&cli->ctx, a->frame, parts, count, out);
    if (!st && count && ((*out)->level_count > 5000 || ((*out)->level_count > 50 && (*out)->level_count > a->frame->rows / 2)))
        st = su_fail(&cli->ctx, SU_INPUT, "--%s makes %u groups; is a name or number of a case among the columns?", option,
                     (*out)->level_count);
    return st;
}

su_status su_cli_outcome(su_cli *cli, su_analysis *a, su_str word, su_outcome *out)
{
    const char *equals = memchr(word.p, '=', word.n);
    su_str name = su_str_trim((su_str) { word.p, equals ? (size_t)(equals - word.p) : word.n });
    su_status st = su_frame_find(&cli->ctx, a->frame, name, &out->variable);
    out->value = NULL;
    if (st) return su_fail_prefix(&cli->ctx, "--outcome: ");
    if (!equals) return SU_OK;
    su_str value = su_str_trim((su_str) { equals + 1, word.n - (size_t)(equals + 1 - word.p) });
    out->value = su_arena_strndup(&cli->arena, value.p, value.n);
    return SU_OK;
}

su_status su_cli_level(su_cli *cli, double *out)
{
    su_status st = su_cli_real(cli, "level", 0.95, out);
    if (!st && !(*out >= 0.5 && *out <= 0.9999))
        st = su_fail(&cli->ctx, SU_REFUSED, "--level %g must lie between 0.5 and 0.9999, for example 0.95", *out);
    return st;
}

su_status su_cli_replicates(su_cli *cli, const su_design *d, uint64_t seed, su_replicates **out, const char **name)
{
    su_replicate_options o = { .seed = seed, .mse = su_cli_switch(cli, "mse") };
    const char *text = su_cli_option(cli, "replicates");
    *name = text;
    if (!text) return o.mse ? su_fail(&cli->ctx, SU_USAGE, "--mse needs --replicates") : SU_OK;
    const char *colon = strchr(text, ':');
    su_str kind = { text, colon ? (size_t)(colon - text) : strlen(text) };
    double number = 0;
    bool has = colon && su_parse_f64(su_str_of(colon + 1), &number);
    if (colon && !has) return su_fail(&cli->ctx, SU_USAGE, "--replicates '%s': '%s' is not a number", text, colon + 1);
    if (su_str_equal(kind, SU_STR("JK1")) && !has)
        o.method = SU_REPLICATE_JK1;
    else if (su_str_equal(kind, SU_STR("JKn")) && !has)
        o.method = SU_REPLICATE_JKN;
    else if (su_str_equal(kind, SU_STR("BRR")) && !has)
        o.method = SU_REPLICATE_BRR;
    else if (su_str_equal(kind, SU_STR("Fay")) && has)
        o.method = SU_REPLICATE_FAY;
    else if (su_str_equal(kind, SU_STR("bootstrap")))
        o.method = SU_REPLICATE_RAO_WU;
    else
        return su_fail(&cli->ctx, SU_USAGE, "--replicates '%s' must be JK1, JKn, BRR, Fay:RHO (such as Fay:0.3) or bootstrap:N", text);
    o.fay = number;
    if (o.method == SU_REPLICATE_RAO_WU && has) {
        if (!(number >= 2 && number <= 100000 && number == floor(number)))
            return su_fail(&cli->ctx, SU_REFUSED, "--replicates '%s': from 2 to 100000 replicates", text);
        o.replicates = (uint32_t)number;
    }
    return su_replicates_new(&cli->ctx, d, &o, out);
}
