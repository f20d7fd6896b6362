"""Fields of a template: what makes one fit to be sent, its variables and texts included."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from core.errors import ErrorKind, UserError, error_codes
from core.values.bounds import check_count, check_length
from resolvers.notification.template_language import InvalidTemplate, Template, Value
from stores.notification import TemplateVariable, TemplateVariableKind

error_codes(
    ErrorKind.INVALID,
    INVALID_TEMPLATE="The text is not a template, or does more than a template may: `message` says what.",
    UNKNOWN_VARIABLE="The text has a variable that the template does not declare.",
)

LONGEST_NAME, LONGEST_REMARKS = 100, 500
LONGEST_TITLE, LONGEST_MESSAGE = 500, 8_000
"""Characters of the sources, which may be longer than what they write."""
LONGEST_VARIABLE, LONGEST_VALUE, MOST_DIGITS = 40, 1_000, 15
MOST_VARIABLES, MOST_CHANNELS = 20, 6
VARIABLE = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
SAMPLES = {
    TemplateVariableKind.STRING: "text",
    TemplateVariableKind.NUMBER: "1",
    TemplateVariableKind.DATE: "2026-01-31",
}


def checked_fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a template in their stored form; UserError for one that it may not have."""
    fields = dict(given)
    if "name" in fields:
        fields["name"] = " ".join(fields["name"].split())
        check_length(fields["name"], least=1, most=LONGEST_NAME, field="name")
        fields["name_key"] = fields["name"].casefold()
    check_length(fields.get("remarks") or "", most=LONGEST_REMARKS, field="remarks")
    for name, least, most in (("title_template", 1, LONGEST_TITLE), ("message_template", 0, LONGEST_MESSAGE)):
        if name in fields:
            check_length(fields[name], least=least, most=most, field=name)
    if "default_channels" in fields:
        check_count(fields["default_channels"], most=MOST_CHANNELS, field="default_channels")
        fields["default_channels"] = list(dict.fromkeys(fields["default_channels"]))
    if "variables" in fields:
        fields["variables"] = _variables(fields["variables"])
    return fields


def _variables(rows: Sequence[Mapping[str, Any]]) -> list[TemplateVariable]:
    check_count(rows, most=MOST_VARIABLES, field="variables")
    found: dict[str, TemplateVariable] = {}
    for row in rows:
        name, kind, default = row["name"], TemplateVariableKind(row["kind"]), row.get("default_value")
        if len(name) > LONGEST_VARIABLE:
            field, most = ["variables", "name"], LONGEST_VARIABLE
            raise UserError("TOO_LONG", "At most {limit} characters.", field=field, limit=most)
        if not VARIABLE.fullmatch(name):
            raise UserError(
                "INVALID_FORMAT", "This is not a name of a variable.", field=["variables", "name"]
            )
        if name in found:
            raise UserError("INVALID_INPUT", "It is declared twice.", field=["variables", "name"])
        if default is not None:
            check_length(default, most=LONGEST_VALUE, field="variables")
            if not fits(kind, default):
                field = ["variables", "default_value"]
                raise UserError("INVALID_FORMAT", "The value is not of the variable's kind.", field=field)
        found[name] = {"name": name, "kind": kind, "required": row["required"], "default_value": default}
    return list(found.values())


def fits(kind: TemplateVariableKind, value: str) -> bool:
    """True if a value is one of the kind."""
    try:
        typed(kind, value)
    except (ValueError, InvalidOperation):
        return False
    return True


def typed(kind: TemplateVariableKind, value: str) -> Value:
    """A value as templates compute with it; ValueError or InvalidOperation if it is not of the kind."""
    match kind:
        case TemplateVariableKind.NUMBER:
            return _number(value)
        case TemplateVariableKind.DATE if date.fromisoformat(value).isoformat() != value:
            raise ValueError(value)
    return value


def _number(value: str) -> Value:
    number = Decimal(value)
    # A short text may stand for a number that fills the memory.
    if not number.is_finite() or abs(number.adjusted()) > MOST_DIGITS or len(value) > 2 * MOST_DIGITS:
        raise ValueError(value)
    return int(number) if number == number.to_integral_value() else number


def check_texts(template: Mapping[str, Any]) -> None:
    """INVALID_TEMPLATE or UNKNOWN_VARIABLE unless both texts can be written with sample values."""
    declared = {each["name"]: each for each in template["variables"]}
    samples = {
        name: typed(each["kind"], each["default_value"] or SAMPLES[each["kind"]])
        for name, each in declared.items()
    }
    for field in ("title_template", "message_template"):
        try:
            text = Template(template[field])
            if unknown := sorted(text.variables - declared.keys()):
                values = {"name": unknown[0]}
                raise UserError(
                    "UNKNOWN_VARIABLE", "There is no variable {name}.", field=[field], values=values
                )
            text.render(samples)
        except InvalidTemplate as problem:
            values = {"problem": str(problem)}
            raise UserError(
                "INVALID_TEMPLATE", "This is not a template: {problem}", field=[field], values=values
            ) from None
