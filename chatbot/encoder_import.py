"""Import sentence-transformers without what only training and clusters of machines need.

The bundled encoder runs in ONNX Runtime; of sentence-transformers it uses the pipeline around it.
Importing that also brings torch's compiler, distributed tensors, SymPy and scikit-learn. They are
left out by what is there for it: Transformers does without distributed tensors where torch says
that it has none, the compiler's marks are decorators that change nothing here, and of scikit-learn
one function is asked for, which comes when it is called. ``tests/test_app.py`` holds the list.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType, SimpleNamespace
from typing import Any

__all__ = ["import_sentence_transformers"]


def import_sentence_transformers() -> None:
    """Import it lean; a second call does nothing."""
    if "sentence_transformers" in sys.modules:
        return
    import torch

    marks = SimpleNamespace(assume_constant_result=_as_it_is, allow_in_graph=_as_it_is)
    with (
        _instead(torch.distributed, "is_available", lambda: False),
        _instead(torch.compiler, "disable", _as_it_is),
        _instead(torch.compiler, "allow_in_graph", _as_it_is),
        _instead(torch, "_dynamo", marks),
        _on_first_call("sklearn.metrics", "pairwise_distances"),
    ):
        import sentence_transformers  # noqa: F401 - for what it leaves in sys.modules


def _as_it_is(function: Any = None, **_: Any) -> Any:  # noqa: ANN401 - a decorator, bare or called
    return _as_it_is if function is None else function


@contextmanager
def _instead(module: ModuleType, name: str, value: object) -> Iterator[None]:
    """``module.name`` is ``value`` while the block runs, whether or not it had that name."""
    had, before = name in vars(module), vars(module).get(name)
    setattr(module, name, value)
    try:
        yield
    finally:
        if had:
            setattr(module, name, before)
        else:
            delattr(module, name)  # torch finds the compiler when somebody asks for it


@contextmanager
def _on_first_call(module: str, function: str) -> Iterator[None]:
    """``from module import function`` gives one that imports the real one when it is called."""
    if module in sys.modules:
        yield
        return

    def called(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever the real one takes
        return getattr(import_module(module), function)(*given, **named)

    stand_in = ModuleType(module)
    setattr(stand_in, function, called)
    sys.modules[module] = stand_in
    try:
        yield
    finally:
        del sys.modules[module]
