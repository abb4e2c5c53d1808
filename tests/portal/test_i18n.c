/* Languages: which one is chosen, messages with puts, numbers and dates by locale. Expected texts are CLDR 42's, written out. */
#include "i18n.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

static void languages_of_a_header(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        su_locale wanted;
    } list[] = {
        { NULL, SU_LOCALE_EN },
        { "", SU_LOCALE_EN },
        { "fr", SU_LOCALE_FR },
        { "fr-CA,en;q=0.8", SU_LOCALE_FR },
        { "de,es;q=0.4,fr;q=0.6", SU_LOCALE_FR },
        { "AR-eg", SU_LOCALE_AR },
        { "*", SU_LOCALE_EN },
        { "fra", SU_LOCALE_EN },
        { "fr;q=0,es;q=0.001", SU_LOCALE_ES },
        { "fr;q=2", SU_LOCALE_EN },
        { "fr;level=1", SU_LOCALE_EN },
        { "es , fr", SU_LOCALE_ES },
        { ",,;;q=,a-,", SU_LOCALE_EN },
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (su_locale_accept(list[i].header) != list[i].wanted) fail_msg("%s", list[i].header);
}

static void is(su_buf *b, const char *wanted)
{
    assert_string_equal(b->p ? b->p : "", wanted);
    b->n = 0;
    if (b->p) b->p[0] = '\0';
}

static void numbers(void **state)
{
    (void)state;
    su_buf b = { 0 };
    static const char *const counts[SU_LOCALES][3] = {
        { "999", "1,234", "1,234,567" },
        { "999", "1\u202f234", "1\u202f234\u202f567" },
        { "999", "1234", "1.234.567" },
        { "999", "1,234", "1,234,567" },
    };
    static const char *const percents[SU_LOCALES] = { "9.5%", "9,5\u202f%", "9,5\u00a0%", "9.5%" };
    for (int l = 0; l < SU_LOCALES; l++) {
        static const double values[] = { 999, 1234, 1234567 };
        for (int i = 0; i < 3; i++) {
            su_put_count(&b, (su_locale)l, values[i]);
            is(&b, counts[l][i]);
        }
        su_put_percent(&b, (su_locale)l, 9.5, 1);
        is(&b, percents[l]);
    }
    su_put_count(&b, SU_LOCALE_EN, -1234);
    is(&b, "\u22121,234");
    su_put_count(&b, SU_LOCALE_EN, NAN);
    is(&b, "not stated");
    su_put_real(&b, SU_LOCALE_FR, 3.99997);
    is(&b, "4");
    su_put_real(&b, SU_LOCALE_FR, 0.22565);
    is(&b, "0,2256");
    su_put_bytes(&b, SU_LOCALE_ES, 1234567);
    is(&b, "1,2\u00a0MB");
    su_buf_free(&b);
}

static void days(void **state)
{
    (void)state;
    su_buf b = { 0 };
    static const char *const wanted[SU_LOCALES] = { "1 March 2026", "1er mars 2026", "1 de marzo de 2026", "1 آذار/مارس 2026" };
    for (int l = 0; l < SU_LOCALES; l++) {
        su_put_day(&b, (su_locale)l, "2026-03-01T10:00:00Z");
        is(&b, wanted[l]);
    }
    static const char *const wrong[] = { "2026-13-01", "2026-00-10", "2026-1-1", "soon<b>", "" };
    static const char *const shown[] = { "2026-13-01", "2026-00-10", "2026-1-1", "soon&lt;b&gt;", "" };
    for (int i = 0; i < 5; i++) {
        su_put_day(&b, SU_LOCALE_EN, wrong[i]);
        is(&b, shown[i]);
    }
    su_buf_free(&b);
}

static void messages(void **state)
{
    (void)state;
    su_buf b = { 0 };
    for (size_t i = 1; i < su_message_count; i++)
        if (strcmp(su_messages[i - 1].english, su_messages[i].english) >= 0) fail_msg("not sorted: %s", su_messages[i].english);
    assert_string_equal(su_tr(SU_LOCALE_FR, "Glossary"), "Glossaire");
    assert_string_equal(su_tr(SU_LOCALE_EN, "Glossary"), "Glossary");
    assert_string_equal(su_tr(SU_LOCALE_AR, "no such message"), "no such message");
    su_say(&b, SU_LOCALE_EN, "a {x} & {y} {unknown} {a}b{/a} {open", SU_PTEXT("x", "<1>"), SU_PCOUNT("y", 2000), SU_PHTML("a", "<i>"),
           SU_PHTML("/a", "</i>"));
    is(&b, "a &lt;1&gt; &amp; 2,000 {unknown} <i>b</i> {open");
    su_say(&b, SU_LOCALE_EN, "plain");
    is(&b, "plain");
    su_buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(languages_of_a_header),
        cmocka_unit_test(numbers),
        cmocka_unit_test(days),
        cmocka_unit_test(messages),
    };
    return cmocka_run_group_tests_name("portal: i18n", tests, NULL, NULL);
}
