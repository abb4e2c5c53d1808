#include "story.h"
#include "markdown.h"
#include "page_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORDS 40u
#define MAX_DEPTH 8u
#define MAX_CODES 64u

/* ---- front matter ---- */

static su_str line_of(su_str *text)
{
    const char *end = text->n ? memchr(text->p, '\n', text->n) : NULL;
    size_t n = end ? (size_t)(end - text->p) : text->n;
    su_str line = { text->p, n };
    *text = (su_str) { text->p + n + (end ? 1 : 0), text->n - n - (end ? 1 : 0) };
    return su_str_trim(line);
}

/* The part after the second ---; everything when there is no front matter. */
static su_str body_of(su_str text)
{
    su_str rest = text;
    if (!su_str_equal(line_of(&rest), SU_STR("---"))) return text;
    while (rest.n)
        if (su_str_equal(line_of(&rest), SU_STR("---"))) return rest;
    return text;
}

su_str su_story_key(su_str text, const char *key)
{
    size_t n = strlen(key);
    if (!su_str_equal(line_of(&text), SU_STR("---"))) return (su_str) { "", 0 };
    while (text.n) {
        su_str line = line_of(&text);
        if (su_str_equal(line, SU_STR("---"))) break;
        if (line.n > n && line.p[n] == ':' && memcmp(line.p, key, n) == 0) return su_str_trim((su_str) { line.p + n + 1, line.n - n - 1 });
    }
    return (su_str) { "", 0 };
}

/* ---- words of a directive ---- */

typedef struct words {
    const char *at[MAX_WORDS];
    size_t count, next;
    const char *wrong; /* first thing that is wrong, for the author */
} words;

/* Blanks part words; "..." holds blanks together, also in the middle of a word. */
static words split(su_page *p, su_str text)
{
    words w = { .count = 0 };
    su_buf one = { 0 };
    bool quoted = false, any = false;
    for (size_t i = 0; i <= text.n && w.count < MAX_WORDS; i++) {
        char c = i < text.n ? text.p[i] : ' ';
        if (c == '"') {
            quoted = !quoted;
            any = true;
        } else if (!quoted && (c == ' ' || c == '\t' || c == '\n')) {
            if (any) w.at[w.count++] = su_arena_strndup(p->arena, one.p ? one.p : "", one.n);
            one.n = 0;
            any = false;
        } else {
            su_buf_char(&one, c);
            any = true;
        }
    }
    su_buf_free(&one);
    if (quoted) w.wrong = "a quote that does not close";
    return w;
}

static const char *take(words *w) { return w->next < w->count ? w->at[w->next++] : NULL; }
static bool taken(words *w, const char *word)
{
    if (w->next >= w->count || strcmp(w->at[w->next], word) != 0) return false;
    w->next++;
    return true;
}

static void complain(words *w, const char *what)
{
    if (!w->wrong) w->wrong = what;
}

static int compare_codes(const void *x, const void *y)
{
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    return a < b ? -1 : a > b;
}

/* column:code|code */
static bool attribute(su_page *p, words *w, su_filter *out)
{
    const char *word = take(w), *colon = word ? strchr(word, ':') : NULL;
    int field = colon ? su_cube_field(p->shown->cube, su_arena_strndup(p->arena, word, (size_t)(colon - word))) : -1;
    if (field < 0) {
        complain(w, "no such column in this release");
        return false;
    }
    uint32_t *codes = su_arena_array(p->arena, MAX_CODES, sizeof *codes);
    *out = (su_filter) { .field = (uint32_t)field, .code = codes };
    for (const char *c = colon + 1; out->count < MAX_CODES;) {
        size_t n = strcspn(c, "|");
        int code = su_cube_code(p->shown->cube, (uint32_t)field, (su_str) { c, n });
        if (code < 0) {
            complain(w, "no such code in the public list");
            return false;
        }
        codes[out->count++] = (uint32_t)code;
        if (!c[n]) break;
        c += n + 1;
    }
    qsort(codes, out->count, sizeof *codes, compare_codes);
    size_t kept = 1;
    for (size_t i = 1; i < out->count; i++)
        if (codes[i] != codes[kept - 1]) codes[kept++] = codes[i];
    out->count = kept;
    return true;
}

/* The rest of the words: nothing, or where A A ... */
static bool conditions(su_page *p, words *w, su_ask *out)
{
    *out = (su_ask) { .group = SU_QUERY_NO_GROUP };
    if (w->next < w->count && !taken(w, "where")) complain(w, "a word that means nothing here");
    while (!w->wrong && w->next < w->count) {
        if (out->where_count == SU_QUERY_MAX_WHERE || !attribute(p, w, &out->where[out->where_count])) {
            complain(w, "too many conditions");
            break;
        }
        out->where_count++;
    }
    return !w->wrong;
}

static int column(su_page *p, words *w)
{
    const char *name = take(w);
    int field = name ? su_cube_field(p->shown->cube, name) : -1;
    if (field < 0) complain(w, "no such column in this release");
    return field;
}

static int group(su_page *p, words *w)
{
    const char *name = take(w);
    for (size_t g = 0; name && g < p->shown->view->group_count; g++)
        if (strcmp(p->shown->view->groups[g].name, name) == 0) return (int)g;
    complain(w, "no such group in this release");
    return -1;
}

/* ---- numbers ---- */

static bool sure(const su_figure *n) { return n->known && n->state != SU_CELL_ESTIMATED && isfinite(n->low) && isfinite(n->high); }

static bool count_of(su_page *p, const su_ask *where, const su_filter *also, su_figure *out)
{
    su_ask ask = *where;
    su_tabulation t;
    su_problem problem = { 0 };
    ask.by_count = 0;
    ask.group = SU_QUERY_NO_GROUP;
    if (also) {
        if (ask.where_count == SU_QUERY_MAX_WHERE) return false;
        ask.where[ask.where_count++] = *also;
    }
    if (!su_cube_tabulate(p->shown->cube, &ask, p->arena, &t, &problem)) return false;
    *out = t.total;
    return true;
}

/* Half of the widest interval among the cells: the error that their denominator is given. */
static double widest(const su_tabulation *t)
{
    double half = 0;
    for (size_t i = 0; i < t->cell_count; i++)
        if (sure(&t->cells[i].n)) half = fmax(half, (t->cells[i].n.high - t->cells[i].n.low) / 2);
    return half;
}

typedef struct share {
    su_figure n;
    double percent, low, high; /* NaN: none */
} share;

/* Percentage of the attributes `of` (one filter) under `where`; the denominator as in su_cube_tabulate. False: no such question. */
static bool story_share(su_page *p, const su_filter *of, const su_ask *where, share *out)
{
    const su_view_field *f = &p->shown->view->fields[of->field];
    su_ask ask = *where;
    su_tabulation t;
    su_problem problem = { 0 };
    *out = (share) { .percent = NAN, .low = NAN, .high = NAN };
    if (f->kind == SU_VIEW_FLAG && f->group >= 0)
        ask.group = f->group;
    else
        ask.by[ask.by_count++] = of->field;
    if (!count_of(p, where, of, &out->n) || !su_cube_tabulate(p->shown->cube, &ask, p->arena, &t, &problem)) return false;
    double all = t.denominator.known ? t.denominator.count : NAN, error = widest(&t);
    if (!sure(&out->n) || !isfinite(all) || all - error <= 0) return true;
    out->percent = fmin(100, 100 * out->n.count / all);
    out->low = fmax(0, 100 * out->n.low / (all + error));
    out->high = fmin(100, 100 * out->n.high / (all - error));
    return true;
}

static su_bar *bars_for(su_page *p, words *w, size_t *n, const char **title)
{
    bool by_group = taken(w, "group");
    int which = by_group ? group(p, w) : column(p, w);
    su_ask where, ask;
    su_tabulation t;
    su_problem problem = { 0 };
    su_chart unused = { 0 };
    if (which < 0 || !conditions(p, w, &where)) return NULL;
    *title = by_group ? su_figure_group(p, which) : su_figure_title(p, &p->shown->view->fields[which]);
    ask = where;
    ask.group = by_group ? which : SU_QUERY_NO_GROUP;
    if (!by_group) ask.by[ask.by_count++] = (uint32_t)which;
    if (!su_cube_tabulate(p->shown->cube, &ask, p->arena, &t, &problem)) return NULL;
    return su_figure_bars(p, &where, &t, &unused, n);
}

/* ---- conditions ---- */

static bool holds_known(su_page *p, words *w)
{
    su_filter list[MAX_WORDS];
    size_t n = 0;
    su_ask where;
    while (w->next < w->count && strcmp(w->at[w->next], "where") != 0)
        if (!attribute(p, w, &list[n++])) return false;
    if (!conditions(p, w, &where)) return false;
    for (size_t i = 0; i < n; i++) {
        su_figure f;
        if (!count_of(p, &where, &list[i], &f) || !sure(&f)) return false;
    }
    return n > 0;
}

static bool holds_more(su_page *p, words *w)
{
    su_filter a, b;
    su_ask where;
    su_figure x, y;
    if (!attribute(p, w, &a)) return false;
    if (!taken(w, "than")) complain(w, "than is missing");
    if (w->wrong || !attribute(p, w, &b) || !conditions(p, w, &where)) return false;
    return count_of(p, &where, &a, &x) && count_of(p, &where, &b, &y) && sure(&x) && sure(&y) && x.low > y.high;
}

static bool holds_beside(su_page *p, words *w, bool above)
{
    double limit;
    su_filter a;
    su_ask where;
    share s;
    const char *number = take(w);
    if (!number || !su_parse_f64(su_str_of(number), &limit)) {
        complain(w, "a number is missing");
        return false;
    }
    if (!attribute(p, w, &a) || !conditions(p, w, &where) || !story_share(p, &a, &where, &s)) return false;
    return above ? s.low > limit : s.high < limit;
}

static bool holds_higher(su_page *p, words *w)
{
    su_filter a;
    su_ask first = { .group = SU_QUERY_NO_GROUP, .where_count = 1 }, second = first;
    share x, y;
    if (!attribute(p, w, &a)) return false;
    if (!taken(w, "where")) complain(w, "where is missing");
    if (w->wrong || !attribute(p, w, &first.where[0])) return false;
    if (!taken(w, "than")) complain(w, "than is missing");
    if (w->wrong || !attribute(p, w, &second.where[0])) return false;
    return story_share(p, &a, &first, &x) && story_share(p, &a, &second, &y) && x.low > y.high;
}

static bool holds_single(su_page *p, words *w)
{
    const su_bar *lead[4];
    const char *title;
    size_t n = 0;
    su_bar *bars = bars_for(p, w, &n, &title);
    return bars && su_chart_leaders(bars, n, lead) == 1;
}

static bool holds(su_page *p, words *w)
{
    const char *verb = take(w);
    if (!verb) complain(w, "a condition is missing");
    if (w->wrong) return false;
    if (strcmp(verb, "known") == 0) return holds_known(p, w);
    if (strcmp(verb, "more") == 0) return holds_more(p, w);
    if (strcmp(verb, "above") == 0 || strcmp(verb, "below") == 0) return holds_beside(p, w, verb[0] == 'a');
    if (strcmp(verb, "higher") == 0) return holds_higher(p, w);
    if (strcmp(verb, "single") == 0) return holds_single(p, w);
    if (strcmp(verb, "has") == 0) {
        const char *name = take(w);
        return name && su_cube_field(p->shown->cube, name) >= 0;
    }
    complain(w, "a condition that is not known");
    return false;
}

static void put_wrong(su_buf *out, const char *wrong, su_str text)
{
    su_buf_text(out, "[");
    su_buf_add(out, text.p, text.n < 80 ? text.n : 80);
    su_buf_printf(out, ": %s]", wrong);
}

typedef struct branch {
    bool outer, taken, here; /* what surrounds it is shown; some arm was; this arm is */
} branch;

/* One of if, else, end. False when the directive is another one. */
static bool step(su_page *p, su_str text, branch *stack, size_t *depth, su_buf *out)
{
    branch *top = *depth ? &stack[*depth - 1] : NULL;
    bool shown = !top || top->here;
    if (su_str_equal(text, SU_STR("end"))) {
        if (*depth) --*depth;
        return true;
    }
    if (su_str_equal(text, SU_STR("else"))) {
        if (top) top->here = top->outer && !top->taken;
        return true;
    }
    if (text.n < 3 || memcmp(text.p, "if ", 3) != 0) return false;
    if (*depth == MAX_DEPTH) {
        put_wrong(out, "conditions nested too deep", text);
        return true;
    }
    words w = split(p, (su_str) { text.p + 3, text.n - 3 });
    bool yes = shown && holds(p, &w);
    if (w.wrong && shown && strcmp(w.wrong, "no such column in this release") != 0) put_wrong(out, w.wrong, text);
    stack[(*depth)++] = (branch) { shown, yes, yes };
    return true;
}

/* The text with its conditions resolved. */
static void resolve(su_page *p, su_str text, su_buf *out)
{
    branch stack[MAX_DEPTH];
    size_t depth = 0;
    while (text.n) {
        const char *open = memmem(text.p, text.n, "{{", 2);
        size_t plain = open ? (size_t)(open - text.p) : text.n;
        bool shown = !depth || stack[depth - 1].here;
        if (shown) su_buf_add(out, text.p, plain);
        if (!open) return;
        const char *close = memmem(open, text.n - plain, "}}", 2);
        size_t n = close ? (size_t)(close + 2 - open) : text.n - plain;
        bool resolved = close && step(p, su_str_trim((su_str) { open + 2, n - 4 }), stack, &depth, out);
        if (!resolved && shown) su_buf_add(out, open, n);
        text = (su_str) { open + n, text.n - plain - n };
    }
}

/* ---- directives ---- */

/* Runs with p->b set to the directive's own buffer. */
static void put_missing(su_page *p)
{
    put(p, "<span class=\"missing\">");
    say(p, "not published");
    put(p, "</span>");
}

static void put_figure(su_page *p, const su_figure *n)
{
    if (!sure(n)) {
        put_missing(p);
        return;
    }
    put(p, "<span class=\"figure\"><strong>");
    su_put_count(p->b, p->l, n->count);
    put(p, "</strong> <small>(");
    su_page_interval(p, n->low, n->high);
    put(p, ")</small></span>");
}

static void put_share(su_page *p, const share *s)
{
    if (!isfinite(s->percent)) {
        put_missing(p);
        return;
    }
    int decimals = s->high - s->low < 2 || s->percent < 9.95 ? 1 : 0;
    put(p, "<span class=\"figure\"><strong>");
    su_put_percent(p->b, p->l, s->percent, decimals);
    put(p, "</strong> <small>(");
    su_put_percent(p->b, p->l, s->low, decimals);
    put(p, "–");
    su_put_percent(p->b, p->l, s->high, decimals);
    put(p, ")</small></span>");
}

static void put_label(su_page *p, const su_filter *f)
{
    const su_view_field *field = &p->shown->view->fields[f->field];
    if (field->kind == SU_VIEW_FLAG) {
        su_page_text(p, su_page_without(su_figure_title(p, field), field->group >= 0 ? su_figure_group(p, field->group) : ""));
        return;
    }
    for (size_t i = 0; i < f->count; i++) {
        if (i) put(p, ", ");
        su_page_text(p, su_figure_label(p, &field->values[f->code[i]]));
    }
}

static void put_largest(su_page *p, words *w)
{
    const su_bar *lead[4];
    const char *title;
    size_t n = 0;
    su_bar *bars = bars_for(p, w, &n, &title);
    size_t leaders = bars ? su_chart_leaders(bars, n, lead) : 0;
    if (w->wrong) return;
    if (!leaders) put_missing(p);
    for (size_t i = 0; i < leaders; i++) {
        put(p, i ? " / " : "");
        put(p, "<strong>");
        su_page_text(p, lead[i]->label);
        put(p, "</strong>");
    }
    if (leaders > 1) {
        put(p, " <small>(");
        say(p, "too close to tell which");
        put(p, ")</small>");
    }
}

static void directive(su_page *p, words *w)
{
    const char *verb = take(w), *first, *last;
    su_filter f;
    su_ask where;
    share s;
    su_figure n;
    if (!verb) verb = "";
    if (strcmp(verb, "people") == 0) {
        if (conditions(p, w, &where) && count_of(p, &where, NULL, &n)) put_figure(p, &n);
    } else if (strcmp(verb, "count") == 0) {
        if (attribute(p, w, &f) && conditions(p, w, &where) && count_of(p, &where, &f, &n)) put_figure(p, &n);
    } else if (strcmp(verb, "percent") == 0) {
        if (attribute(p, w, &f) && conditions(p, w, &where) && story_share(p, &f, &where, &s)) put_share(p, &s);
    } else if (strcmp(verb, "largest") == 0) {
        put_largest(p, w);
    } else if (strcmp(verb, "label") == 0) {
        if (attribute(p, w, &f)) put_label(p, &f);
    } else if (strcmp(verb, "years") == 0 && su_page_period(p->shown->view, &first, &last)) {
        say(p, "{first} to {last}", SU_PTEXT("first", first), SU_PTEXT("last", last));
    } else
        complain(w, "a directive that is not known");
}

static void put_author(su_page *p, const char *wrong, su_str text)
{
    put(p, "<span class=\"wrong\">");
    su_buf_char(p->b, '[');
    su_buf_html(p->b, (su_str) { text.p, text.n < 80 ? text.n : 80 });
    su_buf_printf(p->b, ": %s]", wrong);
    put(p, "</span>");
}

static void put_inline(void *arg, su_str text, su_buf *out)
{
    su_page *p = arg;
    su_buf *old = p->b;
    words w = split(p, text);
    p->b = out;
    if (!w.wrong) directive(p, &w);
    if (w.wrong) put_author(p, w.wrong, text);
    p->b = old;
}

/* Opens the frame in which the browser part may draw the same chart live. */
static void open_live(su_page *p, const char *what, const char *value, const char *kind, const su_ask *where)
{
    const char *address = su_figure_address(p, where, ""), *query = strchr(address, '?');
    put(p, "<div class=\"live-chart\" data-app=\"chart\" data-release=\"");
    su_page_text(p, p->shown->name);
    su_buf_printf(p->b, "\" data-%s=\"", what);
    su_page_text(p, value);
    if (kind) su_buf_printf(p->b, "\" data-kind=\"%s", kind);
    put(p, "\" data-where=\"");
    su_page_text(p, query ? query + 1 : "");
    put(p, "\">\n");
}

static void chart_of_two(su_page *p, words *w, bool pairs)
{
    const su_view *v = p->shown->view;
    su_ask where;
    int a = column(p, w), b = w->wrong ? -1 : column(p, w);
    if (b < 0 || !conditions(p, w, &where)) return;
    open_live(p, "by", su_arena_printf(p->arena, "%s,%s", v->fields[a].name, v->fields[b].name), pairs ? "sankey" : NULL, &where);
    if (pairs)
        su_figure_pairs(p, &where, (uint32_t)a, (uint32_t)b);
    else
        su_figure_grid(p, &where, (uint32_t)a, (uint32_t)b);
    put(p, "</div>\n");
}

static void chart(su_page *p, words *w)
{
    su_ask where;
    int which;
    if (!taken(w, "chart"))
        complain(w, "a directive that is not known");
    else if (taken(w, "column")) {
        if ((which = column(p, w)) < 0 || !conditions(p, w, &where)) return;
        open_live(p, "by", p->shown->view->fields[which].name, NULL, &where);
        su_figure_column(p, &where, (uint32_t)which);
        put(p, "</div>\n");
    } else if (taken(w, "group")) {
        if ((which = group(p, w)) < 0 || !conditions(p, w, &where)) return;
        open_live(p, "group", p->shown->view->groups[which].name, NULL, &where);
        su_figure_of_group(p, &where, which);
        put(p, "</div>\n");
    } else if (taken(w, "grid"))
        chart_of_two(p, w, false);
    else if (taken(w, "pairs"))
        chart_of_two(p, w, true);
    else
        complain(w, "a chart that is not known");
}

static void put_block(void *arg, su_str text, su_buf *out)
{
    su_page *p = arg;
    su_buf *old = p->b;
    words w = split(p, text);
    p->b = out;
    if (w.count && strcmp(w.at[0], "chart") == 0) {
        if (!w.wrong) chart(p, &w);
        /* A chart of a column that this release does not have is left out: a story serves every release of its instrument. */
        if (w.wrong && strcmp(w.wrong, "no such column in this release") != 0) put_author(p, w.wrong, text);
    } else {
        put(p, "<p>");
        put_inline(arg, text, out);
        put(p, "</p>\n");
    }
    p->b = old;
}

static void put_address(void *arg, su_str address, su_buf *out)
{
    su_page *p = arg;
    su_buf *old = p->b;
    const char *text = su_arena_strndup(p->arena, address.p, address.n);
    p->b = out;
    /* Relative addresses are of the release: explore?where=... */
    su_page_href(p, text[0] == '/' || text[0] == '#' ? text : su_page_address(p, p->shown, text));
    p->b = old;
}

void su_story_html(su_page *p, su_str text)
{
    su_buf resolved = { 0 };
    su_markdown m = { p, put_inline, put_block, put_address };
    resolve(p, body_of(text), &resolved);
    su_markdown_html(&m, (su_str) { resolved.p ? resolved.p : "", resolved.n }, p->b);
    su_buf_free(&resolved);
}
