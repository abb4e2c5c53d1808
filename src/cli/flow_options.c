#include "flow_options.h"

#include <stdlib.h>
#include <string.h>

su_status su_in_file(su_cli *cli, const su_raw_table *raw, su_status st)
{
    static const char words[] = "data row ";
    su_buf text = { 0 };
    if (!st) return SU_OK;
    for (const char *p = cli->ctx.message; *p;) {
        const char *found = strstr(p, words), *digit = found ? found + sizeof words - 1 : NULL;
        char *end = NULL;
        unsigned long long row = digit && *digit >= '1' && *digit <= '9' ? strtoull(digit, &end, 10) : 0;
        if (!found || !row || row > raw->row_count) {
            su_buf_text(&text, p);
            break;
        }
        su_buf_add(&text, p, (size_t)(found - p));
        su_buf_printf(&text, "line %u", raw->row_line[row - 1]);
        p = end;
    }
    (void)su_fail(&cli->ctx, st, "%s: %s", su_path_base(raw->source), text.p ? text.p : "");
    su_buf_free(&text);
    return st;
}

su_status su_level_option(su_cli *cli, double *out)
{
    su_status st = su_cli_real(cli, "level", 0.95, out);
    if (!st && !(*out > 0.5 && *out < 1)) st = su_fail(&cli->ctx, SU_REFUSED, "--level must be above 0.5 and below 1, such as 0.95");
    return st;
}

su_status su_where_option(su_cli *cli, const su_frame *f, su_filter **filters, size_t *count)
{
    su_str *words = NULL;
    su_status st = su_cli_words(cli, "where", &words, count);
    *filters = su_arena_array(&cli->arena, *count ? *count : 1, sizeof **filters);
    for (size_t i = 0; !st && i < *count; i++) {
        const char *equals = memchr(words[i].p, '=', words[i].n);
        if (!equals) return su_fail(&cli->ctx, SU_USAGE, "--where '%s': write COLUMN=VALUE", words[i].p);
        su_str name = su_str_trim((su_str) { words[i].p, (size_t)(equals - words[i].p) });
        su_filter *filter = &(*filters)[i];
        st = su_frame_find(&cli->ctx, f, name, &filter->variable);
        filter->value = su_str_trim(su_str_of(equals + 1));
        if (!st) st = su_filter_check(&cli->ctx, filter);
        if (st) return su_fail_prefix(&cli->ctx, "--where: ");
    }
    return st;
}

su_status su_columns_option(su_cli *cli, const su_frame *f, const char *name, size_t least, size_t most, const su_variable **out,
                            size_t *count)
{
    su_str *words = NULL;
    su_status st = su_cli_words(cli, name, &words, count);
    if (!st && *count < least) st = su_fail(&cli->ctx, SU_USAGE, "--%s is needed: suha %s --help", name, cli->command->name);
    if (!st && *count > most) st = su_fail(&cli->ctx, SU_USAGE, "--%s names more than %zu columns", name, most);
    for (size_t i = 0; !st && i < *count; i++) {
        st = su_frame_find(&cli->ctx, f, words[i], &out[i]);
        if (st) (void)su_fail_prefix(&cli->ctx, "--%s: ", name);
    }
    return st;
}

su_status su_margins_check(su_cli *cli, const su_frame *f, const su_filter *filters, size_t count)
{
    for (uint32_t i = 0; i < f->count; i++) {
        const su_variable *v = &f->variables[i];
        bool named = false;
        for (size_t k = 0; k < count; k++) named |= filters[k].variable == v;
        uint32_t margin = named ? 0 : su_margin_level(v);
        if (margin && v->level_count > 1)
            return su_fail(
                &cli->ctx, SU_REFUSED,
                "column '%s' has rows '%s' that are sums of other rows; adding them up would count people twice. Take one value: "
                "--where \"%s=%s\"",
                v->name, v->levels[margin - 1], v->name, v->levels[margin - 1]);
    }
    return SU_OK;
}

static su_status number_option(su_cli *cli, su_analysis *a, const char *option, const su_variable **out)
{
    su_status st = su_analysis_variable(cli, a, option, out);
    if (st || !*out || (*out)->kind == SU_VARIABLE_NUMBER) return st;
    uint32_t text = 0;
    double x;
    while (text + 1 < (*out)->level_count && su_parse_f64(su_str_of((*out)->levels[text]), &x)) text++;
    for (uint64_t row = 0; row < a->frame->rows; row++)
        if (su_frame_level(*out, row) == text + 1)
            return su_fail(&cli->ctx, SU_INPUT, "%s, line %u, column '%s': '%s' is no number (--%s); leave the cell empty if it is missing",
                           su_path_base(a->raw->source), a->raw->row_line[row], (*out)->name, (*out)->levels[text], option);
    return su_fail(&cli->ctx, SU_INPUT, "--%s: column '%s' has no value; numbers are needed", option, (*out)->name);
}

static su_status word_option(su_cli *cli, const char *option, const char *otherwise, const char *other, bool *out)
{
    const char *given = su_cli_option(cli, option);
    *out = given && strcmp(given, other) == 0;
    if (!given || *out || strcmp(given, otherwise) == 0) return SU_OK;
    return su_fail(&cli->ctx, SU_USAGE, "--%s is %s or %s, not '%s'", option, otherwise, other, given);
}

su_status su_series_open(su_cli *cli, su_analysis *a, su_series **out)
{
    const su_variable *time[2] = { NULL, NULL };
    su_series_input in = { 0 };
    su_filter *filters = NULL;
    size_t times = 0;
    int64_t period = 0;
    const char *exposure = su_cli_option(cli, "exposure");
    su_status st = su_cli_positionals(cli, 1, 1);
    if (!st) st = su_cli_integer(cli, "period", 2, 366, 0, &period);
    if (!st) st = word_option(cli, "absent", "gap", "zero", &in.absent_zero);
    if (!st) st = word_option(cli, "margins", "refuse", "exclude", &in.exclude_margins);
    if (!st) st = su_analysis_open(cli, cli->positional[0], a);
    if (!st) st = su_columns_option(cli, a->frame, "time", 1, 2, time, &times);
    if (!st) st = number_option(cli, a, "count", &in.count);
    if (!st && exposure && strcmp(exposure, "days") != 0) st = number_option(cli, a, "exposure", &in.exposure);
    if (!st && exposure && strcmp(exposure, "days") == 0) {
        /* a column of that name wins over the calendar */
        su_context quiet;
        su_context_init(&quiet);
        if (su_frame_find(&quiet, a->frame, su_str_of(exposure), &in.exposure)) in.exposure = NULL;
        if (in.exposure) st = number_option(cli, a, "exposure", &in.exposure);
    }
    if (!st) st = number_option(cli, a, "shift", &in.shift);
    if (!st) st = number_option(cli, a, "season", &in.season);
    if (!st) st = su_where_option(cli, a->frame, &filters, &in.filter_count);
    if (st) return st;
    in.time = time[0];
    in.within = time[1];
    in.filters = filters;
    in.period = (unsigned)period;
    st = su_series_of(&cli->ctx, a->frame, &in, out);
    return su_in_file(cli, a->raw, st);
}
