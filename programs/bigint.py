"""Large integers: digits of pi, primes, powers, square roots and factorials."""

import sys


def pi_digits(n):
    """Decimals of pi by Machin's formula, in integers."""

    def arctan_inverse(x, one):
        term = one // x
        total = term
        square = x * x
        k = 1
        while term:
            term = -term // square
            k += 2
            total += term // k
            if term == -1:
                break
        return total

    one = 10 ** (n + 10)
    return 4 * (4 * arctan_inverse(5, one) - arctan_inverse(239, one)) // 10 ** 10


def digits(n):
    """Decimal digits, in pieces: str() refuses very large integers."""
    pieces = []
    while n >= 10 ** 1000:
        n, rest = divmod(n, 10 ** 1000)
        pieces.append("%01000d" % rest)
    pieces.append(str(n))
    return "".join(reversed(pieces))


def is_prime(n):
    """Miller and Rabin's test with fixed bases."""
    if n < 2:
        return False
    for p in (2, 3, 5, 7, 11, 13):
        if n % p == 0:
            return n == p
    d, s = n - 1, 0
    while d % 2 == 0:
        d //= 2
        s += 1
    for base in (2, 3, 5, 7, 11, 13):
        x = pow(base, d, n)
        if x in (1, n - 1):
            continue
        for _ in range(s - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


def root(n):
    """The integer square root, by Newton's method."""
    x = 1 << ((n.bit_length() + 1) // 2)
    while True:
        y = (x + n // x) // 2
        if y >= x:
            return x
        x = y


def fibonacci(n):
    a, b = 0, 1
    for bit in bin(n)[2:]:
        a, b = a * (2 * b - a), a * a + b * b
        if bit == "1":
            a, b = b, a + b
    return a


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 24000
    pi = digits(pi_digits(n // 4))
    print(pi[:20], sum(map(int, pi)))
    candidate = 10 ** 60 + 1
    found = []
    while len(found) < n // 300:
        if is_prime(candidate):
            found.append(candidate - 10 ** 60)
        candidate += 2
    print(found)
    print(root(2 * 10 ** n) % 10 ** 20)
    print(fibonacci(20 * n) % 10 ** 20)
    product = 1
    for i in range(1, 2 * n):
        product *= i
    print(product.bit_length(), product % (10 ** 9 + 7))
    value = 3
    for i in range(20 * n):
        value = (value * value + i) % (2 ** 127 - 1) ^ (value >> 64)
    print(value)


if __name__ == "__main__":
    main()
