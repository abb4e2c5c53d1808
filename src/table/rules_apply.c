/* rules_apply: cells and records beside what rules make impossible. */
#include <suha/rules.h>

#include <stdlib.h>
#include <string.h>

static const su_rule_pair *find(const su_rules *rules, uint32_t a, uint32_t b)
{
    size_t low = 0, high = rules->pair_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const su_rule_pair *p = &rules->pairs[middle];
        if (p->a == a && p->b == b) return p;
        if (p->a < a || (p->a == a && p->b < b))
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

bool su_rules_allow(const su_rules *rules, uint32_t a, uint32_t va, uint32_t b, uint32_t vb)
{
    if (!rules) return true;
    if (a > b) return su_rules_allow(rules, b, vb, a, va);
    const su_rule_pair *p = find(rules, a, b);
    return !p || !p->impossible[(size_t)va * rules->card[b] + vb];
}

uint64_t su_rules_mark(const su_rules *rules, const su_matrix_column *columns, const uint32_t *table, uint32_t n, uint8_t *impossible)
{
    uint64_t cells = 1, stride[16], marked = 0;
    for (uint32_t i = n; i-- > 0;) {
        stride[i] = cells;
        cells *= columns[table[i]].card;
    }
    memset(impossible, 0, cells);
    for (uint32_t i = 0; rules && i < n; i++)
        for (uint32_t j = i + 1; j < n; j++) {
            const su_rule_pair *p = find(rules, table[i], table[j]);
            uint32_t card_i = columns[table[i]].card, card_j = columns[table[j]].card;
            for (uint64_t c = 0; p && c < cells; c++)
                impossible[c] |= p->impossible[c / stride[i] % card_i * card_j + c / stride[j] % card_j];
        }
    for (uint64_t c = 0; c < cells; c++) marked += impossible[c];
    return marked;
}

const su_rules *su_rules_merged(su_arena *arena, const su_rules *rules, const su_rules_merge *to)
{
    if (!rules) return NULL;
    su_rules *r = su_arena_alloc(arena, sizeof *r);
    r->column_count = rules->column_count;
    r->card = su_arena_array(arena, r->column_count, sizeof *r->card);
    r->pairs = su_arena_array(arena, rules->pair_count, sizeof *r->pairs);
    for (uint32_t c = 0; c < r->column_count; c++) r->card[to[c].to] = to[c].card;
    for (size_t i = 0; i < rules->pair_count; i++) {
        const su_rule_pair *from = &rules->pairs[i];
        bool turned = to[from->a].to > to[from->b].to;
        uint32_t first = turned ? from->b : from->a, second = turned ? from->a : from->b;
        su_rule_pair p = { to[first].to, to[second].to, su_arena_array(arena, to[first].card, to[second].card) };
        memset(p.impossible, 1, (size_t)to[first].card * to[second].card);
        for (uint32_t va = 0; va < rules->card[from->a]; va++)
            for (uint32_t vb = 0; vb < rules->card[from->b]; vb++) {
                uint32_t x = turned ? to[from->b].code[vb] : to[from->a].code[va], y = turned ? to[from->a].code[va] : to[from->b].code[vb];
                if (!from->impossible[(size_t)va * rules->card[from->b] + vb]) p.impossible[(size_t)x * to[second].card + y] = 0;
            }
        size_t at = r->pair_count++;
        for (; at > 0 && (r->pairs[at - 1].a > p.a || (r->pairs[at - 1].a == p.a && r->pairs[at - 1].b > p.b)); at--)
            r->pairs[at] = r->pairs[at - 1];
        r->pairs[at] = p;
    }
    return r;
}

bool su_rules_broken(const su_rules *rules, uint16_t *const *codes, uint64_t row)
{
    for (size_t i = 0; rules && i < rules->pair_count; i++) {
        const su_rule_pair *p = &rules->pairs[i];
        if (p->impossible[(size_t)codes[p->a][row] * rules->card[p->b] + codes[p->b][row]]) return true;
    }
    return false;
}

/* A step is broken by a record when it asks and the other column does not answer. */
static bool asks(const su_rule_step *s, uint16_t *const *codes, uint64_t row)
{
    return s->when[codes[s->a][row]] && !s->then[codes[s->b][row]];
}

static void fill_in(const su_rules *rules, uint16_t *const *codes, uint64_t row, const uint8_t *const *may_fill)
{
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < rules->step_count; i++) {
            const su_rule_step *s = &rules->steps[i];
            if (!s->only || codes[s->b][row] || !asks(s, codes, row) || (may_fill && !may_fill[s->b][s->only])) continue;
            codes[s->b][row] = s->only;
            again = true;
        }
    }
}

static void take_out(const su_rules *rules, uint16_t *const *codes, uint64_t row)
{
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < rules->step_count; i++) {
            const su_rule_step *s = &rules->steps[i];
            if (!asks(s, codes, row)) continue;
            codes[s->excludes ? s->b : s->a][row] = 0;
            again = true;
        }
    }
}

uint64_t su_rules_repair(const su_rules *rules, uint16_t *const *codes, uint64_t row_count, const uint8_t *const *may_fill)
{
    uint64_t changed = 0;
    for (uint64_t row = 0; rules && row < row_count; row++) {
        bool broken = false;
        for (size_t i = 0; i < rules->step_count && !broken; i++) broken = asks(&rules->steps[i], codes, row);
        if (!broken) continue;
        changed++;
        fill_in(rules, codes, row, may_fill);
        take_out(rules, codes, row);
    }
    return changed;
}
