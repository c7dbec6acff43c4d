"""Strings built, cut, searched, formatted and compared, one character at a time too."""

import sys


def caesar(text, shift):
    out = ""
    for c in text:
        if "a" <= c <= "z":
            out += chr((ord(c) - 97 + shift) % 26 + 97)
        elif c.isupper():
            out += chr((ord(c) - 65 + shift) % 26 + 65)
        else:
            out += c
    return out


def run_length(text):
    out = []
    i = 0
    while i < len(text):
        j = i
        while j < len(text) and text[j] == text[i]:
            j += 1
        out.append(f"{j - i}{text[i]}")
        i = j
    return "".join(out)


def distance(a, b):
    """Levenshtein's edit distance."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


def palindromes(text):
    best = ""
    for i in range(len(text)):
        for j in (i, i + 1):
            low, high = i, j
            while low >= 0 and high < len(text) and text[low] == text[high]:
                low -= 1
                high += 1
            if high - low - 1 > len(best):
                best = text[low + 1 : high]
    return best


def table(n):
    lines = []
    for i in range(n):
        name = "row" + str(i)
        lines.append(f"{name:<10}|{i:>8d}|{i / 7:10.3f}|{i:#06x}|{'yes' if i % 2 else 'no':^5}")
        lines.append("%-10s|%8d|%s" % (name.upper(), i * i, name[::-1]))
        lines.append("{0:*^12}{1!r}".format(name, i))
    return "\n".join(lines)


def words(text):
    counts = {}
    for line in text.split("\n"):
        for word in line.replace("|", " ").split():
            word = word.strip("*").lower()
            if word.startswith("row") and word.endswith(("1", "3", "5")):
                counts[word] = counts.get(word, 0) + 1
    return len(counts), "".join(sorted(counts))[:40]


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 160000
    source = "The quick brown Fox jumps over the lazy Dog, again and again. " * (n // 400)
    print(caesar(source, 3)[:30], caesar(caesar(source * 20, 5), 21) == source * 20)
    print(len(run_length("aaabccddddd" * (n // 3))))
    print(distance(source[:250], source[30:270][::-1]))
    print(palindromes(("abcba" * 20 + source)[: n // 5])[:30])
    text = table(n)
    print(len(text), words(text))
    print(text.encode("utf-8").count(b"|"), text.find("ROW%d" % (n - 1)))


if __name__ == "__main__":
    main()
