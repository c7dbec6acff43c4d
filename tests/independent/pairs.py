"""Which opcode was executed right after which: what can be compared.

Everything is in base opcode names. Up to 3.10 the counter sees every
instruction in its order, and every pair is compared. Later some are executed
that it does not see, or not in their order:

* hidden: INTERPRETER_EXIT, EXIT_INIT_CHECK and END_FOR (3.12 and later), for
  the reasons that count.py gives. Where the meter has A, hidden, X the counter
  has A, X.
* RETURN_GENERATOR and what stands before it (3.11 and later), when a generator
  is made. The counter knows how often (`made`), not after what. Where the meter
  has A, MAKE_CELL, RETURN_GENERATOR, X the counter has A, X, and apart from it
  MAKE_CELL, RETURN_GENERATOR.
* the RETURN_VALUE behind EXIT_INIT_CHECK, and on 3.13 the POP_TOP behind
  END_FOR, which look like any other in a table of pairs.

So a pair is left out if one of its two is hidden, or if its first is
RETURN_GENERATOR. The others are compared like this:

* Pairs whose first is never followed by a hidden opcode or by the making of a
  generator: must be equal.
* Pairs whose first sometimes is (RETURN_VALUE where C code calls Python
  functions, CALL where generator functions are called): the counter may have
  more, by what follows behind the hidden; the meter must not have more. Where
  the first is RETURN_VALUE and there is an EXIT_INIT_CHECK, or POP_TOP and
  there is an END_FOR on 3.13, not even that is known.
* The first instructions of generators as second of a pair: the meter must have
  as many more as generators were made, over all the firsts.
"""

CALL = {True: "CALL", False: "CALL_FUNCTION"}


def one_call_of_pairs(call, counter, nothing):
    """What one_call gives for pairs, put right at both ends of work().

    The driver's call stands before work() and its POP_TOP behind it. Both are
    part of the driver's turn; but the turn is taken from nothing.py, whose
    work() may begin and end otherwise than this one.
    """
    version = tuple(int(part) for part in counter["version"].split(".")[:2])
    name = CALL[version >= (3, 11)]
    result = dict(call)
    for pair, n in (
        ((name, counter["first"]), -1),
        ((counter["last"], "POP_TOP"), -1),
        ((name, nothing["first"]), 1),
        ((nothing["last"], "POP_TOP"), 1),
    ):
        result[pair] = result.get(pair, 0) + n
    return {pair: n for pair, n in result.items() if n}


def pair_disagreements(metered, counter):
    """({pair: (metered, counted)} where the two disagree, pairs held equal).

    `metered` is a result of one_call_of_pairs, `counter` an output of count.py.
    """
    counted = {(first, second): n for first, second, n in counter["pairs"]}
    hidden = set(counter["unseen"])
    made = counter["made"]
    version = tuple(int(part) for part in counter["version"].split(".")[:2])

    # Firsts of which the counter may not know what came next.
    loose = set()
    before_hidden = set()
    # Firsts that stand for something hidden as well.
    unknown = set()
    for (first, second), n in metered.items():
        if second in hidden:
            before_hidden.add(first)
        if second in made and n != counted.get((first, second), 0):
            loose.add(first)
        if (first, second) == ("EXIT_INIT_CHECK", "RETURN_VALUE"):
            unknown.add(second)
        if version == (3, 13) and (first, second) == ("END_FOR", "POP_TOP"):
            unknown.add(second)

    loose |= before_hidden

    wrong = {}
    more = {}
    equal = 0
    for pair in sorted(set(metered) | set(counted)):
        first, second = pair
        n, m = metered.get(pair, 0), counted.get(pair, 0)
        if n < 0:
            wrong[pair] = n, m
        elif second in made and second not in hidden:
            more[second] = more.get(second, 0) + n - m
            if n < m and first not in before_hidden and first not in unknown:
                wrong[pair] = n, m
        elif first in hidden or second in hidden or first == "RETURN_GENERATOR":
            continue
        elif first in unknown:
            continue
        elif first in loose:
            if n > m:
                wrong[pair] = n, m
        else:
            equal += 1
            if n != m:
                wrong[pair] = n, m
    for second, n in sorted(made.items()):
        if more.get(second, 0) != n:
            wrong["(any)", second] = more.get(second, 0), n
    return wrong, equal
