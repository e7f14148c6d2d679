"""The interface's own documentation as a page without scripts, made from its OpenAPI description."""

from __future__ import annotations

import json
from typing import Any

import jinja2

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ api.info.title }} {{ api.info.version }}: REST interface</title>
<h1>{{ api.info.title }} {{ api.info.version }}: REST interface</h1>
{% for paragraph in api.info.description.split("\n\n") %}<p>{{ paragraph }}</p>
{% endfor %}
<p>For programs: <a href="/openapi.json">/openapi.json</a></p>
{% for path, methods in api.paths.items() %}{% for method, what in methods.items() %}
<h2>{{ method | upper }} {{ path }}</h2>
<p>{{ what.description }}</p>
{% if what.parameters %}<ul>
{% for p in what.parameters %}<li><code>{{ p.name }}</code>
({{ p.in }}{% if p.required %}, required{% endif %}) {{ p.description }}</li>
{% endfor %}</ul>{% endif %}
{% if what.requestBody %}<p>Takes:</p>
{% for kind, body in what.requestBody.content.items() %}<pre>{{ kind }}
{{ body.schema | shape }}</pre>{% endfor %}{% endif %}
{% for status, answer in what.responses.items() %}{% for kind, body in (answer.content or {}).items() %}
{% if status[0] == "2" %}<p>Answers {{ status }}, {{ kind }}:</p>
{% if body.schema %}<pre>{{ body.schema | shape }}</pre>{% endif %}{% endif %}{% endfor %}{% endfor %}
{% endfor %}{% endfor %}
<h2>Types</h2>
{% for name, schema in api.components.schemas.items() %}
<h3 id="{{ name }}">{{ name }}</h3>
<p>{{ schema.description }}</p>
<ul>
{% for field, of in (schema.properties or {}).items() %}<li><code>{{ field }}</code>: {{ of | shape }}
{% if of.description %}({{ of.description }}){% endif %}</li>
{% endfor %}</ul>
{% if schema.examples %}<pre>{{ schema.examples[0] | json }}</pre>{% endif %}
{% endfor %}
</html>
"""


def documentation_page(api: dict[str, Any]) -> str:
    """The page.

    Parameters
    ----------
    api : dict
        The OpenAPI description.
    """
    environment = jinja2.Environment(autoescape=True)
    environment.filters["shape"] = _shape
    environment.filters["json"] = lambda value: json.dumps(value, indent=2)
    return environment.from_string(_PAGE).render(api=api)


def _shape(schema: dict[str, Any]) -> str:
    """A schema in a line."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " or ".join(_shape(part) for part in schema[key])
    if "enum" in schema or "const" in schema:
        return " or ".join(json.dumps(value) for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"[{_shape(schema.get('items', {}))}, ...]"
    if "properties" in schema:
        return "{" + ", ".join(f"{name}: {_shape(of)}" for name, of in schema["properties"].items()) + "}"
    return str(schema.get("format") or schema.get("type") or "anything")
