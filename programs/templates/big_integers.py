"""Large integers: digits of pi and of roots, factorials, primes, fractions. Grows as n² and more.

The numbers have about n digits; a larger n has more witnesses that primes are tested with, and more moduli.
"""

from string import Template

PRIMES = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37]

PROGRAM = Template('''\
N = $n
WITNESSES = $witnesses
MODULI = $moduli


def pi_digits(count):
    """Digits of pi, one after the other, by a continued fraction."""
    q, r, t, k, m, x = 1, 0, 1, 1, 3, 3
    while count:
        if 4 * q + r - t < m * t:
            yield m
            count -= 1
            q, r, m = 10 * q, 10 * (r - m * t), (10 * (3 * q + r)) // t - 10 * m
        else:
            q, r, t, k, m, x = (
                q * k, (2 * q + r) * x, t * x, k + 1, (q * (7 * k + 2) + r * x) // (t * x), x + 2
            )


def root(number, degree):
    """The integer root, by Newton's steps."""
    guess = 1 << -(-number.bit_length() // degree)
    while True:
        better = ((degree - 1) * guess + number // guess ** (degree - 1)) // degree
        if better >= guess:
            return guess
        guess = better


def is_prime(number):
    if number < 2:
        return False
    for p in WITNESSES:
        if number % p == 0:
            return number == p
    odd, shift = number - 1, 0
    while not odd & 1:
        odd >>= 1
        shift += 1
    for witness in WITNESSES:
        x = pow(witness, odd, number)
        if x == 1 or x == number - 1:
            continue
        for _ in range(shift - 1):
            x = x * x % number
            if x == number - 1:
                break
        else:
            return False
    return True


def product(low, high):
    if high - low < 3:
        result = 1
        for factor in range(low, high):
            result *= factor
        return result
    middle = (low + high) // 2
    return product(low, middle) * product(middle, high)


def gcd(a, b):
    x, y = 1, 0
    while b:
        quotient, rest = divmod(a, b)
        a, b, x, y = b, rest, y, x - quotient * y
    return a, x


def remaindered(number):
    """From the remainders by the moduli back to the number, by the Chinese remainder theorem."""
    total, modulus = 0, 1
    for m in MODULI:
        _, inverse = gcd(modulus % m, m)
        total += (number - total) % m * inverse % m * modulus
        modulus *= m
    return total % modulus


def bits(number):
    count = 0
    while number:
        number &= number - 1
        count += 1
    return count


def harmonic(count):
    top, bottom = 0, 1
    for k in range(1, count + 1):
        top, bottom = top * k + bottom, bottom * k
    divisor, _ = gcd(top, bottom)
    return top // divisor, bottom // divisor


digits = list(pi_digits(N))
number = int("".join(map(str, digits[:600])))
roots = [root(10 ** (2 * N) * 2, degree) for degree in (2, 3)]
primes = [p for p in range(number % 1000 * 10 ** 12, number % 1000 * 10 ** 12 + 60) if is_prime(p)]
top, bottom = harmonic(N // 4 + 1)
checks = [value % 1000003 for value in (number, *roots, product(1, N + 1), top, bottom, *primes)]
print(sum(digits), *checks, remaindered(number) % 1009, bits(roots[0]), hex(number)[-6:])
''')


def program(n):
    moduli = [1000003, 1000033, 1000037, 1000039][: 1 + n.bit_length() // 3]
    return PROGRAM.substitute(n=n, witnesses=PRIMES[: 3 + n.bit_length()], moduli=moduli)
