# Runs in the interpreter: evaluates a template, and writes what came of it as JSON.
#
# Arguments: the template, the file for the answer, the function's name (or nothing), and for a program also
# n and the file for its text. Works on every CPython from 3.8 on.
import inspect
import json
import os
import sys
import traceback
import types
import warnings


def printable(text):
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


class Refused(Exception):
    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


def place(error, path):
    """The template's line that an error came from, if it came from one."""
    if isinstance(error, SyntaxError) and error.filename == path:
        return error.lineno
    lines = [line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == path]
    return lines[-1] if lines else None


def told(error):
    text = str(error.msg if isinstance(error, SyntaxError) else error)
    name = type(error).__name__
    return name + ": " + text if text else name


def raised(kind, error, path):
    line = place(error, path)
    where = " (line %d)" % line if line else ""
    return Refused(kind, told(error) + where)


def load(path):
    """The template as a module of its own, which may import what lies beside it."""
    module = types.ModuleType("opmeter_template")
    module.__file__ = path
    sys.modules[module.__name__] = module
    sys.path[0] = os.path.dirname(path)
    try:
        with open(path, "rb") as file:
            code = compile(file.read(), path, "exec", dont_inherit=True)
        exec(code, module.__dict__)
    except BaseException as error:
        raise raised("load", error, path)
    return module


def parameter(function):
    """The name of the parameter that its only argument would go to; None if it can't have just one."""
    try:
        signature = inspect.signature(function)
        return next(iter(signature.bind(None).arguments))
    except (TypeError, ValueError):
        return None


def candidates(module):
    """The functions that the template defines itself, by the names under which it does, in its order."""
    found = {}
    for name, value in vars(module).items():
        plain = inspect.isfunction(value) or hasattr(value, "__wrapped__")
        defined = getattr(value, "__module__", None) == module.__name__
        if not name.startswith("_") and plain and defined and not inspect.isclass(value):
            # An alias is no function of its own.
            if value not in found.values():
                found[name] = value
    return found


def choose(module, asked):
    if asked:
        function = getattr(module, asked, None)
        if not callable(function):
            names = ", ".join(candidates(module)) or "none"
            raise Refused("function", "it has no function %s; its functions are: %s" % (asked, names))
        if parameter(function) is None:
            raise Refused("function", "%s can't be called with n alone" % asked)
        return asked, function
    names = {name: parameter(value) for name, value in candidates(module).items()}
    fit = [name for name in names if names[name] is not None]
    if not fit:
        raise Refused("function", "it has no public function that can be called with n alone")
    if len(fit) > 1:
        called_n = [name for name in fit if names[name] == "n"]
        if len(called_n) != 1:
            raise Refused("function", "it has several functions of one argument: %s; choose one with --function"
                          % ", ".join(called_n or fit))
        fit = called_n
    return fit[0], getattr(module, fit[0])


def generate(path, function, name, n, output):
    try:
        text = function(n)
    except BaseException as error:
        raise raised("raise", error, path)
    if not isinstance(text, str):
        raise Refused("text", "%s returned %s, which is no text" % (name, type(text).__name__))
    if len(text) > LONGEST:
        raise Refused("invalid", "the program is longer than %d million characters" % (LONGEST // 10 ** 6))
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Refused("invalid", "the program can't be written as UTF-8: character %d is %s"
                      % (error.start, ascii(text[error.start])))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(data, os.path.basename(output), "exec", dont_inherit=True)
    except BaseException as error:
        line = getattr(error, "lineno", None)
        raise Refused("invalid", told(error) + (" (line %d of the program)" % line if line else ""))
    with open(output, "wb") as file:
        file.write(data)


# A program is refused beyond this length, in characters: compiling it takes a hundred times its size.
LONGEST = 32 * 10 ** 6


def main(path, answer, asked, n=None, output=None):
    try:
        # What a template imports is written nowhere.
        sys.dont_write_bytecode = True
        name, function = choose(load(path), asked)
        if n is not None:
            generate(path, function, name, int(n), output)
        result = {"function": printable(name)}
    except Refused as refused:
        result = {"kind": refused.kind, "message": printable(str(refused))}
    with open(answer, "w", encoding="utf-8") as file:
        json.dump(result, file)


main(*sys.argv[1:])
