"""What the service answers to: one table of operations, from which come its routes and their OpenAPI description."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ocrkit import __version__
from ocrkit.service.index import Hits
from ocrkit.service.queue import Job, JobOptions, Pinned, State

Handler = Callable[[Request], Awaitable[Response]]


class _Told(BaseModel):
    """What is answered."""

    model_config = ConfigDict(extra="forbid")


class Failure(_Told):
    """Why something was refused, in a sentence."""

    error: str


class DocumentState(_Told):
    """A document on its way: `queued`, `reading`, `done`, or `dead` with the reason."""

    id: str
    name: str
    kind: str
    size: int
    state: State
    reason: str
    tries: int
    jail: int
    page: int
    pages: int
    added: float
    ended: float
    seconds: float
    options: JobOptions
    model: Pinned


class Documents(_Told):
    """Documents, the newest first, and how many there are in each state; the jails that read here."""

    counts: dict[str, int]
    jails: int
    documents: list[DocumentState]


class FoundWord(_Told):
    """A word that was asked for; `box` is x0, y0, x1, y1 in px of the page's picture."""

    text: str
    box: tuple[int, int, int, int]
    confidence: float


class FoundPage(_Told):
    """A page that says what was asked for; `snippet` has pairs of a word and whether it was."""

    document: str
    name: str
    number: int
    kind: str
    added: float
    width: int
    height: int
    words: list[FoundWord]
    snippet: list[tuple[str, bool]]


class FoundPages(_Told):
    """What a search found; `next`, if there is more, is the `before` of the next search."""

    hits: list[FoundPage]
    total: int
    more: bool
    instead: dict[str, list[str]]
    next: int | None
    seconds: float


class Health(_Told):
    """Whether documents are taken and read."""

    status: str
    problems: list[str]


@dataclass(frozen=True)
class Operation:
    """One thing that can be asked of the service.

    Attributes:
        method: of HTTP.
        path: with its parameters in braces.
        handler: answers.
        summary: a sentence.
        answers: status -> a model of JSON, or the type of anything else.
        query: parameter -> its type in JSON schema and what it says.
        body: whether the request has one: the document as it is.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    answers: Mapping[int, type[BaseModel] | str]
    query: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    body: bool = False


_REFUSALS = {
    400: "The question is none.",
    401: "The token is missing or wrong.",
    403: "Asked from another page, or for a donated document.",
    404: "There is no such document.",
    409: "It has not been read.",
    413: "The document is too large.",
    415: "It is neither a PDF nor a picture.",
    429: "Too much at once; Retry-After says when to come again.",
    503: "The store cannot be used at the moment.",
    507: "The disk is full.",
}


def routes(operations: Iterable[Operation]) -> list[Route]:
    """The routes of operations."""
    return [Route(one.path, one.handler, methods=[one.method]) for one in operations]


def described(operations: Iterable[Operation]) -> dict[str, Any]:
    """Operations as OpenAPI 3.1 describes them."""
    paths: dict[str, Any] = {}
    models: dict[str, Any] = {}
    failure = {"application/json": {"schema": _reference(Failure, models)}}
    for one in operations:
        answers: dict[str, Any] = {}
        for status, model in one.answers.items():
            is_json = not isinstance(model, str)
            schema = {"schema": _reference(model, models)} if not isinstance(model, str) else {}
            kind = "application/json" if is_json else str(model)
            answers[str(status)] = {"description": one.summary} | ({"content": {kind: schema}} if kind else {})
        answers |= {str(status): {"description": said, "content": failure} for status, said in _REFUSALS.items()}
        names = [part.partition("}")[0] for part in one.path.split("{")[1:]]
        parameters = [_parameter(name.partition(":")[0], "path", "string", "") for name in names]
        parameters += [_parameter(name, "query", kind, said) for name, (kind, said) in one.query.items()]
        told: dict[str, Any] = {"summary": one.summary, "parameters": parameters, "responses": answers}
        if one.body:
            told["requestBody"] = {"required": True, "content": {"application/octet-stream": {}}}
        paths.setdefault(one.path.replace(":int", ""), {})[one.method.lower()] = told
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ocrkit",
            "version": __version__,
            "description": "Documents in, words and where they are out.",
        },
        "paths": paths,
        "components": {"schemas": models, "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "security": [{}, {"token": []}],
    }


def _parameter(name: str, where: str, kind: str, said: str) -> dict[str, Any]:
    told = {"name": name, "in": where, "required": where == "path", "schema": {"type": kind}}
    return told | ({"description": said} if said else {})


def _reference(model: type[BaseModel], models: dict[str, Any]) -> dict[str, str]:
    place = "#/components/schemas/{model}"
    schema = model.model_json_schema(ref_template=place)
    models.update(schema.pop("$defs", {}))
    models[model.__name__] = schema
    return {"$ref": place.format(model=model.__name__)}


def told(job: Job) -> DocumentState:
    """A job as the service tells of it; where the model lies on its disk is nobody's business."""
    values = {name: getattr(job, name) for name in DocumentState.model_fields if name not in ("model",)}
    model = Pinned(**{**asdict(job.model), "folder": ""})
    return DocumentState(**values, model=model)


def found(hits: Hits, names: Mapping[str, str]) -> FoundPages:
    """What a search found, with the documents' names."""
    return FoundPages(
        hits=[
            FoundPage(
                document=hit.document,
                name=names.get(hit.document, ""),
                number=hit.number,
                kind=hit.kind,
                added=hit.added,
                width=hit.width,
                height=hit.height,
                words=[FoundWord(**word._asdict()) for word in hit.words],
                snippet=list(hit.snippet),
            )
            for hit in hits.hits
        ],
        total=hits.total,
        more=hits.more,
        instead={token: list(alike) for token, alike in hits.instead.items()},
        next=hits.next,
        seconds=hits.seconds,
    )
