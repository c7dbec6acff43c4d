"""Code too large for one-byte arguments, made from text."""

MANY = 320


def many_locals():
    """Locals, constants and names beyond 256, and long jumps over them."""
    lines = ["def f(n):"]
    for i in range(MANY):
        lines.append("    v%d = %d.5" % (i, i))
    lines.append("    total = 0.0")
    lines.append("    for k in range(n):")
    lines.append("        if k % 2:")
    for i in range(MANY):
        lines.append("            v%d += v%d" % (i, (i + 1) % MANY))
    lines.append("        else:")
    for i in range(MANY):
        lines.append("            total += v%d" % i)
    lines.append("        while total > 1e9:")
    for i in range(MANY):
        lines.append("            total -= 1e6 + v%d" % (MANY - 1 - i))
    lines.append("        if k == 7: break")
    lines.append("    return total")
    return "\n".join(lines)


def many_names():
    """Attributes, globals, calls and comparisons with large arguments."""
    lines = ["class C: pass", "c = C()"]
    for i in range(MANY):
        lines.append("g%d = %d" % (i, 1000 + i))
    lines.append("def f(n):")
    lines.append("    total = 0")
    lines.append("    while n:")
    lines.append("        n -= 1")
    for i in range(MANY):
        lines.append("        c.a%d = g%d" % (i, i))
        if i > 300:
            lines.append("        if c.a%d == %d: total += c.a%d" % (i, 1000 + i, i))
            lines.append("        c.a%d.bit_length()" % i)
    lines.append("    return total")
    return "\n".join(lines)


def many_cells():
    """More than 256 cells and free variables."""
    lines = ["def f(n):"]
    for i in range(MANY):
        lines.append("    w%d = n + %d" % (i, i))
    lines.append("    def inner(k):")
    lines.append("        nonlocal w%d" % (MANY - 1))
    lines.append("        w%d += k" % (MANY - 1))
    lines.append("        return " + " + ".join("w%d" % i for i in range(MANY)))
    lines.append("    def lazily():")
    lines.append("        yield w0 + w%d" % (MANY - 1))
    lines.append("        yield " + " - ".join("w%d" % i for i in range(MANY)))
    lines.append("    return inner(1) + inner(2), list(lazily())")
    return "\n".join(lines)


def long_handlers():
    """Handlers and finally blocks far from their try."""
    lines = ["def f(n):", "    t = 0", "    for k in range(n):", "        try:"]
    lines.append("            if k % 3 == 0: raise KeyError(k)")
    for i in range(200):
        lines.append("            t += (k ^ %d) & 1" % i)
    lines.append("        except KeyError:")
    for i in range(200):
        lines.append("            t += (k ^ %d) & 3" % i)
    lines.append("        finally:")
    for i in range(200):
        lines.append("            t -= (k ^ %d) & 1" % i)
    lines.append("    return t")
    return "\n".join(lines)


def large_displays():
    """One instruction that takes hundreds of values off the stack."""
    items = ", ".join("n + %d" % i for i in range(300))
    names = ", ".join("x%d" % i for i in range(300))
    return "\n".join(
        [
            "def f(n):",
            "    items = [%s]" % items,
            "    %s = items" % names,
            "    first, *rest, last = items",
            "    def g(*a): return len(a)",
            "    return g(%s) + len((%s,)) + len({%s}) + last" % (items, names, names),
        ]
    )


def compiled(source):
    namespace = {}
    exec(compile(source, "<generated>", "exec"), namespace)
    return namespace["f"]


FUNCTIONS = [
    compiled(make())
    for make in (many_locals, many_names, many_cells, long_handlers, large_displays)
]


def work():
    return [f(n) for f in FUNCTIONS for n in (0, 1, 12)]
