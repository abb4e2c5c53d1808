#include "spend.h"

#include <suha/plant.h>

#include <math.h>

typedef unsigned __int128 u128;

void su_spending_init(su_spending *s, double rho)
{
    int exponent;
    u128 digits = (u128)ldexp(frexp(rho, &exponent), 53); /* rho = digits * 2^(exponent - 53) exactly */
    int shift = exponent - 53 + 80;
    *s = (su_spending) { .budget = shift >= 0 ? digits << shift : shift > -64 ? digits >> -shift : 0 };
}

void su_spending_group(su_spending *s, uint32_t records) { s->budget /= SU_PLANT(CONTRIBUTION_FORGOTTEN, 1, (u128)records * records); }

su_variance su_variance_above(double s2)
{
    int exponent = 16 - ilogb(s2);
    uint64_t den = UINT64_C(1) << (exponent < 0 ? 0 : exponent > 16 ? 16 : exponent);
    return (su_variance) { .num = (uint64_t)ceil(s2 * (double)den), .den = den };
}

static bool spend(su_spending *s, u128 cost)
{
    if (cost > s->budget - s->spent) return false;
    s->spent += cost;
    return true;
}

bool su_spend_table(su_spending *s, su_variance v)
{
    u128 den = (u128)v.den << 79;
    return spend(s, (den + v.num - 1) / v.num);
}

/* (units / 2^20)^2 / 8 = units^2 / 2^43, exactly units^2 * 2^37 of the integers. */
bool su_spend_selection(su_spending *s, uint64_t units) { return units < UINT64_C(1) << 40 && spend(s, (u128)units * units << 37); }

double su_spending_left(const su_spending *s) { return nextafter(ldexp((double)(s->budget - s->spent), -80), 0); }
double su_spending_used(const su_spending *s) { return s->spent ? nextafter(ldexp((double)s->spent, -80), INFINITY) : 0; }
