"""Exceptions raised, caught, passed on, and cleaned up after."""

import sys


class Custom(Exception):
    def __init__(self, code, *rest):
        super().__init__(code, *rest)
        self.code = code


def raiser(n):
    if n % 5 == 0:
        raise ValueError(n)
    if n % 5 == 1:
        raise KeyError(n)
    if n % 5 == 2:
        raise Custom(n, "x")
    if n % 5 == 3:
        return [][n]
    return n


def kinds(n):
    try:
        result = raiser(n)
    except ValueError:
        return "value"
    except (KeyError, IndexError) as error:
        return type(error).__name__
    except Custom as error:
        return error.code
    else:
        return result
    finally:
        n += 1


def in_loop(n):
    caught = 0
    for i in range(n):
        try:
            if i % 3 == 0:
                continue
            if i == n - 2:
                break
            raiser(i)
        except ValueError:
            caught += 1
            continue
        except LookupError:
            caught += 2
        except Exception:
            caught += 3
        else:
            caught += 4
        finally:
            caught += 100
    else:
        caught = -1
    return caught


def while_loop():
    stack = list(range(20))
    total = 0
    while True:
        try:
            total += stack.pop()
        except IndexError:
            break
    return total


def nested(n):
    log = []
    try:
        try:
            try:
                raiser(n)
            except ValueError as error:
                log.append("re-raise")
                raise
            finally:
                log.append("inner")
        except KeyError as error:
            log.append("from")
            raise Custom(n) from error
        except Custom:
            log.append("replaced")
            raise RuntimeError("other")
    except (ValueError, RuntimeError) as error:
        log.append(type(error).__name__)
    except Custom as error:
        log.append(error.__cause__ is not None)
    except IndexError:
        log.append("index")
    return log


def returns_in_finally():
    for i in range(3):
        try:
            raise ValueError
        except ValueError:
            try:
                return i
            finally:
                i += 10


def return_through(n):
    try:
        for i in range(n):
            try:
                if i == 4:
                    return i
            finally:
                n += 0
    finally:
        n += 1
    return None


def deep(n):
    try:
        if n == 0:
            raise Custom("bottom")
        deep(n - 1)
    finally:
        n = None


def stop_iteration():
    it = iter([1, 2])
    try:
        while True:
            next(it)
    except StopIteration:
        return True


def operators():
    caught = 0
    for left, right in ((1, 0), ("a", 1), (None, 1), ([], ()), (1.0, 0.0)):
        try:
            left / right
        except (TypeError, ZeroDivisionError):
            caught += 1
        try:
            left + right
        except TypeError:
            caught += 1
        try:
            left[right]
        except (TypeError, IndexError):
            caught += 1
        try:
            left.nothing
        except AttributeError:
            caught += 1
        try:
            undefined_name
        except NameError:
            caught += 1
        try:
            a, b = left, *right
        except (TypeError, ValueError):
            caught += 1
        try:
            left()
        except TypeError:
            caught += 1
    return caught


def from_c():
    def key(n):
        if n == 3:
            raise Custom(n)
        return n

    try:
        sorted(range(6), key=key)
    except Custom as error:
        return error.code


def unbound(n):
    try:
        if n:
            del n
        return n
    except UnboundLocalError:
        return "unbound"


def context():
    try:
        try:
            {}["x"]
        except KeyError:
            int("x")
    except ValueError as error:
        return type(error.__context__).__name__


def asserts(n):
    try:
        assert n > 3, "small"
        assert n < 10
    except AssertionError:
        return False
    return True


GROUPS = None
if sys.version_info >= (3, 11):
    GROUPS = """
def groups(n):
    log = []
    try:
        raise ExceptionGroup("g", [ValueError(1), KeyError(2), TypeError(n)])
    except* ValueError as group:
        log.append(len(group.exceptions))
    except* (KeyError, TypeError) as group:
        log.append(len(group.exceptions))
    try:
        try:
            raise ExceptionGroup("h", [OSError(1), KeyError(2)])
        except* OSError:
            log.append("os")
    except ExceptionGroup as rest:
        log.append(len(rest.exceptions))
    try:
        log.append(n)
    except* ValueError:
        log.append("never")
    return log
"""
    namespace = {}
    exec(GROUPS, namespace)
    groups = namespace["groups"]
else:

    def groups(n):
        return n


def work():
    log = [kinds(i) for i in range(30)]
    log.append(in_loop(40))
    log.append(in_loop(3))
    log.append(while_loop())
    log.extend(nested(i) for i in range(10))
    log.append(returns_in_finally())
    log.append(return_through(8))
    log.append(return_through(2))
    for _ in range(3):
        try:
            deep(30)
        except Custom as error:
            log.append(error.code)
    log.append(stop_iteration())
    log.append(operators())
    log.append(from_c())
    log.append([unbound(i) for i in range(2)])
    log.append(context())
    log.append([asserts(i) for i in range(12)])
    log.append([groups(i) for i in range(5)])
    return log
