"""The methods of an RPC server, and errors in the words of rpclib, the library inside AirSim."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping
from typing import Any

logger = logging.getLogger(__name__)

Handler = Callable[..., Any]
"""Takes the positional parameters of a call; returns the result or a concurrent Future of it."""


class HandlerError(Exception):
    """Raise in a handler to refuse a call; the client receives the text."""


class BadCastError(HandlerError):
    """A parameter has the wrong type. The text is rpclib's, followed by the expected type."""

    def __init__(self, expected: str = "") -> None:
        super().__init__(f"std::bad_cast: {expected}" if expected else "std::bad_cast")


class Dispatcher:
    """Calls handlers by the name of their method.

    Args:
        handlers: method name to function. Parameters are positional and their number must match.

    Raises:
        ValueError: A handler takes a variable number of parameters.
    """

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self._handlers = {
            name: (handler, _arity(name, handler)) for name, handler in handlers.items()
        }

    def dispatch(self, method: str, params: list[Any]) -> Any:
        """Call a handler; return its result or Future.

        Raises:
            HandlerError: No such method, a wrong number of parameters, or the handler failed; in
                rpclib's words.
        """
        if method not in self._handlers:
            raise HandlerError(
                f"rpclib: server could not find function '{method}' "
                f"with argument count {len(params)}."
            )
        handler, arity = self._handlers[method]
        if len(params) != arity:
            # rpclib swaps the two numbers, and clients may parse its message.
            raise HandlerError(
                f"rpclib: client error C0002: Function '{method}' was called with an invalid "
                f"number of arguments. Expected: {len(params)}, got: {arity}"
            )
        try:
            return handler(*params)
        except Exception as error:
            raise _worded(method, arity, error) from error

    def failure(self, method: str, error: BaseException) -> HandlerError:
        """The error to send when the Future of a call to `method` failed."""
        return _worded(method, self._handlers[method][1], error)


def _arity(name: str, handler: Handler) -> int:
    parameters = inspect.signature(handler).parameters.values()
    fixed = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if any(parameter.kind not in fixed for parameter in parameters):
        raise ValueError(f"handler of {name!r} must take positional parameters only")
    return len(parameters)


def _worded(method: str, arity: int, error: BaseException) -> HandlerError:
    if not isinstance(error, HandlerError):
        logger.error("%s failed", method, exc_info=error)
    what = str(error) or type(error).__name__
    return HandlerError(
        f"rpclib: function '{method}' (called with {arity} arg(s)) threw an exception. "
        f"The exception contained this information: {what}."
    )
