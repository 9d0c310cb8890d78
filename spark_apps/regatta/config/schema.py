"""The JSON Schema of use-case files, by which editors complete and check them.

It is what pydantic makes of the models, with the shorter spellings that they also take.
"""

from __future__ import annotations

import json
from typing import Any

from regatta.config.mllib import FAMILIES, Between, OneOf, Parameter
from regatta.config.model import UseCase

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TYPES = {int: "integer", float: "number", bool: "boolean", str: "string"}


def json_schema() -> str:
    """As text, the same for the same models."""
    schema = UseCase.model_json_schema()
    models = schema["$defs"]
    for model, key in (("Column", "role"), ("Column", "format"), ("Split", "group"), ("Panel", "entity")):
        _also_alone(models[model]["properties"][key])
    for model in ("Feature", "PanelValue"):
        models[model] = {"anyOf": [{"type": "string", "description": "An expression."}, models[model]]}
    empty = models["Panel"]["properties"]["empty"]
    empty["enum"] = [*empty["enum"], 0, None]
    del empty["type"]
    _also_days(models["Column"]["properties"])
    encoding = models.pop("Candidates")["properties"]["encoding"]
    schema["properties"]["candidates"] = {
        "description": schema["properties"]["candidates"].get("description", ""),
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "properties": {name: _family(family.parameters, encoding) for name, family in FAMILIES.items()},
    }
    return json.dumps({"$schema": DIALECT, **_plain(schema)}, indent=2, ensure_ascii=False)


def _also_alone(entry: dict[str, Any]) -> None:
    """One value in place of a list."""
    lists = [kind for kind in entry.get("anyOf", [entry]) if kind.get("type") == "array"]
    items = lists[0]["items"]
    others = [kind for kind in entry.pop("anyOf", []) if kind not in lists]
    array = {key: entry.pop(key) for key in ("type", "items", "minItems") if key in entry} or lists[0]
    entry["anyOf"] = [items, array, *others]


def _also_days(columns: dict[str, Any]) -> None:
    """A bound is a number or a day; YAML's own days are texts for a schema."""
    for bound in ("min", "max", "above", "below"):
        assert {"type": "string"} in columns[bound]["anyOf"]


def _family(parameters: dict[str, Parameter] | Any, encoding: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {"encoding": encoding, **{name: _parameter(one) for name, one in parameters.items()}},
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    value: dict[str, Any] = {"type": _TYPES[parameter.type]}
    if isinstance(allowed := parameter.allowed, Between):
        value["minimum" if allowed.least_closed else "exclusiveMinimum"] = allowed.least
        if allowed.most != float("inf"):
            value["maximum" if allowed.most_closed else "exclusiveMaximum"] = allowed.most
    elif isinstance(allowed, OneOf) and not allowed.number:
        value["enum"] = [*allowed.values]
    return {"description": parameter.doc, "anyOf": [value, {"type": "array", "items": value, "minItems": 1}]}


def _plain(node: Any) -> Any:
    """Without the titles that pydantic makes of names, and with sentences in one line."""
    if isinstance(node, dict):
        return {
            key: " ".join(value.split()) if key == "description" and isinstance(value, str) else _plain(value)
            for key, value in node.items()
            if not (key == "title" and isinstance(value, str))
        }
    return [_plain(item) for item in node] if isinstance(node, list) else node
