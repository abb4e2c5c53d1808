#include "flow/expression.h"

#include <math.h>
#include <string.h>

typedef struct parser {
    su_str text;
    size_t at;
    const char *why;
    int (*lookup)(const void *arg, su_str name);
    const void *arg;
    su_expression *out;
    uint32_t nested, height; /* brackets open; values on the stack */
} parser;

static bool sum(parser *p);

static bool fail(parser *p, const char *why)
{
    if (!p->why) p->why = why;
    return false;
}

static char peek(parser *p)
{
    while (p->at < p->text.n && (p->text.p[p->at] == ' ' || p->text.p[p->at] == '\t')) p->at++;
    return p->at < p->text.n ? p->text.p[p->at] : '\0';
}

static bool push(parser *p, su_step step)
{
    if (p->out->count == SU_EXPRESSION_STEPS) return fail(p, "the formula is too long");
    p->out->steps[p->out->count++] = step;
    bool operand = step.kind == SU_STEP_NUMBER || step.kind == SU_STEP_NAME;
    bool binary = step.kind >= SU_STEP_ADD && step.kind <= SU_STEP_DIVIDE;
    p->height = p->height + operand - binary;
    if (p->height > p->out->depth) p->out->depth = p->height;
    return p->height <= SU_EXPRESSION_DEPTH || fail(p, "the formula is nested too deeply");
}

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool bracket(parser *p)
{
    if (peek(p) != '(') return fail(p, "'(' is missing");
    p->at++;
    if (++p->nested > SU_EXPRESSION_DEPTH) return fail(p, "the formula is nested too deeply");
    if (!sum(p)) return false;
    if (peek(p) != ')') return fail(p, "')' is missing");
    p->at++;
    p->nested--;
    return true;
}

static bool number(parser *p)
{
    size_t start = p->at;
    double x;
    while (p->at < p->text.n && (is_digit(p->text.p[p->at]) || p->text.p[p->at] == '.')) p->at++;
    if (p->at < p->text.n && (p->text.p[p->at] == 'e' || p->text.p[p->at] == 'E')) {
        p->at++;
        if (p->at < p->text.n && (p->text.p[p->at] == '+' || p->text.p[p->at] == '-')) p->at++;
        while (p->at < p->text.n && is_digit(p->text.p[p->at])) p->at++;
    }
    if (!su_parse_f64((su_str) { p->text.p + start, p->at - start }, &x)) {
        p->at = start;
        return fail(p, "this is no number");
    }
    return push(p, (su_step) { SU_STEP_NUMBER, 0, x });
}

static bool name(parser *p)
{
    static const struct {
        const char *name;
        su_step_kind kind;
    } functions[] = { { "exp", SU_STEP_EXP }, { "log", SU_STEP_LOG }, { "sqrt", SU_STEP_SQRT } };
    size_t start = p->at;
    while (p->at < p->text.n && (is_letter(p->text.p[p->at]) || is_digit(p->text.p[p->at]) || p->text.p[p->at] == '.')) p->at++;
    su_str word = { p->text.p + start, p->at - start };
    if (peek(p) == '(') {
        for (size_t k = 0; k < sizeof functions / sizeof *functions; k++)
            if (su_str_equal(word, su_str_of(functions[k].name))) return bracket(p) && push(p, (su_step) { functions[k].kind, 0, 0 });
        p->at = start;
        return fail(p, "this is no function; functions are exp, log, sqrt");
    }
    int found = p->lookup(p->arg, word);
    if (found < 0) {
        p->at = start;
        return fail(p, "no row has this id");
    }
    return push(p, (su_step) { SU_STEP_NAME, (uint32_t)found, 0 });
}

static bool factor(parser *p)
{
    uint32_t minus = 0;
    for (; peek(p) == '-' || peek(p) == '+'; p->at++) minus += p->text.p[p->at] == '-';
    char c = peek(p);
    bool good = c == '('                  ? bracket(p)
                : is_digit(c) || c == '.' ? number(p)
                : is_letter(c)            ? name(p)
                                          : fail(p, "a number, an id or '(' should stand here");
    return good && (minus % 2 == 0 || push(p, (su_step) { SU_STEP_NEGATE, 0, 0 }));
}

static bool product(parser *p)
{
    if (!factor(p)) return false;
    for (char c = peek(p); c == '*' || c == '/'; c = peek(p)) {
        p->at++;
        if (!factor(p) || !push(p, (su_step) { c == '*' ? SU_STEP_MULTIPLY : SU_STEP_DIVIDE, 0, 0 })) return false;
    }
    return true;
}

static bool sum(parser *p)
{
    if (!product(p)) return false;
    for (char c = peek(p); c == '+' || c == '-'; c = peek(p)) {
        p->at++;
        if (!product(p) || !push(p, (su_step) { c == '+' ? SU_STEP_ADD : SU_STEP_SUBTRACT, 0, 0 })) return false;
    }
    return true;
}

bool su_expression_parse(su_str text, int (*lookup)(const void *arg, su_str name), const void *arg, su_expression *out, size_t *at,
                         const char **why)
{
    parser p = { .text = text, .lookup = lookup, .arg = arg, .out = out };
    out->count = out->depth = 0;
    bool good = sum(&p) && (peek(&p) == '\0' || fail(&p, "an operator (+ - * /) is missing here"));
    if (good && p.at < text.n) good = fail(&p, "this character has no meaning");
    *at = p.at;
    *why = p.why;
    return good;
}

typedef struct dual {
    double x, d;
} dual;

static dual combine(su_step_kind kind, dual a, dual b)
{
    switch (kind) {
    case SU_STEP_ADD:
        return (dual) { a.x + b.x, a.d + b.d };
    case SU_STEP_SUBTRACT:
        return (dual) { a.x - b.x, a.d - b.d };
    case SU_STEP_MULTIPLY:
        return (dual) { a.x * b.x, a.d * b.x + a.x * b.d };
    default:
        return (dual) { a.x / b.x, (a.d - a.x / b.x * b.d) / b.x };
    }
}

static dual apply(su_step_kind kind, dual a)
{
    switch (kind) {
    case SU_STEP_NEGATE:
        return (dual) { -a.x, -a.d };
    case SU_STEP_EXP:
        return (dual) { exp(a.x), a.d * exp(a.x) };
    case SU_STEP_LOG:
        return (dual) { log(a.x), a.d / a.x };
    default:
        return (dual) { sqrt(a.x), a.d / (2 * sqrt(a.x)) };
    }
}

double su_expression_value(const su_expression *e, const double *value, const double *slope, double *derivative)
{
    dual stack[SU_EXPRESSION_DEPTH + 1] = { { 0, 0 } };
    uint32_t n = 0;
    for (uint32_t k = 0; k < e->count; k++) {
        const su_step *s = &e->steps[k];
        if (s->kind == SU_STEP_NUMBER)
            stack[n++] = (dual) { s->number, 0 };
        else if (s->kind == SU_STEP_NAME)
            stack[n++] = (dual) { value[s->name], slope ? slope[s->name] : 0 };
        else if (s->kind <= SU_STEP_DIVIDE) {
            n--;
            stack[n - 1] = combine(s->kind, stack[n - 1], stack[n]);
        } else
            stack[n - 1] = apply(s->kind, stack[n - 1]);
    }
    if (derivative) *derivative = stack[0].d;
    return stack[0].x;
}
