/* flow points and flow od: what monitoring points counted, and who goes from where to where. */
#include "flow_options.h"

#include <math.h>
#include <string.h>

const su_option su_options_flow_points[] = { SU_OPTIONS_ANALYSIS,
                                             { "point", "COL", "the monitoring point" },
                                             { "period", "COL", "week or day of each row" },
                                             { "count", "COL", "people counted; empty = not observed" },
                                             { "active", "COL", "days (or hours) the point was watched; default: all of the period" },
                                             { "open", "COL|N", "days (or hours) in the period; default 7" },
                                             { "weeks", NULL, "print every point and period" },
                                             { "level", "P", "confidence level; default 0.95" },
                                             { NULL, NULL, NULL } };

static su_status need_number(su_cli *cli, su_analysis *a, const char *option, const su_variable **out)
{
    su_status st = su_analysis_variable(cli, a, option, out);
    if (!st && *out && (*out)->kind != SU_VARIABLE_NUMBER)
        st = su_fail(&cli->ctx, SU_INPUT, "--%s: column '%s' holds text; numbers are needed", option, (*out)->name);
    return st;
}

static su_status one_column(su_cli *cli, su_analysis *a, const char *option, const su_variable **out)
{
    size_t count;
    return su_columns_option(cli, a->frame, option, 1, 1, out, &count);
}

su_status su_command_flow_points(su_cli *cli)
{
    su_analysis a = { 0 };
    su_points_input in = { .open_days = 7, .print_weeks = su_cli_switch(cli, "weeks") };
    const char *open = su_cli_option(cli, "open");
    su_result *r = su_result_new("flow points", "Flow at monitoring points");
    su_status st = su_cli_positionals(cli, 1, 1);
    if (!st) st = su_level_option(cli, &in.level);
    if (!st) st = su_analysis_open(cli, cli->positional[0], &a);
    if (!st) st = one_column(cli, &a, "point", &in.point);
    if (!st) st = one_column(cli, &a, "period", &in.period);
    if (!st) st = one_column(cli, &a, "count", &in.count);
    if (!st) st = need_number(cli, &a, "count", &in.count);
    if (!st) st = need_number(cli, &a, "active", &in.active);
    if (!st && open && !su_parse_f64(su_str_of(open), &in.open_days)) st = need_number(cli, &a, "open", &in.open);
    if (!st) {
        st = su_flow_points(&cli->ctx, a.frame, &in, r);
        st = su_in_file(cli, a.raw, st);
    }
    if (!st) st = su_analysis_print(cli, a.frame, 0, r);
    su_result_free(r);
    su_analysis_free(&a);
    return st;
}

const su_option su_options_flow_od[] = { SU_OPTIONS_ANALYSIS,
                                         { "where", "COL=VALUE[,COL=VALUE]", "only rows with these values" },
                                         { "from", "COL", "origin" },
                                         { "to", "COL", "destination" },
                                         { "count", "COL", "people in each row; default: every row counts one" },
                                         { "from-totals", "FILE", "known departures: a CSV with two columns, origin and total" },
                                         { "to-totals", "FILE", "known arrivals: a CSV with two columns, destination and total" },
                                         { NULL, NULL, NULL } };

typedef struct od {
    const su_variable *from, *to;
    size_t rows, columns;
    double *table, *from_totals, *to_totals;
} od;

static su_status sum_pairs(su_cli *cli, const su_frame *f, const su_variable *count, const su_filter *filters, size_t filter_count, od *t)
{
    uint64_t missing = 0;
    t->table = su_arena_array(&cli->arena, t->rows * t->columns, sizeof *t->table);
    for (uint64_t row = 0; row < f->rows; row++) {
        if (!su_filter_row(filters, filter_count, row)) continue;
        uint32_t i = su_frame_level(t->from, row), j = su_frame_level(t->to, row);
        double n = count ? su_frame_number(count, row) : 1;
        if (!i || !j || isnan(n)) {
            missing++;
            continue;
        }
        if (n < 0)
            return su_fail(&cli->ctx, SU_INPUT, "data row %llu: the count is %g; counts are zero or more", (unsigned long long)row + 1, n);
        t->table[(i - 1) * t->columns + j - 1] += n;
    }
    if (missing) su_log(&cli->ctx, "%llu rows without origin, destination or count were left out", (unsigned long long)missing);
    return SU_OK;
}

/* Totals by place from a CSV of two columns; every place of the table must be in it. */
static su_status read_totals(su_cli *cli, const char *option, const su_variable *places, double **out)
{
    const char *path = su_cli_option(cli, option);
    su_raw_table *raw = NULL;
    su_frame *f = NULL;
    *out = su_arena_array(&cli->arena, places->level_count, sizeof **out);
    for (uint32_t k = 0; k < places->level_count; k++) (*out)[k] = NAN;
    su_status st = su_table_read(&cli->ctx, path, NULL, &raw);
    if (!st && raw->column_count < 2) st = su_fail(&cli->ctx, SU_INPUT, "%s: two columns are needed, place and total", path);
    if (!st) st = su_frame_of_table(&cli->ctx, raw, NULL, &f);
    const su_variable *place = NULL;
    if (!st) st = su_frame_as_factor(&cli->ctx, f, &f->variables[0], &place);
    if (!st && f->variables[1].kind != SU_VARIABLE_NUMBER)
        st = su_fail(&cli->ctx, SU_INPUT, "%s: the second column, '%s', must hold numbers", path, f->variables[1].name);
    for (uint64_t row = 0; !st && row < f->rows; row++) {
        uint32_t at = su_frame_level(place, row), k = 0;
        while (at && k < places->level_count && strcmp(places->levels[k], place->levels[at - 1]) != 0) k++;
        double total = su_frame_number(&f->variables[1], row);
        if (!at || isnan(total)) continue;
        if (k < places->level_count)
            (*out)[k] = isnan((*out)[k]) ? total : (*out)[k] + total;
        else if (total > 0)
            st = su_fail(&cli->ctx, SU_REFUSED, "%s: '%s' is not among the places of the table", path, place->levels[at - 1]);
    }
    for (uint32_t k = 0; !st && k < places->level_count; k++)
        if (isnan((*out)[k])) st = su_fail(&cli->ctx, SU_REFUSED, "%s has no total for '%s'", path, places->levels[k]);
    su_frame_free(f);
    su_raw_table_free(raw);
    return st;
}

static void od_table(const od *t, const char *id, const char *title, const double *seen, su_result *r)
{
    su_result_table *out = su_result_table_add(r, id, title);
    double total = 0;
    for (size_t k = 0; k < t->rows * t->columns; k++) total += t->table[k];
    su_result_column(out, "from", "from", SU_COLUMN_TEXT);
    su_result_column(out, "to", "to", SU_COLUMN_TEXT);
    if (seen) su_result_column(out, "seen", "counted", SU_COLUMN_NUMBER);
    su_result_column(out, "people", "people", SU_COLUMN_NUMBER);
    su_result_column(out, "share", "of all", SU_COLUMN_PERCENT);
    su_result_column(out, "share_from", "of the origin", SU_COLUMN_PERCENT);
    for (size_t i = 0; i < t->rows; i++) {
        double row = 0;
        for (size_t j = 0; j < t->columns; j++) row += t->table[i * t->columns + j];
        for (size_t j = 0; j < t->columns; j++) {
            double n = t->table[i * t->columns + j];
            if (n == 0) continue;
            su_result_text(out, t->from->levels[i]);
            su_result_text(out, t->to->levels[j]);
            if (seen) su_result_number(out, seen[i * t->columns + j]);
            su_result_number(out, n);
            su_result_number(out, n / total);
            su_result_number(out, n / row);
        }
    }
}

static su_status fit_od(su_cli *cli, od *t, su_result *r)
{
    su_fitted_margins m;
    double *seen = su_arena_array(&cli->arena, t->rows * t->columns, sizeof *seen);
    memcpy(seen, t->table, t->rows * t->columns * sizeof *seen);
    su_status st = read_totals(cli, "from-totals", t->from, &t->from_totals);
    if (!st) st = read_totals(cli, "to-totals", t->to, &t->to_totals);
    if (!st)
        st = su_fit_margins(&cli->ctx, t->table, t->rows, t->columns, t->from_totals, t->to_totals, t->from->levels, t->to->levels, &m);
    if (st) return st;
    od_table(t, "pairs", "From where to where, fitted to the known totals", seen, r);
    su_result_fact_text(r, "method", "Method", "iterative proportional fitting");
    su_result_fact(r, "rounds", "Rounds", m.rounds);
    su_result_fact(r, "worst", "Largest relative difference to a total", m.worst);
    su_result_warn(r, "W_FITTED",
                   "pairs with no one in the file stay at zero, and the ratios among pairs are the file's: a sample's pattern is scaled");
    su_result_method(
        r, "The table of origins and destinations was fitted to known totals by iterative proportional fitting; empty pairs stay empty.");
    return SU_OK;
}

su_status su_command_flow_od(su_cli *cli)
{
    su_analysis a = { 0 };
    od t = { 0 };
    su_filter *filters = NULL;
    size_t filter_count = 0;
    const su_variable *count = NULL;
    bool known = su_cli_option(cli, "from-totals") != NULL;
    su_result *r = su_result_new("flow od", "Origins and destinations");
    su_status st = su_cli_positionals(cli, 1, 1);
    if (!st && known != (su_cli_option(cli, "to-totals") != NULL))
        st = su_fail(&cli->ctx, SU_USAGE, "--from-totals and --to-totals go together");
    if (!st) st = su_analysis_open(cli, cli->positional[0], &a);
    if (!st) st = one_column(cli, &a, "from", &t.from);
    if (!st) st = one_column(cli, &a, "to", &t.to);
    if (!st) st = need_number(cli, &a, "count", &count);
    if (!st) st = su_where_option(cli, a.frame, &filters, &filter_count);
    if (!st) st = su_frame_as_factor(&cli->ctx, a.frame, t.from, &t.from);
    if (!st) st = su_frame_as_factor(&cli->ctx, a.frame, t.to, &t.to);
    t.rows = st ? 0 : t.from->level_count;
    t.columns = st ? 0 : t.to->level_count;
    if (!st && (t.rows > 1000 || t.columns > 1000)) st = su_fail(&cli->ctx, SU_REFUSED, "at most 1,000 origins and destinations");
    if (!st) st = su_margins_check(cli, a.frame, filters, filter_count);
    if (!st) st = su_in_file(cli, a.raw, sum_pairs(cli, a.frame, count, filters, filter_count, &t));
    if (!st) su_result_fact(r, "n", "Rows", (double)a.frame->rows);
    if (!st && known) st = fit_od(cli, &t, r);
    if (!st && !known) {
        od_table(&t, "pairs", "From where to where", NULL, r);
        su_result_fact_text(r, "method", "Method", "counts");
        su_result_method(r, "People were counted by origin and destination.");
    }
    if (!st) st = su_analysis_print(cli, a.frame, 0, r);
    su_result_free(r);
    su_analysis_free(&a);
    return st;
}
