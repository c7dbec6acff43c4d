"""Recursion: Fibonacci, Hanoi, queens, expressions, permutations. Grows as 1.6ⁿ.

The expression that is simplified and evaluated is part of the program, and nested more deeply for a larger n.
"""

from string import Template

PROGRAM = Template('''\
N = $n
EXPRESSION = $expression


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def is_even(n):
    return True if n == 0 else is_odd(n - 1)


def is_odd(n):
    return False if n == 0 else is_even(n - 1)


def hanoi(n, source, target, spare, moves):
    if n == 0:
        return moves
    moves = hanoi(n - 1, source, spare, target, moves)
    return hanoi(n - 1, spare, target, source, moves + 1)


def queens(size, row=0, columns=0, up=0, down=0):
    if row == size:
        return 1
    count = 0
    for column in range(size):
        bit = 1 << column
        rising, falling = 1 << (row + column), 1 << (row - column + size)
        if not (columns & bit or up & rising or down & falling):
            count += queens(size, row + 1, columns | bit, up | rising, down | falling)
    return count


def simplified(tree):
    if not isinstance(tree, tuple):
        return tree
    operator, left, right = tree[0], simplified(tree[1]), simplified(tree[2])
    if operator == "*" and (left == 0 or right == 0):
        return 0
    if operator == "*" and left == 1:
        return right
    if operator == "+" and left == 0:
        return right
    return operator, left, right


def evaluated(tree, x):
    if tree == "x":
        return x
    if not isinstance(tree, tuple):
        return tree
    operator, left, right = tree
    a, b = evaluated(left, x), evaluated(right, x)
    if operator == "+":
        return (a + b) % 10007
    if operator == "-":
        return (a - b) % 10007
    return a * b % 10007


def depth(tree):
    return 1 + max(map(depth, tree[1:])) if isinstance(tree, tuple) else 0


def permutations(items):
    if len(items) < 2:
        yield items
        return
    for place, item in enumerate(items):
        for rest in permutations(items[:place] + items[place + 1:]):
            yield [item] + rest


def power(base, exponent, modulus):
    if exponent == 0:
        return 1
    half = power(base, exponent // 2, modulus)
    return half * half * (base if exponent % 2 else 1) % modulus


small = max(1, N * 2 // 3)
simple = simplified(EXPRESSION)
rounds = int(1.6 ** max(0, N - 16)) + 1
value = sum(evaluated(simple, x) for x in range(rounds))
print(fibonacci(N), hanoi(small, "a", "b", "c", 0), queens(min(4 + N // 6, 9)))
print(depth(EXPRESSION), depth(simple), value, is_even(N), power(3, 10 ** N, 1000003))
print(sum(p[0] < p[-1] for p in permutations(list(range(min(2 + N // 5, 8))))))
''')


def expression(depth, seed):
    if depth == 0:
        return ("x", seed % 10, 0, 1)[seed % 4]
    operator = "+-*"[seed % 3]
    # One side is deep, the other one shallow: so the text does not grow as the time does.
    return (operator, expression(depth // 2, seed * 5 + 1), expression(depth - 1, seed * 3 + 2))


def program(n):
    return PROGRAM.substitute(n=n, expression=repr(expression(min(n // 2 + 1, 14), n)))
