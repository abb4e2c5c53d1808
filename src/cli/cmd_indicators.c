/* indicators: an instrument's own rules of what counts, read as data, over one file of interviews; and its model specifications. */
#include "design_options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <suha/logit.h>

const su_option su_options_indicators[] = {
    { "instrument", "NAME", "the instrument whose rules apply: dtm-fms, or a folder" },
    { "set", "YEAR", "only the questions of this version: 2016 or 2017; default: every question the file has" },
    { "columns", "Q=COL[,Q=COL]",
      "columns of your file that hold a question: unpaid_work=q41,held=q43 (Q_family=COL for a family column)" },
    { "by", "COL[,COL]", "rates by group as well" },
    { "within", "COND", "only rows where the conditions hold: route=CMR,age<18" },
    { "model", "NAME", "fit this model of the instrument instead (models.csv): any, work, held, any-central, any-eastern, any-children" },
    { "ci", "METHOD", "interval; default wilson without a design, korn-graubard with one" },
    { "level", "L", "level of intervals; default 0.95" },
    { "min-cell", "N", "rates that rest on fewer people are not printed; default 0" },
    SU_OPTIONS_DESIGN,
    { "missing", "CODES", "codes that mean missing, with commas; code=reason says why: -99,-98=refused" },
    { "sheet", "NAME", "sheet of a workbook" },
    { "report", "FILE.html", "also write a page with tables, plots and a methods paragraph" },
    { NULL, NULL, NULL }
};

/* A rules file of the instrument: rows by column name. */
typedef struct rules {
    su_raw_table *table;
} rules;

static su_str rule(const rules *r, uint64_t row, const char *column)
{
    int c = su_raw_table_column(r->table, su_str_of(column));
    if (c < 0) return (su_str) { "", 0 };
    return su_str_trim(su_dict_get(r->table->columns[c].values, r->table->columns[c].ids[row]));
}

static const char *rule_text(su_cli *cli, const rules *r, uint64_t row, const char *column)
{
    su_str s = rule(r, row, column);
    return su_arena_strndup(&cli->arena, s.p, s.n);
}

static su_status open_rules(su_cli *cli, const char *instrument, const char *file, rules *out)
{
    su_status st;
    if (strchr(instrument, '/')) {
        st = su_table_read(&cli->ctx, su_path_join(&cli->arena, instrument, file), NULL, &out->table);
    } else {
        su_str bytes;
        const char *path = su_arena_printf(&cli->arena, "%s/%s", instrument, file);
        if (!su_instrument_resource(cli, path, &bytes))
            return su_fail(&cli->ctx, SU_REFUSED, "The instrument %s has no %s, so it has no rules for indicators. dtm-fms has.",
                           instrument, file);
        st = su_csv_parse(&cli->ctx, path, bytes, NULL, &out->table);
    }
    return st;
}

/* "2016|2017" holds "2017". */
static bool holds(su_str list, const char *word)
{
    size_t n = strlen(word);
    for (size_t at = 0; at <= list.n;) {
        const char *bar = memchr(list.p + at, '|', list.n - at);
        size_t end = bar ? (size_t)(bar - list.p) : list.n;
        su_str one = su_str_trim((su_str) { list.p + at, end - at });
        if (one.n == n && memcmp(one.p, word, n) == 0) return true;
        at = end + 1;
    }
    return false;
}

/* The column of the file for a question: named by --columns, else the schema's field by name or alias. -1 = none. */
static su_status find_column(su_cli *cli, const su_analysis *a, const char *question, const char *field, int *out)
{
    su_str *words = NULL;
    size_t count = 0;
    *out = -1;
    su_status st = su_cli_words(cli, "columns", &words, &count);
    for (size_t i = 0; i < count && !st; i++) {
        const char *equals = strchr(words[i].p, '=');
        if (!equals) return su_fail(&cli->ctx, SU_USAGE, "--columns '%s' must be QUESTION=COLUMN, for example held=q43", words[i].p);
        if (strlen(question) != (size_t)(equals - words[i].p) || strncmp(words[i].p, question, strlen(question)) != 0) continue;
        *out = su_raw_table_column(a->raw, su_str_of(equals + 1));
        if (*out < 0) return su_fail(&cli->ctx, SU_INPUT, "--columns %s: the file has no column '%s'", words[i].p, equals + 1);
        return SU_OK;
    }
    int wanted = su_schema_field(a->schema, su_str_of(field));
    for (uint32_t c = 0; wanted >= 0 && c < a->raw->column_count && *out < 0; c++)
        if (su_schema_field(a->schema, su_str_of(a->raw->columns[c].name)) == wanted) *out = (int)c;
    return st;
}

static bool is_reason(const su_field *field, su_str cell)
{
    su_cell reason;
    if (cell.n == 0 || su_cell_reason_parse(cell, &reason)) return true;
    for (uint32_t i = 0; i < field->missing_count; i++)
        if (su_str_equal(su_str_trim(su_str_of(field->missing[i].value)), cell)) return true;
    return false;
}

/* Adds what one column says to the answers. family: any yes in it is the family's. */
static su_status read_answers(su_cli *cli, const su_analysis *a, const rules *r, uint64_t row, const char *field_name, int column,
                              bool family, uint8_t *answers)
{
    const su_field *field = &a->schema->fields[su_schema_field(a->schema, su_str_of(field_name))];
    const su_raw_column *c = &a->raw->columns[column];
    uint32_t n = su_dict_count(c->values);
    uint8_t *of = su_arena_array(&cli->arena, n + 1, 1);
    for (uint32_t i = 0; i < n; i++) {
        su_str cell = su_str_trim(su_dict_get(c->values, i));
        if (is_reason(field, cell)) continue;
        uint16_t v = su_codelist_find(field->codelist, cell);
        const char *code = v ? field->codelist->codes[v - 1].code : "";
        if (v && holds(rule(r, row, "own"), code))
            of[i] = SU_ANSWER_VALID | (family ? SU_ANSWER_FAMILY : SU_ANSWER_OWN);
        else if (v && holds(rule(r, row, "family"), code))
            of[i] = SU_ANSWER_VALID | SU_ANSWER_FAMILY;
        else if (v && holds(rule(r, row, "no"), code))
            of[i] = SU_ANSWER_VALID;
        else
            return su_fail(&cli->ctx, SU_INPUT,
                           "Column '%s': the answer '%.*s' is not one of own, family, others, no (or yes, 1, 0). Missing codes are named "
                           "by --missing.",
                           c->name, (int)cell.n, cell.p);
    }
    for (uint64_t i = 0; i < a->raw->row_count; i++) answers[i] |= of[c->ids[i]];
    return SU_OK;
}

/* --missing codes make the schema's fields' missing codes longer, so that answers and frame agree. */
static void add_missing(su_cli *cli, su_analysis *a, const su_str *codes, size_t count)
{
    for (uint32_t f = 0; f < a->schema->field_count; f++) {
        su_field *field = &a->schema->fields[f];
        su_missing *list = su_arena_array(&cli->arena, field->missing_count + count + 1, sizeof *list);
        memcpy(list, field->missing, field->missing_count * sizeof *list);
        for (size_t i = 0; i < count; i++)
            list[field->missing_count + i] =
                (su_missing) { su_arena_strndup(&cli->arena, codes[i].p, strcspn(codes[i].p, "=")), SU_CELL_NOT_RECORDED };
        field->missing = list;
        field->missing_count += (uint32_t)count;
    }
}

static su_status open_file(su_cli *cli, const char *instrument, su_analysis *a)
{
    su_read_options read = { .sheet = su_cli_option(cli, "sheet") };
    su_str *codes = NULL;
    size_t count = 0;
    su_status st = su_cli_words(cli, "missing", &codes, &count);
    if (!st) st = su_table_read(&cli->ctx, cli->positional[0], &read, &a->raw);
    if (!st) st = su_cli_schema(cli, instrument, a->raw, &a->schema);
    if (!st) add_missing(cli, a, codes, count);
    if (!st) st = su_frame_of_table(&cli->ctx, a->raw, a->schema, &a->frame);
    return st;
}

typedef struct questions {
    su_indicator_question *list;
    const char **titles;
    size_t count;
} questions;

static su_status read_questions(su_cli *cli, su_analysis *a, const rules *r, questions *q)
{
    const char *set = su_cli_option(cli, "set");
    uint64_t n = r->table->row_count;
    su_buf absent = { 0 };
    su_status st = SU_OK;
    q->list = su_arena_array(&cli->arena, n + 1, sizeof *q->list);
    q->titles = su_arena_array(&cli->arena, n + 1, sizeof *q->titles);
    for (uint64_t i = 0; i < n && !st; i++) {
        const char *name = rule_text(cli, r, i, "question"), *field = rule_text(cli, r, i, "column"),
                   *family_field = rule_text(cli, r, i, "family_column");
        const char *group = rule_text(cli, r, i, "group");
        int own = -1, family = -1;
        if (set && !holds(rule(r, i, "sets"), set)) continue;
        st = find_column(cli, a, name, field, &own);
        if (!st && family_field[0]) st = find_column(cli, a, su_arena_printf(&cli->arena, "%s_family", name), family_field, &family);
        if (!st && own < 0) su_buf_printf(&absent, "%s%s (%s)", absent.n ? ", " : "", name, field);
        if (st || own < 0) continue;
        uint8_t *answers = su_arena_array(&cli->arena, a->raw->row_count + 1, 1);
        st = read_answers(cli, a, r, i, field, own, false, answers);
        if (!st && family >= 0) st = read_answers(cli, a, r, i, family_field, family, true, answers);
        q->titles[q->count] = rule_text(cli, r, i, "title_en");
        q->list[q->count++] = (su_indicator_question) { name, group[0] ? group : NULL, holds(rule(r, i, "counts"), "yes"), answers };
    }
    if (!st && !q->count)
        st = su_fail(&cli->ctx, SU_INPUT, "%s has none of the questions%s%s: %s. Say which columns hold them: --columns held=YOUR_COLUMN",
                     a->raw->source, set ? " of " : "", set ? set : "", absent.p ? absent.p : "no such set");
    if (!st && absent.n) su_log(&cli->ctx, "note: not in the file, so not counted: %s", absent.p);
    su_buf_free(&absent);
    return st;
}

/* ---- results ------------------------------------------------------------------------------------------------------------------------ */

static void labels(su_result *r, const su_cli *cli)
{
    const char *set = su_cli_option(cli, "set");
    su_result_fact_text(r, "label", "Read this as", "indication, not determination");
    su_result_fact_text(r, "sample", "Sample", "non-probability sample");
    if (set) su_result_fact_text(r, "set", "Questions of", set);
    su_result_warn(r, "W_INDICATION",
                   "Indication, not determination: answers describe experiences that point to trafficking or exploitation. They identify "
                   "nobody as a victim.");
    if (!su_result_has_warning(r, "W_NOT_PROBABILITY"))
        su_result_warn(r, "W_NOT_PROBABILITY",
                       "Non-probability sample: people were chosen by hand at the points. Intervals are model-based and cover chance "
                       "alone, not who could not be met.");
}

static void describe(const questions *q, su_result *r)
{
    su_result_table *t = su_result_table_add(r, "questions", "Questions");
    su_result_column(t, "question", "", SU_COLUMN_TEXT);
    su_result_column(t, "title", "", SU_COLUMN_TEXT);
    su_result_column(t, "counts", "counts as positive", SU_COLUMN_TEXT);
    for (size_t i = 0; i < q->count; i++) {
        su_result_text(t, q->list[i].name);
        su_result_text(t, q->titles[i]);
        su_result_text(t, q->list[i].counts ? "yes" : "no");
    }
    su_result_method(r, "A positive response is own experience of at least one counted question; the denominator is everyone with a valid "
                        "answer to one of them. "
                        "Family-only positives are an additional share of the same denominator and are not added to it.");
}

static su_status run_rates(su_cli *cli, su_analysis *a, const questions *q, const su_variable *const *added, size_t count, su_result **out)
{
    su_cli_design d = { 0 };
    su_rates_options o = { 0 };
    int64_t least = 0;
    const char *ci = su_cli_option(cli, "ci");
    su_outcome *outcomes = su_arena_array(&cli->arena, count, sizeof *outcomes);
    for (size_t i = 0; i < count; i++) outcomes[i] = (su_outcome) { added[i], NULL };
    su_status st = su_cli_groups(cli, a, "by", &o.by);
    if (!st) st = su_cli_within(cli, a, &o.within, &o.within_text);
    if (!st) st = su_cli_level(cli, &o.level);
    if (!st) st = su_cli_integer(cli, "min-cell", 0, 1000000, 0, &least);
    if (!st && ci && !su_ci_parse(su_str_of(ci), &o.ci))
        st = su_fail(&cli->ctx, SU_USAGE, "--ci '%s' is not known; suha rates --help lists the methods", ci);
    if (!st) st = su_cli_design_open(cli, a, &d);
    o.outcomes = outcomes;
    o.outcome_count = count;
    o.ci_given = ci != NULL;
    o.min_cell = (uint64_t)least;
    o.design_given = d.given;
    o.nonprobability = true;
    if (!st) st = su_rates_result(&cli->ctx, a->frame, d.design, &o, out);
    if (!st) describe(q, *out);
    su_cli_design_free(&d);
    return st;
}

/* ---- models ------------------------------------------------------------------------------------------------------------------------- */

/* The frame's variable for a field of the schema under the field's own name, so that a specification fits every export. */
static const su_variable *named_as_field(su_analysis *a, const char *field)
{
    for (uint32_t i = 0; i < a->frame->count; i++)
        if (strcmp(a->frame->variables[i].name, field) == 0) return &a->frame->variables[i];
    int wanted = su_schema_field(a->schema, su_str_of(field));
    for (uint32_t i = 0; wanted >= 0 && i < a->frame->count; i++) {
        if (su_schema_field(a->schema, su_str_of(a->frame->variables[i].name)) != wanted) continue;
        su_variable from = a->frame->variables[i],
                    *to = from.kind == SU_VARIABLE_FACTOR ? su_frame_add_factor(a->frame, field, from.level, from.levels, from.level_count)
                                                          : su_frame_add_number(a->frame, field, from.number);
        to->ids = from.ids;
        to->reason = from.reason;
        return to;
    }
    return NULL;
}

static bool has_level(const su_variable *v, const char *level)
{
    for (uint32_t l = 0; v->kind == SU_VARIABLE_FACTOR && l < v->level_count; l++)
        if (strcmp(v->levels[l], level) == 0) return true;
    return false;
}

/* outcome ~ the predictors that the file has; the others are named. */
static const char *formula_of(su_cli *cli, su_analysis *a, const rules *r, uint64_t row, su_buf *absent)
{
    su_buf text = { 0 };
    const char *lists[2] = { rule_text(cli, r, row, "predictors"), rule_text(cli, r, row, "level2") };
    su_buf_printf(&text, "%s ~ 1", rule_text(cli, r, row, "outcome"));
    for (int i = 0; i < 2; i++)
        for (const char *p = lists[i]; *p;) {
            size_t n = strcspn(p, "|");
            const char *field = su_arena_strndup(&cli->arena, p, n);
            if (named_as_field(a, field))
                su_buf_printf(&text, " + %s", field);
            else
                su_buf_printf(absent, "%s%s", absent->n ? ", " : "", field);
            p += n + (p[n] == '|');
        }
    const char *out = su_arena_strndup(&cli->arena, text.p, text.n);
    su_buf_free(&text);
    return out;
}

static void references_of(su_cli *cli, su_analysis *a, const rules *r, uint64_t row, su_logit_options *o)
{
    const char *text = rule_text(cli, r, row, "references");
    su_logit_reference *list = su_arena_array(&cli->arena, strlen(text) + 1, sizeof *list);
    for (const char *p = text; *p;) {
        size_t n = strcspn(p, "|"), equals = strcspn(p, "=");
        const char *field = su_arena_strndup(&cli->arena, p, equals),
                   *level = su_arena_strndup(&cli->arena, p + equals + 1, n - equals - 1);
        const su_variable *v = named_as_field(a, field);
        if (v && has_level(v, level)) list[o->reference_count++] = (su_logit_reference) { field, level };
        p += n + (p[n] == '|');
    }
    o->references = list;
}

/* Rows outside --within, or outside the model's own condition, have no outcome. */
static su_status limit_rows(su_cli *cli, su_analysis *a, const char *condition, const char *outcome)
{
    const uint32_t *within = NULL;
    const char *text = NULL;
    for (size_t i = 0; condition[0] && !su_cli_option(cli, "within") && cli->command->options[i].name; i++)
        if (strcmp(cli->command->options[i].name, "within") == 0) cli->values[i] = condition; /* the model's own, as if it were given */
    su_status st = su_cli_within(cli, a, &within, &text);
    for (uint32_t v = 0; !st && within && v < a->frame->count; v++) {
        su_variable *y = &a->frame->variables[v];
        if (strcmp(y->name, outcome) != 0 || y->ids) continue;
        double *values = su_arena_array(&a->frame->arena, a->frame->rows + 1, sizeof *values);
        su_cell *reasons = su_arena_array(&a->frame->arena, a->frame->rows + 1, sizeof *reasons);
        for (uint64_t i = 0; i < a->frame->rows; i++) {
            values[i] = within[i] ? y->number[i] : NAN;
            reasons[i] = within[i] ? SU_CELL_NOT_RECORDED : SU_CELL_NOT_APPLICABLE;
        }
        y->number = values;
        y->reason = reasons;
    }
    return st;
}

static su_status find_model(su_cli *cli, const rules *r, const char *name, uint64_t *row)
{
    su_buf names = { 0 };
    for (*row = 0; *row < r->table->row_count; ++*row) {
        const char *one = rule_text(cli, r, *row, "model");
        if (strcmp(one, name) == 0) {
            su_buf_free(&names);
            return SU_OK;
        }
        su_buf_printf(&names, "%s%s", names.n ? ", " : "", one);
    }
    su_status st = su_fail(&cli->ctx, SU_REFUSED, "There is no model '%s'; the instrument has %s", name, names.p ? names.p : "none");
    su_buf_free(&names);
    return st;
}

static su_status run_model(su_cli *cli, su_analysis *a, const char *instrument, const char *name, su_result **out)
{
    rules r = { 0 };
    uint64_t row = 0;
    su_logit_options o = { 0 };
    su_buf absent = { 0 };
    for (uint32_t i = 0; i < a->schema->field_count; i++) named_as_field(a, a->schema->fields[i].name);
    su_status st = open_rules(cli, instrument, "models.csv", &r);
    if (!st) st = find_model(cli, &r, name, &row);
    if (!st) st = su_cli_level(cli, &o.level);
    if (!st) {
        o.formula = formula_of(cli, a, &r, row, &absent);
        references_of(cli, a, &r, row, &o);
        const char *group = rule_text(cli, &r, row, "group");
        const su_variable *v = named_as_field(a, group);
        if (v)
            st = su_frame_as_factor(&cli->ctx, a->frame, v, &o.random);
        else
            su_buf_printf(&absent, "%s%s (the grouping: a plain logit instead)", absent.n ? ", " : "", group);
    }
    if (!st) st = limit_rows(cli, a, rule_text(cli, &r, row, "within"), rule_text(cli, &r, row, "outcome"));
    if (!st) st = su_logit(&cli->ctx, a->frame, &o, out);
    if (!st) {
        su_result_fact_text(*out, "model", "Model", rule_text(cli, &r, row, "title_en"));
        su_result_method(*out, "%s", rule_text(cli, &r, row, "note"));
        if (absent.n) su_result_warn(*out, "W_MODEL_INCOMPLETE", "The file lacks what the specification has: %s.", absent.p);
    }
    su_buf_free(&absent);
    su_raw_table_free(r.table);
    return st;
}

su_status su_command_indicators(su_cli *cli)
{
    su_analysis a = { 0 };
    rules r = { 0 };
    questions q = { 0 };
    const su_variable **added = NULL;
    size_t count = 0;
    su_result *result = NULL;
    const char *instrument = NULL, *model = su_cli_option(cli, "model");
    su_status st = su_cli_positionals(cli, 1, 1);
    if (!st) st = su_cli_need(cli, "instrument", &instrument);
    if (!st) st = open_rules(cli, instrument, "indicators.csv", &r);
    if (!st) st = open_file(cli, instrument, &a);
    if (!st) st = read_questions(cli, &a, &r, &q);
    if (!st) st = su_indicators_add(&cli->ctx, a.frame, q.list, q.count, &added, &count);
    if (!st) st = model ? run_model(cli, &a, instrument, model, &result) : run_rates(cli, &a, &q, added, count, &result);
    if (!st) labels(result, cli);
    if (!st) st = su_analysis_print(cli, a.frame, 0, result);
    su_result_free(result);
    su_raw_table_free(r.table);
    su_analysis_free(&a);
    return st;
}
