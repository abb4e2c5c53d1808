#!/bin/sh
# Plants one bug at a time in a copy of src/protect and demands that a test fails. By hand or at night, from the project root, with a
# build directory that has base, table and count:   sh tests/protect/mutants.sh BUILD
# A line: test | file | text (sed basic regular expression) | replacement | what the bug is
set -u
build=${1:?give the build directory}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
missed=0
ln -s "$PWD/tests" "$work/tests"
include="-I include/base -I include/table -I include/count -I include/protect"
libraries="$build/src/count/libsu_count.a $build/src/table/libsu_table.a $build/src/base/libsu_base.a -lcmocka -lsodium -lutf8proc -lzip -lexpat -lm -lpthread"

while IFS='|' read -r test file from to what; do
    rm -rf "$work/src"
    mkdir "$work/src"
    cp -r src/protect "$work/src/protect"
    sed -i "s|$from|$to|" "$work/src/protect/$file"
    if cmp -s "src/protect/$file" "$work/src/protect/$file"; then
        echo "STALE   $what: the text is no longer in $file"
        missed=1
        continue
    fi
    # shellcheck disable=SC2046,SC2086
    if ! cc -std=gnu17 -D_GNU_SOURCE -O1 $include -I tests/protect -I "$work/src/protect" -I "$work/src/protect/dp" tests/protect/test_"$test".c tests/protect/world.c tests/protect/ruled.c \
        $(find "$work/src/protect" -name '*.c') $libraries -o "$work/test" 2>"$work/log"; then
        echo "BROKEN  $what: does not compile"; sed 3q "$work/log"
        missed=1
    elif SUHA_SOURCE="$work" timeout 120 "$work/test" >"$work/log" 2>&1; then
        echo "MISSED  $what ($test)"
        missed=1
    else
        echo "caught  $what ($test)"
    fi
done <<'LIST'
sample|dp/sample.c|return k % 2 == 1;|return k % 2 == 0;|von Neumann parity
sample|dp/sample.c|if (negative \&\& magnitude == 0)|if (0)|zero drawn twice as often
sample|dp/sample.c|root_floor(v.num / v.den) + 1|root_floor(v.num / v.den) + 2|another proposal scale than the acceptance was derived for
sample|dp/sample.c|times(times(2 \* (u128)v.num, g.qt), g.t)|times(times((u128)v.num, g.qt), g.t)|noise scale: acceptance rate doubled
sample|dp/sample.c|while (num > den) {|while (0) {|rates above 1 not split
sample|dp/sample.c|typedef unsigned __int128 u128;|typedef unsigned __int128 u128; extern double sneaked;|floating point in the sampler
account|dp/account.c|+ 16 \* UNIT \* (gain + loss + a + b + 1)|- 1e-14L|delta rounded down
account|dp/account.c|return gain - loss - a - b|return gain - loss - a|CKS bound without its last term
account|dp/account.c|s2 \* 2 \* PI < 1|s2 * 2 * PI < 9999|series outside its range of quick convergence
release_plan|dp/plan.c|(1 + 1e-12) / (2 \* record|(1 + 1e-12) / (4 * record|half the variance
release_plan|dp/budget.c|r->tables\[i\].share /= sum;|r->tables[i].share /= sum * 0.5;|shares that sum to 2
release_plan|dp/spend.c|(uint64_t)ceil(s2|(uint64_t)floor(s2|variance rounded down
release_plan|dp/plan.c|if (inside_larger(w, set, k, top))|if (k < top)|pairs inside no table forgotten
release_measure|dp/measure.c|    su_measurement \*n = measurement_new(r);|    if (check_codes(ctx, r, m)) { return SU_INTERNAL; } su_measurement *n = measurement_new(r);|data read before noise is drawn
residual|dp/residual.c|precision\[l->members\[i\].set\] / s->card\[l->members\[i\].axis\];|precision[l->members[i].set];|precision without the cells summed out
residual|dp/residual.c|1.0 / s->card\[axis\], cell + l->sets|1.0 / (s->card[axis] + 1), cell + l->sets|wrong mean
residual|dp/residual.c|/ (card \* card);|/ card;|variance of a spread residual
residual|dp/residual.c|1 / su_discrete_gaussian_variance(w->r->tables\[t\].variance)|(double)w->r->tables[t].variance.den / (double)w->r->tables[t].variance.num|parameter in the place of the variance
release_gate|dp/gate.c|judged > g->bar|judged >= 0|no threshold
release_gate|dp/gate.c|\*count < most ? \*count : most|*count|counts above their parents
release_finish|synth/targets.c|want\[v\] = count\[cell\] > 0 ? fmax(0, e->cell\[cell\]) : 0;|want[v] = fmax(e->cell[cell], 0);|values that are not reported appear in records
pld|dp/pld.c|mass\[at + 1\] += p \* (share + SLACK)|mass[at + 1] += p * (share * 0.98)|losses rounded down a little
pld|dp/pld.c|f->log_size += n \* log(size);|f->log_size += (n + 1e-4) * log(size);|a power of the characteristic function too many
pld|dp/pld.c|(1 - 2 \* (long double)from) \* gap / 2|(0 - 2 * (long double)from) * gap / 2|the loss without its mean
pld|dp/pld.c|times \* now \* sin(f->angle)|times * now * -sin(f->angle)|the total loss mirrored
zeros|dp/zeros.c|left\[i\] -= size / along \* mapped\[i\];|left[i] -= 0.9 * size / along * mapped[i];|least squares that stop beside the condition
zeros|dp/zeros.c|if (possible == 1 \&\& card > 1) mark\[last\] = SU_CELL_FORCED;||forced combinations gated like others
zeros|prepare.c|su_rules_repair(r->rules, r->records, r->record_count, (const uint8_t \*const \*)shown);||synthetic records left as the search made them
contribution|prepare.c|if (used\[units\[row\]\]++ < most) stays|if (used[units[row]]++ <= most) stays|one record of a person too many
contribution|prepare.c|uint32_t at = (uint32_t)su_random_below(random, i)|uint32_t at = (uint32_t)(su_random_below(random, i) * 0)|the same records always stay
prior|dp/prior.c|1 - (free - 2) / g->distance|1 - 0.1 * (free - 2) / g->distance|the prior hardly weighed
prior|dp/prior.c|e->residual\[s\] \* (double)set->cells / free;|e->residual[s] / free;|distances in units of another noise
LIST
exit $missed
