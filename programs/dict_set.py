"""Dictionaries and sets: counting, grouping, graphs, and Conway's life."""

import sys


def numbers(n, seed):
    for _ in range(n):
        seed = (seed * 1103515245 + 12345) % 2 ** 31
        yield seed >> 8


def count(n):
    counts = {}
    for x in numbers(n, 1):
        key = x % 1000
        counts[key] = counts.get(key, 0) + 1
    by_count = {}
    for key, times in counts.items():
        by_count.setdefault(times, []).append(key)
    return len(counts), max(by_count), sum(len(keys) for keys in by_count.values())


def graph(nodes):
    edges = {node: set() for node in range(nodes)}
    source = list(numbers(nodes * 3, 2))
    for a, b in zip(source, source[1:]):
        if a % nodes != b % nodes:
            edges[a % nodes].add(b % nodes)
            edges[b % nodes].add(a % nodes)
    distance = {0: 0}
    frontier = {0}
    steps = 0
    while frontier:
        steps += 1
        reached = set()
        for node in frontier:
            reached |= edges[node]
        frontier = {node for node in reached if node not in distance}
        for node in frontier:
            distance[node] = steps
    triangles = 0
    for node, near in edges.items():
        for other in near:
            if other > node:
                triangles += len(near & edges[other])
    return len(distance), sum(distance.values()), triangles // 3


def life(generations):
    alive = {(1, 0), (3, 1), (0, 2), (1, 2), (4, 2), (5, 2), (6, 2)}
    for _ in range(generations):
        near = {}
        for x, y in alive:
            for dx in (-1, 0, 1):
                for dy in (-1, 0, 1):
                    if dx or dy:
                        cell = x + dx, y + dy
                        near[cell] = near.get(cell, 0) + 1
        alive = {
            cell for cell, n in near.items() if n == 3 or n == 2 and cell in alive
        }
    return len(alive)


def texts(n):
    index = {}
    for i, x in enumerate(numbers(n, 3)):
        index.setdefault(str(x % 5000), set()).add(i % 100)
    both = 0
    keys = sorted(index)
    for a, b in zip(keys, keys[1:]):
        both += len(index[a] & index[b]) - len(index[a] - index[b])
    return len(index), both


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 600000
    print("count", count(n))
    print("graph", graph(n // 10 + 10))
    print("life", life(n // 1000))
    print("texts", texts(n // 2))


if __name__ == "__main__":
    main()
