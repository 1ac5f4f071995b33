"""What is wrong with a board profile, in words for whoever wrote it: the key, and what was meant. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

CLOSE = 0.6


def problems(error: ValidationError, model: type[BaseModel]) -> str:
    """One sentence for each wrong key. Values are repeated: a profile holds nothing secret."""
    return "; ".join(
        _problem(item, model) for item in error.errors(include_url=False, include_context=True)
    ).rstrip(".")


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """A question that names the nearest of them, or which there are when none is near."""
    names = sorted(known)
    from difflib import get_close_matches  # late: only whoever has mistyped something waits for it

    near = get_close_matches(wrong, names, 1, CLOSE)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"


def _problem(item: Any, model: type[BaseModel]) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    loc: tuple[int | str, ...] = item["loc"]
    where = ".".join(str(part) for part in loc) or "profile"
    match item["type"]:
        case "extra_forbidden":
            keys = _model_at(model, loc[:-1]).model_fields
            return f"{where}: unknown key; {did_you_mean(str(loc[-1]), keys)}"
        case "missing":
            return f"{where}: is missing"
        case "literal_error":
            known = str(item["ctx"]["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
            return f"{where}: {item['input']!r} is none of those known; {did_you_mean(str(item['input']), known)}"
        case "value_error":
            return f"{where}: {item['ctx']['error']}"
    value = "" if isinstance(item["input"], dict | list) else f" (it is {item['input']!r})"
    return f"{where}: {item['msg']}{value}"


def _model_at(model: type[BaseModel], path: Sequence[int | str]) -> type[BaseModel]:
    for part in path:
        field = model.model_fields.get(str(part))
        inner = _models_in(field.annotation) if field is not None else []
        if inner:
            model = inner[0]
    return model


def _models_in(annotation: Any) -> list[type[BaseModel]]:  # noqa: ANN401 - any type at all
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for each in get_args(annotation) for found in _models_in(each)]
