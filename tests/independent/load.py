"""Import a workload by path, the same way for the counter and the driver."""

import importlib.util
import os
import sys


def load(path):
    """The module at `path`, imported as `workload_<name>`.

    The prefix keeps a workload called strings.py or threads.py from taking
    the place of a library module of that name.
    """
    name = "workload_" + os.path.splitext(os.path.basename(path))[0]
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
