"""What every command line of the project does with errors: one sentence, exit status 1."""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import typer

from corpus.errors import YibaoError

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def citizen_errors(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Show a ``YibaoError`` as its sentence on stderr and end with status 1."""

    @functools.wraps(function)
    def wrapped(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        try:
            return function(*args, **kwargs)
        except YibaoError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from error

    return wrapped
