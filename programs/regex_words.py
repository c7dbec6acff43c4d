"""Words of a made-up text found, counted and replaced by regular expressions."""

import re
import sys
from collections import Counter

SYLLABLES = "ba ce di fo gu la me ni po ru sa te vi xo zu".split()


def text(n):
    """n made-up words, the same every time."""
    state = 7
    words = []
    for i in range(n):
        word = ""
        for _ in range(state % 3 + 1):
            state = (state * 1103515245 + 12345) % 2 ** 31
            word += SYLLABLES[(state >> 8) % len(SYLLABLES)]
        if i % 11 == 0:
            word = word.capitalize()
        if i % 17 == 0:
            word += ","
        elif i % 23 == 0:
            word += "."
        elif i % 29 == 0:
            word = "%d-%s@%s.org" % (state % 100, word, word[::-1])
        words.append(word)
    return " ".join(words)


TOKEN = re.compile(
    r"(?P<mail>[\w-]+@\w+\.\w+)|(?P<name>[A-Z]\w*)|(?P<word>[a-z]+)|(?P<mark>[,.])|(?P<space>\s+)"
)


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 380000
    source = text(n)
    kinds = Counter()
    lengths = Counter()
    for match in TOKEN.finditer(source):
        kinds[match.lastgroup] += 1
        lengths[len(match.group())] += 1
    print(sorted(kinds.items()))
    print(sorted(lengths.items())[:6])
    common = Counter(re.findall(r"\b[a-z]{4}\b", source))
    print(sorted(common.items(), key=lambda item: (-item[1], item[0]))[:5])
    changed = re.sub(
        r"\b([a-z])([a-z]+)\b",
        lambda m: m.group(2) + m.group(1) if len(m.group(2)) > 3 else m.group(),
        source,
    )
    print(len(changed), sum(map(ord, changed)) % 1000003)
    mails = re.findall(r"(\d+)-(\w+)@(\w+)\.org", source)
    print(len(mails), sum(int(number) for number, _, _ in mails))
    sentences = re.split(r"[.]\s*", source)
    print(len(sentences), max(map(len, sentences)))
    doubled = re.findall(r"(\w\w)\1", source)
    print(len(doubled), len(set(doubled)))


if __name__ == "__main__":
    main()
