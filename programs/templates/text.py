"""Strings and regular expressions: a log is written, searched and set in columns. Grows as n.

The patterns that lines are searched for are part of the program, and a larger n has more of them.
"""

from string import Template

PATTERNS = [
    r"(\w+)@(\w+)\.org",
    r"\b(\d{1,3})\.(\d{1,3})\.(\d{1,3})\b",
    r"(?P<level>WARN|ERROR)\s+(?P<word>[a-z]+)",
    r"\[(\d+):(\d+)\]",
    r"([aeiou]{2,})",
    r"(?i)\bK\w*?o\b",
    r"^\[\d+:0?(\d+)\]\s",
    r"(\w)\1",
    r"(?<=user=)\w+",
    r"[^\x00-\x7f]+",
    r"(\d+)(?:ms|s)\b",
    r"x?(?:ab|ba)+",
]

PROGRAM = Template('''\
import re
import zlib

N = $n
PATTERNS = [
    $patterns
]
SYLLABLES = "ka lo mi ren tu bab ooz ess y\u00e4 qui".split()


def word(seed):
    parts = []
    while True:
        seed, rest = divmod(seed, len(SYLLABLES))
        parts.append(SYLLABLES[rest])
        if not seed:
            return "".join(parts)


def line(i):
    level = ("INFO", "WARN", "ERROR", "DEBUG")[i * 7 % 4]
    name = word(i * 131 % 1000)
    address = f"{i % 256}.{i * 3 % 256}.{i * 5 % 256}"
    text = "[%d:%02d] %-5s %s user=%s" % (i // 60, i % 60, level, name, name.title())
    if i % 3 == 0:
        text += " " + name[::-1] + "@" + word(i % 77) + ".org"
    return text + " from " + address + " in {:>4}{}".format(i * 17 % 900, "ms" if i % 2 else "s")


def matches(lines):
    counts = [0] * len(PATTERNS)
    longest = ""
    for text in lines:
        for place, pattern in enumerate(PATTERNS):
            found = pattern.search(text)
            if found:
                counts[place] += 1
                if len(found.group()) > len(longest):
                    longest = found.group()
    return counts, longest


def masked(text):
    text = re.sub(r"\\d+", lambda found: "#" * len(found.group()), text)
    return re.sub(r"(\\w+)=(\\w+)", r"\\2:\\1", text)


def columns(lines):
    table = [text.replace("[", "").replace("]", "").split() for text in lines]
    widths = {}
    for row in table:
        for place, cell in enumerate(row):
            widths[place] = max(widths.get(place, 0), len(cell))
    shown = []
    for row in table:
        cells = [cell.ljust(widths[place]) for place, cell in enumerate(row)]
        shown.append(" | ".join(cells).rstrip())
    return shown


def vowels(text):
    count = 0
    for c in text:
        if c in "aeiou":
            count += 1
        elif c.isupper() and not text.startswith(c):
            count += 2
    return count


def is_palindrome(text):
    text = text.strip().lower()
    i, j = 0, len(text) - 1
    while i < j and text[i] == text[j]:
        i += 1
        j -= 1
    return i >= j


lines = [line(i) for i in range(6 * N)]
counts, longest = matches(lines)
check = 0
for text in columns(lines):
    check = zlib.crc32(masked(text).encode("utf-8"), check)
total = sum(vowels(text) for text in lines)
palindromes = sum(is_palindrome(part) for text in lines for part in text.split(" "))
print(counts, longest.upper().encode("ascii", "replace").decode(), check, total, palindromes)
''')


def program(n):
    patterns = PATTERNS[: 2 + n.bit_length()]
    return PROGRAM.substitute(n=n, patterns="\n    ".join("re.compile(%r)," % p for p in patterns))
