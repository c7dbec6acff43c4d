"""Dictionaries and sets: counting, grouping, joins, the ways through a graph. Grows as n log n.

The schema of the rows that are grouped and joined is part of the program; a larger n has more columns.
"""

from string import Template

PROGRAM = Template('''\
import heapq
from collections import Counter, OrderedDict, defaultdict

N = $n
COLUMNS = $columns


def rows(count):
    for i in range(count):
        row = {name: (i * factor + shift) % size for name, factor, shift, size in COLUMNS}
        row["id"] = i
        yield row


def grouped(table, name):
    groups = defaultdict(list)
    for row in table:
        groups[row[name]].append(row["id"])
    return groups


def joined(table, left, right):
    index = {}
    for row in table:
        index.setdefault(row[right], set()).add(row["id"])
    empty = frozenset()
    return sum(len(index.get(row[left], empty) - {row["id"]}) for row in table[:40])


def graph(count):
    edges = {node: {} for node in range(count)}
    for node in range(count):
        for step in (1, 7, node % 13 + 2):
            other = (node * 2 + step) % count
            if other != node:
                edges[node][other] = edges[other][node] = step * 3 + node % 5
    return edges


def distances(edges, start):
    best = {start: 0}
    done = set()
    heap = [(0, start)]
    while heap:
        distance, node = heapq.heappop(heap)
        if node in done:
            continue
        done.add(node)
        for other, length in edges[node].items():
            reached = distance + length
            if other not in best or reached < best[other]:
                best[other] = reached
                heapq.heappush(heap, (reached, other))
    return best


def components(edges):
    left = set(edges)
    count = 0
    while left:
        todo = {left.pop()}
        while todo:
            node = todo.pop()
            left.discard(node)
            todo |= edges[node].keys() & left
        count += 1
    return count


class Cache:
    """The entries that were used last."""

    def __init__(self, room):
        self.room = room
        self.entries = OrderedDict()
        self.hits = 0

    def get(self, key):
        if key in self.entries:
            self.hits += 1
            self.entries.move_to_end(key)
            return self.entries[key]
        value = self.entries[key] = key * key % 1009
        if len(self.entries) > self.room:
            self.entries.popitem(last=False)
        return value


table = list(rows(4 * N))
first, last = COLUMNS[0][0], COLUMNS[-1][0]
groups = {name: grouped(table, name) for name, *_ in COLUMNS}
largest = {name: max(len(ids) for ids in found.values()) for name, found in groups.items()}
counter = Counter(str(row[first] ^ row[last]) for row in table)
edges = graph(2 * N + 2)
best = distances(edges, 0)
cache = Cache(50)
cached = sum(cache.get(i * i % 211) for i in range(3 * N))
del edges[0]
edges = {node: {o: d for o, d in near.items() if o} for node, near in edges.items()}
print(sorted(largest.values()), counter.most_common(1)[0][1], joined(table, first, last))
print(sum(best.values()), len(best), components(edges), cached, cache.hits)
''')


def program(n):
    columns = 3 + n.bit_length() // 2
    described = [("c%d" % c, 3 + 2 * c, c * 5, 7 + 13 * c) for c in range(columns)]
    return PROGRAM.substitute(n=n, columns=described)
