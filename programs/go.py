"""Go on a small board: random games, and the move that wins most of them."""

import sys

SIZE = 9
EMPTY, BLACK, WHITE = 0, 1, 2


class Random:
    """A small generator of our own: the same on every version."""

    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) & (2 ** 64 - 1)
        return (self.state >> 33) % n


def neighbours_of(position):
    row, column = divmod(position, SIZE)
    result = []
    if row > 0:
        result.append(position - SIZE)
    if row < SIZE - 1:
        result.append(position + SIZE)
    if column > 0:
        result.append(position - 1)
    if column < SIZE - 1:
        result.append(position + 1)
    return result


NEIGHBOURS = [neighbours_of(position) for position in range(SIZE * SIZE)]


class Board:
    def __init__(self):
        self.stones = [EMPTY] * (SIZE * SIZE)
        self.ko = None
        self.captured = {BLACK: 0, WHITE: 0}

    def copy(self):
        other = Board()
        other.stones = self.stones[:]
        other.ko = self.ko
        other.captured = dict(self.captured)
        return other

    def group(self, position):
        """The stones joined to this one, and whether they have a liberty."""
        stones = self.stones
        color = stones[position]
        seen = {position}
        waiting = [position]
        while waiting:
            for n in NEIGHBOURS[waiting.pop()]:
                if stones[n] == EMPTY:
                    return seen, True
                if stones[n] == color and n not in seen:
                    seen.add(n)
                    waiting.append(n)
        return seen, False

    def is_eye(self, position, color):
        for n in NEIGHBOURS[position]:
            if self.stones[n] != color:
                return False
        return True

    def play(self, position, color):
        """Place a stone; False, and nothing changed, if that is not allowed."""
        if self.stones[position] != EMPTY or position == self.ko:
            return False
        self.stones[position] = color
        taken = []
        for n in NEIGHBOURS[position]:
            if self.stones[n] == 3 - color:
                group, alive = self.group(n)
                if not alive:
                    for stone in group:
                        self.stones[stone] = EMPTY
                    taken.extend(group)
        if not taken and not self.group(position)[1]:
            self.stones[position] = EMPTY
            return False
        self.ko = taken[0] if len(taken) == 1 else None
        self.captured[color] += len(taken)
        return True

    def score(self):
        """Stones and surrounded points, black's less white's."""
        total = -6.5
        for position, stone in enumerate(self.stones):
            if stone == BLACK:
                total += 1
            elif stone == WHITE:
                total -= 1
            elif self.is_eye(position, BLACK):
                total += 1
            elif self.is_eye(position, WHITE):
                total -= 1
        return total


def playout(board, color, random):
    passes = 0
    moves = 0
    free = [p for p in range(SIZE * SIZE) if board.stones[p] == EMPTY]
    while passes < 2 and moves < 3 * SIZE * SIZE:
        tries = len(free)
        played = False
        while tries:
            i = random.below(tries)
            position = free[i]
            if not board.is_eye(position, color) and board.play(position, color):
                played = True
                break
            tries -= 1
            free[i], free[tries] = free[tries], free[i]
        if played:
            passes = 0
            moves += 1
            free = [p for p in range(SIZE * SIZE) if board.stones[p] == EMPTY]
        else:
            board.ko = None
            passes += 1
        color = 3 - color
    return board.score()


def best_move(board, color, games, random):
    results = {}
    candidates = [p for p in range(SIZE * SIZE) if board.stones[p] == EMPTY]
    for game in range(games):
        position = candidates[random.below(len(candidates))]
        trial = board.copy()
        if not trial.play(position, color):
            continue
        score = playout(trial, 3 - color, random)
        won = (score > 0) == (color == BLACK)
        wins, played = results.get(position, (0, 0))
        results[position] = wins + won, played + 1
    return max(results, key=lambda p: (results[p][0] / results[p][1], results[p][1], -p))


def main():
    games = int(sys.argv[1]) if len(sys.argv) > 1 else 110
    random = Random(2024)
    board = Board()
    color = BLACK
    for _ in range(6):
        move = best_move(board, color, games, random)
        board.play(move, color)
        print("BW"[color - 1], divmod(move, SIZE))
        color = 3 - color
    for row in range(SIZE):
        print("".join(".XO"[s] for s in board.stones[row * SIZE : row * SIZE + SIZE]))


if __name__ == "__main__":
    main()
