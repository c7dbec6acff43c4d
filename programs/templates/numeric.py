"""Numbers: linear systems and their eigenvalues, integrals, polynomials. Grows as n².

A system of n equations is built, and solved by sweeps; the larger n, the more terms the polynomials have,
and the more of the quadrature rules are used.
"""

from string import Template

RULES = ["midpoint", "trapezoid", "simpson", "boole"]

PROGRAM = Template('''\
import math

N = $n
COEFFICIENTS = $coefficients


def matrix(n):
    """A symmetric matrix that is dominated by its diagonal."""
    rows = []
    for i in range(n):
        row = [1.0 / (1 + abs(i - j)) for j in range(n)]
        row[i] += math.log(n + 1) * 4.0
        rows.append(row)
    return rows


def sweep(rows, right, x):
    """One step of Gauss and Seidel; the greatest change."""
    change = 0.0
    for i, row in enumerate(rows):
        total = right[i]
        for j, a in enumerate(row):
            if j != i:
                total -= a * x[j]
        value = total / row[i]
        change = max(change, abs(value - x[i]))
        x[i] = value
    return change


def greatest_eigenvalue(rows, steps):
    vector = [1.0] * len(rows)
    length = 1.0
    for _ in range(steps):
        image = [math.fsum(a * v for a, v in zip(row, vector)) for row in rows]
        length = math.sqrt(math.fsum(v * v for v in image))
        vector = [v / length for v in image]
    return length


def polynomial(x):
    value = 0.0
    for c in COEFFICIENTS:
        value = value * x + c
    return value


def midpoint(f, a, b):
    return (b - a) * f((a + b) / 2)


def trapezoid(f, a, b):
    return (b - a) * (f(a) + f(b)) / 2


def simpson(f, a, b):
    return (b - a) * (f(a) + 4 * f((a + b) / 2) + f(b)) / 6


def boole(f, a, b):
    h = (b - a) / 4
    values = [f(a + i * h) for i in range(5)]
    weights = (7, 32, 12, 32, 7)
    return (b - a) * math.fsum(w * v for w, v in zip(weights, values)) / 90


def integral(rule, f, a, b, parts):
    h = (b - a) / parts
    total = 0.0
    i = 0
    while i < parts:
        total += rule(f, a + i * h, a + (i + 1) * h)
        i += 1
    return total


def root(f, low, high):
    while high - low > 1e-9:
        middle = (low + high) / 2
        if (f(low) < 0) == (f(middle) < 0):
            low = middle
        else:
            high = middle
    return low


def divisors(n):
    count = 0
    for d in range(1, math.isqrt(n) + 1):
        quotient, rest = divmod(n, d)
        if rest == 0:
            count += 1 if quotient == d else 2
    return count


rows = matrix(N)
right = [float(i % 5 + 1) for i in range(N)]
x = [0.0] * N
sweeps = 0
while sweep(rows, right, x) > 1e-6 and sweeps < 12:
    sweeps += 1
total = math.fsum(x) + greatest_eigenvalue(rows, 4)
for rule in [$rules]:
    total += integral(rule, polynomial, -0.5, 0.5, 4 * N)
total += root(lambda t: t * t * t + t - 1, 0.0, 1.0)
print("%.4f" % total, sweeps, sum(divisors(i) for i in range(1, N + 1)))
''')


def program(n):
    terms = 3 + n.bit_length()
    coefficients = [(i * 37 % 19 - 9) / 10 for i in range(terms)]
    rules = RULES[: 1 + n.bit_length() // 3]
    return PROGRAM.substitute(n=n, coefficients=coefficients, rules=", ".join(rules))
