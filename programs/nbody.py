"""Sun and outer planets under gravity, advanced in small steps."""

import math
import sys

YEAR = 365.24
SUN_MASS = 4 * math.pi ** 2

# Name, position in astronomical units, velocity in the same per day, and mass
# in suns. Round figures: a system like ours, not ours.
BODIES = [
    ("sun", (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 1.0),
    ("jupiter", (4.9, -1.1, -0.1), (0.0016, 0.0077, -0.00006), 9.5e-4),
    ("saturn", (8.3, 4.1, -0.4), (-0.0027, 0.0050, 0.00002), 2.9e-4),
    ("uranus", (12.9, -15.1, -0.2), (0.0029, 0.0023, -0.00003), 4.4e-5),
    ("neptune", (15.4, -25.9, 0.2), (0.0027, 0.0016, -0.0001), 5.2e-5),
]


def system():
    bodies = []
    for _, position, velocity, mass in BODIES:
        bodies.append([list(position), [v * YEAR for v in velocity], mass * SUN_MASS])
    # The whole is to rest.
    for axis in range(3):
        momentum = sum(v[axis] * m for _, v, m in bodies)
        bodies[0][1][axis] -= momentum / bodies[0][2]
    return bodies


def energy(bodies):
    total = 0.0
    for i, (p, v, m) in enumerate(bodies):
        total += 0.5 * m * sum(c * c for c in v)
        for q, _, n in bodies[i + 1 :]:
            total -= m * n / math.sqrt(sum((a - b) ** 2 for a, b in zip(p, q)))
    return total


def advance(pairs, bodies, dt, steps):
    for _ in range(steps):
        for (p, v, m), (q, w, n) in pairs:
            dx = p[0] - q[0]
            dy = p[1] - q[1]
            dz = p[2] - q[2]
            squared = dx * dx + dy * dy + dz * dz
            pull = dt / (squared * math.sqrt(squared))
            a = n * pull
            v[0] -= dx * a
            v[1] -= dy * a
            v[2] -= dz * a
            b = m * pull
            w[0] += dx * b
            w[1] += dy * b
            w[2] += dz * b
        for p, v, _ in bodies:
            p[0] += dt * v[0]
            p[1] += dt * v[1]
            p[2] += dt * v[2]


def main():
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 200000
    bodies = system()
    pairs = [(a, b) for i, a in enumerate(bodies) for b in bodies[i + 1 :]]
    print("%.9f" % energy(bodies))
    advance(pairs, bodies, 0.01, steps)
    print("%.9f" % energy(bodies))


if __name__ == "__main__":
    main()
