"""Strings: formatting, and concatenation in place."""


class Shown:
    def __str__(self):
        return "shown"

    def __repr__(self):
        return "Shown()"

    def __format__(self, spec):
        return "formatted " + spec


def formatted(n):
    name = "x"
    items = []
    for i in range(n):
        items.append(f"{name}={i}")
        items.append(f"{i:>5}|{i * 1.5:.2f}|{name!r:>{i % 5}}|{i!s}")
        items.append(f"{Shown()} {Shown()!r} {Shown()!s:>8} {Shown():spec}")
        items.append("%s %d %r" % (name, i, name))
        items.append("{} {0!r}".format(name) if i < 0 else "{} {k:03d}".format(name, k=i))
        items.append(f"{i}" "literal" f"{{}}")
    return len("".join(items))


def in_place(n):
    s = ""
    for i in range(n):
        s += "ab"
    return s


def in_place_conditional(n):
    s = t = ""
    for i in range(n):
        if i % 2:
            s += "x"
        else:
            t += "y"
        s += t[-1:] if i % 3 else "z"
    return s + t


def in_place_of_a_cell(n):
    s = ""

    def add(x):
        nonlocal s
        s += x

    for i in range(n):
        add("q")
    return s


class Holder:
    text = ""


def in_place_elsewhere(n):
    global accumulated
    accumulated = ""
    holder = Holder()
    parts = {"k": ""}
    for i in range(n):
        accumulated += "g"
        holder.text += "h"
        parts["k"] += "k"
    return len(accumulated), len(holder.text), len(parts["k"])


def shared(n):
    s = ""
    kept = []
    for i in range(n):
        kept.append(s)
        s += "s"
    return len(kept)


def plain(n):
    s = ""
    for i in range(n):
        s = s + "a"
        s = "b" + s
    t = b""
    for i in range(n):
        t += b"c"
    return len(s), len(t)


def methods(text):
    words = text.split()
    return (
        text.upper().lower().title(),
        " ".join(w.capitalize() for w in words),
        text.replace("a", "b").find("b"),
        [w.strip("aeiou") for w in words],
        text.partition(" "),
        text.encode().decode(),
        text.startswith(("the", "a")),
        text[::-1][2:5],
        "quick" in text,
        "-".join(sorted(set(text))),
    )


def work():
    log = [formatted(20)]
    for n in (5, 40):
        log.append(in_place(n))
        log.append(in_place_conditional(n))
        log.append(in_place_of_a_cell(n))
        log.append(in_place_elsewhere(n))
        log.append(shared(n))
        log.append(plain(n))
    for _ in range(10):
        log.append(methods("the quick brown fox jumps over the lazy dog"))
    return log
