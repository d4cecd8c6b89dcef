"""The kinds of values that a knob can have, and the sentence for a value of another kind."""

import reprlib
from collections import Counter
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from pydantic import BeforeValidator, Field, Strict, ValidationInfo
from pydantic.fields import FieldInfo

T = TypeVar("T")


class Problems(ValueError):
    """What is wrong with a value, one sentence each."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = list(problems)


def knob(
    default: Any,
    why: str,
    *,
    unit: str = "",
    rule: str = "",
    hint: str = "",
    says: str = "",
    section: str = "",
    quote: bool = True,
    **limits: float,
) -> Any:
    """A knob's default and why there is one; `limits` as pydantic's (ge, le).

    `rule` says what a value has to be where type, `unit` and `limits` do not. `hint` is the remedy. `says` replaces the whole
    sentence. `quote=False` is for a value that may hold a secret by mistake.
    """
    about = {"unit": unit, "rule": rule, "hint": hint, "says": says, "section": section, "quote": quote}
    return Field(default, description=why, json_schema_extra=about, **limits)  # type: ignore[call-overload]


def _in_order(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, tuple | list):
        return list(value)
    raise Problems(
        f"{info.field_name} has to be a list, in square brackets; "
        f"on the command line as JSON: --data '{info.field_name}=[\"…\"]'"
    )


# `--data` hands over "no", and 0 for "0": https://docs.pydantic.dev/latest/api/standard_library_types/#booleans
Switch = Annotated[bool, Strict(False)]
InOrder = BeforeValidator(_in_order)  # tuples are lists, too


def checked(value: T, problems: list[str]) -> T:
    """The value. Raises Problems where there are some."""
    if problems:
        raise Problems(*problems)
    return value


def strings(name: str, values: list[Any], fits: Callable[[str], bool], what: str) -> list[str]:
    """The items of a list. Each has to be a text of this form, and there once."""
    problems = [f"{name}: {shown(v)} is {what}" for v in values if not isinstance(v, str) or not fits(v)]
    return checked(values, problems + [f"{name}: {shown(v)} is listed twice; remove one" for v in twice(values)])


def twice(values: list[Any]) -> list[str]:
    """The strings that are more than once in a list."""
    words = Counter(value for value in values if isinstance(value, str))
    return sorted(word for word, count in words.items() if count > 1)


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 60


def shown(value: Any) -> str:
    """A value in a sentence: not longer than a line, and of a table or an object its kind alone, as it may hold a secret."""
    try:
        return _SHORT.repr(value) if isinstance(value, str | bytes | int | float | None) else _kind(value)
    except ValueError:  # an integer of more than 4,300 digits
        return _kind(value)


def _kind(value: Any) -> str:
    return f"({type(value).__name__})"


def optional(field: FieldInfo) -> bool:
    """Whether a knob may be None."""
    return type(None) in get_args(field.annotation)


def rule(field: FieldInfo) -> str:
    """What a value has to be: "a number of days from 1 to 3650, or None"."""
    told, hint = about(field), field.annotation
    if optional(field):
        hint = next(part for part in get_args(hint) if part is not type(None))
    number = f"a number of {told['unit']}" if told["unit"] else "a whole number" if hint is int else "a number"
    kinds: dict[Any, str] = {bool: "True or False", str: "text", list: "a list", dict: "a table"}
    text = told["rule"] or kinds.get(get_origin(hint) or hint, number)
    if get_origin(hint) is Literal:
        text = "one of " + ", ".join(get_args(hint))
    limits = {key: getattr(one, key) for one in field.metadata for key in ("ge", "le") if hasattr(one, key)}
    if limits:
        text += f" from {limits['ge']} to {limits['le']}"
    return text + (", or None" if optional(field) else "")


def sentence(name: str, field: FieldInfo, value: Any) -> str:
    """Value, rule and remedy."""
    told = about(field)
    given = f"{name} = {shown(value) if told['quote'] else _kind(value)}"
    if told["says"]:
        return f"{given} {told['says']}"
    return f"{given} has to be {rule(field)}" + (f"; {told['hint']}" if told["hint"] else "")


def about(field: FieldInfo) -> dict[str, Any]:
    """What `knob` was told beside the default."""
    return dict(field.json_schema_extra) if isinstance(field.json_schema_extra, dict) else {}
