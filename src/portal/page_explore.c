/* Explore and Combinations as they work without script: forms that send the same address as the browser part, charts drawn here. */
#include "chart.h"
#include "page_parts.h"

#include <math.h>
#include <string.h>

/* Parameters without the empty ones that a form sends for "all". */
static bool read_args(su_page *p, su_args *out, su_problem *problem)
{
    if (!su_args_parse(p->query, p->arena, out, problem)) return false;
    size_t kept = 0;
    for (size_t i = 0; i < out->count; i++)
        if (out->list[i].value[0]) out->list[kept++] = out->list[i];
    out->count = kept;
    return true;
}

static void put_problem(su_page *p, const su_problem *problem)
{
    p->status = problem->status ? problem->status : 400;
    put(p, "<div class=\"problem\" role=\"alert\"><strong>");
    say(p, "The address asks for something that is not here.");
    put(p, "</strong> <span lang=\"en\" dir=\"ltr\">");
    su_page_text(p, problem->detail);
    put(p, "</span></div>\n");
}

static void open_app(su_page *p, const char *app)
{
    su_buf_printf(p->b, "<div class=\"app\" data-app=\"%s\" data-release=\"", app);
    su_page_text(p, p->shown->name);
    put(p, "\">\n");
}

static void open_form(su_page *p, const char *page)
{
    put(p, "<form class=\"filters\" method=\"get\" action=\"");
    su_page_text(p, su_page_address(p, p->shown, page));
    put(p, "\">\n");
    if (p->keep) su_buf_printf(p->b, "<input type=\"hidden\" name=\"lang\" value=\"%s\">\n", su_locale_tag(p->l));
}

/* column:code as su_ask_parse reads it: \ before \ : | */
static void put_attribute(su_page *p, const char *column, const char *code)
{
    su_buf b = { 0 };
    const char *both[] = { column, code };
    for (int i = 0; i < 2; i++) {
        for (const char *c = both[i]; *c; c++) {
            if (*c == '\\' || *c == ':' || *c == '|') su_buf_char(&b, '\\');
            su_buf_char(&b, *c);
        }
        if (i == 0) su_buf_char(&b, ':');
    }
    su_buf_html(p->b, (su_str) { b.p, b.n });
    su_buf_free(&b);
}

static bool chosen(const su_ask *ask, uint32_t field, uint32_t value)
{
    for (size_t i = 0; i < ask->where_count; i++)
        for (size_t k = 0; ask->where[i].field == field && k < ask->where[i].count; k++)
            if (ask->where[i].code[k] == value) return true;
    return false;
}

static bool can_filter(const su_view_field *f) { return f->provided && f->value_count && f->kind != SU_VIEW_OTHER; }

static void put_select(su_page *p, const su_ask *ask, uint32_t field)
{
    const su_view_field *f = &p->shown->view->fields[field];
    su_buf_printf(p->b, "<p class=\"choice\"><label for=\"f%u\">", field);
    su_page_text(p, su_figure_title(p, f));
    su_buf_printf(p->b, "</label>\n<select id=\"f%u\" name=\"where\">\n<option value=\"\">", field);
    say(p, "all");
    put(p, "</option>\n");
    for (uint32_t i = 0; i < f->value_count; i++) {
        put(p, "<option value=\"");
        put_attribute(p, f->name, f->values[i].code);
        put(p, chosen(ask, field, i) ? "\" selected=\"selected\">" : "\">");
        su_page_text(p, su_figure_label(p, &f->values[i]));
        put(p, "</option>\n");
    }
    put(p, "</select></p>\n");
}

static void put_check(su_page *p, const su_ask *ask, uint32_t field, const char *heading)
{
    const su_view_field *f = &p->shown->view->fields[field];
    uint32_t yes = (uint32_t)f->value_count - 1;
    su_buf_printf(p->b, "<p class=\"check\"><input type=\"checkbox\" id=\"f%u\" name=\"where\" value=\"", field);
    put_attribute(p, f->name, f->values[yes].code);
    put(p, chosen(ask, field, yes) ? "\" checked=\"checked\">" : "\">");
    su_buf_printf(p->b, " <label for=\"f%u\">", field);
    su_page_text(
        p, su_page_without(su_page_without(su_figure_title(p, f), heading), f->group >= 0 ? p->shown->view->groups[f->group].title : ""));
    put(p, "</label></p>\n");
}

static void put_flags(su_page *p, const su_ask *ask, int group)
{
    const su_view *v = p->shown->view;
    const char *heading = group >= 0 ? su_figure_group(p, group) : su_tr(p->l, "Other yes-or-no questions");
    bool open = false;
    for (uint32_t i = 0; i < v->field_count; i++) {
        if (v->fields[i].kind != SU_VIEW_FLAG || v->fields[i].group != group || !can_filter(&v->fields[i])) continue;
        if (!open) {
            put(p, "<fieldset><legend>");
            su_page_text(p, heading);
            put(p, "</legend>\n");
            open = true;
        }
        put_check(p, ask, i, heading);
    }
    if (open) put(p, "</fieldset>\n");
}

static void put_filters(su_page *p, const su_ask *ask)
{
    const su_view *v = p->shown->view;
    tag(p, "h3", "Show only");
    open_form(p, "explore");
    for (uint32_t i = 0; i < v->field_count; i++)
        if (v->fields[i].kind != SU_VIEW_FLAG && can_filter(&v->fields[i])) put_select(p, ask, i);
    for (int g = 0; g < (int)v->group_count; g++) put_flags(p, ask, g);
    put_flags(p, ask, -1);
    put(p, "<p class=\"buttons\"><button type=\"submit\">");
    say(p, "Show");
    put(p, "</button> ");
    if (ask->where_count) {
        su_page_link(p, su_page_address(p, p->shown, "explore"));
        say(p, "Clear all");
        put(p, "</a>");
    }
    put(p, "</p>\n</form>\n");
}

static void put_set(su_page *p, const su_ask *ask)
{
    const su_view *v = p->shown->view;
    put(p, "<ul class=\"chosen-set\">\n");
    for (size_t i = 0; i < ask->where_count; i++) {
        const su_view_field *f = &v->fields[ask->where[i].field];
        put(p, "<li><span>");
        su_page_text(p, su_figure_title(p, f));
        put(p, "</span> ");
        for (size_t k = 0; f->kind != SU_VIEW_FLAG && k < ask->where[i].count; k++) {
            if (k) put(p, " / ");
            su_page_text(p, su_figure_label(p, &f->values[ask->where[i].code[k]]));
        }
        put(p, "</li>\n");
    }
    put(p, "</ul>\n");
}

/* How many people match, how certain, and where the number comes from. */
static void put_answer(su_page *p, const su_figure *n, const char *english)
{
    const char *reason = su_reason_text(n->reason);
    put(p, "<p class=\"answer\"><strong>");
    su_chart_number(p, n);
    put(p, "</strong> ");
    if (n->known) su_say_with(p->b, p->l, english, NULL);
    if (isfinite(n->low) && isfinite(n->high)) {
        put(p, " <span>");
        say(p, "95% interval {range}", SU_PHTML("range", su_page_range(p, n)));
        put(p, "</span>");
    }
    put(p, "</p>\n<p class=\"note\">");
    if (n->source == SU_SOURCE_AGGREGATES)
        say(p, "This number is a published count.");
    else
        say(p, "This number was counted in the synthetic records.");
    if (reason) {
        put(p, " ");
        su_say_with(p->b, p->l, reason, NULL);
    }
    put(p, "</p>\n");
}

static void put_total(su_page *p, const su_ask *ask)
{
    su_ask whole = *ask;
    su_tabulation t;
    su_problem problem = { 0 };
    whole.by_count = 0;
    whole.group = SU_QUERY_NO_GROUP;
    if (ask->where_count) put_set(p, ask);
    if (!su_cube_tabulate(p->shown->cube, &whole, p->arena, &t, &problem)) return;
    put_answer(p, &t.total, ask->where_count ? T("people match these filters") : T("people in this release"));
}

void su_page_explore(su_page *p)
{
    su_args args = { 0 };
    su_ask ask = { .group = SU_QUERY_NO_GROUP };
    su_problem problem = { 0 };
    bool good = read_args(p, &args, &problem) && su_ask_parse(p->shown->cube, &args, p->arena, &ask, &problem);
    if (!good) ask = (su_ask) { .group = SU_QUERY_NO_GROUP };
    su_page_open(p, &(su_page_head) { .title = su_tr(p->l, "Explore"), .here = su_page_address(p, p->shown, "explore") });
    put(p, "<h1>");
    say(p, "Explore");
    put(p, "</h1>\n");
    if (!good) put_problem(p, &problem);
    tag(p, "h2 class=\"sr\"", "What is shown");
    open_app(p, "explore");
    put(p, "<div class=\"explore\">\n<div class=\"form-side\">\n");
    put_filters(p, &ask);
    put(p, "</div>\n<div class=\"view\">\n");
    put_total(p, &ask);
    su_chart_legend(p);
    su_page_charts(p, &ask);
    put(p, "</div>\n</div>\n</div>\n");
    su_page_close(p);
}

/* ---- combinations ---- */

#define MOST_NEIGHBOURS 40u

static void put_add(su_page *p, const su_ask *ask)
{
    const su_view *v = p->shown->view;
    put(p, "<p class=\"choice\"><label for=\"add\">");
    say(p, "Add an attribute");
    put(p, "</label>\n<select id=\"add\" name=\"attr\">\n<option value=\"\">–</option>\n");
    for (uint32_t i = 0; i < v->field_count; i++) {
        const su_view_field *f = &v->fields[i];
        bool used = !can_filter(f);
        for (size_t k = 0; k < ask->where_count; k++) used = used || ask->where[k].field == i;
        if (used) continue;
        put(p, "<optgroup label=\"");
        su_page_text(p, su_figure_title(p, f));
        put(p, "\">\n");
        for (uint32_t k = f->kind == SU_VIEW_FLAG ? (uint32_t)f->value_count - 1 : 0; k < f->value_count; k++) {
            put(p, "<option value=\"");
            put_attribute(p, f->name, f->values[k].code);
            put(p, "\">");
            su_page_text(p, f->kind == SU_VIEW_FLAG ? su_figure_title(p, f) : su_figure_label(p, &f->values[k]));
            put(p, "</option>\n");
        }
        put(p, "</optgroup>\n");
    }
    put(p, "</select></p>\n");
}

static void put_members(su_page *p, const su_ask *ask)
{
    const su_view *v = p->shown->view;
    put(p, "<fieldset><legend>");
    say(p, "Together: people with all of these");
    put(p, "</legend>\n");
    for (size_t i = 0; i < ask->where_count; i++) {
        const su_view_field *f = &v->fields[ask->where[i].field];
        const su_view_value *x = &f->values[ask->where[i].code[0]];
        su_buf_printf(p->b, "<p class=\"check\"><input type=\"checkbox\" id=\"a%zu\" name=\"attr\" checked=\"checked\" value=\"", i);
        put_attribute(p, f->name, x->code);
        su_buf_printf(p->b, "\"> <label for=\"a%zu\">", i);
        su_page_text(p, su_figure_title(p, f));
        if (f->kind != SU_VIEW_FLAG) {
            put(p, ": ");
            su_page_text(p, su_figure_label(p, x));
        }
        put(p, "</label></p>\n");
    }
    put(p, "</fieldset>\n");
}

static void put_company(su_page *p, const su_ask *ask)
{
    const su_view *v = p->shown->view;
    su_company c;
    su_cube_combinations(p->shown->cube, ask, MOST_NEIGHBOURS, p->arena, &c);
    put_answer(p, &c.set, T("people have all of these"));
    su_bar *bars = su_arena_array(p->arena, c.count + 1, sizeof *bars);
    for (size_t i = 0; i < c.count; i++) {
        const su_view_field *f = &v->fields[c.with[i].field];
        const su_view_value *x = &f->values[c.with[i].value];
        bars[i] =
            (su_bar) { .label = f->kind == SU_VIEW_FLAG ? su_figure_title(p, f)
                                                        : su_arena_printf(p->arena, "%s: %s", su_figure_title(p, f), su_figure_label(p, x)),
                       .code = su_arena_printf(p->arena, "%s:%s", f->name, x->code),
                       .n = c.with[i].n,
                       .percent = c.with[i].percent,
                       .percent_low = NAN,
                       .percent_high = NAN,
                       .order = i };
    }
    const char *title = su_tr(p->l, "What occurs with it most");
    su_chart chart = { .title = title, .what = su_tr(p->l, "attribute"), .ranked = true, .most = 20, .hidden = c.hidden };
    chart.note = su_tr(p->l, "Percent of the people with the whole set. One person has many attributes, so the bars do not add up.");
    chart.hidden_reason = c.hidden ? SU_REASON_GATE_OR_K : SU_REASON_NONE;
    su_chart_bars(p, &chart, bars, c.count);
}

void su_page_combinations(su_page *p)
{
    su_args args = { 0 };
    su_ask ask = { .group = SU_QUERY_NO_GROUP };
    su_problem problem = { 0 };
    bool good = read_args(p, &args, &problem), asked = good && su_args_get(&args, "attr");
    if (asked) good = su_ask_parse_set(p->shown->cube, &args, p->arena, &ask, &problem);
    if (!good) ask.where_count = 0;
    su_page_open(p, &(su_page_head) { .title = su_tr(p->l, "Combinations"),
                                      .here = su_page_address(p, p->shown, "combinations") });
    put(p, "<h1>");
    say(p, "Combinations");
    put(p, "</h1>\n<p class=\"lead\">");
    say(p,
        "Choose attributes and see how many people have all of them, and what occurs together with them. Up to {n} attributes were counted "
        "together; beyond that the synthetic records give a hint.",
        SU_PCOUNT("n", p->shown->view->length));
    put(p, "</p>\n");
    if (!good) put_problem(p, &problem);
    tag(p, "h2 class=\"sr\"", "What is shown");
    open_app(p, "combinations");
    put(p, "<div class=\"explore\">\n<div class=\"form-side\">\n");
    open_form(p, "combinations");
    if (ask.where_count) put_members(p, &ask);
    put_add(p, &ask);
    put(p, "<p class=\"buttons\"><button type=\"submit\">");
    say(p, "Show");
    put(p, "</button> ");
    su_page_link(p, su_page_address(p, p->shown, "combinations"));
    say(p, "Start over");
    put(p, "</a></p>\n</form>\n</div>\n<div class=\"view\">\n");
    if (good && asked && ask.where_count)
        put_company(p, &ask);
    else
        tag(p, "p class=\"empty\"", "Nothing is chosen yet.");
    put(p, "</div>\n</div>\n</div>\n");
    su_page_close(p);
}
