"""Points in space, normalised and compared: floats in attributes."""

import sys
from math import cos, sin, sqrt


class Point:
    __slots__ = ("x", "y", "z")

    def __init__(self, i):
        s = sin(i)
        self.x = s
        self.y = cos(i) * 3.0
        self.z = s * s / 2.0

    def __repr__(self):
        return "<%.12f %.12f %.12f>" % (self.x, self.y, self.z)

    def normalize(self):
        length = sqrt(self.x ** 2 + self.y ** 2 + self.z ** 2)
        self.x /= length
        self.y /= length
        self.z /= length

    def larger(self, other):
        self.x = self.x if self.x > other.x else other.x
        self.y = self.y if self.y > other.y else other.y
        self.z = self.z if self.z > other.z else other.z
        return self

    def distance(self, other):
        dx = self.x - other.x
        dy = self.y - other.y
        dz = self.z - other.z
        return sqrt(dx * dx + dy * dy + dz * dz)


def largest(points):
    result = points[0]
    for p in points[1:]:
        result = result.larger(p)
    return result


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 100000
    for start in range(9):
        points = [Point(start / 4 + i) for i in range(n)]
        for p in points:
            p.normalize()
        walked = 0.0
        for p, q in zip(points, points[1:]):
            walked += p.distance(q)
        print(largest(points), "%.6f" % walked)


if __name__ == "__main__":
    main()
