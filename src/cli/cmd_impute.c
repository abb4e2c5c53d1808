#include "flow_options.h"

#include <suha/impute.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

const su_option su_options_impute[] = { SU_OPTIONS_ANALYSIS,
                                        { "out", "FILE.csv",
                                          "the completed files, one below the other, with the columns .imp (1, 2 ...) and .id" },
                                        { "m", "N", "imputations; default 20" },
                                        { "rounds", "N", "rounds of the chains; default 10" },
                                        { "seed", "N", "default 1; the same seed gives the same file on any number of threads" },
                                        { "method", "COL=M[,...]", "logit, multinomial, ordered, pmm, matched or exclude; default by the column" },
                                        { "exclude", "COL[,COL]", "columns neither imputed nor used (identifiers)" },
                                        { "ordered", "COL[,COL]", "categories in their order: proportional odds" },
                                        { "delta", "COL=X[,...]", "not missing at random: added to the imputed log-odds (or number)" },
                                        { NULL, NULL, NULL } };

typedef struct choices {
    su_impute_choice *list;
    size_t count;
} choices;

static su_impute_choice *choice_of(choices *c, const su_variable *v)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->list[i].variable == v) return &c->list[i];
    c->list[c->count] = (su_impute_choice) { .variable = v };
    return &c->list[c->count++];
}

/* "COL=VALUE" words of an option; `value` is NULL where the option has no values. */
static su_status take(su_cli *cli, const su_frame *f, const char *option, bool valued,
                      su_status (*set)(su_cli *cli, su_impute_choice *c, const char *value), choices *out)
{
    su_str *words = NULL;
    size_t count = 0;
    su_status st = su_cli_words(cli, option, &words, &count);
    for (size_t i = 0; !st && i < count; i++) {
        const su_variable *v = NULL;
        const char *equals = valued ? memchr(words[i].p, '=', words[i].n) : NULL;
        if (valued && !equals) return su_fail(&cli->ctx, SU_USAGE, "--%s '%s': write COLUMN=VALUE", option, words[i].p);
        su_str name = su_str_trim((su_str) { words[i].p, equals ? (size_t)(equals - words[i].p) : words[i].n });
        st = su_frame_find(&cli->ctx, f, name, &v);
        if (!st) st = set(cli, choice_of(out, v), equals ? equals + 1 : NULL);
        if (st) (void)su_fail_prefix(&cli->ctx, "--%s: ", option);
    }
    return st;
}

static su_status set_method(su_cli *cli, su_impute_choice *c, const char *value)
{
    for (int m = SU_IMPUTE_LOGIT; m < SU_IMPUTE_METHODS; m++)
        if (strcmp(su_impute_method_name((su_impute_method)m), value) == 0) {
            c->method = (su_impute_method)m;
            return SU_OK;
        }
    return su_fail(&cli->ctx, SU_USAGE, "'%s' is no method; methods are logit, multinomial, ordered, pmm, matched, exclude", value);
}

static su_status set_exclude(su_cli *cli, su_impute_choice *c, const char *value)
{
    (void)cli, (void)value;
    c->method = SU_IMPUTE_EXCLUDE;
    return SU_OK;
}

static su_status set_ordered(su_cli *cli, su_impute_choice *c, const char *value)
{
    (void)cli, (void)value;
    c->method = SU_IMPUTE_ORDERED;
    return SU_OK;
}

static su_status set_delta(su_cli *cli, su_impute_choice *c, const char *value) { return su_cli_number(cli, "delta", value, &c->delta); }

/* ---- the completed files: twenty times the input, so they are written as they are made, beside the target, and renamed at the end ---- */

enum { PIECE = 1 << 20 };

typedef struct output {
    const char *path;
    char *part;
    int fd;
    su_buf buf;
} output;

static su_status output_fail(su_cli *cli, const output *o, const char *what)
{
    return su_fail(&cli->ctx, SU_IO, "%s cannot be %s: %s", o->path, what, strerror(errno));
}

static su_status output_begin(su_cli *cli, const char *path, output *o)
{
    *o = (output) { .path = path, .part = su_arena_printf(&cli->arena, "%s.part", path), .fd = -1 };
    (void)unlink(o->part); /* what an interrupted run left */
    o->fd = open(o->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    return o->fd < 0 ? output_fail(cli, o, "written") : SU_OK;
}

static su_status output_flush(su_cli *cli, output *o)
{
    for (size_t at = 0; at < o->buf.n;) {
        ssize_t written = write(o->fd, o->buf.p + at, o->buf.n - at);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return output_fail(cli, o, "written");
        at += (size_t)written;
    }
    o->buf.n = 0;
    return SU_OK;
}

static su_status output_end(su_cli *cli, output *o, su_status st)
{
    if (!st) st = output_flush(cli, o);
    if (!st && fsync(o->fd) != 0) st = output_fail(cli, o, "written");
    if (o->fd >= 0 && close(o->fd) != 0 && !st) st = output_fail(cli, o, "written");
    if (!st && rename(o->part, o->path) != 0) st = output_fail(cli, o, "put in place");
    if (st && o->fd >= 0) (void)unlink(o->part);
    su_buf_free(&o->buf);
    return st;
}

static void write_cell(const su_imputation *im, const su_raw_table *raw, unsigned m, uint64_t row, uint32_t j, uint64_t *next, su_buf *out)
{
    const su_imputed *v = &im->variables[j];
    su_buf_char(out, ',');
    if (*next >= v->filled || v->rows[*next] != row) {
        su_buf_csv_safe(out, su_dict_get(raw->columns[j].values, raw->columns[j].ids[row]), ',');
        return;
    }
    uint64_t k = (*next)++;
    if (v->number)
        su_buf_printf(out, "%.15g", v->number[m][k]);
    else
        su_buf_csv_safe(out, su_str_of(v->variable->levels[v->level[m][k] - 1]), ',');
}

/* Cells that were there stand as they stood, imputed ones as their level or number. */
static su_status write_csv(su_cli *cli, const su_imputation *im, const su_raw_table *raw, const char *path)
{
    output o;
    su_status st = output_begin(cli, path, &o);
    if (st) return st;
    uint64_t *next = su_arena_array(&cli->arena, raw->column_count, sizeof *next);
    su_buf_text(&o.buf, ".imp,.id");
    for (uint32_t j = 0; j < raw->column_count; j++) {
        su_buf_char(&o.buf, ',');
        su_buf_csv_safe(&o.buf, su_str_of(raw->columns[j].name), ',');
    }
    su_buf_char(&o.buf, '\n');
    for (unsigned m = 0; !st && m < im->imputations; m++) {
        memset(next, 0, raw->column_count * sizeof *next);
        for (uint64_t row = 0; !st && row < raw->row_count; row++) {
            su_buf_printf(&o.buf, "%u,%llu", m + 1, (unsigned long long)row + 1);
            for (uint32_t j = 0; j < raw->column_count; j++) write_cell(im, raw, m, row, j, &next[j], &o.buf);
            su_buf_char(&o.buf, '\n');
            if (o.buf.n > PIECE) st = output_flush(cli, &o);
        }
    }
    return output_end(cli, &o, st);
}

static su_status check_names(su_cli *cli, const su_frame *f)
{
    for (uint32_t j = 0; j < f->count; j++)
        if (strcmp(f->variables[j].name, ".imp") == 0 || strcmp(f->variables[j].name, ".id") == 0)
            return su_fail(&cli->ctx, SU_REFUSED, "%s has a column '%s' already: it looks like a completed file", cli->positional[0],
                           f->variables[j].name);
    return SU_OK;
}

su_status su_command_impute(su_cli *cli)
{
    su_analysis a = { 0 };
    su_imputation *im = NULL;
    choices c = { 0 };
    int64_t m, rounds, seed;
    const char *out = su_cli_option(cli, "out");
    su_result *r = su_result_new("impute", "Multiple imputation");
    su_status st = su_cli_positionals(cli, 1, 1);
    if (!st) st = su_cli_integer(cli, "m", 1, 1000, 20, &m);
    if (!st) st = su_cli_integer(cli, "rounds", 1, 1000, 10, &rounds);
    if (!st) st = su_cli_integer(cli, "seed", 0, INT64_MAX, 1, &seed);
    if (!st) st = su_analysis_open(cli, cli->positional[0], &a);
    if (!st) st = check_names(cli, a.frame);
    if (!st) {
        c.list = su_arena_array(&cli->arena, a.frame->count, sizeof *c.list);
        st = take(cli, a.frame, "method", true, set_method, &c);
    }
    if (!st) st = take(cli, a.frame, "exclude", false, set_exclude, &c);
    if (!st) st = take(cli, a.frame, "ordered", false, set_ordered, &c);
    if (!st) st = take(cli, a.frame, "delta", true, set_delta, &c);
    if (!st) {
        su_impute_options o = { c.list, c.count, (unsigned)m, (unsigned)rounds, (uint64_t)seed };
        st = su_impute(&cli->ctx, a.frame, &o, &im);
        st = su_in_file(cli, a.raw, st);
    }
    if (!st && out) st = write_csv(cli, im, a.raw, out);
    if (!st) {
        su_impute_report(im, r);
        if (out) su_log(&cli->ctx, "%s has the %u completed files; it is as confidential as %s", out, im->imputations, cli->positional[0]);
        st = su_analysis_print(cli, a.frame, (uint64_t)seed, r);
    }
    su_imputation_free(im);
    su_result_free(r);
    su_analysis_free(&a);
    return st;
}
