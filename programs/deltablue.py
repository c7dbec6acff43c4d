"""A solver of one-way constraints with strengths, after DeltaBlue's idea.

Each constraint has methods that compute one of its variables from the others.
A stronger constraint takes its output from a weaker one; what is enforced
forms a graph without cycles, and a plan is that graph in order.
"""

import sys

REQUIRED, STRONG, NORMAL, WEAK, WEAKEST = range(5)


class Variable:
    def __init__(self, name, value=0):
        self.name = name
        self.value = value
        self.constraints = []
        self.determined_by = None
        self.strength = WEAKEST
        self.stay = True
        self.mark = 0


class Constraint:
    def __init__(self, strength, variables):
        self.strength = strength
        self.variables = variables
        self.output = None

    def candidates(self):
        """The variables that one of the methods can compute."""
        return self.variables

    def inputs(self):
        return [v for v in self.variables if v is not self.output]

    def execute(self):
        pass

    def is_input(self):
        return False


class Stay(Constraint):
    def __init__(self, variable, strength):
        super().__init__(strength, [variable])


class Edit(Stay):
    def is_input(self):
        return True


class Equal(Constraint):
    def __init__(self, a, b, strength=REQUIRED):
        super().__init__(strength, [a, b])

    def execute(self):
        a, b = self.variables
        if self.output is a:
            a.value = b.value
        else:
            b.value = a.value


class Scale(Constraint):
    """target = source * factor + offset, either way."""

    def __init__(self, source, factor, offset, target, strength=REQUIRED):
        super().__init__(strength, [source, factor, offset, target])

    def candidates(self):
        return [self.variables[0], self.variables[3]]

    def execute(self):
        source, factor, offset, target = self.variables
        if self.output is target:
            target.value = source.value * factor.value + offset.value
        else:
            source.value = (target.value - offset.value) // factor.value


class Planner:
    def __init__(self):
        self.mark = 0
        self.enforced = 0

    def add(self, constraint):
        for variable in constraint.variables:
            variable.constraints.append(constraint)
        self.mark += 1
        victim = self.enforce(constraint)
        while victim is not None:
            victim = self.enforce(victim)

    def enforce(self, constraint):
        """Enforce it if it is strong enough; returns what it overrides."""
        best = None
        for variable in constraint.candidates():
            if variable.mark != self.mark:
                if best is None or variable.strength >= best.strength:
                    best = variable
        if best is None or best.strength <= constraint.strength:
            constraint.output = None
            if constraint.strength == REQUIRED:
                raise ValueError("a required constraint cannot be satisfied")
            return None
        constraint.output = best
        for variable in constraint.inputs():
            variable.mark = self.mark
        victim = best.determined_by
        if victim is not None:
            victim.output = None
        best.determined_by = constraint
        self.enforced += 1
        self.propagate(constraint)
        best.mark = self.mark
        return victim

    def propagate(self, constraint):
        waiting = [constraint]
        while waiting:
            current = waiting.pop()
            self.recalculate(current)
            output = current.output
            for other in output.constraints:
                if other.output is not None and other is not current and other.output is not output:
                    waiting.append(other)

    def recalculate(self, constraint):
        output = constraint.output
        inputs = constraint.inputs()
        strength = constraint.strength
        for variable in constraint.candidates():
            if variable is not output and variable.strength > strength:
                strength = variable.strength
        output.strength = strength
        output.stay = not constraint.is_input() and all(v.stay for v in inputs)
        if output.stay:
            constraint.execute()

    def remove(self, constraint):
        output = constraint.output
        for variable in constraint.variables:
            variable.constraints.remove(constraint)
        if output is None:
            return
        constraint.output = None
        output.determined_by = None
        output.strength = WEAKEST
        output.stay = True
        loose = []
        waiting = [output]
        while waiting:
            variable = waiting.pop()
            for other in variable.constraints:
                if other.output is None:
                    loose.append(other)
                elif other.output is not variable:
                    self.recalculate(other)
                    waiting.append(other.output)
        loose.sort(key=lambda other: other.strength)
        for other in loose:
            if other.output is None:
                self.mark += 1
                victim = self.enforce(other)
                while victim is not None:
                    victim = self.enforce(victim)

    def plan(self, edits):
        """The constraints that depend on the edits, in order."""
        self.mark += 1
        order = []
        waiting = [e for e in edits if e.output is not None]
        while waiting:
            constraint = waiting.pop()
            output = constraint.output
            if output.mark == self.mark or not self.known(constraint):
                continue
            order.append(constraint)
            output.mark = self.mark
            for other in output.constraints:
                if other.output is not None and other is not constraint:
                    waiting.append(other)
        return order

    def known(self, constraint):
        for variable in constraint.inputs():
            if variable.mark != self.mark and not variable.stay:
                return False
        return True


def run_plan(plan):
    for constraint in plan:
        constraint.execute()


def change(planner, variable, values):
    edit = Edit(variable, STRONG)
    planner.add(edit)
    plan = planner.plan([edit])
    for value in values:
        variable.value = value
        run_plan(plan)
    planner.remove(edit)
    return len(plan)


def chain(n):
    """A row of equal variables, edited at its first."""
    planner = Planner()
    variables = [Variable("v%d" % i) for i in range(n)]
    for a, b in zip(variables, variables[1:]):
        planner.add(Equal(a, b))
    planner.add(Stay(variables[-1], NORMAL))
    length = change(planner, variables[0], range(60))
    assert variables[-1].value == 59, variables[-1].value
    return length, planner.enforced


def projection(n):
    """Pairs bound by one scale and one offset, edited at both ends."""
    planner = Planner()
    factor, offset = Variable("factor", 10), Variable("offset", 1000)
    planner.add(Stay(factor, NORMAL))
    planner.add(Stay(offset, NORMAL))
    pairs = []
    for i in range(n):
        source, target = Variable("s%d" % i, i), Variable("t%d" % i, i)
        planner.add(Stay(source, WEAK))
        planner.add(Scale(source, factor, offset, target))
        pairs.append((source, target))
    source, target = pairs[0]
    change(planner, source, range(20))
    assert target.value == 1190, target.value
    change(planner, target, [1050, 2050])
    assert source.value == 105, source.value
    change(planner, factor, [5, 2])
    change(planner, offset, range(2000, 2020))
    for i, (source, target) in enumerate(pairs):
        assert target.value == source.value * 2 + 2019
    return sum(target.value for _, target in pairs), planner.enforced


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 15000
    for _ in range(2):
        print("chain", chain(n))
        print("projection", projection(n))


if __name__ == "__main__":
    main()
