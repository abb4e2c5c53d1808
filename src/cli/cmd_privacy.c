#include "cli.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EPSILON                                                                                                                            \
    {                                                                                                                                      \
        "epsilon", "E", "epsilon, above 0"                                                                                                 \
    }
#define DELTA                                                                                                                              \
    {                                                                                                                                      \
        "delta", "D", "delta, above 0 and below 1"                                                                                         \
    }
#define RHO                                                                                                                                \
    {                                                                                                                                      \
        "rho", "R", "zero-concentrated budget"                                                                                             \
    }

#define TABLES                                                                                                                             \
    { "variance", "V", "instead of rho: discrete Gaussian noise of this sigma squared, a/b or a decimal, on tables of sensitivity 1" },    \
    {                                                                                                                                      \
        "compositions", "N", "so many such tables; default 1"                                                                              \
    }

const su_option su_options_privacy_rho[] = { EPSILON, DELTA, { NULL, NULL, NULL } };
const su_option su_options_privacy_delta[] = { EPSILON,
                                               RHO,
                                               { "sigma", "S",
                                                 "instead of rho: one measurement of sensitivity 1 with continuous Gaussian noise" },
                                               TABLES,
                                               { NULL, NULL, NULL } };
const su_option su_options_privacy_epsilon[] = { RHO, DELTA, TABLES, { NULL, NULL, NULL } };
const su_option su_options_privacy_sigma[] = { EPSILON,
                                               DELTA,
                                               RHO,
                                               { "sensitivity", "S", "default 1" },
                                               { "compositions", "N", "so many tables with the same noise; default 1" },
                                               { NULL, NULL, NULL } };
const su_option su_options_privacy_noise[] = {
    { "variance", "V", "sigma squared as a fraction or decimal: 1/4, 2.5, 100" }, { "n", "N", "how many; default 10, at most 10^9" },
    { "pmf", NULL, "no noise: the probabilities, for x from -n to n" },           { "test-mode", NULL, "allow --seed" },
    { "seed", "S", "repeatable noise, for tests; stamped NOT PRIVATE" },          { NULL, NULL, NULL }
};

/* An option by its name, or the next positional. */
static su_status quantity(su_cli *cli, const char *name, int *next, double least, double most, double *out)
{
    const char *text = su_cli_option(cli, name);
    if (!text && *next < cli->positional_count) text = cli->positional[(*next)++];
    char what[32];
    snprintf(what, sizeof what, "--%s", name);
    su_status st = su_cli_number(cli, what, text, out);
    if (!st && !(*out > least && *out < most))
        st = su_fail(&cli->ctx, SU_USAGE, "%s %s must be above %g and below %g", what, text, least, most);
    return st;
}

typedef struct result {
    const char *name;
    double value;
} result;

static su_status print(su_cli *cli, const result *results, size_t count)
{
    if (!cli->json) {
        su_buf_printf(&cli->out, "%.17g\n", results[0].value);
        for (size_t i = 1; i < count; i++) su_log(&cli->ctx, "%s %.17g", results[i].name, results[i].value);
        return SU_OK;
    }
    su_json j;
    su_json_init(&j, &cli->out);
    su_json_object(&j);
    for (size_t i = 0; i < count; i++) su_json_kv_real(&j, results[i].name, results[i].value);
    su_json_end(&j);
    su_buf_char(&cli->out, '\n');
    return SU_OK;
}

su_status su_command_privacy_rho(su_cli *cli)
{
    int next = 0;
    double epsilon = 0, delta = 0;
    su_status st = quantity(cli, "epsilon", &next, 0, 1e6, &epsilon);
    if (!st) st = quantity(cli, "delta", &next, 0, 1, &delta);
    if (!st) st = su_cli_positionals(cli, 0, next);
    if (st) return st;
    result r[] = { { "rho", su_zcdp_rho(epsilon, delta) }, { "rho_gaussian_exact", su_gaussian_rho(epsilon, delta) } };
    return print(cli, r, 2);
}

/* "a/b" or a decimal, exactly. */
static su_status parse_variance(su_cli *cli, const char *text, su_variance *out)
{
    if (!text) return su_fail(&cli->ctx, SU_USAGE, "--variance is needed: suha %s %s", cli->command->name, cli->command->arguments);
    const char *slash = strchr(text, '/'), *dot = strchr(text, '.');
    int64_t num = 0, den = 1;
    bool good = true;
    if (slash) {
        good = su_parse_i64((su_str) { text, (size_t)(slash - text) }, &num) && su_parse_i64(su_str_of(slash + 1), &den);
    } else if (dot) {
        char digits[32];
        size_t whole = (size_t)(dot - text), places = strlen(dot + 1);
        good = whole + places < sizeof digits && places <= 4;
        if (good) {
            snprintf(digits, sizeof digits, "%.*s%s", (int)whole, text, dot + 1);
            good = su_parse_i64(su_str_of(digits), &num);
            for (size_t i = 0; i < places; i++) den *= 10;
        }
    } else {
        good = su_parse_i64(su_str_of(text), &num);
    }
    if (!good || num < 1 || den < 1 || den > 65536 || num > INT64_C(1000000000000))
        return su_fail(&cli->ctx, SU_USAGE,
                       "--variance '%s' must be a positive fraction a/b with b up to 65536, or a decimal with up to 4 places", text);
    *out = (su_variance) { (uint64_t)num, (uint64_t)den };
    return SU_OK;
}

/* --variance and --compositions. */
static su_status tables_option(su_cli *cli, su_noise *out)
{
    int64_t tables = 1;
    su_status st = parse_variance(cli, su_cli_option(cli, "variance"), &out->variance);
    if (!st) st = su_cli_integer(cli, "compositions", 1, 1000000, 1, &tables);
    out->tables = (uint64_t)tables;
    return st;
}

static double rho_of(const su_noise *n)
{
    double rho = (double)n->tables * (double)n->variance.den / (2 * (double)n->variance.num);
    return rho * (1 + 4 * DBL_EPSILON);
}

/* One quantity, said in one way. */
static su_status one_of(su_cli *cli, const char *const *names, const char **given)
{
    *given = NULL;
    for (; *names; names++) {
        if (!su_cli_option(cli, *names)) continue;
        if (*given) return su_fail(&cli->ctx, SU_USAGE, "--%s and --%s are two ways to say one thing; give one", *given, *names);
        *given = *names;
    }
    return SU_OK;
}

static su_status no_lone_compositions(su_cli *cli, const char *given)
{
    if (su_cli_option(cli, "compositions") && (!given || strcmp(given, "variance") != 0))
        return su_fail(&cli->ctx, SU_USAGE, "--compositions goes with --variance");
    return SU_OK;
}

su_status su_command_privacy_delta(su_cli *cli)
{
    static const char *const ways[] = { "rho", "sigma", "variance", NULL };
    int next = 0;
    double epsilon = 0, rho = 0, sigma = 0;
    const char *given;
    su_noise noise = { .tables = 0 };
    su_status st = one_of(cli, ways, &given);
    if (!st) st = no_lone_compositions(cli, given);
    if (st) return st;
    bool gaussian = given && strcmp(given, "sigma") == 0, tables = given && strcmp(given, "variance") == 0;
    if (gaussian)
        st = quantity(cli, "sigma", &next, 0, 1e9, &sigma);
    else if (tables)
        st = tables_option(cli, &noise);
    else
        st = quantity(cli, "rho", &next, 0, 1e6, &rho);
    if (!st) st = quantity(cli, "epsilon", &next, 0, 1e6, &epsilon);
    if (!st) st = su_cli_positionals(cli, 0, next);
    if (st) return st;
    if (tables) {
        result r[] = { { "delta", su_noise_delta(&noise, 1, epsilon) },
                       { "delta_zcdp", su_zcdp_delta(rho_of(&noise), epsilon) },
                       { "delta_gaussian_exact", su_gaussian_delta(1 / sqrt(2 * rho_of(&noise)), epsilon) },
                       { "rho", rho_of(&noise) } };
        return print(cli, r, 4);
    }
    result r[] = { { "delta", gaussian ? su_gaussian_delta(sigma, epsilon) : su_zcdp_delta(rho, epsilon) } };
    return print(cli, r, 1);
}

su_status su_command_privacy_epsilon(su_cli *cli)
{
    static const char *const ways[] = { "rho", "variance", NULL };
    int next = 0;
    double delta = 0, rho = 0;
    const char *given;
    su_noise noise = { .tables = 0 };
    su_status st = one_of(cli, ways, &given);
    if (!st) st = no_lone_compositions(cli, given);
    if (st) return st;
    bool tables = given && strcmp(given, "variance") == 0;
    st = tables ? tables_option(cli, &noise) : quantity(cli, "rho", &next, 0, 1e6, &rho);
    if (!st) st = quantity(cli, "delta", &next, 0, 1, &delta);
    if (!st) st = su_cli_positionals(cli, 0, next);
    if (st) return st;
    if (tables) {
        result r[] = { { "epsilon", su_noise_epsilon(&noise, 1, delta) },
                       { "epsilon_zcdp", su_zcdp_epsilon(rho_of(&noise), delta) },
                       { "rho", rho_of(&noise) } };
        return print(cli, r, 3);
    }
    result r[] = { { "epsilon", su_zcdp_epsilon(rho, delta) } };
    return print(cli, r, 1);
}

/* Smallest sigma found, in steps of a part in 10^5, for which so many tables of discrete noise keep delta. */
static double tightest_sigma(double epsilon, double delta, uint64_t tables)
{
    double high = (double)tables / (2 * su_zcdp_rho(epsilon, delta)), low = (double)tables / (2 * su_gaussian_rho(epsilon, delta)) / 4;
    for (int i = 0; i < 24; i++) {
        double middle = sqrt(low * high), den = middle < 1e7 ? 65536 : 1;
        su_noise noise = { { (uint64_t)ceil(middle * den), (uint64_t)den }, tables };
        if (su_noise_delta(&noise, 1, epsilon) <= delta) {
            high = (double)noise.variance.num / den;
        } else {
            low = middle;
        }
        if (high <= low * (1 + 2e-6)) break;
    }
    return sqrt(high) * (1 + 4 * DBL_EPSILON);
}

su_status su_command_privacy_sigma(su_cli *cli)
{
    int next = 0;
    int64_t tables = 1;
    double epsilon = 0, delta = 0, rho = 0, sensitivity = 1;
    bool given = su_cli_option(cli, "rho") != NULL;
    su_status st = given ? quantity(cli, "rho", &next, 0, 1e6, &rho) : quantity(cli, "epsilon", &next, 0, 1e6, &epsilon);
    if (!st && !given) st = quantity(cli, "delta", &next, 0, 1, &delta);
    if (!st) st = su_cli_real(cli, "sensitivity", 1, &sensitivity);
    if (!st && !(sensitivity > 0)) st = su_fail(&cli->ctx, SU_USAGE, "--sensitivity must be above 0");
    if (!st) st = su_cli_integer(cli, "compositions", 1, 1000000, 1, &tables);
    if (!st) st = su_cli_positionals(cli, 0, next);
    if (st) return st;
    double n = (double)tables;
    if (!given) rho = su_zcdp_rho(epsilon, delta);
    result r[] = { { "sigma", sensitivity * sqrt(n / (2 * rho)) * (1 + 1e-15) },
                   { "rho", rho },
                   { "sigma_gaussian_exact", sensitivity * sqrt(n / (2 * su_gaussian_rho(epsilon, delta))) * (1 + 1e-15) },
                   { "sigma_pld", 0 } };
    if (given) return print(cli, r, 2);
    bool unit = sensitivity == 1 && isfinite(r[0].value) && r[0].value < 1e6; /* the lattice of noise and counts is the whole numbers */
    if (unit) r[3].value = tightest_sigma(epsilon, delta, (uint64_t)tables);
    return print(cli, r, unit ? 4 : 3);
}

static su_status noise_source(su_cli *cli, su_random *random)
{
    int64_t seed = 0;
    if (!su_cli_option(cli, "seed")) return su_random_system(&cli->ctx, random);
    if (!su_cli_switch(cli, "test-mode"))
        return su_fail(&cli->ctx, SU_REFUSED, "--seed goes with --test-mode only: seeded noise protects nobody");
    su_status st = su_cli_integer(cli, "seed", 0, INT64_MAX, 0, &seed);
    su_random_seeded(random, (uint64_t)seed);
    su_log(&cli->ctx, "NOT PRIVATE: seeded noise");
    return st;
}

static void print_pmf(su_cli *cli, su_variance v, int64_t n)
{
    su_json j;
    su_json_init(&j, &cli->out);
    if (cli->json) {
        su_json_object(&j);
        su_json_kv_real(&j, "variance", su_discrete_gaussian_variance(v));
        su_json_key(&j, "pmf");
        su_json_object(&j);
    }
    for (int64_t x = -n; x <= n; x++) {
        char key[24];
        snprintf(key, sizeof key, "%lld", (long long)x);
        if (cli->json)
            su_json_kv_real(&j, key, su_discrete_gaussian_pmf(v, x));
        else
            su_buf_printf(&cli->out, "%s\t%.17g\n", key, su_discrete_gaussian_pmf(v, x));
    }
    if (cli->json) {
        su_json_end(&j);
        su_json_end(&j);
        su_buf_char(&cli->out, '\n');
    }
}

static su_status print_noise(su_cli *cli, su_variance v, int64_t n)
{
    enum { CHUNK = 65536 };
    su_random random;
    su_status st = noise_source(cli, &random);
    if (st) return st;
    int64_t *values = su_alloc_array(CHUNK, sizeof *values);
    su_json j;
    su_json_init(&j, &cli->out);
    if (cli->json) su_json_array(&j);
    for (int64_t done = 0; done < n && !st; done += CHUNK) {
        size_t now = n - done < CHUNK ? (size_t)(n - done) : CHUNK;
        su_sample_discrete_gaussian_fill(&random, v, values, now);
        for (size_t i = 0; i < now; i++) {
            if (cli->json)
                su_json_int(&j, values[i]);
            else
                su_buf_printf(&cli->out, "%lld\n", (long long)values[i]);
        }
        if (!cli->json) {
            if (fwrite(cli->out.p, 1, cli->out.n, stdout) != cli->out.n) st = su_fail(&cli->ctx, SU_IO, "stdout is closed");
            cli->out.n = 0;
        }
        if (su_cancelled(&cli->ctx)) st = su_fail(&cli->ctx, SU_CANCELLED, "interrupted");
    }
    if (cli->json) {
        su_json_end(&j);
        su_buf_char(&cli->out, '\n');
    }
    su_random_wipe(&random);
    su_wipe(values, CHUNK * sizeof *values);
    free(values);
    return st;
}

su_status su_command_privacy_noise(su_cli *cli)
{
    int next = 0;
    int64_t n = 10;
    const char *text = su_cli_option(cli, "variance");
    if (!text && cli->positional_count > next) text = cli->positional[next++];
    su_variance v;
    su_status st = parse_variance(cli, text, &v);
    if (!st && !su_cli_option(cli, "n") && cli->positional_count > next) {
        const char *count = cli->positional[next++];
        if (!su_parse_i64(su_str_of(count), &n)) st = su_fail(&cli->ctx, SU_USAGE, "'%s' is not a number of samples", count);
    } else if (!st) {
        st = su_cli_integer(cli, "n", 1, 1000000000, 10, &n);
    }
    if (!st) st = su_cli_positionals(cli, 0, next);
    if (!st && (n < 1 || n > 1000000000)) st = su_fail(&cli->ctx, SU_USAGE, "--n must be from 1 to 10^9");
    if (st) return st;
    if (su_cli_switch(cli, "pmf")) {
        print_pmf(cli, v, n);
        return SU_OK;
    }
    return print_noise(cli, v, n);
}
