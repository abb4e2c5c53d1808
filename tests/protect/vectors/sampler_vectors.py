#!/usr/bin/env python3
"""Known answers for src/protect/dp/sample.c, from an independent implementation in exact fractions.

    python3 tests/protect/vectors/sampler_vectors.py > tests/protect/vectors/sampler_vectors.txt

One vector a line: kind, two parameters, number of draws, bytes used, the 1,024 random bytes in hexadecimal, the draws. The draws
stop before the bytes run out. Algorithms: Canonne, Kamath, Steinke 2020 (arXiv 2004.00010). The order in which random bytes are read
is part of what is tested: little-endian words of 64 bits, a comparison of a uniform real with a fraction reads words until it is settled.
"""
import hashlib
import math
from fractions import Fraction

WORD = 1 << 64


class Exhausted(Exception):
    pass


class Stream:
    def __init__(self, data):
        self.data, self.at = data, 0

    def word(self):
        if self.at + 8 > len(self.data):
            raise Exhausted
        self.at += 8
        return int.from_bytes(self.data[self.at - 8:self.at], "little")

    def below(self, n):
        """Uniform in [0, n): multiply and keep the high word, refusing the first 2^64 mod n low words (Lemire)."""
        while True:
            high, low = divmod(self.word() * n, WORD)
            if low >= WORD % n:
                return high

    def chance(self, p):
        """True with probability p."""
        if p >= 1:
            return True
        low, width = Fraction(0), Fraction(1)
        while True:                                     # the uniform real lies in [low, low + width)
            width /= WORD
            low += width * self.word()
            if low >= p:
                return False
            if low + width <= p:
                return True


def bernoulli_exp(s, gamma):
    while gamma > 1:
        if not bernoulli_exp(s, Fraction(1)):
            return False
        gamma -= 1
    k = 1
    while s.chance(gamma / k):
        k += 1
    return k % 2 == 1


def geometric(s, t):
    while True:
        low = s.below(t)
        if bernoulli_exp(s, Fraction(low, t)):
            break
    high = 0
    while bernoulli_exp(s, Fraction(1)):
        high += 1
    return low + t * high


def laplace(s, num, den):
    while True:
        magnitude = geometric(s, num) // den
        negative = s.below(2) == 1
        if magnitude or not negative:
            return -magnitude if negative else magnitude


def gaussian(s, num, den):
    sigma2 = Fraction(num, den)
    t = 1
    while t * t <= sigma2 and t < 4096:                 # floor(sigma) + 1, the obvious way; by bisection when large
        t += 1
    if t == 4096:
        t = math.isqrt(num // den) + 1
    while True:
        y = laplace(s, t, 1)
        if bernoulli_exp(s, (abs(y) - sigma2 / t) ** 2 / (2 * sigma2)):
            return y


KINDS = {
    "gaussian": gaussian,
    "laplace": laplace,
    "geometric": lambda s, t, _: geometric(s, t),
    "bernoulli": lambda s, num, den: int(bernoulli_exp(s, Fraction(num, den))),
}

CASES = [
    ("gaussian", 1, 4), ("gaussian", 1, 1), ("gaussian", 4, 1), ("gaussian", 100, 1), ("gaussian", 10000, 1),
    ("gaussian", 1, 65536), ("gaussian", 65535, 65536), ("gaussian", 65537, 65536), ("gaussian", 1234567, 4099),
    ("gaussian", 3, 1), ("gaussian", 99, 25), ("gaussian", 10**12, 1), ("gaussian", 10**12 * 65521 - 1, 65521),
    ("laplace", 1, 1), ("laplace", 10, 3), ("laplace", 1, 7), ("laplace", 123456789, 10),
    ("geometric", 1, 0), ("geometric", 2, 0), ("geometric", 1000000007, 0), ("geometric", 2**33, 0),
    ("bernoulli", 0, 1), ("bernoulli", 1, 3), ("bernoulli", 1, 2), ("bernoulli", 3, 2**20), ("bernoulli", 1, 1), ("bernoulli", 7, 2), ("bernoulli", 10**20, 3 * 10**20 + 1),
    ("bernoulli", 2**100 + 1, 2**101), ("bernoulli", 2**32, 2**33 + 1),
]


def crafted(num, den, depth):
    """Words that leave the comparison with num/den open `depth` times."""
    out, p = b"", Fraction(num, den)
    for _ in range(depth):
        word = int(p * WORD)
        out += word.to_bytes(8, "little")
        p = p * WORD - word
    return out


def main():
    for kind, a, b in CASES:
        label = f"{kind} {a} {b}".encode()
        streams = [hashlib.shake_256(label).digest(1024)]
        if kind == "bernoulli" and 0 < a < b:
            for depth in (1, 2, 3):
                head = crafted(a, b, depth)
                streams.append((head + streams[0])[:1024])
        for data in streams:
            s, draws, used = Stream(data), [], 0
            try:
                while True:
                    draws.append(KINDS[kind](s, a, b))
                    used = s.at
                    if len(draws) == 64:
                        break
            except Exhausted:
                pass
            print(kind, a, b, len(draws), used, data.hex(), *draws)


if __name__ == "__main__":
    main()
